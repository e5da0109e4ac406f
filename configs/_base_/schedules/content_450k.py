# The published schedule of content completion, 16 samples on each of eight GPUs.
train_cfg = dict(type='IterBasedTrainLoop', max_iters=450000)
val_cfg = dict(type='ValLoop')
test_cfg = dict(type='TestLoop')
optim_wrapper = dict(
    constructor='OptimWrapperPerNetwork',
    generator=dict(optimizer=dict(type='Adam', lr=1e-4)),
    discriminator=dict(optimizer=dict(type='Adam', lr=1e-5, betas=(0.0, 0.9))))
param_scheduler = []
auto_scale_lr = dict(enable=False, base_batch_size=128)
# Each network is a parallel model of its own.
model_wrapper_cfg = dict(type='MMSeparateDistributedDataParallel')
