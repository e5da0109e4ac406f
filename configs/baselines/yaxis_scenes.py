_base_ = './raw_scenes.py'
model = dict(order='yaxis')
