"""Drawn scenes as functions of arrays: silhouettes, sprites, grounds, and the whole picture.

Letters: N objects (front first), H×W scene, h×w tight patch of one object.
An object is ``dict(shape, seed, size, angle, flip, x, y)``: its kind and the seed of its looks,
its length in pixels, its turn in radians, whether it is mirrored, and the first pixel of its
patch. A scene is ``dict(height, width, seed, light, objects)``, ``light`` being the direction
that the light comes from, in radians: all that is needed to draw it again. If it has
``lifted_at``, (x, y), its first two objects occlude each other: at the crossing that holds this
pixel the second one is in front, else the first.
"""

from typing import Callable, Dict, Sequence, Tuple

import cv2
import numpy as np

from .shapes import SHAPES, Shape

MASK_SCALE, PAINT_SCALE = 4, 2  # subpixels per pixel and axis
_FRACTION_BITS = 4  # of cv2's fixed-point vertices


def amodal_masks(scene: dict) -> np.ndarray:
    """Amodal masks of a scene, (N, H, W) uint8 in {0, 1}, front first."""
    masks = np.zeros((len(scene['objects']), scene['height'], scene['width']), np.uint8)
    for mask, item in zip(masks, scene['objects']):
        patch = silhouette(item)
        window(mask, item, patch.shape)[:] = patch
    return masks


def visible_masks(amodal: np.ndarray) -> np.ndarray:
    """Visible masks, (N, H, W) uint8 in {0, 1}, of amodal masks that lie front first."""
    in_front = np.zeros_like(amodal)
    in_front[1:] = np.maximum.accumulate(amodal, axis=0)[:-1]
    return amodal & (1 - in_front)


def seen_masks(scene: dict, amodal: np.ndarray) -> np.ndarray:
    """Visible masks of a scene, (N, H, W) uint8 in {0, 1}, given its amodal ones."""
    visible = visible_masks(amodal)
    if 'lifted_at' in scene:
        lifted = lifted_crossing(scene, amodal)
        visible[0] &= 1 - lifted
        visible[1] |= lifted
    return visible


def lifted_crossing(scene: dict, amodal: np.ndarray) -> np.ndarray:
    """Where the second object lies on the first one, (H, W) uint8 in {0, 1}."""
    x, y = scene['lifted_at']
    _, pieces = cv2.connectedComponents(amodal[0] & amodal[1])
    return (pieces == pieces[y, x]).astype(np.uint8)


def silhouette(item: dict) -> np.ndarray:
    """Amodal mask of an object: pixels covered by half or more; (h, w) uint8 in {0, 1}."""
    return (coverage(item, make_shape(item)) >= 128).astype(np.uint8)


def make_shape(item: dict) -> Shape:
    """Outline and painted parts of an object, in its own plane."""
    return SHAPES[item['shape']](np.random.default_rng(item['seed']))


def window(picture: np.ndarray, item: dict, shape: Tuple[int, ...]) -> np.ndarray:
    """The part of a picture (H, W, ...) that lies under an object's patch; a view."""
    return picture[item['y']:item['y'] + shape[0], item['x']:item['x'] + shape[1]]


def coverage(item: dict, shape: Shape) -> np.ndarray:
    """How much of each pixel of its patch an object covers, (h, w) uint8 in 0..255."""
    matrix, offset, (height, width) = place_shape(item, shape)
    canvas = np.zeros((height * MASK_SCALE, width * MASK_SCALE), np.uint8)
    for contour, is_solid in shape.outline:
        _fill(canvas, contour @ matrix + offset, MASK_SCALE, 255 if is_solid else 0)
    return cv2.resize(canvas, (width, height), interpolation=cv2.INTER_AREA)


def place_shape(item: dict, shape: Shape) -> Tuple[np.ndarray, np.ndarray, Tuple[int, int]]:
    """From the object's plane to pixels of its patch: ``points @ matrix + offset``.

    Returns:
        matrix (2, 2), offset (2,), and the size (h, w) of the patch.
    """
    cos, sin = np.cos(item['angle']) * item['size'] / 2, np.sin(item['angle']) * item['size'] / 2
    matrix = np.array([[cos, sin], [-sin, cos]]) * [[-1.0 if item['flip'] else 1.0], [1.0]]
    solid = np.concatenate([contour for contour, is_solid in shape.outline if is_solid]) @ matrix
    low, high = solid.min(0), solid.max(0)
    width, height = np.ceil(high - low).astype(int) + 2
    return matrix, 1.0 - low, (int(height), int(width))


def _fill(canvas: np.ndarray, contour: np.ndarray, scale: int, value: object) -> None:
    """Fill a contour, given in pixels, on a canvas of ``scale`` times the resolution."""
    vertices = np.rint(contour * (scale << _FRACTION_BITS)).astype(np.int32)
    cv2.fillPoly(canvas, [vertices], value, shift=_FRACTION_BITS)


