_base_ = '../pcnet/pcnet-m_unet-p128-robust_coco.py'
model = dict(loss=dict(type='UncertaintyLoss'), evidence='boundary')
