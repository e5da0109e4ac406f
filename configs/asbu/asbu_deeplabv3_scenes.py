# For patches of 64 on a CPU: ResNet-18 of half the width, an eighth of the resolution.
_base_ = './asbu_unet_scenes.py'
model = dict(
    network=dict(
        _delete_=True,
        type='CompletionDeepLab',
        backbone=dict(
            type='ResNet',
            depth=18,
            in_channels=2,
            base_channels=32,
            strides=(1, 2, 1, 1),
            dilations=(1, 1, 2, 4),
            norm_eval=False),
        channels=64,
        dilations=(2, 4, 6)))
