"""Pictures of masks, panel beside panel: functions of arrays.

Letters: N instances, H×W image, S patch side, h×w panel. Images are uint8 BGR, masks uint8 in
{0, 1}; a drawing function returns a new picture and leaves its input alone.
"""

import os
from functools import lru_cache
from typing import Optional, Sequence, Tuple

import cv2
import matplotlib
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from mmamodal.structures.patches import crop_window

# Okabe and Ito's colour-blind-safe palette (2008) without black, then the colours of Tol's
# "muted" (2021) that are least like them; RGB.
PALETTE = ((0, 114, 178), (230, 159, 0), (0, 158, 115), (204, 121, 167), (213, 94, 0),
           (86, 180, 233), (240, 228, 66), (51, 34, 136), (136, 34, 85), (153, 153, 51),
           (221, 204, 119), (17, 119, 51))
INK = (40, 34, 30)
UNMATCHED = (120, 120, 120)
HEAT = cv2.applyColorMap(np.linspace(0, 220, 256).astype(np.uint8),
                         cv2.COLORMAP_MAGMA)[:, 0]  # without its whites: outlines are white


def object_colours(count: int) -> np.ndarray:
    """(N, 3) uint8 BGR, one colour for each object, from the start again after twelve."""
    return np.array([PALETTE[i % len(PALETTE)][::-1] for i in range(count)],
                    np.uint8).reshape(-1, 3)


