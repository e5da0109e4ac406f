# MRCNN of the ORCNN paper: Table 2, COCOA cls. Boxes and masks are those of the visible parts.
_base_ = './mask-rcnn_r101_fpn_1x_cocoa-cls.py'
train_dataloader = dict(dataset=dict(visible_only=True))
