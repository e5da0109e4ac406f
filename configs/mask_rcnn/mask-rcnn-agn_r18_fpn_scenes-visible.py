# MRCNN (agn): visible boxes and masks, one mask for all classes.
_base_ = './mask-rcnn_r18_fpn_scenes-visible.py'
model = dict(roi_head=dict(mask_head=dict(class_agnostic=True)))