def draw_object(item: dict, light: float) -> Tuple[np.ndarray, np.ndarray]:
    """Draw one object on its patch.

    Returns:
        coverage: (h, w) uint8 in 0..255.
        bgr: (h, w, 3) float32, about 0..255.
    """
    shape = make_shape(item)
    matrix, offset, (height, width) = place_shape(item, shape)
    canvas = np.empty((height * PAINT_SCALE, width * PAINT_SCALE, 3), np.uint8)
    canvas[:] = shape.colour
    for contour, colour in shape.parts:
        _fill(canvas, contour @ matrix + offset, PAINT_SCALE, colour)
    cover = coverage(item, shape)
    bgr = cv2.resize(canvas, (width, height), interpolation=cv2.INTER_AREA).astype(np.float32)
    grain = clouds(np.random.default_rng(item['seed'] + 1), height, width, (5, 11))
    factor, highlight = relief(cover, light)
    return cover, bgr * (factor * (0.88 + 0.24 * grain))[..., None] + highlight[..., None]


def relief(cover: np.ndarray, light: float) -> Tuple[np.ndarray, np.ndarray]:
    """Shading of a body that rounds off towards its silhouette.

    Args:
        cover: (h, w) uint8, coverage.
        light: direction the light comes from, radians.

    Returns:
        Factors of the colour and what highlights add to it, (h, w) float32 each.
    """
    padded = cv2.copyMakeBorder(cover, 1, 1, 1, 1, cv2.BORDER_CONSTANT, value=0)
    depth = cv2.distanceTransform((padded >= 128).astype(np.uint8), cv2.DIST_L2, 5)
    radius = max(float(depth.max()), 1.0)
    dome = radius * np.sqrt(1 - (1 - np.minimum(depth / radius, 1))**2)
    dome = cv2.GaussianBlur(dome, (0, 0), 0.12 * radius + 0.6)
    slope_x = cv2.Sobel(dome, cv2.CV_32F, 1, 0, scale=0.125)
    slope_y = cv2.Sobel(dome, cv2.CV_32F, 0, 1, scale=0.125)
    away = slope_x * np.float32(np.cos(light)) + slope_y * np.float32(np.sin(light))
    facing = ((0.8 - 0.6 * away) / np.sqrt(1 + slope_x**2 + slope_y**2)).clip(0, 1)[1:-1, 1:-1]
    return 0.35 + 0.82 * facing, 70 * facing**24


def draw_scene(scene: dict) -> np.ndarray:
    """Draw a scene, (H, W, 3) uint8 BGR: ground, objects from the back to the front, noise."""
    rng = np.random.default_rng(scene['seed'])
    height, width, light = scene['height'], scene['width'], scene['light']
    ground = np.ascontiguousarray(draw_ground(rng, height, width), np.float32)
    picture = paint_objects(ground, scene['objects'], light)
    if 'lifted_at' in scene:
        first, second, *others = scene['objects']
        swapped = paint_objects(ground, [second, first, *others], light)
        picture += _share_of_lifted(scene)[..., None] * (swapped - picture)
    noise = rng.standard_normal((height, width, 1), dtype=np.float32) * np.float32(rng.uniform(1, 4))
    return np.rint(picture + noise).clip(0, 255).astype(np.uint8)


def paint_objects(ground: np.ndarray, objects: Sequence[dict], light: float) -> np.ndarray:
    """Objects, front first, and their shadows on a ground (H, W, 3) float32, which is kept."""
    picture = ground.copy()
    for item in reversed(objects):
        cover, bgr = draw_object(item, light)
        cast_shadow(picture, cover, item, light)
        target = window(picture, item, cover.shape)
        target += cover[..., None].astype(np.float32) / 255 * (bgr - target)
    return picture


def _share_of_lifted(scene: dict) -> np.ndarray:
    """How much of the picture in which the second object lies on the first one counts, (H, W)
    float32: 1 where they cross so, 0 at their other crossings, and smooth between, where the two
    pictures differ in shadows only."""
    amodal = amodal_masks(scene)
    lifted = lifted_crossing(scene, amodal)
    here, there = (cv2.distanceTransform(1 - piece, cv2.DIST_L2, 5)
                   for piece in (lifted, amodal[0] & amodal[1] & (1 - lifted)))
    return np.clip(2 * there / (here + there) - 0.5, 0, 1)


def cast_shadow(picture: np.ndarray, cover: np.ndarray, item: dict, light: float) -> None:
    """Darken, in place, what lies under an object, softly and away from the light."""
    reach = max(2, round(item['size'] * 0.12))
    margin = [2 * reach] * 4
    shade = cv2.copyMakeBorder(cover, *margin, cv2.BORDER_CONSTANT, value=0)
    shade = cv2.GaussianBlur(shade, (0, 0), reach * 0.6)
    left = item['x'] - 2 * reach - round(np.cos(light) * reach * 0.8)
    top = item['y'] - 2 * reach - round(np.sin(light) * reach * 0.8)
    x, y = max(left, 0), max(top, 0)
    target = picture[y:top + shade.shape[0], x:left + shade.shape[1]]
    shade = shade[y - top:y - top + target.shape[0], x - left:x - left + target.shape[1]]
    target *= 1 - shade[..., None].astype(np.float32) * np.float32(0.5 / 255)


