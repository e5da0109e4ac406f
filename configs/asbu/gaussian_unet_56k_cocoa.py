# The Gaussian likelihood, Eq. (2), in place of Eq. (1); no published code has it. It falls
# without bound as u goes to 0: it needs a floor.
_base_ = './asbu_unet_56k_cocoa.py'
model = dict(loss=dict(type='GaussianLoss', min_uncertainty=0.05))
