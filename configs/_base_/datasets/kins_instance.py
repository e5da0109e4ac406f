# A detector on KINS: amodal truth, seven classes; validated on the test images, as is the rule.
# Short side 800, long side up to 3000: so do VRSP's public ORCNN configurations. KINS' own draws
# the short side from 800 to 1200; the ASBU paper says "default", which is (1333, 800).
_base_ = './coco_instance.py'
data_root = 'data/KINS/'
scale = (3000, 800)

train_pipeline = [
    dict(type='LoadImageFromFile'),
    dict(type='LoadAmodalAnnotations'),
    dict(type='Resize', scale=scale, keep_ratio=True),
    dict(type='RandomFlip', prob=0.5),
    dict(type='PackDetInputs')
]
test_pipeline = [
    dict(type='LoadImageFromFile'),
    dict(type='Resize', scale=scale, keep_ratio=True),
    dict(type='LoadAmodalAnnotations'),
    dict(type='PackAmodalInputs')
]
train_dataloader = dict(
    dataset=dict(
        type='KINSDataset',
        data_root=data_root,
        ann_file='instances_train.json',
        data_prefix=dict(img='training/image_2/'),
        pipeline=train_pipeline))
val_dataloader = dict(
    dataset=dict(
        type='KINSDataset',
        data_root=data_root,
        ann_file='instances_val.json',
        data_prefix=dict(img='testing/image_2/'),
        pipeline=test_pipeline))
test_dataloader = val_dataloader
