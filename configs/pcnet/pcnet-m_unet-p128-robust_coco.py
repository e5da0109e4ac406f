# For masks that do not abut: training sees eroded and ragged ones whose gaps were closed, several
# occluders, and patches cut out as at test time. Thresholds are chosen on pasted masks of a
# held-out file.
_base_ = './pcnet-m_unet-p128_3k_coco.py'
model = dict(contact_gap=24, clip_to_occluders=True, flip_test=True, order_thr=None,
             amodal_thr=0.5)
max_iters = 10000
train_dataloader = dict(
    dataset=dict(
        num_others=3,
        pipeline=[
            dict(type='CropPair', patch_size=192, zoom=(0.7, 1.2), min_side=24),
            dict(type='TurnPair'),
            dict(type='PlaceOccluder'),
            dict(type='FocusOnVisible', patch_size=128),
            dict(type='JitterMasks'),
            dict(type='CloseGaps', gap=24),
            dict(type='OcclusionBoundary'),
            dict(type='PackCompletionInputs')
        ]))
val_dataloader = dict(
    _delete_=True,
    batch_size=1,
    num_workers=1,
    drop_last=False,
    sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=dict(
        type='PastedMasksDataset',
        data_root={{_base_.data_root}},
        ann_file='annotations/instances_val2017.json',
        test_mode=True,
        pipeline={{_base_.test_pipeline}}))
val_evaluator = dict(_delete_=True, type='CompletionMetric')
val_cfg = dict(_delete_=True, type='ValLoop')
train_cfg = dict(max_iters=max_iters, val_interval=2000)
param_scheduler = [
    dict(type='LinearLR', by_epoch=False, start_factor=0.1, end=100),
    dict(type='CosineAnnealingLR', by_epoch=False, begin=100, end=max_iters, eta_min=1e-5)
]
custom_hooks = [
    dict(type='EMAHook', ema_type='ExpMomentumEMA', momentum=2e-3, gamma=200, update_buffers=True)
]
