# With the image, through a ResNet-18 of half the width, from random weights.
_base_ = './asbu_unet_scenes.py'
model = dict(
    with_image=True,
    network=dict(
        type='CompletionUNetResNet',
        backbone=dict(type='ResNet', depth=18, base_channels=32, norm_eval=False)))

train_dataloader = dict(
    dataset=dict(pipeline=[
        dict(type='CropPair', patch_size=64, image_loader=dict(type='LoadSceneImage')),
        dict(type='PlaceOccluder'),
        dict(type='OcclusionBoundary'),
        dict(type='CompositeOccluder'),
        dict(type='PackCompletionInputs')
    ]))
test_pipeline = [
    dict(type='LoadSceneImage'),
    dict(type='LoadAmodalAnnotations'),
    dict(type='PackAmodalInputs')
]
val_dataloader = dict(dataset=dict(pipeline=test_pipeline))
test_dataloader = dict(dataset=dict(pipeline=test_pipeline))
