"""Images of whole objects pasted on backgrounds, with exact amodal truth (ORCNN, §4.3).

The paper says that "D2S amodal modal augmented" was made like the augmentation of D2S, from
visible masks alone. What is known of that recipe: crops of single objects, random turns and
places, the last one in front. What is not is an option of PasteOptions, fitted to Table 3.

Letters: H×W image, h×w tight box of one object, B cut-outs.
"""

import hashlib
import json
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import List, Tuple

import cv2
import numpy as np

from ..datasets.amodal_coco import AmodalCocoDataset
from ..datasets.pasting.cut_outs import Pasted, canvas_mask, paste_pixels, turn_cut_out
from ..datasets.pasting.paste_layout import PasteOptions, by_class, compose
from ..files import write_whole
from ..structures.annotation import annotation_of_masks
from ..structures.segmentation import encode
from .backgrounds import Background, read_background
from .sources import Sources

JPEG_QUALITY = 95


@dataclass(frozen=True)
class Composer:
    """Makes image k: it depends on what stands here, and on ``(seed, k)`` only.

    Args:
        dataset: what the sources were found in.
        sources: cut-outs and backgrounds.
        options: how to paste.
        seed: of all images together, at least 0.
        suffix: ``'jpg'`` or ``'png'``, of the image files.
    """

    dataset: AmodalCocoDataset
    sources: Sources
    options: PasteOptions
    seed: int = 0
    suffix: str = 'jpg'

    @cached_property
    def areas(self) -> np.ndarray:
        """(B,) pixels of the cut-outs."""
        return np.array([cut_out.area for cut_out in self.sources.cut_outs], np.float64)

    @cached_property
    def groups(self) -> List[np.ndarray]:
        """Places of the cut-outs, by class."""
        return by_class([cut_out.category_id for cut_out in self.sources.cut_outs])

    def compose(self, k: int) -> Tuple[np.ndarray, Background, List[Pasted]]:
        """Image k, (H, W, 3) uint8 BGR, what it was pasted on, and its layers, back to front."""
        rng = np.random.default_rng([self.seed, k])
        background = self.sources.backgrounds[rng.integers(len(self.sources.backgrounds))]
        image = np.ascontiguousarray(read_background(background, self.dataset))
        layers = compose(rng, self.areas, self.groups,
                         lambda source: self.sources.cut_outs[source].bitmap(),
                         image.shape[:2], self.options)
        for layer in layers:
            paste_pixels(image, self._pixels(layer), layer)
        return image, background, layers

    def write(self, k: int, folder: Path) -> dict:
        """Write image k into a folder; its COCO image with its ``annotations``, front first."""
        image, background, layers = self.compose(k)
        name, size = f'{k + 1:06d}.{self.suffix}', image.shape[:2]
        quality = [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY] if self.suffix == 'jpg' else []
        write_whole(folder / name, cv2.imencode(f'.{self.suffix}', image, quality)[1].tobytes())
        annotations = [
            dict(annotate(layer, size), order=order, **self._origin(layer))
            for order, layer in enumerate(reversed(layers), 1)]
        return dict(id=k + 1, file_name=name, height=size[0], width=size[1],
                    background=self.name(background), annotations=annotations)

    def name(self, background: Background) -> str:
        """The file name of a background."""
        if isinstance(background.source, str):
            return Path(background.source).name
        return self.dataset.get_data_info(background.source)['file_name']

    def _pixels(self, layer: Pasted) -> np.ndarray:
        """The turned pixels (h, w, 3) of a layer's cut-out."""
        cut_out = self.sources.cut_outs[layer.source]
        x1, y1, x2, y2 = cut_out.box
        bgr = self.dataset.read_image(cut_out.index)[y1:y2, x1:x2]
        return turn_cut_out(bgr, cut_out.bitmap(), layer.angle, layer.scale)[0]

    def _origin(self, layer: Pasted) -> dict:
        cut_out = self.sources.cut_outs[layer.source]
        return dict(category_id=cut_out.category_id, source_annotation_id=cut_out.ann_id)


def annotate(layer: Pasted, size: Tuple[int, int]) -> dict:
    """The masks of a layer as fields of an amodal COCO annotation; size is (H, W)."""
    amodal = canvas_mask(layer.mask, layer, size)
    visible = canvas_mask(layer.visible, layer, size)
    return dict(annotation_of_masks(amodal, visible), invisible_mask=encode(amodal - visible))


def describe_settings(composer: Composer, number: int) -> dict:
    """All that the images depend on, as JSON; an interrupted run goes on with the same only."""
    sources = composer.sources
    recipe = repr([(cut_out.index, cut_out.ann_id, cut_out.area, cut_out.box)
                   for cut_out in sources.cut_outs]
                  + [(composer.name(background), *background[1:])
                     for background in sources.backgrounds])
    return json.loads(json.dumps(dict(
        sources=hashlib.sha1(recipe.encode()).hexdigest()[:12], cut_outs=len(sources.cut_outs),
        backgrounds=len(sources.backgrounds), number=number, seed=composer.seed,
        suffix=composer.suffix, **asdict(composer.options))))


def merge(records: List[dict], categories: List[dict], info: dict) -> dict:
    """Images with their annotations as one COCO dict, annotations numbered from 1."""
    annotations: List[dict] = []
    for record in records:
        for annotation in record['annotations']:
            annotations.append(
                dict(annotation, id=len(annotations) + 1, image_id=record['id']))
    if not annotations:
        raise ValueError('no object found a place in any image: expected options that let some; '
                         'take a smaller --min-visible or --scale, or larger backgrounds')
    images = [{key: value for key, value in record.items() if key != 'annotations'}
              for record in records]
    return dict(info=info, images=images, annotations=annotations, categories=categories)
