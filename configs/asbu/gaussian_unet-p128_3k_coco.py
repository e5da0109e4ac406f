# The Gaussian likelihood, Eq. (2), in place of Eq. (1): it needs a floor on u.
_base_ = './asbu_unet-p128_3k_coco.py'
model = dict(loss=dict(type='GaussianLoss', min_uncertainty=0.05))
