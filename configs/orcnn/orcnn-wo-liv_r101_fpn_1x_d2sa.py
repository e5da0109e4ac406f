# ORCNN (w/o L_IV): Table 4, whose AP_V of 34.7 a visible loss does not explain; see docs/orcnn.md.
_base_ = './orcnn_r101_fpn_1x_d2sa.py'
model = dict(roi_head=dict(with_invisible_loss=False))
