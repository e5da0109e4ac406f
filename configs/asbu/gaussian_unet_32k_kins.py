# The Gaussian likelihood, Eq. (2), with a floor on u; no published code has it: ASBU's thresholds.
_base_ = './asbu_unet_32k_kins.py'
model = dict(loss=dict(type='GaussianLoss', min_uncertainty=0.05))
