"""Pictures of what a detector gets wrong: one by one, and many on a sheet.

Letters: N drawn objects, H×W image, h×w panel. Images are uint8 BGR, masks uint8 in {0, 1}.
"""

from typing import List, NamedTuple, Optional, Sequence, Tuple

import cv2
import numpy as np
from matplotlib.font_manager import FontProperties, findfont
from PIL import Image, ImageDraw, ImageFont

from mmamodal.structures.segmentation import decode
from mmamodal.visualization import drawing
from mmamodal.visualization.failures.failures import Failure
from mmamodal.visualization.failures.judged import Judged
from mmamodal.visualization.pictures import Objects, draw_objects, with_rates

PAPER = 242
BYSTANDER = (70, 70, 70)
WRONG = (0, 94, 213)  # the palette's vermilion, BGR: it stands for no object here
TITLES = dict(missed='Missed', false_occlusion='False occlusion', merged='Several taken for one')
Window = Tuple[int, int, int, int]  # xyxy, image pixels


class Side(NamedTuple):
    """One side of the comparison, in image pixels: N objects that it is about, and others."""
    objects: Objects
    colours: np.ndarray  # (N, 3) BGR
    others: np.ndarray  # (K, H, W) amodal


def failure_picture(image: Optional[np.ndarray], judged: Judged, failure: Failure,
                    classes: Sequence[str], title: str) -> np.ndarray:
    """The place of a failure: image, predictions, truth. What it is about is in colours, all else
    outlined in grey.

    Args:
        image: (H, W, 3); None: there is none, and its panel is left out.
        judged: of that image.
        failure: what went wrong.
        classes: their names, by label.
        title: stands above all.

    Returns:
        (height, width, 3) uint8 BGR.
    """
    sides = read_sides(judged, failure, classes)
    window = window_of(sides)
    shape = drawing.panel_shape(window[3] - window[1], window[2] - window[0])
    panels = [(side.objects.caption, draw_side(image, side, window, shape)) for side in sides]
    if image is not None:
        panels.insert(0, ('image', drawing.resize_image(_cropped(image, window), shape)))
    return titled(drawing.side_by_side(panels), title)


def small_picture(image: Optional[np.ndarray], judged: Judged, failure: Failure,
                  classes: Sequence[str], side: int = 200) -> np.ndarray:
    """Predictions and truth at the place of a failure, without names, beside each other.

    Returns:
        (h, 2 ``side`` + 4, 3) uint8 BGR, with h at most ``side``.
    """
    sides = read_sides(judged, failure, classes)
    window = window_of(sides)
    height, width = window[3] - window[1], window[2] - window[0]
    scale = side / max(height, width)
    shape = max(round(height * scale), 1), max(round(width * scale), 1)
    out = np.full((shape[0], 2 * side + 4, 3), 255, np.uint8)
    for left, one in zip((0, side + 4), sides):
        one = one._replace(objects=one.objects._replace(names=()))
        left += (side - shape[1]) // 2
        out[:, left:left + shape[1]] = draw_side(image, one, window, shape)
    return out


def contact_sheet(pictures: Sequence[Tuple[str, np.ndarray]], title: str) -> np.ndarray:
    """Small pictures below their captions, three in a row, below a title."""
    return titled(drawing.tile(pictures, columns=3), title)


def titled(picture: np.ndarray, title: str, margin: int = 10) -> np.ndarray:
    """A picture (h, w, 3) on white below a line of bold letters, which begins at its margin."""
    height, width = picture.shape[:2]
    bold = ImageFont.truetype(findfont(FontProperties(family='DejaVu Sans', weight='bold')), 15)
    canvas = Image.new('RGB', (max(width, int(bold.getlength(title)) + 2 * margin), height + 34),
                       'white')
    ImageDraw.Draw(canvas).text((margin, 10), title, drawing.INK[::-1], bold)
    canvas.paste(Image.fromarray(np.ascontiguousarray(picture[..., ::-1])), (0, 34))
    return np.ascontiguousarray(np.array(canvas)[..., ::-1])


