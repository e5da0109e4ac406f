# ORCNN (agn): Table 4. One mask for all classes, in both heads.
_base_ = './orcnn_r101_fpn_1x_d2sa.py'
model = dict(roi_head=dict(mask_head=dict(class_agnostic=True)))
