_base_ = '../pcnet/pcnet-c_unet_scenes.py'
model = dict(_delete_=True, type='PlainContent', method='mean')
