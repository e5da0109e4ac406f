_base_ = './asbu_deeplabv3_scenes.py'
model = dict(network=dict(low_level_channels=16))
