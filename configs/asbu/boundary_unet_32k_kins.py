# PCNet-M with the occlusion boundary as input, at the thresholds of the published KINS scripts.
_base_ = '../pcnet/pcnet-m_unet_32k_kins.py'
model = dict(evidence='boundary', order_thr=0.5, amodal_thr=0.3)
