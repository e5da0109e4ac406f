# PCNet-M with the uncertainty loss, Eq. (1): what the released ASBU configuration trains.
_base_ = '../pcnet/pcnet-m_unet_56k_cocoa.py'
model = dict(loss=dict(type='UncertaintyLoss'), order_thr=0.5, amodal_thr=0.5)
