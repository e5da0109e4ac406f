# The public ORCNN configuration of VRSP takes 70,000 iterations of 2 images at 0.005, less at
# 40,000 and 60,000; this is the schedule of the other data sets.
_base_ = [
    '../_base_/models/mask-rcnn_r50_fpn.py', '../_base_/datasets/d2sa_instance.py',
    '../_base_/schedules/detection_1x.py', '../_base_/default_runtime.py'
]
model = dict(roi_head=dict(bbox_head=dict(num_classes=60), mask_head=dict(num_classes=60)))