def read_sides(judged: Judged, failure: Failure, classes: Sequence[str]) -> Tuple[Side, Side]:
    """What was predicted and what is true. True objects have the palette's colours; a detection
    has that of the first of them, or another one if that is missed all the same."""
    truth, predicted = judged.truth, judged.predicted
    colours = drawing.object_colours(len(failure.objects))
    chosen = list(failure.objects)
    names = with_rates([classes[truth.labels[place]] for place in chosen],
                       judged.overlaps.rates[chosen])
    true = _side(truth.amodal, truth.visible, None, chosen, 'truth (striped: hidden)', names)
    found = [] if failure.detection is None else [failure.detection]
    names = [f'{classes[predicted.labels[place]]} {predicted.scores[place]:.2f}'
             for place in found]
    if judged.rates is not None:
        names = with_rates(names, judged.rates[found])
    guess = _side(predicted.amodal, predicted.visible, predicted.invisible, found, 'predicted',
                  names, truth.amodal[0]['size'])
    colour = np.array([WRONG], np.uint8) if failure.kind == 'missed' else colours[:1]
    return Side(guess[0], colour[:len(found)], guess[1]), Side(true[0], colours, true[1])


def window_of(sides: Sequence[Side], context: float = 0.35, least: int = 48) -> Window:
    """The part of the image to show: around what it is about, about square, inside the image."""
    masks = np.concatenate([side.objects.amodal for side in sides])
    height, width = masks.shape[1:]
    x, y, w, h = cv2.boundingRect(masks.max(axis=0))
    length = max(round((1 + 2 * context) * max(w, h)), least)
    spans = []
    for start, extent, limit in ((x, w, width), (y, h, height)):
        size = min(length, limit)
        first = min(max(start + extent // 2 - size // 2, 0), limit - size)
        spans.append((first, first + size))
    return spans[0][0], spans[1][0], spans[0][1], spans[1][1]


def draw_side(image: Optional[np.ndarray], side: Side, window: Window,
              shape: Tuple[int, int]) -> np.ndarray:
    """A window of one side as a panel (h, w, 3)."""
    ground = np.full((*shape, 3), PAPER, np.uint8) if image is None else drawing.fade(
        drawing.resize_image(_cropped(image, window), shape))
    others = drawing.resize_masks(_cut(side.others, window), shape)
    grey = np.tile(np.array(BYSTANDER, np.uint8), (len(others), 1))
    amodal, visible, invisible = (None if masks is None else _cut(masks, window) for masks in (
        side.objects.amodal, side.objects.visible, side.objects.invisible))
    objects = side.objects._replace(amodal=amodal, visible=visible, invisible=invisible)
    out = draw_objects(drawing.outline(ground, others, grey, width=1), objects, side.colours)
    return drawing.draw_names(out, drawing.resize_masks(amodal, shape), objects.names,
                              side.colours)


def _side(amodal: List[dict], visible: Optional[List[dict]], invisible: Optional[List[dict]],
          chosen: List[int], caption: str, names: Sequence[str],
          size: Optional[Sequence[int]] = None) -> Tuple[Objects, np.ndarray]:
    """Those chosen, and the amodal masks (K, H, W) of the others."""
    size = tuple(size or amodal[0]['size'])
    rest = [place for place in range(len(amodal)) if place not in chosen]
    whole = _decoded(amodal, chosen, size)
    hidden = None if invisible is None else _decoded(invisible, chosen, size)
    if visible is not None:
        seen = _decoded(visible, chosen, size)
    else:
        seen = whole if hidden is None else whole & ~hidden
    return Objects(whole, seen, caption, names, hidden), _decoded(amodal, rest, size)


def _decoded(masks: List[dict], places: Sequence[int], size: Tuple[int, int]) -> np.ndarray:
    return np.array([decode(masks[place], *size) for place in places],
                    np.uint8).reshape(-1, *size)


def _cropped(image: np.ndarray, window: Window) -> np.ndarray:
    return image[window[1]:window[3], window[0]:window[2]]


def _cut(masks: np.ndarray, window: Window) -> np.ndarray:
    return masks[:, window[1]:window[3], window[0]:window[2]]
