_base_ = './raw_cocoa.py'
model = dict(method='convexr')
