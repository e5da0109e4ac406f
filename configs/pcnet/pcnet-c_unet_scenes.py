# PCNet-C on drawn scenes, in minutes on a CPU: a quarter of the width, five levels, patches of 64.
# In so short a time a network that sees what lies around the object learns to continue that.
_base_ = [
    '../_base_/models/content_unet.py', '../_base_/datasets/scenes_completion.py',
    '../_base_/schedules/content_450k.py', '../_base_/completion_runtime.py'
]
model = dict(
    generator=dict(base_channels=16, levels=5),
    discriminator=dict(base_channels=16),
    patch_size=64,
    object_only=True)
content_pipeline = [
    dict(type='CropPair', patch_size=64, image_loader=dict(type='LoadSceneImageOnce')),
    dict(type='PlaceOccluder', front_prob=1.0),
    dict(type='PackContentInputs')
]
train_dataloader = dict(batch_size=16, dataset=dict(pipeline=content_pipeline))
test_pipeline = [
    dict(type='LoadSceneImage'),
    dict(type='LoadAmodalAnnotations'),
    dict(type='LoadSceneContent'),
    dict(
        type='PackAmodalInputs',
        meta_keys=('img_id', 'img_path', 'ori_shape', 'img_shape', 'sample_idx', 'gt_content'))
]
val_dataloader = dict(dataset=dict(pipeline=test_pipeline))
test_dataloader = dict(dataset=dict(pipeline=test_pipeline))
val_evaluator = dict(_delete_=True, type='ContentMetric')
test_evaluator = val_evaluator
train_cfg = dict(max_iters=1500, val_interval=1500)
# The last layer divides by the number of values it sees, and so learns slowly.
optim_wrapper = dict(
    generator=dict(
        optimizer=dict(lr=2e-3), paramwise_cfg=dict(custom_keys={'decoder.0': dict(lr_mult=10)})),
    discriminator=dict(optimizer=dict(lr=2e-4)))
param_scheduler = [
    dict(type='CosineAnnealingLR', by_epoch=False, begin=300, end=1500, eta_min=2e-5)
]
default_hooks = dict(checkpoint=dict(interval=250))
