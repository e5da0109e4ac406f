"""What composites are made of: whole objects of a data set, and backgrounds.

Letters: H×W image, h×w tight box of one object.
"""

from collections import Counter
from pathlib import Path
from typing import List, NamedTuple, Optional, Sequence, Tuple

import numpy as np
from mmengine.utils import track_iter_progress

from ..datasets.amodal_coco import AmodalCocoDataset
from ..datasets.coco_files import describe_image
from ..datasets.pasting.cut_outs import may_go_on
from ..structures.segmentation import Segmentation, decode_tight
from .backgrounds import Background, Box, least_covered, list_backgrounds, photo_box

Tight = Tuple[np.ndarray, Tuple[int, int]]


class CutOut(NamedTuple):
    """A whole object of a data set.

    Attributes:
        index: of its image in the data set.
        ann_id: of its annotation.
        category_id: of its class.
        area: pixels.
        box: (x1, y1, x2, y2), tight.
        mask: as in the file.
        size: (H, W) of its image.
    """

    index: int
    ann_id: int
    category_id: int
    area: int
    box: Box
    mask: Segmentation
    size: Tuple[int, int]

    def bitmap(self) -> np.ndarray:
        """The mask, (h, w) uint8 in {0, 1}."""
        return decode_tight(self.mask, *self.size)[0]


class Sources(NamedTuple):
    """Cut-outs, backgrounds, and how many objects were left out for what reason."""

    cut_outs: List[CutOut]
    backgrounds: List[Background]
    left_out: Counter


def find_sources(dataset: AmodalCocoDataset, folder: Optional[Path] = None, min_area: int = 1024,
                 touching: bool = False) -> Sources:
    """Cut-outs of a data set, and backgrounds: pictures of a folder, or the data set's own.

    Of its own images the half is taken of which objects cover least.

    Args:
        dataset: with ``test_mode=True``, as no image may be missing.
        folder: of background pictures; None: the data set's images, objects painted out.
        min_area: see :func:`choose_whole`.
        touching: see :func:`choose_whole`.

    Raises:
        ValueError: no object can be used, a mask is broken, or the folder holds no picture.
        FileNotFoundError: the folder is missing; or an image whose masks reach beyond it.
    """
    cut_outs: List[CutOut] = []
    left_out: Counter = Counter()
    own: List[Tuple[float, Background]] = []
    for index in track_iter_progress(range(len(dataset))):
        record = dataset.get_data_info(index)
        tight = [_decoded(instance, 'mask', record) for instance in record['instances']]
        photo = photo_box(record)
        found, reasons = choose_whole(index, record, tight, photo, min_area, touching)
        cut_outs += found
        left_out.update(reasons)
        height, width = photo[3] - photo[1], photo[2] - photo[0]
        covered = sum(np.count_nonzero(mask) for mask, _ in tight) / (height * width)
        own.append((covered, Background(index, height, width)))
    if not cut_outs:
        raise ValueError(f'{dataset.source} has no whole object to cut out: left out were '
                         f'{describe(left_out)}; give other annotations, or a smaller --min-area')
    backgrounds = list_backgrounds(folder) if folder else least_covered(own)
    return Sources(cut_outs, backgrounds, left_out)


def choose_whole(index: int, record: dict, tight: Sequence[Tight], photo: Box, min_area: int,
                 touching: bool) -> Tuple[List[CutOut], Counter]:
    """The whole objects of an image: those that a crop of the visible mask shows completely.

    Left out are crowds and objects that are occluded where the file says so, that touch the rim
    of the photo, or are small. Where the file has visible masks only, an object that touches
    another one may go on behind it, and one in several pieces does: they are left out, too.

    Args:
        index: of the record in its data set.
        record: of the data set.
        tight: tight mask and its (x, y) of each instance.
        photo: (x1, y1, x2, y2) of the photo on the canvas of the masks.
        min_area: least number of pixels.
        touching: take objects that touch others, in one piece or not.

    Returns:
        cut-outs, and how many objects were left out for what reason.
    """
    size = (record['height'], record['width'])
    found, left_out = [], Counter()
    for place, (instance, (mask, (x, y))) in enumerate(zip(record['instances'], tight)):
        box = (x, y, x + mask.shape[1], y + mask.shape[0])
        area = int(np.count_nonzero(mask))
        reason = _why_not(instance, area, box, photo, min_area, record)
        if reason is None and record['visible_only'] and not touching:
            reason = may_go_on(tight, place)
        if reason is None:
            found.append(CutOut(index, instance['ann_id'], instance['category_id'], area, box,
                                instance['mask'], size))
        else:
            left_out[reason] += 1
    return found, left_out


def describe(left_out: Counter) -> str:
    """Counts and reasons in words."""
    return ', '.join(f'{count} {reason}' for reason, count in left_out.most_common()) or 'none'


def _why_not(instance: dict, area: int, box: Box, photo: Box, min_area: int,
             record: dict) -> Optional[str]:
    """The reason why an object cannot be cut out; None if it can."""
    if instance['ignore_flag']:
        return 'crowds'
    if area < min_area:
        return f'smaller than {min_area} pixels'
    inside = box[0] > photo[0] and box[1] > photo[1] and box[2] < photo[2] and box[3] < photo[3]
    if not inside:
        return 'at the rim of the photo'
    if instance.get('visible_mask') is not None:
        if np.count_nonzero(_decoded(instance, 'visible_mask', record)[0]) < area:
            return 'occluded'
    return None


def _decoded(instance: dict, key: str, record: dict) -> Tight:
    """A mask of an instance, tight, and its (x, y)."""
    try:
        return decode_tight(instance[key], record['height'], record['width'])
    except ValueError as error:
        raise ValueError(f"annotation {instance['ann_id']} of {describe_image(record)}: {error}; "
                         'mend or remove the annotation') from None
