# On the amodal masks that stage 1 predicts; tools/train.py runs what is missing of it first.
_base_ = '../mask_rcnn/mask-rcnn_r50_fpn_1x_kins2020.py'
stage1 = dict(
    config='./asbu_unet_32k_kins2020.py',
    pseudo_labels='./asbu_unet_32k_kins2020_pseudo-labels.py')
train_dataloader = dict(
    dataset=dict(
        type='AmodalCocoDataset',
        data_root='',
        ann_file='work_dirs/asbu_unet_32k_kins2020/kins2020_train_asbu.json',
        data_prefix=dict(img='data/KINS/training/image_2/')))
