# The schedule of the published COCOA configurations. They train with 32 samples on each of
# two (ASBU) or eight (PCNet) GPUs and don't scale the learning rate; ASBU's text says 1e-4.
train_cfg = dict(type='IterBasedTrainLoop', max_iters=56000, val_interval=8000)
val_cfg = dict(type='ValLoop')
test_cfg = dict(type='TestLoop')
optim_wrapper = dict(
    type='OptimWrapper', optimizer=dict(type='SGD', lr=1e-3, momentum=0.9, weight_decay=1e-4))
param_scheduler = [
    dict(type='MultiStepLR', by_epoch=False, milestones=[32000, 48000], gamma=0.1)
]
auto_scale_lr = dict(enable=False, base_batch_size=64)
