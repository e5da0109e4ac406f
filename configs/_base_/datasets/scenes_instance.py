# A detector on drawn scenes: amodal truth for training, validation and test, six classes. Resize
# adds the keys that detectors expect, and leaves the size as it is.
train_pipeline = [
    dict(type='LoadSceneImage'),
    dict(type='LoadAmodalAnnotations'),
    dict(type='Resize', scale_factor=1.0),
    dict(type='RandomFlip', prob=0.5),
    dict(type='PackDetInputs')
]
test_pipeline = [
    dict(type='LoadSceneImage'),
    dict(type='Resize', scale_factor=1.0),
    dict(type='LoadAmodalAnnotations'),
    dict(type='PackAmodalInputs')
]

train_dataloader = dict(
    batch_size=4,
    num_workers=2,
    persistent_workers=True,
    sampler=dict(type='DefaultSampler', shuffle=True),
    dataset=dict(
        type='SceneDataset', split='train', num_scenes=400, pipeline=train_pipeline))
eval_loader = dict(
    batch_size=8,
    num_workers=2,
    persistent_workers=True,
    drop_last=False,
    sampler=dict(type='DefaultSampler', shuffle=False))
eval_dataset = dict(
    type='SceneDataset', num_scenes=100, test_mode=True, pipeline=test_pipeline)
val_dataloader = dict(dataset=dict(split='val', **eval_dataset), **eval_loader)
test_dataloader = dict(dataset=dict(split='test', **eval_dataset), **eval_loader)

# Without ann_file the truth comes from the dataset: the scenes have no file.
val_evaluator = dict(type='CocoMetric', metric=['bbox', 'segm'])
test_evaluator = val_evaluator
