# ARCNN (agn) of the ORCNN paper: Table 4. One mask for all classes.
_base_ = './mask-rcnn_r101_fpn_1x_d2sa.py'
model = dict(roi_head=dict(mask_head=dict(class_agnostic=True)))
