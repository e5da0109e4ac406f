"""How much of a data set is occluded: the figures of Table 3 of "Learning to See the Invisible"
(WACV 2019), from the masks themselves.

The occlusion rate of an object is |amodal minus visible| / |amodal|, in pixels of the canvas that
its masks are written on; an ``occlude_rate`` of the file, which may be rounded, is not looked at.
An object is occluded if its rate is greater than ``min_rate``. Averages run over objects, each
counting alike whatever its size: "avg OR (all)" is then "obj OR" times "avg OR (occl)", as it is
in every column of the paper (71 % · 33 % = 23 %). Where its percentages seem one too small, they
were cut instead of rounded: 7473 of 15654 objects are printed as 47 %.

Letters: N objects.
"""

import math
from typing import Dict, Iterator, NamedTuple, Optional, Sequence, TextIO, Tuple

import numpy as np
from mmengine.utils import ProgressBar
from pycocotools import mask as mask_utils

from ..structures.segmentation import to_rle

BATCH = 500  # annotations between two steps of the progress bar


class Statistics(NamedTuple):
    """One column of Table 3; rates are parts of one, percentages are properties.

    A mean over no object is NaN, and so is its percentage. Annotations left out as ``crowds`` (or
    as marked ``ignore``), and ``empty`` ones without an amodal pixel, are in no other number.
    """

    images: int
    images_occluded: int
    objects: int
    objects_occluded: int
    mean_rate_all: float
    mean_rate_occluded: float
    crowds: int = 0
    empty: int = 0

    @property
    def images_percent(self) -> float:
        """Images with an occluded object among all images."""
        return _percent(self.images_occluded, self.images)

    @property
    def objects_percent(self) -> float:
        """Occluded objects among all objects."""
        return _percent(self.objects_occluded, self.objects)

    @property
    def all_percent(self) -> float:
        """Mean occlusion rate of all objects."""
        return 100 * self.mean_rate_all

    @property
    def occluded_percent(self) -> float:
        """Mean occlusion rate of the occluded objects."""
        return 100 * self.mean_rate_occluded


# The rows of Table 3, under the names that the paper gives them.
ROWS = (('num imgs', 'images'), ('num imgs w/ occl', 'images_occluded'),
        ('img OR [%]', 'images_percent'), ('num objs', 'objects'),
        ('num objs occl', 'objects_occluded'), ('obj OR [%]', 'objects_percent'),
        ('avg OR / reg (all) [%]', 'all_percent'), ('avg OR / reg (occl) [%]', 'occluded_percent'))


class Objects(NamedTuple):
    """The objects of a data set, from which all figures and histograms come.

    Attributes:
        image: (N,) int64, place of its image in the list of images.
        category: (N,) int64, category id; -1 where the file gives none.
        area: (N,) int64, amodal pixels, > 0.
        rate: (N,) float64, occlusion rate in [0, 1].
        images: number of images, those without an object counted too.
        crowds: annotations left out as crowds, or as marked ``ignore``.
        empty: annotations left out since their amodal mask has no pixel.
    """

    image: np.ndarray
    category: np.ndarray
    area: np.ndarray
    rate: np.ndarray
    images: int
    crowds: int = 0
    empty: int = 0


def occlusion_statistics(coco: dict, source: str, min_rate: float = 0.0) -> Statistics:
    """The figures of one amodal COCO dict; see :func:`read_objects` and :func:`summarise`."""
    return summarise(read_objects(coco, source), min_rate)


def read_objects(coco: dict, source: str, progress: Optional[TextIO] = None) -> Objects:
    """Occlusion rate and area of every object of an amodal COCO dict; no mask is decoded.

    Args:
        coco: ``images`` and ``annotations`` with ``segmentation`` (amodal) and, where
            occluded, ``visible_mask``; polygons or RLE.
        source: where it comes from, for messages.
        progress: a stream, such as ``sys.stderr``, that shows how far it has got.

    Raises:
        ValueError: a mask cannot be read, or belongs to no image; names source and id.
    """
    images, annotations = (_listed(coco, key, source) for key in ('images', 'annotations'))
    places = {image['id']: place for place, image in enumerate(images)}
    taken = [ann for ann in annotations if not (ann.get('iscrowd') or ann.get('ignore'))]
    counts = np.zeros((len(taken), 2), np.int64)
    for row, ann in enumerate(_shown(taken, progress)):
        image = images[_place(ann, places, source)]
        try:
            counts[row] = _amodal_and_invisible(ann, image)
        except ValueError as error:
            raise ValueError(f"annotation {ann.get('id')} of {source}: {error}") from None
    area, invisible = counts.T
    some = area > 0
    return Objects(
        image=np.array([places[ann['image_id']] for ann in taken], np.int64)[some],
        category=np.array([_category(ann) for ann in taken], np.int64)[some],
        area=area[some],
        rate=invisible[some] / area[some],
        images=len(images),
        crowds=len(annotations) - len(taken),
        empty=int((~some).sum()))


def summarise(objects: Objects, min_rate: float = 0.0) -> Statistics:
    """The figures of some objects.

    Args:
        objects: of one data set or, after :func:`joined`, of several.
        min_rate: in [0, 1); an object counts as occluded if its rate is greater. The mean over
            all objects takes in every rate, those up to ``min_rate`` too.

    Raises:
        ValueError: ``min_rate`` is not in [0, 1).
    """
    if not 0 <= min_rate < 1:
        raise ValueError(f'expected a min_rate in [0, 1), a part of the object, got {min_rate}; '
                         '0.05 means five percent')
    occluded = objects.rate > min_rate
    return Statistics(
        images=objects.images,
        images_occluded=len(np.unique(objects.image[occluded])),
        objects=len(objects.rate),
        objects_occluded=int(occluded.sum()),
        mean_rate_all=_mean(objects.rate),
        mean_rate_occluded=_mean(objects.rate[occluded]),
        crowds=objects.crowds,
        empty=objects.empty)


