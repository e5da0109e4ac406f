# PCNet-M with the occlusion boundary as input.
_base_ = '../pcnet/pcnet-m_unet_scenes.py'
model = dict(evidence='boundary', order_thr=0.5, amodal_thr=0.5)
