# PCNet-M with the uncertainty loss, Eq. (1).
_base_ = '../pcnet/pcnet-m_unet-p128_3k_coco.py'
model = dict(loss=dict(type='UncertaintyLoss'), order_thr=0.5, amodal_thr=0.5)
