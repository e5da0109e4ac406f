# ORCNN (independent, agn): Table 4.
_base_ = './orcnn_r101_fpn_1x_d2sa.py'
model = dict(roi_head=dict(independent=True, mask_head=dict(class_agnostic=True)))
