# ORCNN (agn): Table 2, COCOA cls. One mask for all classes, in both heads.
_base_ = './orcnn_r101_fpn_1x_cocoa-cls.py'
model = dict(roi_head=dict(mask_head=dict(class_agnostic=True)))
