# PCNet-M: the occluder's mask as evidence, cross-entropy, ancestors in the order graph.
model = dict(
    type='MaskCompleter',
    network=dict(type='CompletionUNet'),
    loss=dict(type='RegionWeightedCrossEntropy'),
    evidence='mask',
    context='ancestors',
    order_thr=0.1,
    amodal_thr=0.2)
