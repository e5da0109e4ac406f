# For a CPU: small images, one class, some hundred iterations. Begins with an ImageNet ResNet-50
# of Caffe's layout, a file to be named by model.backbone.init_cfg.checkpoint.
_base_ = './mask-rcnn_r50_fpn_1x_coco.py'
model = dict(
    data_preprocessor=dict(mean=[103.53, 116.28, 123.675], std=[1.0, 1.0, 1.0], bgr_to_rgb=False),
    backbone=dict(
        norm_cfg=dict(requires_grad=False),
        frozen_stages=2,
        style='caffe',
        init_cfg=dict(checkpoint='data/weights/resnet50_caffe.pth')),
    roi_head=dict(bbox_head=dict(num_classes=1), mask_head=dict(num_classes=1)),
    train_cfg=dict(
        rpn_proposal=dict(nms_pre=500, max_per_img=300), rcnn=dict(sampler=dict(num=32))),
    test_cfg=dict(rpn=dict(nms_pre=300, max_per_img=200)))

scale = (320, 192)
train_dataloader = dict(
    batch_size=4,
    num_workers=1,
    dataset=dict(
        one_class=True,
        pipeline=[
            dict(type='LoadImageFromFile'),
            dict(type='LoadAmodalAnnotations'),
            dict(type='Resize', scale=scale, keep_ratio=True),
            dict(type='RandomFlip', prob=0.5),
            dict(type='PackDetInputs')
        ]))
test_pipeline = [
    dict(type='LoadImageFromFile'),
    dict(type='Resize', scale=scale, keep_ratio=True),
    dict(type='LoadAmodalAnnotations'),
    dict(type='PackAmodalInputs')
]
val_dataloader = dict(num_workers=1, dataset=dict(one_class=True, pipeline=test_pipeline))
test_dataloader = val_dataloader

train_cfg = dict(max_epochs=4, val_interval=4)
optim_wrapper = dict(optimizer=dict(lr=0.01), clip_grad=dict(max_norm=10))
param_scheduler = [
    dict(type='LinearLR', start_factor=0.01, by_epoch=False, begin=0, end=50),
    dict(type='CosineAnnealingLR', T_max=4, by_epoch=True, convert_to_iter_based=True)
]
default_hooks = dict(logger=dict(interval=20))
