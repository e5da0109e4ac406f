# Mask R-CNN on the amodal truth of drawn scenes: the upper bound, in minutes on a CPU.
_base_ = [
    '../_base_/models/mask-rcnn_r18-light_fpn.py', '../_base_/datasets/scenes_instance.py',
    '../_base_/default_runtime.py'
]
model = dict(roi_head=dict(bbox_head=dict(num_classes=6), mask_head=dict(num_classes=6)))

train_cfg = dict(type='EpochBasedTrainLoop', max_epochs=12, val_interval=6)
val_cfg = dict(type='ValLoop')
test_cfg = dict(type='TestLoop')
optim_wrapper = dict(
    optimizer=dict(type='AdamW', lr=1e-3, weight_decay=0.05), clip_grad=dict(max_norm=10))
param_scheduler = [
    dict(type='LinearLR', start_factor=0.01, by_epoch=False, end=100),
    dict(type='CosineAnnealingLR', T_max=12, by_epoch=True, convert_to_iter_based=True)
]
