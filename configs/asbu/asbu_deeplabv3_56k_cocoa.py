# From random weights. From ImageNet's, of which the first layer is left out, as it sees two masks:
#   --cfg-options model.network.backbone.init_cfg.type=Pretrained
#       model.network.backbone.init_cfg.checkpoint=/path/to/resnet50.pth
_base_ = './asbu_unet_56k_cocoa.py'
model = dict(
    network=dict(
        _delete_=True,
        type='CompletionDeepLab',
        backbone=dict(
            type='ResNet',
            depth=50,
            in_channels=2,
            strides=(1, 2, 2, 1),
            dilations=(1, 1, 1, 2),
            norm_eval=False)))
