# ORCNN (independent): Table 2, COCOA.
_base_ = './orcnn_r101_fpn_1x_cocoa.py'
model = dict(roi_head=dict(independent=True))
