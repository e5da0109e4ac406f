# MRCNN (agn) of the ORCNN paper: Table 4. Boxes and masks are those of the visible parts.
_base_ = './mask-rcnn-agn_r101_fpn_1x_d2sa.py'
train_dataloader = dict(dataset=dict(visible_only=True))
