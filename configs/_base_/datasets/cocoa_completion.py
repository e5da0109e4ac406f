# Stage 1 on COCOA: visible masks of the training images, amodal truth of the validation images.
data_root = 'data/'

train_dataset = dict(
    type='COCOADataset',
    data_root=data_root,
    ann_file='COCOA/annotations/COCO_amodal_train2014.json',
    data_prefix=dict(img='coco/train2014/'),
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
        type='InstancePairDataset', dataset=train_dataset, pipeline=train_pipeline))
val_dataloader = dict(
    batch_size=1,
    num_workers=2,
    persistent_workers=True,
    drop_last=False,
    sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=dict(
        type='COCOADataset',
        data_root=data_root,
        ann_file='COCOA/annotations/COCO_amodal_val2014.json',
        data_prefix=dict(img='coco/val2014/'),
        test_mode=True,
        pipeline=test_pipeline))
test_dataloader = val_dataloader

val_evaluator = dict(type='CompletionMetric')
test_evaluator = val_evaluator
