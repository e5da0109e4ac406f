"""What stands where in a drawn scene: objects placed from the front to the back.

Letters: N objects of a scene (front first), H×W image, h×w tight patch of one object, T tried
positions.
"""

from dataclasses import dataclass
from typing import List, Optional, Sequence, Tuple

import numpy as np

from .crossings import Placed, place_across
from .drawing import silhouette, window
from .shapes import SHAPES

TRIED_POSITIONS, TRIED_OBJECTS, TRIED_SCENES, TRIED_PAIRS = 32, 12, 40, 400


@dataclass(frozen=True)
class SceneOptions:
    """How scenes are composed.

    Args:
        image_size: (H, W) in pixels.
        num_objects: (least, greatest) number of objects.
        object_size: (least, greatest) length of an object, as a share of the shorter image side.
        occlusion: (least, greatest) hidden share of an occluded object.
        occluded_share: probability that an object, but for the one in front, is to be occluded;
            the others are placed where least of them is hidden.
        min_visible: least number of visible pixels.
        max_angle: objects are turned by up to this many degrees to either side.

    Raises:
        ValueError: an option is out of its range.
    """

    image_size: Tuple[int, int] = (128, 128)
    num_objects: Tuple[int, int] = (2, 8)
    object_size: Tuple[float, float] = (0.3, 0.5)
    occlusion: Tuple[float, float] = (0.1, 0.7)
    occluded_share: float = 0.8
    min_visible: int = 40
    max_angle: float = 40.0

    def __post_init__(self) -> None:
        self._check_pair('image_size', int, 16, 8192)
        for name, kind, low, high in (('num_objects', int, 1, 64), ('object_size', float, .02, .9),
                                      ('occlusion', float, 0, .85)):
            least, greatest = self._check_pair(name, kind, low, high)
            if least > greatest:
                raise ValueError(f'{name}={least, greatest}: expected (least, greatest)')
        for name, low, high in (('occluded_share', 0, 1), ('min_visible', 1, np.inf),
                                ('max_angle', 0, 180)):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(
                    value, (int, float)) or not low <= value <= high:
                raise ValueError(f'{name}={value!r}: expected a number in [{low}, {high}]')

    def _check_pair(self, name: str, kind: type, low: float, high: float) -> tuple:
        """Turn an option into a tuple of two numbers of a kind."""
        pair, kinds = getattr(self, name), (int,) if kind is int else (int, float)
        if not isinstance(pair, (tuple, list)) or len(pair) != 2 or not all(
                isinstance(number, kinds) and low <= number <= high for number in pair):
            raise ValueError(f'{name}={pair!r}: expected two numbers ({kind.__name__}) in '
                             f'[{low}, {high}]')
        object.__setattr__(self, name, tuple(kind(number) for number in pair))
        return getattr(self, name)


def compose_scene(rng: np.random.Generator, options: SceneOptions,
                  mutual: bool = False) -> Tuple[dict, np.ndarray]:
    """Compose a scene.

    Args:
        rng: source of all that is drawn.
        options: how.
        mutual: the two objects in front occlude each other.

    Returns:
        scene: as :func:`~mmamodal.datasets.scenes.drawing.draw_scene` takes it.
        amodal: (N, H, W) uint8 in {0, 1}, front first.

    Raises:
        ValueError: so many objects of that size do not fit, or no two cross.
    """
    height, width = options.image_size
    scene = dict(height=height, width=width, seed=int(rng.integers(2**31)),
                 light=float(rng.uniform(-2.6, -0.6)))
    count = int(rng.integers(options.num_objects[0], options.num_objects[1] + 1))
    for _ in range(TRIED_SCENES):
        pair, lifted = _find_pair(rng, options) if mutual else ([], {})
        objects, amodal = _compose_objects(rng, options, count, pair)
        if len(objects) == count:
            return dict(scene, objects=objects, **lifted), amodal
    raise ValueError(f'found no place for {count} objects with {options}: expected options that '
                     'leave room; take fewer or smaller objects, a larger image, or a smaller '
                     'min_visible')


