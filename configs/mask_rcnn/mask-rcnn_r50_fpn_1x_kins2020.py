# On the amodal truth of 2020.
_base_ = [
    '../_base_/models/mask-rcnn_r50_fpn.py', '../_base_/datasets/kins2020_instance.py',
    '../_base_/schedules/detection_1x.py', '../_base_/default_runtime.py'
]
model = dict(roi_head=dict(bbox_head=dict(num_classes=7), mask_head=dict(num_classes=7)))
