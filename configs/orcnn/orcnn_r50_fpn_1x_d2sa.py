# ORCNN with ResNet-50.
_base_ = '../mask_rcnn/mask-rcnn_r50_fpn_1x_d2sa.py'
model = dict(roi_head=dict(type='ORCNNRoIHead'))