def _compose_objects(rng: np.random.Generator, options: SceneOptions, count: int,
                     placed: Sequence[Placed]) -> Tuple[List[dict], np.ndarray]:
    """As many objects as found a place, at most ``count``, behind those that have one already,
    and their amodal masks."""
    covered, objects = np.zeros(options.image_size, np.uint8), []
    amodal = np.zeros((count, *options.image_size), np.uint8)
    for place, mask in enumerate(amodal):
        if place < len(placed):
            item, patch = placed[place]
        else:
            occluded = objects and rng.random() < options.occluded_share
            wanted = rng.uniform(*options.occlusion) if occluded else 0.0
            found = _find_object(rng, options, covered, wanted)
            if found is None:
                break
            item, patch = found
        window(mask, item, patch.shape)[:] = patch
        covered |= mask
        objects.append(item)
    return objects, amodal


def _find_pair(rng: np.random.Generator, options: SceneOptions) -> Tuple[List[Placed], dict]:
    """Two objects that occlude each other, and what the scene says of them."""
    for _ in range(TRIED_PAIRS):
        items = [draw_item(rng, options), draw_item(rng, options)]
        found = place_across(rng, items, options.image_size, options.occlusion,
                             options.min_visible)
        if found is not None:
            return found
    raise ValueError(f'found no two objects that cross twice with {options}: expected options '
                     'that let them; take larger objects, or a wider range of occlusion')


def _find_object(rng: np.random.Generator, options: SceneOptions, covered: np.ndarray,
                 hidden_share: float) -> Optional[Placed]:
    """A random object with a place behind what is there, and its silhouette; None if none fits."""
    for _ in range(TRIED_OBJECTS):
        item = draw_item(rng, options)
        patch = silhouette(item)
        corner = place_behind(rng, covered, patch, hidden_share, options.occlusion,
                              options.min_visible)
        if corner is not None:
            return dict(item, x=int(corner[0]), y=int(corner[1])), patch
    return None


def draw_item(rng: np.random.Generator, options: SceneOptions) -> dict:
    """Kind and pose of a random object, without a place; ``size`` in pixels, ``angle`` radians."""
    size = rng.uniform(*options.object_size) * min(options.image_size)
    angle = np.deg2rad(rng.uniform(-options.max_angle, options.max_angle))
    return dict(shape=list(SHAPES)[rng.integers(len(SHAPES))], seed=int(rng.integers(2**31)),
                size=float(size), angle=float(angle), flip=bool(rng.integers(2)))


def place_behind(rng: np.random.Generator, covered: np.ndarray, patch: np.ndarray,
                 hidden_share: float, occlusion: Tuple[float, float],
                 min_visible: int) -> Optional[np.ndarray]:
    """Find a place for a silhouette behind what is already there.

    Args:
        rng: source of the tried places.
        covered: (H, W) uint8 in {0, 1}, what the objects in front cover.
        patch: (h, w) uint8 in {0, 1}; it stays inside the image.
        hidden_share: wanted share of hidden pixels; the nearest of the tried places is taken.
        occlusion: least (where any was wanted) and greatest share of hidden pixels.
        min_visible: least number of visible pixels.

    Returns:
        (2,) int xy of the patch's first pixel, or None if no tried place is allowed.
    """
    room = np.array(covered.shape) - patch.shape
    if room.min() < 0:
        return None
    corners = rng.integers(0, room[::-1] + 1, (TRIED_POSITIONS, 2))
    hidden, area = hidden_pixels(patch, covered, corners), int(patch.sum())
    least = occlusion[0] * area if hidden_share > 0 else 0
    allowed = ((hidden >= least) & (hidden <= occlusion[1] * area)
               & (area - hidden >= min_visible))
    if not allowed.any():
        return None
    return corners[np.where(allowed, np.abs(hidden - hidden_share * area), np.inf).argmin()]


def hidden_pixels(patch: np.ndarray, covered: np.ndarray, corners: np.ndarray) -> np.ndarray:
    """How many pixels of a patch lie on covered ground, for each of several places.

    Args:
        patch: (h, w) uint8 in {0, 1}.
        covered: (H, W) uint8 in {0, 1}.
        corners: (T, 2) int xy of the patch's first pixel, such that it stays inside.

    Returns:
        (T,) int64.
    """
    windows = np.lib.stride_tricks.sliding_window_view(covered, patch.shape)
    return (windows[corners[:, 1], corners[:, 0]] & patch).sum((1, 2), dtype=np.int64)
