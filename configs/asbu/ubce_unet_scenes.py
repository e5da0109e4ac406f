# Uncertainty-weighted BCE, Eq. (4), in place of Eq. (1).
_base_ = './asbu_unet_scenes.py'
model = dict(loss=dict(type='UncertaintyBCELoss'))
