# On the amodal masks that stage 1 predicts; tools/train.py runs what is missing of it first. Its
# one file takes the place of the two of the truth, and says where the photos lie on the canvas.
_base_ = '../mask_rcnn/mask-rcnn_r50_fpn_1x_d2sa.py'
stage1 = dict(
    config='./pcnet-m_unet_56k_d2sa.py',
    pseudo_labels='./pcnet-m_unet_56k_d2sa_pseudo-labels.py')
train_dataloader = dict(
    dataset=dict(
        _delete_=True,
        type='AmodalCocoDataset',
        ann_file='work_dirs/pcnet-m_unet_56k_d2sa/d2sa_train_pcnet.json',
        data_prefix=dict(img='data/D2SA/d2s_amodal_images_v1/images/'),
        filter_cfg=_base_.train_dataloader.dataset.filter_cfg,
        pipeline=_base_.train_dataloader.dataset.pipeline))
