# For a CPU: patches of 128, Adam, half an hour on two cores that compute bfloat16.
_base_ = './pcnet-m_unet_56k_coco.py'
model = dict(patch_size=128, cpu_bf16=True)
train_dataloader = dict(
    batch_size=16,
    num_workers=1,
    dataset=dict(pipeline=[
        dict(type='CropPair', patch_size=128),
        dict(type='PlaceOccluder'),
        dict(type='OcclusionBoundary'),
        dict(type='PackCompletionInputs')
    ]))
train_cfg = dict(max_iters=3000)
optim_wrapper = dict(
    optimizer=dict(_delete_=True, type='Adam', lr=1e-3), clip_grad=dict(max_norm=10))
param_scheduler = [
    dict(type='LinearLR', by_epoch=False, start_factor=0.1, end=100),
    dict(type='CosineAnnealingLR', by_epoch=False, begin=100, end=3000, eta_min=1e-5)
]
default_hooks = dict(checkpoint=dict(interval=500))
