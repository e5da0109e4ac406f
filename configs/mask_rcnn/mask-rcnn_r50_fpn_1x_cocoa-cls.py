# The public ORCNN configuration of VRSP begins with COCO weights and takes 10,000 iterations
# at 0.0005, less at 5,000 and 8,000; this is the schedule of the other data sets.
_base_ = [
    '../_base_/models/mask-rcnn_r50_fpn.py', '../_base_/datasets/cocoa-cls_instance.py',
    '../_base_/schedules/detection_1x.py', '../_base_/default_runtime.py'
]
model = dict(roi_head=dict(bbox_head=dict(num_classes=80), mask_head=dict(num_classes=80)))
