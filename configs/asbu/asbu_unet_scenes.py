# Thresholds are chosen on the validation scenes; on KINS the published ones are the same.
_base_ = '../pcnet/pcnet-m_unet_scenes.py'
model = dict(
    loss=dict(type='UncertaintyLoss'), evidence='boundary', order_thr=0.4, amodal_thr=0.3)
