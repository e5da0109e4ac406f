# The thresholds are those of the published scripts, which sweep them on the test images; the
# paper says 0.5.
_base_ = './boundary_unet_32k_kins.py'
model = dict(loss=dict(type='UncertaintyLoss'), order_thr=0.4, amodal_thr=0.3)
