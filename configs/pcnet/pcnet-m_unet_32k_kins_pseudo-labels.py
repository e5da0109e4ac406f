# Completes the visible masks of the training images: what stage 2 learns from.
_base_ = './pcnet-m_unet_32k_kins.py'
model = dict(unite_visible=True)
test_dataloader = dict(dataset=_base_.train_dataloader.dataset.dataset)
test_evaluator = dict(
    _delete_=True,
    type='PseudoLabelWriter',
    out_file='work_dirs/pcnet-m_unet_32k_kins/kins_train_pcnet.json')
