# Cascade Mask R-CNN whose every stage has an amodal and a visible mask head. Set num_classes in
# roi_head.mask_head and in the list roi_head.bbox_head. Weights of COCO: mmdet's
# cascade_mask_rcnn_r50_fpn_1x_coco_20200203-9d4dcb24.pth; as of Mask R-CNN, they start both heads.
_base_ = 'mmdet::_base_/models/cascade-mask-rcnn_r50_fpn.py'
model = dict(
    backbone=dict(
        init_cfg=dict(checkpoint='https://download.pytorch.org/models/resnet50-0676ba61.pth')),
    roi_head=dict(type='CascadeORCNNRoIHead'))
