# On visible masks taken as amodal ones: the lower bound.
_base_ = './mask-rcnn_r50_fpn_1x_cocoa-cls.py'
train_dataloader = dict(dataset=dict(visible_only=True))
