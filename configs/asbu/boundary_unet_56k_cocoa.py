# PCNet-M with the occlusion boundary as input. The published evaluation takes the class with
# the larger logit, whatever thresholds it is given: 0.5.
_base_ = '../pcnet/pcnet-m_unet_56k_cocoa.py'
model = dict(evidence='boundary', order_thr=0.5, amodal_thr=0.5)
