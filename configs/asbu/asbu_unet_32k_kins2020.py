# The thresholds published for KINS.
_base_ = '../pcnet/pcnet-m_unet_32k_kins2020.py'
model = dict(
    loss=dict(type='UncertaintyLoss'), evidence='boundary', order_thr=0.4, amodal_thr=0.3)
