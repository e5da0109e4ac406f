_base_ = './raw_coco.py'
model = dict(method='convexr')
