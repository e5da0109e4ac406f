# A detector on D2S amodal: both training files, 60 classes. Amodal masks reach outside the photo:
# PadToCanvas brings it to their size, so that nothing of them is lost.
_base_ = './coco_instance.py'
data_root = 'data/D2SA/'
ann_dir = 'd2s_amodal_annotations_v1/'
img_dir = 'd2s_amodal_images_v1/images/'

train_pipeline = [
    dict(type='LoadImageFromFile'),
    dict(type='PadToCanvas'),
    dict(type='LoadAmodalAnnotations'),
    dict(type='Resize', scale=(1333, 800), keep_ratio=True),
    dict(type='RandomFlip', prob=0.5),
    dict(type='PackDetInputs')
]
test_pipeline = [
    dict(type='LoadImageFromFile'),
    dict(type='PadToCanvas'),
    dict(type='Resize', scale=(1333, 800), keep_ratio=True),
    dict(type='LoadAmodalAnnotations'),
    dict(type='PackAmodalInputs')
]
train_dataloader = dict(
    dataset=dict(
        type='D2SADataset',
        data_root=data_root,
        ann_file=ann_dir + 'D2S_amodal_training_rot0.json',
        more_ann_files=[ann_dir + 'D2S_amodal_augmented.json'],
        data_prefix=dict(img=img_dir),
        pipeline=train_pipeline))
val_dataloader = dict(
    dataset=dict(
        type='D2SADataset',
        data_root=data_root,
        ann_file=ann_dir + 'D2S_amodal_validation.json',
        data_prefix=dict(img=img_dir),
        pipeline=test_pipeline))
test_dataloader = val_dataloader
