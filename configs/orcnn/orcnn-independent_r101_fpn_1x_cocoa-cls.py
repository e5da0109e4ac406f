# ORCNN (independent): Table 2, COCOA cls.
_base_ = './orcnn_r101_fpn_1x_cocoa-cls.py'
model = dict(roi_head=dict(independent=True))
