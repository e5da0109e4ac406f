# ORCNN over Cascade Mask R-CNN. The model's 80 classes are those of COCOA-cls, as of COCO.
_base_ = [
    '../_base_/models/cascade-orcnn_r50_fpn.py', '../_base_/datasets/cocoa-cls_instance.py',
    '../_base_/schedules/detection_1x.py', '../_base_/default_runtime.py'
]
