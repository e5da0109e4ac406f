# PCNet-M on drawn scenes, in minutes on a CPU: half the width, patches of 64, Adam.
_base_ = [
    '../_base_/models/completer_unet.py', '../_base_/datasets/scenes_completion.py',
    '../_base_/schedules/completion_56k.py', '../_base_/completion_runtime.py'
]
model = dict(network=dict(base_channels=16), patch_size=64, cpu_bf16=True)
train_cfg = dict(max_iters=2000, val_interval=2000)
optim_wrapper = dict(
    optimizer=dict(_delete_=True, type='Adam', lr=2e-3), clip_grad=dict(max_norm=10))
param_scheduler = [
    dict(type='LinearLR', by_epoch=False, start_factor=0.1, end=100),
    dict(type='CosineAnnealingLR', by_epoch=False, begin=100, end=2000, eta_min=2e-5)
]
default_hooks = dict(checkpoint=dict(interval=250))
