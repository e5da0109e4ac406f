"""Which objects are pasted where: the rules of placing, for images made from nothing but objects
and for objects pasted into images.

Letters: N layers, H×W image, h×w tight box of one object, B cut-outs of a bank.
"""

from dataclasses import dataclass, replace
from typing import Callable, List, Optional, Sequence, Tuple

import numpy as np

from .cut_outs import Pasted, cover, may_cover, turn_mask

TRIED_PLACES, SPARE = 20, 2  # places tried for an object; objects tried for one in the image

Region = Tuple[float, float, float, float]


@dataclass(frozen=True)
class PasteOptions:
    """How objects are pasted.

    Args:
        objects: (least, greatest) number of objects of an image.
        max_angle: objects are turned by up to this many degrees to either side; 180 is any turn.
        scale: (least, greatest) factor of an object's length.
        even_size: 0 leaves objects as large as they are, 1 brings all to the median area of the
            bank; what is between takes them that far, as powers go. For sources whose objects
            differ in size far more than things on a table do.
        density: how closely objects lie: the share of the region they are pasted in that they
            would cover side by side, were there as many as on average. Being a share, it does
            not depend on the size of objects. The region has the shape of the image and a random
            place in it; objects that need a larger one than the image are made smaller, all by
            one factor. 0: the region is the image.
        max_occlusion: greatest hidden share of an object that another may be pasted on.
        min_visible: least number of visible pixels of such an object; new ones are no smaller.

    Raises:
        ValueError: an option is out of its range.
    """

    objects: Tuple[int, int] = (2, 14)
    max_angle: float = 180.0
    scale: Tuple[float, float] = (1.0, 1.0)
    even_size: float = 0.75
    density: float = 0.63
    max_occlusion: float = 0.475
    min_visible: int = 100

    def __post_init__(self) -> None:
        for name, least, most in (('objects', 1, 1000), ('scale', 0.01, 100)):
            pair = tuple(getattr(self, name))
            object.__setattr__(self, name, pair)
            if len(pair) != 2 or not least <= pair[0] <= pair[1] <= most:
                raise ValueError(f'{name}={pair}: expected (least, greatest) in [{least}, {most}]')
        for name, least, most in (('max_angle', 0, 180), ('even_size', 0, 1), ('density', 0, 100),
                                  ('max_occlusion', 0, 1), ('min_visible', 0, np.inf)):
            value = getattr(self, name)
            if not least <= value <= most:
                raise ValueError(f'{name}={value}: expected a number in [{least}, {most}]')


def paste_region(rng: np.random.Generator, mean_area: float, size: Tuple[int, int],
                 options: PasteOptions) -> Tuple[Region, float]:
    """Where objects of an image are pasted.

    Args:
        rng: draws the place of the region.
        mean_area: of the image's objects, in pixels.
        size: (H, W).
        options: of which ``density`` and ``objects`` count.

    Returns:
        region: (x1, y1, x2, y2) within the image.
        shrink: factor by which objects are scaled to fit into it, at most 1.
    """
    height, width = size
    needed = mean_area * sum(options.objects) / 2 / (height * width)
    side = np.sqrt(needed / options.density) if options.density else 1.0
    x, y = rng.uniform(size=2) * max(1 - side, 0) * (width, height)
    region = (x, y, x + min(side, 1) * width, y + min(side, 1) * height)
    return region, min(1 / side, 1.0) if side > 0 else 1.0


def draw_places(rng: np.random.Generator, count: int, shape: Tuple[int, int], region: Region,
                size: Tuple[int, int]) -> List[List[int]]:
    """Random places [x, y] for an object's h×w box: in the region, or in its middle where the
    box is larger, and inside the image in any case."""
    length, low, high, end = (np.array(values) for values in (
        shape[::-1], region[:2], region[2:], size[::-1]))
    room = high - low - length
    starts = np.where(room > 0, low + rng.uniform(size=(count, 2)) * room, low + room / 2)
    return np.clip(np.rint(starts), 0, end - length).astype(int).tolist()


def find_place(rng: np.random.Generator, layers: Sequence[Pasted], mask: np.ndarray,
               region: Region, size: Tuple[int, int], options: PasteOptions) -> Optional[Pasted]:
    """The object at a random place where it hides no layer beyond the limits of ``may_cover``.

    Args:
        rng: draws the places.
        layers: those it may come in front of.
        mask: (h, w), tight.
        region: (x1, y1, x2, y2) to be in, see :func:`draw_places`.
        size: (H, W).
        options: the limits.

    Returns:
        The layer, not yet in front of the others; None where the object is smaller than
        ``min_visible``, does not fit into the image, or none of the places tried will do.
    """
    if mask.size == 0 or np.any(np.array(mask.shape) > size) or (
            np.count_nonzero(mask) < options.min_visible):
        return None
    for x, y in draw_places(rng, TRIED_PLACES, mask.shape, region, size):
        layer = Pasted(mask, x, y, mask)
        if may_cover(layers, layer, options.max_occlusion, options.min_visible):
            return replace(layer, visible=mask.copy())
    return None


def by_class(classes: Sequence[int]) -> List[np.ndarray]:
    """Places of the entries of each class, classes in order of their number."""
    return [np.flatnonzero(np.array(classes) == number) for number in np.unique(classes)]


def compose(rng: np.random.Generator, areas: np.ndarray, groups: Sequence[np.ndarray],
            mask_of: Callable[[int], np.ndarray], size: Tuple[int, int],
            options: PasteOptions) -> List[Pasted]:
    """Choose cut-outs and place them: first a class, each as likely, then one of its cut-outs.

    Args:
        rng: draws everything.
        areas: (B,) pixels of the cut-outs of a bank.
        groups: places in the bank, by class.
        mask_of: gives the mask (h, w) of a cut-out by its place in the bank.
        size: (H, W).
        options: how to paste.

    Returns:
        N layers, back to front. Another cut-out stands in for one that finds no place; where
        these run out, too, there are fewer than were drawn.
    """
    count = int(rng.integers(options.objects[0], options.objects[1] + 1))
    classes = rng.integers(len(groups), size=SPARE * count)
    chosen = [int(groups[c][rng.integers(len(groups[c]))]) for c in classes]
    angles = rng.uniform(-options.max_angle, options.max_angle, len(chosen))
    scales = rng.uniform(*options.scale, len(chosen))
    scales *= (np.median(areas) / areas[chosen])**(options.even_size / 2)
    region, shrink = paste_region(rng, np.mean(areas[chosen] * scales**2), size, options)
    layers: List[Pasted] = []
    for source, angle, scale in zip(chosen, angles.tolist(), (scales * shrink).tolist()):
        mask = turn_mask(mask_of(source), angle, scale)
        layer = find_place(rng, layers, mask, region, size, options)
        if layer is not None:
            layer.source, layer.angle, layer.scale = source, angle, scale
            cover(layers, layer)
            layers.append(layer)
        if len(layers) == count:
            break
    return layers
