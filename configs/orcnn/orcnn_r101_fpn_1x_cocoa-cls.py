# ORCNN: Table 2, COCOA cls.
_base_ = '../mask_rcnn/mask-rcnn_r101_fpn_1x_cocoa-cls.py'
model = dict(roi_head=dict(type='ORCNNRoIHead'))
