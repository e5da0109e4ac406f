# ASBU: boundary and uncertainty. The paper's mode without a graph is context='neighbours';
# its published evaluation takes ancestors in the order graph.
_base_ = './boundary_unet_56k_cocoa.py'
model = dict(loss=dict(type='UncertaintyLoss'))
