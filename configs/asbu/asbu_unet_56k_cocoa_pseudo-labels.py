# Completes the visible masks of the training images: what stage 2 learns from.
_base_ = './asbu_unet_56k_cocoa.py'
model = dict(unite_visible=True)
test_dataloader = dict(dataset=_base_.train_dataloader.dataset.dataset)
test_evaluator = dict(
    _delete_=True,
    type='PseudoLabelWriter',
    out_file='work_dirs/asbu_unet_56k_cocoa/cocoa_train_asbu.json')
