# ORCNN (agn): one mask for all classes, in both heads.
_base_ = './orcnn_r18_fpn_scenes.py'
model = dict(roi_head=dict(mask_head=dict(class_agnostic=True)))
