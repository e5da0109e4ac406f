# The lower bound: trained on visible masks, scored on amodal ones.
_base_ = './mask-rcnn_r18_fpn_scenes.py'
train_dataloader = dict(dataset=dict(visible_only=True))
