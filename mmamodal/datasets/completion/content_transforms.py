"""What content completion learns from and is measured on: pixels that are hidden and known.

Letters: N instances, H×W image, S patch side. Images are uint8 BGR, masks uint8 in {0, 1}.
"""

from typing import Dict, Optional

import numpy as np
import torch
from mmcv.transforms import BaseTransform
from mmdet.registry import TRANSFORMS

from ..scenes.dataset import LoadSceneImage
from ..scenes.drawing import cast_shadow, draw_object, window


@TRANSFORMS.register_module()
class PackContentInputs(BaseTransform):
    """Packs a training sample for :class:`~mmamodal.models.content.completer.ContentCompleter`.

    ``inputs`` are A's ``image`` (3, S, S), its ``mask`` (S, S) where B is not, the ``hole``
    (S, S) where B covers it (PCNet-C), all uint8, and A's ``category``. Gives None, so that the
    dataset draws again, if B covers nothing of A or lies behind it.
    """

    def transform(self, results: dict) -> Optional[dict]:
        """The packed sample."""
        if 'image' not in results:
            raise ValueError('content completion needs images: CropPair(image_loader=dict('
                             "type='LoadImageFromFile')) in the pipeline")
        hole = results['target'] & (1 - results['mask'])
        if not hole.any():
            return None
        return dict(inputs=dict(
            image=torch.from_numpy(np.ascontiguousarray(results['image'].transpose(2, 0, 1))),
            mask=torch.from_numpy(results['mask']),
            hole=torch.from_numpy(hole),
            category=torch.tensor(results['instance']['category_id'])))


@TRANSFORMS.register_module()
class LoadSceneImageOnce(LoadSceneImage):
    """Like LoadSceneImage, but keeps what it has drawn: a training that sees the pixels asks for
    every scene over and over, and drawing one takes longer than a training step of its patches."""

    def __init__(self) -> None:
        self.drawn: Dict[str, np.ndarray] = {}

    def transform(self, results: dict) -> dict:
        """Add the image."""
        name = results['img_path']  # carries a fingerprint of seed and options
        if name not in self.drawn:
            self.drawn[name] = super().transform(results)['img']
        image = self.drawn[name].copy()
        results.update(img=image, img_shape=image.shape[:2], ori_shape=image.shape[:2])
        return results


@TRANSFORMS.register_module()
class LoadSceneContent(BaseTransform):
    """Adds ``gt_content``, what each object of a SceneDataset's record looks like where it is
    hidden: (N, H, W, 3), in the order of ``instances``.

    Args:
        in_shadow: with the shadows of those in front of it, as its visible part has them; else
            as if it were alone.
    """

    def __init__(self, in_shadow: bool = True) -> None:
        self.in_shadow = in_shadow

    def transform(self, results: dict) -> dict:
        """Draw the objects."""
        if 'scene' not in results:
            raise ValueError(f"{results.get('img_path')} has no 'scene': what is hidden is known "
                             'of SceneDataset alone')
        places = [instance['order'] - 1 for instance in results['instances']]
        results['gt_content'] = hidden_content(results['scene'], self.in_shadow)[places]
        return results


def hidden_content(scene: dict, in_shadow: bool = True) -> np.ndarray:
    """Each object of a scene as it would look with nothing in front of it, without the image's
    noise.

    Args:
        scene: as in :mod:`~mmamodal.datasets.scenes.drawing`.
        in_shadow: the shadows of those in front of it stay; where two objects occlude each
            other, of the first of them on the second alone.

    Returns:
        (N, H, W, 3) uint8 BGR, front first, 0 outside of the object's box. What is known
        reaches beyond the amodal mask there.
    """
    objects, light = scene['objects'], scene['light']
    drawn = [draw_object(item, light) for item in objects]
    out = np.zeros((len(objects), scene['height'], scene['width'], 3), np.float32)
    for i, (picture, item, (_, bgr)) in enumerate(zip(out, objects, drawn)):
        window(picture, item, bgr.shape)[:] = bgr
        for front, (cover, _) in zip(objects[:i] if in_shadow else (), drawn):
            cast_shadow(picture, cover, front, light)
    return np.rint(out).clip(0, 255).astype(np.uint8)
