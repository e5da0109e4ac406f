# Like mask-rcnn_r50_fpn.py, but with ResNet-101, as the tables of the ORCNN paper. Weights of COCO:
# mmdet's mask_rcnn_r101_fpn_1x_coco_20200204-1efe0ed5.pth.
_base_ = './mask-rcnn_r50_fpn.py'
model = dict(
    backbone=dict(
        depth=101,
        init_cfg=dict(checkpoint='https://download.pytorch.org/models/resnet101-63fe2227.pth')))
