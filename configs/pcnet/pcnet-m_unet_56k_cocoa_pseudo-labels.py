# Completes the visible masks of the training images: what stage 2 learns from.
_base_ = './pcnet-m_unet_56k_cocoa.py'
model = dict(unite_visible=True)
test_dataloader = dict(
    dataset=dict(
        ann_file='COCOA/annotations/COCO_amodal_train2014.json',
        data_prefix=dict(img='coco/train2014/'),
        visible_only=True))
test_evaluator = dict(
    _delete_=True,
    type='PseudoLabelWriter',
    out_file='work_dirs/pcnet-m_unet_56k_cocoa/cocoa_train_pcnet.json')
