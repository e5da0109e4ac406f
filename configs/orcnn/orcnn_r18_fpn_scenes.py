# ORCNN on drawn scenes, in minutes on a CPU; the budget is that of Mask R-CNN, for a fair table.
_base_ = '../mask_rcnn/mask-rcnn_r18_fpn_scenes.py'
model = dict(roi_head=dict(type='ORCNNRoIHead'))