def panel_shape(height: int, width: int) -> Tuple[int, int]:
    """The panel (h, w) of an H×W image: small ones a whole number of times larger, so that
    the longer side has at least 256 pixels; large ones reduced to 384, or 768 if elongated."""
    longest = max(height, width)
    most = 768 if longest >= 2 * min(height, width) else 384
    scale = min(most / longest, 1) if longest >= 256 else -(-256 // longest)
    return max(round(height * scale), 1), max(round(width * scale), 1)


def resize_image(image: np.ndarray, shape: Tuple[int, int]) -> np.ndarray:
    """(H, W, 3) image -> (h, w, 3): cubic when it grows, averaged when it shrinks."""
    method = cv2.INTER_CUBIC if shape[0] >= image.shape[0] else cv2.INTER_AREA
    return cv2.resize(image, shape[::-1], interpolation=method)


def resize_masks(masks: np.ndarray, shape: Tuple[int, int]) -> np.ndarray:
    """(N, H, W) masks -> (N, h, w) uint8, the nearest pixel."""
    resized = [cv2.resize(np.asarray(mask, np.uint8), shape[::-1],
                          interpolation=cv2.INTER_NEAREST) for mask in masks]
    return np.array(resized, np.uint8).reshape(-1, *shape)


def fade(image: np.ndarray) -> np.ndarray:
    """The image in light grey: a ground on which colours stand for objects only."""
    grey = cv2.cvtColor(image, cv2.COLOR_BGR2GRAY)
    return cv2.cvtColor((110 + 0.55 * grey).astype(np.uint8), cv2.COLOR_GRAY2BGR)


def fill(picture: np.ndarray, masks: np.ndarray, colours: np.ndarray,
         opacity: float = 0.55) -> np.ndarray:
    """Each mask (N, h, w) in its colour (N, 3) BGR over the picture (h, w, 3)."""
    out = picture.copy()
    for mask, colour in zip(masks.astype(bool), colours):
        out[mask] = np.round((1 - opacity) * out[mask] + opacity * colour.astype(np.float32))
    return out


def outline(picture: np.ndarray, masks: np.ndarray, colours: np.ndarray,
            width: int = 2) -> np.ndarray:
    """The outermost ``width`` pixels of each mask (N, h, w) in its colour (N, 3) BGR."""
    out = picture.copy()
    kernel = np.ones((2 * width + 1, 2 * width + 1), np.uint8)
    for mask, colour in zip(masks, colours):
        out[(mask > 0) & (cv2.erode(mask, kernel) == 0)] = colour
    return out


def stripe(picture: np.ndarray, masks: np.ndarray, colours: np.ndarray,
           period: int = 8) -> np.ndarray:
    """Each mask (N, h, w) in diagonal stripes of its colour, what lies beneath in between.

    Neighbours in the list lean to opposite sides, so that two of them that share a place
    both show.
    """
    out = picture.copy()
    y, x = np.indices(picture.shape[:2])
    for i, (mask, colour) in enumerate(zip(masks, colours)):
        lean = x + y if i % 2 == 0 else x - y
        out[(mask > 0) & (lean % period < period // 2)] = colour
    return out


def draw_amodal(picture: np.ndarray, amodal: np.ndarray, visible: np.ndarray,
                colours: np.ndarray, opacity: float = 0.55) -> np.ndarray:
    """Amodal masks (N, h, w): the visible part filled, the rest striped, all outlined."""
    out = fill(picture, visible & amodal, colours, opacity)
    return outline(stripe(out, amodal & ~visible & 1, colours), amodal, colours)


def paste_patches(patches_values: np.ndarray, patches: np.ndarray,
                  shape: Tuple[int, int]) -> np.ndarray:
    """Patches of values back at their places, the largest where several lie.

    Args:
        patches_values: (N, S, S).
        patches: (N, 4) int xyxy in image pixels, square; they may leave the image.
        shape: (H, W).

    Returns:
        (H, W) float32, NaN where no patch lies.
    """
    out = np.full(shape, -np.inf, np.float32)
    method = cv2.INTER_NEAREST if patches_values.dtype == np.uint8 else cv2.INTER_LINEAR
    for values, patch in zip(patches_values, patches):
        side = int(patch[2] - patch[0])
        if side > 0:
            window = cv2.resize(values.astype(np.float32) + 1, (side, side), interpolation=method)
            pasted = crop_window(window, (0, 0, shape[1], shape[0]), (patch[0], patch[1]))
            out = np.where(pasted > 0, np.maximum(out, pasted - 1), out)
    return np.where(np.isinf(out), np.nan, out)


def draw_heat(picture: np.ndarray, values: np.ndarray, top: float,
              opacity: float = 0.85) -> np.ndarray:
    """Values (h, w), NaN where there are none, from 0 to ``top`` as colours over the picture."""
    scaled = np.nan_to_num(np.clip(values / max(top, 1e-12), 0, 1))
    heat = HEAT[(255 * scaled).astype(np.uint8)].astype(np.float32)
    mixed = np.round((1 - opacity) * picture + opacity * heat)
    return np.where(np.isnan(values)[..., None], picture, mixed).astype(np.uint8)


def draw_names(picture: np.ndarray, masks: np.ndarray, names: Sequence[str],
               colours: np.ndarray) -> np.ndarray:
    """A tag with the object's name on top of each mask (N, h, w), at its left, or as far
    below that as no earlier tag stands."""
    canvas = _to_pil(picture)
    pen, font, taken = ImageDraw.Draw(canvas), _font(11), []
    for mask, name, colour in zip(masks, names, colours):
        w, h = int(pen.textlength(name, font)) + 6, 15
        x, y, _, _ = cv2.boundingRect(mask)
        x, y = max(min(x, canvas.width - w), 0), max(y - h, 0)
        while y + 2 * h <= canvas.height and any(
                abs(y - v) < h and x < u + k and u < x + w for u, v, k in taken):
            y += 1
        taken.append((x, y, w))
        rgb = tuple(int(value) for value in colour[::-1])
        pen.rectangle((x, y, x + w - 1, y + h - 1), fill=rgb)
        dark = np.dot(rgb, (0.299, 0.587, 0.114)) < 140
        pen.text((x + 3, y + 1), name, 'white' if dark else 'black', font)
    return _from_pil(canvas)


def draw_boxes(picture: np.ndarray, boxes: np.ndarray, colours: np.ndarray) -> np.ndarray:
    """Thin frames: boxes (N, 4) xyxy in pixels of the picture, in their colours (N, 3) BGR."""
    out = picture.copy()
    bottom, right = picture.shape[0] - 1, picture.shape[1] - 1
    for (x1, y1, x2, y2), colour in zip(np.round(boxes).astype(int), colours):
        corner = (min(x2 - 1, right), min(y2 - 1, bottom))
        cv2.rectangle(out, (max(x1, 0), max(y1, 0)), corner, colour.tolist())
    return out


def draw_numbers(picture: np.ndarray, masks: np.ndarray, numbers: Sequence[str],
                 colours: np.ndarray) -> np.ndarray:
    """A number on a white disc ringed in the object's colour (N, 3) BGR, at the place of each
    mask (N, h, w) that is farthest from its rim; nothing for '' and for an empty mask."""
    marks = [(*deepest(mask), number, colour) for mask, number, colour in
             zip(masks, numbers, colours) if number and mask.any()]
    out = picture.copy()
    for x, y, number, colour in marks:
        left, right = (x - 3 * (len(number) - 1), y), (x + 3 * (len(number) - 1), y)
        for thickness, paint in ((21, colour.tolist()), (17, (255, 255, 255))):
            cv2.line(out, left, right, paint, thickness, cv2.LINE_AA)
    canvas = _to_pil(out)
    pen = ImageDraw.Draw(canvas)
    for x, y, number, _ in marks:
        pen.text((x + 0.5, y + 0.5), number, INK[::-1], _font(12), anchor='mm')
    return _from_pil(canvas)


def deepest(mask: np.ndarray) -> Tuple[int, int]:
    """(x, y) of the pixel of a mask (h, w), not empty, that is farthest from its rim."""
    depth = cv2.distanceTransform(np.pad(mask, 1), cv2.DIST_L2, 5)[1:-1, 1:-1]
    y, x = np.unravel_index(depth.argmax(), mask.shape)
    return int(x), int(y)


def tile(panels: Sequence[Tuple[str, np.ndarray]], columns: int, gap: int = 10) -> np.ndarray:
    """Panels of any size on white, row by row, each below its caption, in the middle of a place
    as wide as the widest.

    Args:
        panels: caption and (h, w, 3) picture of each.
        columns: panels in a row.
        gap: pixels between panels and around them.

    Returns:
        (height, width, 3) uint8 BGR.
    """
    head, columns = 23, max(min(columns, len(panels)), 1)
    wide = max((panel.shape[1] for _, panel in panels), default=0)
    rows = [panels[i:i + columns] for i in range(0, len(panels), columns)]
    heights = [max(panel.shape[0] for _, panel in row) + head + gap for row in rows]
    canvas = Image.new('RGB', (gap + columns * (wide + gap), gap // 2 + sum(heights)), 'white')
    pen, y = ImageDraw.Draw(canvas), gap // 2
    for row, height in zip(rows, heights):
        for column, (caption, panel) in enumerate(row):
            x = gap + column * (wide + gap)
            pen.text((x, y + 2), _shortened(caption, wide), INK[::-1], _font(14))
            canvas.paste(_to_pil(panel), (x + (wide - panel.shape[1]) // 2, y + head))
        y += height
    return _from_pil(canvas)


def side_by_side(panels: Sequence[Tuple[str, np.ndarray]], bar_top: Optional[float] = None,
                 gap: int = 10) -> np.ndarray:
    """Panels of one size on white, each below its caption; elongated ones in two columns.

    Args:
        panels: caption and (h, w, 3) picture of each.
        bar_top: if given, a colour bar from 0 to this value stands beside the last caption.
        gap: pixels between panels and around them.

    Returns:
        (height, width, 3) uint8 BGR.
    """
    h, w = panels[0][1].shape[:2]
    columns = 2 if w >= 2 * h else len(panels)
    rows, head = -(-len(panels) // columns), 23
    size = (gap + columns * (w + gap), gap // 2 + rows * (h + head + gap))
    canvas = Image.new('RGB', size, 'white')
    pen = ImageDraw.Draw(canvas)
    for i, (caption, panel) in enumerate(panels):
        x, y = gap + i % columns * (w + gap), gap // 2 + i // columns * (h + head + gap)
        canvas.paste(_to_pil(panel), (x, y + head))
        pen.text((x, y + 2), _shortened(caption, w), INK[::-1], _font(14))
    if bar_top is not None:
        _colour_bar(canvas, pen, x + w, y + 5, bar_top)
    return _from_pil(canvas)


def match_colours(masks: np.ndarray, truth: np.ndarray, colours: np.ndarray) -> np.ndarray:
    """Predictions in the colour of the true object that they show, grey if they show none.

    Args:
        masks: (M, H, W), best score first: each takes the free object of the largest IoU
            above a half.
        truth: (N, H, W).
        colours: (N, 3) uint8 BGR.

    Returns:
        (M, 3) uint8 BGR.
    """
    masks, truth = masks.astype(bool), truth.astype(bool)
    out = np.tile(np.array(UNMATCHED, np.uint8), (len(masks), 1))
    free = np.ones(len(truth), bool)
    for mask, colour in zip(masks, out):
        iou = (mask & truth).sum((1, 2)) / np.maximum((mask | truth).sum((1, 2)), 1) * free
        if len(iou) and iou.max() > 0.5:
            colour[:] = colours[iou.argmax()]
            free[iou.argmax()] = False
    return out


def _colour_bar(canvas: Image.Image, pen: ImageDraw.ImageDraw, right: int, top: int,
                value: float) -> None:
    """0 [bar] value, ending at ``right``."""
    text, font = f'{value:.2g}', _font(13)
    x = right - int(pen.textlength(text, font))
    pen.text((x, top - 1), text, INK[::-1], font)
    ramp = np.tile(np.arange(0, 256, 4, dtype=np.uint8), (12, 1))
    bar = HEAT[ramp]
    canvas.paste(_to_pil(bar), (x - 4 - bar.shape[1], top + 1))
    pen.text((x - 4 - bar.shape[1] - 13, top - 1), '0', INK[::-1], font)


def _to_pil(picture: np.ndarray) -> Image.Image:
    return Image.fromarray(np.ascontiguousarray(picture[..., ::-1]))


def _from_pil(canvas: Image.Image) -> np.ndarray:
    return np.ascontiguousarray(np.array(canvas)[..., ::-1])


def _shortened(text: str, width: int) -> str:
    while len(text) > 1 and _font(14).getlength(text) > width:
        text = text[:-2].rstrip() + '…'
    return text


@lru_cache(maxsize=None)
def _font(size: int) -> ImageFont.FreeTypeFont:
    """DejaVu Sans as matplotlib brings it along: OpenCV has no readable small letters."""
    return ImageFont.truetype(os.path.join(matplotlib.get_data_path(), 'fonts', 'ttf',
                                           'DejaVuSans.ttf'), size)
