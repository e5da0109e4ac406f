# On visible masks taken as amodal ones: the lower bound.
_base_ = './mask-rcnn_r50-caffe_fpn_cpu_coco.py'
train_dataloader = dict(dataset=dict(visible_only=True))
