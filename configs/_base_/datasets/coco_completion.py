# Stage 1 on any COCO file of visible masks: set these three paths to yours.
data_root = 'data/coco/'
ann_file = 'annotations/instances_train2017.json'
img_dir = 'train2017/'

visible_dataset = dict(
    type='AmodalCocoDataset',
    data_root=data_root,
    ann_file=ann_file,
    data_prefix=dict(img=img_dir),
    visible_only=True)
train_pipeline = [
    dict(type='CropPair'),
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
        type='InstancePairDataset', dataset=visible_dataset, pipeline=train_pipeline))

# There is no amodal truth to validate on (a config on this base sets val_cfg = None), and
# testing is the completion of the same file.
val_dataloader = None
val_evaluator = None
test_dataloader = dict(
    batch_size=1,
    num_workers=2,
    persistent_workers=True,
    drop_last=False,
    sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=dict(test_mode=True, pipeline=test_pipeline, **visible_dataset))
test_evaluator = dict(
    type='PseudoLabelWriter', out_file='work_dirs/pseudo-labels/coco_train2017.json')
