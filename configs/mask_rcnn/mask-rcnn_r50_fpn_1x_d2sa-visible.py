# On visible masks taken as amodal ones: the lower bound.
_base_ = './mask-rcnn_r50_fpn_1x_d2sa.py'
train_dataloader = dict(dataset=dict(visible_only=True))
