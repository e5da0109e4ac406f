"""``--tta``: a test of each image and of its mirror image, merged."""

import copy

from mmengine.config import Config, ConfigDict

from .command_line import config_name

MERGED = dict(type='AmodalTTAModel', tta_cfg=dict(
    nms=dict(type='nms', iou_threshold=0.5), max_per_img=100))


def add_tta(cfg: Config) -> None:
    """Have the test see several views of each image, and a model merge what it finds in them.

    As in mmdet, ``tta_model`` and ``tta_pipeline`` of the config say how; without these, as it is
    and mirrored.

    Raises:
        ValueError: the model is a completer.
    """
    if cfg.model.type.endswith('Completer'):
        raise ValueError(f'--tta does not go with {config_name(cfg)}, whose {cfg.model.type} is a '
                         'completer: leave it out')
    dataset = cfg.test_dataloader.dataset
    dataset.pipeline = cfg.get('tta_pipeline') or with_mirror_images(dataset.pipeline)
    cfg.model = ConfigDict(cfg.get('tta_model') or MERGED, module=cfg.model)


def with_mirror_images(pipeline: list) -> list:
    """A test pipeline whose last transform packs each image twice, as it is and mirrored."""
    *steps, pack = copy.deepcopy(pipeline)
    views = [dict(type='RandomFlip', prob=prob) for prob in (0.0, 1.0)]
    return [*steps, dict(type='TestTimeAug', transforms=[views, [pack]])]


def tested_model(model: dict) -> dict:
    """The config of the model that sees the views; ``model`` itself if it sees the images."""
    return model['module'] if 'tta_cfg' in model else model
