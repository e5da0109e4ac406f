# ORCNN (w/o L_V): its visible masks mean nothing.
_base_ = './orcnn_r18_fpn_scenes.py'
model = dict(roi_head=dict(with_visible_loss=False))
