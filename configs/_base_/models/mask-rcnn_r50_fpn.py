# Mask R-CNN with ResNet-50 and FPN, from ImageNet weights, which are downloaded once. Set
# roi_head.*.num_classes. Other beginnings, and what to do without a network:
#   ImageNet, from a file:  --cfg-options model.backbone.init_cfg.checkpoint=/path/to/resnet50.pth
#   COCO, as in the ASBU paper: --cfg-options load_from=<path or URL of mmdet's
#       mask_rcnn_r50_fpn_1x_coco_20200205-d4b0c5d6.pth>; its classifiers, of 80 classes, are left out
#   from scratch:           --cfg-options model.backbone.init_cfg=None
_base_ = 'mmdet::_base_/models/mask-rcnn_r50_fpn.py'
# The file behind mmdet's torchvision://resnet50, whose name only torchvision can resolve.
model = dict(
    backbone=dict(
        init_cfg=dict(checkpoint='https://download.pytorch.org/models/resnet50-0676ba61.pth')))
