# ASBU with the image, through a ResNet-18 from ImageNet weights, which are downloaded once.
#   from a file:  --cfg-options model.network.backbone.init_cfg.checkpoint=/path/to/resnet18.pth
#   from scratch: --cfg-options model.network.backbone.init_cfg=None
# In training the other object is blended into the image; in a test the image is as it is, and
# shows the true occluders.
_base_ = './asbu_unet_56k_cocoa.py'
model = dict(
    with_image=True,
    network=dict(
        type='CompletionUNetResNet',
        backbone=dict(
            type='ResNet',
            depth=18,
            norm_eval=False,
            init_cfg=dict(
                type='Pretrained',
                checkpoint='https://download.pytorch.org/models/resnet18-f37072fd.pth'))))

train_dataloader = dict(
    dataset=dict(pipeline=[
        dict(type='CropPair', image_loader=dict(type='LoadImageFromFile')),
        dict(type='PlaceOccluder'),
        dict(type='OcclusionBoundary'),
        dict(type='CompositeOccluder'),
        dict(type='PackCompletionInputs')
    ]))
test_pipeline = [
    dict(type='LoadImageFromFile'),
    dict(type='LoadAmodalAnnotations'),
    dict(type='PackAmodalInputs')
]
val_dataloader = dict(dataset=dict(pipeline=test_pipeline))
test_dataloader = val_dataloader
