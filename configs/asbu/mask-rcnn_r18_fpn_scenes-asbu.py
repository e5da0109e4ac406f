# Trained on ASBU's pseudo-labels; tools/train.py makes them first where they are missing.
_base_ = '../mask_rcnn/mask-rcnn_r18_fpn_scenes.py'
stage1 = dict(
    config='./asbu_unet_scenes.py', pseudo_labels='./asbu_unet_scenes_pseudo-labels.py')
train_dataloader = dict(
    dataset=dict(ann_file='work_dirs/asbu_unet_scenes/scenes_train_asbu.json'))
