_base_ = './asbu_deeplabv3_56k_cocoa.py'
model = dict(network=dict(low_level_channels=48))
