# ARCNN of the ORCNN paper: Table 2, COCOA cls.
_base_ = [
    '../_base_/models/mask-rcnn_r101_fpn.py', '../_base_/datasets/cocoa-cls_instance.py',
    '../_base_/schedules/detection_1x.py', '../_base_/default_runtime.py'
]
model = dict(roi_head=dict(bbox_head=dict(num_classes=80), mask_head=dict(num_classes=80)))
