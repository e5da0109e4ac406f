# ORCNN (w/o L_IV): the invisible masks still come from the logits of the other two.
_base_ = './orcnn_r18_fpn_scenes.py'
model = dict(roi_head=dict(with_invisible_loss=False))
