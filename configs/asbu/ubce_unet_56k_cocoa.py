# Uncertainty-weighted BCE, Eq. (4), in place of Eq. (1). As printed the equation lacks a minus
# before its second term; the published code has it.
_base_ = './asbu_unet_56k_cocoa.py'
model = dict(loss=dict(type='UncertaintyBCELoss'))
