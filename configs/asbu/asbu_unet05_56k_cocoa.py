# The published unet05.
_base_ = './asbu_unet_56k_cocoa.py'
model = dict(network=dict(base_channels=8))
