# Stage 1 on drawn scenes: visible masks of the training scenes, amodal truth of the validation
# scenes, where thresholds are chosen, and of the test scenes, which are reported. Patches are
# small, for a CPU: a model on this base takes patch_size=64, too.
train_dataset = dict(type='SceneDataset', split='train', num_scenes=400, visible_only=True)
train_pipeline = [
    dict(type='CropPair', patch_size=64),
    dict(type='PlaceOccluder'),
    dict(type='OcclusionBoundary'),
    dict(type='PackCompletionInputs')
]
test_pipeline = [dict(type='LoadAmodalAnnotations'), dict(type='PackAmodalInputs')]

train_dataloader = dict(
    batch_size=32,
    num_workers=2,
    persistent_workers=True,
    sampler=dict(type='InfiniteSampler', shuffle=True),
    collate_fn=dict(type='default_collate'),
    dataset=dict(
        type='InstancePairDataset', dataset=train_dataset, pipeline=train_pipeline))
eval_loader = dict(
    batch_size=1,
    num_workers=2,
    persistent_workers=True,
    drop_last=False,
    sampler=dict(type='DefaultSampler', shuffle=False))
eval_dataset = dict(
    type='SceneDataset', num_scenes=100, test_mode=True, pipeline=test_pipeline)
val_dataloader = dict(dataset=dict(split='val', **eval_dataset), **eval_loader)
test_dataloader = dict(dataset=dict(split='test', **eval_dataset), **eval_loader)

val_evaluator = dict(type='CompletionMetric')
test_evaluator = val_evaluator
