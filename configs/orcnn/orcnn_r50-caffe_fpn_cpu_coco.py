# For a CPU, on any file of amodal COCO; the budget is that of Mask R-CNN.
_base_ = '../mask_rcnn/mask-rcnn_r50-caffe_fpn_cpu_coco.py'
model = dict(roi_head=dict(type='ORCNNRoIHead'))
