# ORCNN (independent): all but the visible head learns as Mask R-CNN does on amodal masks.
_base_ = './orcnn_r50-caffe_fpn_cpu_coco.py'
model = dict(roi_head=dict(independent=True))
