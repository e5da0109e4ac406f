# ARCNN of the ORCNN paper: Table 4.
_base_ = [
    '../_base_/models/mask-rcnn_r101_fpn.py', '../_base_/datasets/d2sa_instance.py',
    '../_base_/schedules/detection_1x.py', '../_base_/default_runtime.py'
]
model = dict(roi_head=dict(bbox_head=dict(num_classes=60), mask_head=dict(num_classes=60)))
