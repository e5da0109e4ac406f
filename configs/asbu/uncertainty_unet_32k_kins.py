# PCNet-M with the uncertainty loss, Eq. (1), at the thresholds of the published KINS scripts.
_base_ = '../pcnet/pcnet-m_unet_32k_kins.py'
model = dict(loss=dict(type='UncertaintyLoss'), order_thr=0.4, amodal_thr=0.3)
