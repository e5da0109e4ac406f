# On the amodal masks that stage 1 predicts; tools/train.py runs what is missing of it first.
_base_ = '../mask_rcnn/mask-rcnn_r50_fpn_1x_cocoa-cls.py'
stage1 = dict(
    config='./pcnet-m_unet_56k_cocoa-cls.py',
    pseudo_labels='./pcnet-m_unet_56k_cocoa-cls_pseudo-labels.py')
train_dataloader = dict(
    dataset=dict(
        type='AmodalCocoDataset',
        data_root='',
        ann_file='work_dirs/pcnet-m_unet_56k_cocoa-cls/cocoa-cls_train_pcnet.json',
        data_prefix=dict(img='data/coco/train2014/')))