def joined(parts: Sequence[Objects]) -> Objects:
    """The objects of several data sets, at least one, as those of one; no image is shared."""
    starts = np.cumsum([0] + [part.images for part in parts])
    moved = [part._replace(image=part.image + start) for part, start in zip(parts, starts)]
    arrays = (np.concatenate(column) for column in list(zip(*moved))[:4])
    return Objects(*arrays, *(sum(counts) for counts in list(zip(*moved))[4:]))


def by_class(objects: Objects, categories: Sequence[dict],
             min_rate: float = 0.0) -> Dict[str, Statistics]:
    """The figures of each class that has an object, the most frequent first.

    ``images`` are those with an object of the class. A class that ``categories``, dicts of
    ``id`` and ``name``, does not hold is called by its id.
    """
    names = {-1: 'no class', **{category['id']: category['name'] for category in categories}}
    ids, counts = np.unique(objects.category, return_counts=True)
    found = {}
    for category in ids[np.argsort(-counts, kind='stable')]:
        image, *rest = (values[objects.category == category] for values in objects[:4])
        part = Objects(image, *rest, images=len(np.unique(image)))
        found[names.get(int(category), f'class {category}')] = summarise(part, min_rate)
    return found


def table(columns: Dict[str, Statistics]) -> str:
    """Table 3 for a terminal: a column of figures under each name."""
    lines = [['', *columns]]
    lines += [[name, *(_cell(getattr(one, key)) for one in columns.values())]
              for name, key in ROWS]
    return _aligned(lines)


def class_table(classes: Dict[str, Statistics]) -> str:
    """The same figures, but a line for each class, since classes are many."""
    lines = [['class', *(name for name, _ in ROWS)]]
    lines += [[name, *(_cell(getattr(one, key)) for _, key in ROWS)]
              for name, one in classes.items()]
    return _aligned(lines)


def as_json(statistics: Statistics) -> dict:
    """Counts, rates and percentages by name; None for NaN, which JSON does not have."""
    keys = (*statistics._fields, *(key for _, key in ROWS if key.endswith('_percent')))
    values = {key: getattr(statistics, key) for key in keys}
    return {key: None if math.isnan(value) else value for key, value in values.items()}


def _listed(coco: dict, key: str, source: str) -> list:
    if not isinstance(coco, dict) or not isinstance(coco.get(key), list):
        raise ValueError(f'{source} has no list of {key}: expected an amodal COCO dict; files in '
                         "other formats become one by their dataset's as_amodal_coco()")
    return coco[key]


def _place(ann: dict, places: Dict[int, int], source: str) -> int:
    if ann.get('image_id') not in places:
        raise ValueError(f"annotation {ann.get('id')} of {source} has image_id "
                         f'{ann.get("image_id")!r}: expected the id of one of its {len(places)} '
                         'images; add the image or remove the annotation')
    return places[ann['image_id']]


def _category(ann: dict) -> int:
    category = ann.get('category_id')
    return category if isinstance(category, int) else -1


def _amodal_and_invisible(ann: dict, image: dict) -> Tuple[int, int]:
    """Pixels of the amodal mask, and those of them that the visible mask lacks."""
    amodal, visible = ann.get('segmentation'), ann.get('visible_mask')
    # The canvas of the masks may be larger than the photo: an RLE knows.
    sizes = [mask['size'] for mask in (amodal, visible)
             if isinstance(mask, dict) and len(mask.get('size') or ()) == 2]
    height, width = sizes[0] if sizes else (image['height'], image['width'])
    masks = [to_rle(mask, height, width)
             for mask in ([amodal] if visible is None else [amodal, visible])]
    area, seen = mask_utils.area([masks[0], mask_utils.merge(masks, intersect=True)])
    return int(area), int(area) - int(seen)


def _shown(annotations: Sequence[dict], stream: Optional[TextIO]) -> Iterator[dict]:
    """The annotations; the stream shows how many have been worked on."""
    bar = ProgressBar(len(annotations), file=stream) if stream and annotations else None
    try:
        for place, ann in enumerate(annotations, 1):
            yield ann
            if bar and (place % BATCH == 0 or place == len(annotations)):
                bar.update(place - bar.completed)
    finally:  # an error is not to stand behind the bar
        if bar:
            stream.write('\n')


def _percent(part: int, whole: int) -> float:
    return 100 * part / whole if whole else math.nan


def _mean(values: np.ndarray) -> float:
    return float(values.mean()) if len(values) else math.nan


def _cell(value: float) -> str:
    if isinstance(value, int):
        return f'{value:,}'
    return '–' if math.isnan(value) else f'{value:.1f}'


def _aligned(lines: Sequence[Sequence[str]]) -> str:
    """Cells as text: the first of each line to the left, the others to the right."""
    widths = [max(map(len, column)) for column in zip(*lines)]
    return '\n'.join((line[0].ljust(widths[0]) + ''.join(
        '  ' + cell.rjust(width) for cell, width in zip(line[1:], widths[1:]))).rstrip()
                     for line in lines)
