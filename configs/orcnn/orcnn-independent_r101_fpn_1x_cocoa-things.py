# ORCNN (independent): Table 2, COCOA no stuff.
_base_ = './orcnn_r101_fpn_1x_cocoa-things.py'
model = dict(roi_head=dict(independent=True))
