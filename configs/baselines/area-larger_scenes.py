_base_ = './raw_scenes.py'
model = dict(order='area_larger')
