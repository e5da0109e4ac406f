"""What a model learns from, as pictures: annotated objects, and pairs for a completer.

Letters: N objects, M ignored ones, H×W image, S patch side, h×w panel. Images are uint8 BGR,
masks uint8 in {0, 1}.
"""

from typing import List, NamedTuple, Optional, Sequence, Tuple

import numpy as np

from mmamodal.visualization import drawing

PAPER = 242
GREYS = (120, 60)  # of ignored objects: inside, outline
Panels = List[Tuple[str, np.ndarray]]


class Annotated(NamedTuple):
    """The objects of one image."""

    amodal: np.ndarray  # (N, H, W)
    visible: np.ndarray  # (N, H, W)
    boxes: np.ndarray  # (N, 4) xyxy, image pixels
    ignored: np.ndarray  # (M, H, W), crowds and the like
    names: Sequence[str]  # N, or none
    numbers: Sequence[str]  # N, '' for an object without one
    caption: str


class Pair(NamedTuple):
    """An object to complete and a second one put on it or behind it, all on its patch (S, S)."""

    target: np.ndarray  # the object
    mask: np.ndarray  # what is left of it
    occluder: np.ndarray  # what is left of the second one
    other: np.ndarray  # the second one
    names: Tuple[str, str] = ('it', 'another')  # of the object and of the second one
    boundary: Optional[np.ndarray] = None
    bare_image: Optional[np.ndarray] = None  # (S, S, 3), before the second one was put there
    image: Optional[np.ndarray] = None  # (S, S, 3), as the model gets it
    alpha: Optional[np.ndarray] = None  # (S, S) float32 in [0, 1], of the second one's image

    @property
    def set_number(self) -> int:
        """1: the second one is in front and hides a part; 2: it is behind (PCNet)."""
        return 1 if (self.mask != self.target).any() else 2


def annotated_panels(image: Optional[np.ndarray], objects: Annotated, caption: str) -> Panels:
    """The image, and beside it what is annotated: visible parts filled, invisible parts striped,
    amodal masks outlined, boxes framed, ignored objects grey.

    Args:
        image: (H, W, 3); None: there is none, and the objects lie on plain ground.
        objects: in pixels of the image.
        caption: of the image.
    """
    shape = panel_shape(*objects.amodal.shape[1:])
    drawn = draw_annotated(_ground(image, shape), objects)
    if image is None:
        return [(f'{objects.caption}; no image file', drawn)]
    return [(caption, drawing.resize_image(image, shape)), (objects.caption, drawn)]


def small_picture(image: Optional[np.ndarray], objects: Annotated, side: int = 256) -> np.ndarray:
    """What is annotated, without what cannot be read on ``side`` pixels."""
    height, width = objects.amodal.shape[1:]
    scale = side / max(height, width)
    shape = (max(round(height * scale), 1), max(round(width * scale), 1))
    return draw_annotated(_ground(image, shape), objects._replace(
        names=(), boxes=np.zeros((0, 4))))


def _ground(image: Optional[np.ndarray], shape: Tuple[int, int]) -> np.ndarray:
    """What masks are drawn on, (h, w, 3)."""
    if image is None:
        return np.full((*shape, 3), PAPER, np.uint8)
    return drawing.fade(drawing.resize_image(image, shape))


def panel_shape(height: int, width: int) -> Tuple[int, int]:
    """The panel (h, w) of an H×W image, larger than :func:`drawing.panel_shape`, for there are
    two at most: the longer side has 480 to 800 pixels, up to 1280 if elongated."""
    longest = max(height, width)
    most = 1280 if longest >= 2 * min(height, width) else 800
    scale = min(most / longest, 1) if longest >= 480 else max(most // longest, 1)
    return max(round(height * scale), 1), max(round(width * scale), 1)


def draw_annotated(ground: np.ndarray, objects: Annotated) -> np.ndarray:
    """The objects, scaled to the ground (h, w, 3)."""
    shape, size = ground.shape[:2], objects.amodal.shape[1:]
    amodal, visible, ignored = (drawing.resize_masks(masks, shape) for masks in (
        objects.amodal, objects.visible, objects.ignored))
    colours = drawing.object_colours(len(amodal))
    grey, dark = (np.full((len(ignored), 3), value, np.uint8) for value in GREYS)
    boxes = objects.boxes * np.tile(np.divide(shape, size)[::-1], 2)
    out = drawing.outline(drawing.fill(ground, ignored, grey), ignored, dark)
    out = drawing.draw_boxes(out, boxes, colours)
    out = drawing.draw_amodal(out, amodal[::-1], visible[::-1], colours[::-1], opacity=0.4)
    out = drawing.draw_names(out, amodal, objects.names, colours)
    seen = np.where(visible.any((1, 2), keepdims=True), visible, amodal)
    return drawing.draw_numbers(out, seen, objects.numbers, colours)


def pair_panels(pair: Pair) -> Panels:
    """Both objects in their places, images if any, what a completer gets, and its target."""
    ground = np.full((*drawing.panel_shape(*pair.target.shape), 3), PAPER, np.uint8)
    first, second = drawing.object_colours(2)
    words = ('in front of', 'behind')[pair.set_number - 1]
    panels = [(f'set {pair.set_number}: {pair.names[1]} {words} {pair.names[0]}',
               draw_pair(ground, pair))]
    panels += _image_panels(pair, ground.shape[:2])
    panels += [('mask', _painted(ground, pair.mask, first)),
               ('occluder', _painted(ground, pair.occluder, second))]
    if pair.boundary is not None:
        pale = _painted(_painted(ground, pair.mask, first, 0.3), pair.occluder, second, 0.3)
        panels.append(('occlusion boundary', _painted(pale, pair.boundary, drawing.INK)))
    return [*panels, ('target', _painted(ground, pair.target, first))]


def draw_pair(ground: np.ndarray, pair: Pair) -> np.ndarray:
    """Both objects on the ground (h, w, 3), the hidden part striped."""
    amodal, visible = (drawing.resize_masks(np.stack(masks), ground.shape[:2]) for masks in (
        (pair.target, pair.other), (pair.mask, pair.occluder)))
    return drawing.draw_amodal(ground, amodal, visible, drawing.object_colours(2))


def _image_panels(pair: Pair, shape: Tuple[int, int]) -> Panels:
    """Nothing without an image; with a blend the image before, and the second one's weight."""
    if pair.image is None:
        return []
    image = drawing.resize_image(pair.image, shape)
    if pair.alpha is None:
        return [('image', image)]
    alpha = drawing.resize_masks(255 * pair.alpha[None], shape)[0]
    values = ', '.join(f'{value:.3g}' for value in np.unique(pair.alpha))
    return [('image before', drawing.resize_image(pair.bare_image, shape)),
            ('image', image),
            (f'α: {values}', np.repeat(alpha[..., None], 3, -1))]


def _painted(below: np.ndarray, mask: np.ndarray, colour: Sequence[int],
             opacity: float = 1.0) -> np.ndarray:
    """The mask (S, S) in one colour, BGR, over a picture (h, w, 3)."""
    mask = drawing.resize_masks(mask[None], below.shape[:2])
    return drawing.fill(below, mask, np.array([colour], np.uint8), opacity)
