# ARCNN (agn) of the ORCNN paper: Table 2, COCOA cls. One mask for all classes.
_base_ = './mask-rcnn_r101_fpn_1x_cocoa-cls.py'
model = dict(roi_head=dict(mask_head=dict(class_agnostic=True)))
