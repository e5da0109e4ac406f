# ORCNN (independent): all but the visible head learns as Mask R-CNN does on amodal masks.
_base_ = './orcnn_r50_fpn_1x_kins.py'
model = dict(roi_head=dict(independent=True))
