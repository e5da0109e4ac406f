# ORCNN on the amodal masks that stage 1 predicts, and on the visible ones that it began with.
_base_ = './mask-rcnn_r18_fpn_scenes-asbu.py'
model = dict(roi_head=dict(type='ORCNNRoIHead'))
