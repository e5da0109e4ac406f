# ORCNN (w/o L_V): Table 4. Its visible masks mean nothing.
_base_ = './orcnn_r101_fpn_1x_d2sa.py'
model = dict(roi_head=dict(with_visible_loss=False))
