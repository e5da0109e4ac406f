_base_ = './raw_coco.py'
model = dict(order='area_larger')