# dark and bright tone in BGR: oak, walnut, linen, denim, sage, terracotta, slate, sand, rose, teal
TONES = np.array([[(60, 100, 150), (115, 165, 212)], [(36, 52, 82), (66, 92, 130)],
                  [(155, 176, 188), (205, 220, 228)], [(112, 74, 52), (170, 130, 98)],
                  [(105, 132, 108), (158, 188, 168)], [(72, 92, 160), (116, 144, 208)],
                  [(84, 76, 68), (132, 124, 116)], [(128, 172, 200), (176, 212, 232)],
                  [(132, 126, 186), (186, 184, 226)], [(104, 98, 40), (156, 156, 92)]], np.float32)


def draw_ground(rng: np.random.Generator, height: int, width: int) -> np.ndarray:
    """Draw a texture in two related tones, (H, W, 3) float32 BGR, about 0..255."""
    pattern = list(PATTERNS.values())[rng.integers(len(PATTERNS))](rng, height, width)
    dark, bright = TONES[rng.integers(len(TONES))] + rng.uniform(-12, 12, 3).astype(np.float32)
    uneven = 0.85 + 0.3 * clouds(rng, height, width, (3, 6))
    share = pattern.clip(-0.15, 1.15)[..., None].astype(np.float32)
    return (dark + (bright - dark) * share) * uneven[..., None]


def clouds(rng: np.random.Generator, height: int, width: int, grids: Tuple[int, ...]) -> np.ndarray:
    """Smooth noise, (H, W) float32 in about 0..1: ever finer random grids, each half as strong."""
    total, weight = np.zeros((height, width), np.float32), 0.0
    for octave, cells in enumerate(grids):
        grid = rng.random((cells, cells), dtype=np.float32)
        total += cv2.resize(grid, (width, height), interpolation=cv2.INTER_CUBIC) * 0.5**octave
        weight += 0.5**octave
    return total / weight


def _turned_grid(rng: np.random.Generator, height: int, width: int) -> Tuple[np.ndarray, np.ndarray]:
    """Coordinates along two perpendicular directions, (H, W) float32 each; longer side = 1."""
    y, x = np.mgrid[:height, :width].astype(np.float32) / max(height, width)
    angle = np.float32(rng.uniform(0, np.pi))
    return x * np.cos(angle) + y * np.sin(angle), y * np.cos(angle) - x * np.sin(angle)


def _wood(rng: np.random.Generator, height: int, width: int) -> np.ndarray:
    along, across = _turned_grid(rng, height, width)
    plank = across * rng.uniform(3, 5) + 8
    tone = rng.uniform(0, 1, 20).astype(np.float32)[plank.astype(int)]
    bend = 5 * clouds(rng, height, width, (3, 5))
    veins = np.sin(110 * across + bend + 20 * tone + 4 * along)
    fibre = clouds(rng, height, width, (9, 61))
    return 0.45 * tone + 0.16 * veins + 0.5 * fibre + 0.12 - 0.9 * (plank % 1 < 0.05)


def _gingham(rng: np.random.Generator, height: int, width: int) -> np.ndarray:
    along, across = _turned_grid(rng, height, width)
    count = rng.uniform(5, 9)
    bands = (along * count % 1 < 0.5).astype(np.float32) + (across * count % 1 < 0.5)
    return 0.4 * bands + 0.12 * np.sin(400 * along) * np.sin(400 * across) + 0.1


def _stripes(rng: np.random.Generator, height: int, width: int) -> np.ndarray:
    along, _ = _turned_grid(rng, height, width)
    wobble = 0.1 * clouds(rng, height, width, (3, 5))
    return 0.5 + 0.5 * np.tanh(4 * np.sin((along + wobble) * rng.uniform(25, 50)))


def _pebbles(rng: np.random.Generator, height: int, width: int) -> np.ndarray:
    count = int(rng.integers(40, 90))
    x, y = rng.integers(0, width, count), rng.integers(0, height, count)
    ground = np.ones((height, width), np.uint8)
    ground[y, x] = 0
    distance, label = cv2.distanceTransformWithLabels(ground, cv2.DIST_L2, 5)
    tone = rng.random(label.max() + 1, dtype=np.float32)[label]
    return 0.3 + 0.7 * tone - 0.4 * distance / (distance.max() + 1e-6)


def _felt(rng: np.random.Generator, height: int, width: int) -> np.ndarray:
    return 1.6 * clouds(rng, height, width, (4, 9, 19, 41)) - 0.3


PATTERNS: Dict[str, Callable[[np.random.Generator, int, int], np.ndarray]] = dict(
    wood=_wood, gingham=_gingham, stripes=_stripes, pebbles=_pebbles, felt=_felt)
