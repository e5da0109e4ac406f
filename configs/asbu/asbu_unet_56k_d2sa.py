# The thresholds published for COCOA.
_base_ = '../pcnet/pcnet-m_unet_56k_d2sa.py'
model = dict(
    loss=dict(type='UncertaintyLoss'), evidence='boundary', order_thr=0.5, amodal_thr=0.5)
