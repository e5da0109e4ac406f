_base_ = '../pcnet/pcnet-m_unet-p128-robust_coco.py'
model = dict(
    loss=dict(type='UncertaintyLoss'), evidence='boundary', order_thr=0.5, amodal_thr=0.5)
