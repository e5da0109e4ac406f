"""What a completer or a detector did on one image, as one picture: functions of arrays.

Letters: N true objects, M predictions, H×W image, S patch side, h×w panel. Images are uint8
BGR, masks uint8 or bool in {0, 1}, image pixels.
"""

from typing import List, NamedTuple, Optional, Sequence, Tuple

import numpy as np

from mmamodal.visualization import drawing


class Objects(NamedTuple):
    """What one panel shows: visible masks filled, invisible ones striped, amodal ones outlined."""

    amodal: np.ndarray  # (N, H, W)
    visible: np.ndarray  # (N, H, W)
    caption: str
    names: Sequence[str] = ()  # N, written beside the objects, or none
    # (N, H, W); None: what is amodal and not visible. If given, the three are drawn as they are,
    # though a visible mask leave its amodal one, or an invisible one lie upon it.
    invisible: Optional[np.ndarray] = None


class Patches(NamedTuple):
    """What a completer works on and, if its loss has it, how unsure it is of each pixel."""

    places: np.ndarray  # (N, 4) int xyxy, square, image pixels; empty: nothing was predicted
    evidence: np.ndarray  # (N, S, S) uint8
    is_boundary: bool  # the evidence is the occlusion boundary, or else the occluder itself
    uncertainty: Optional[np.ndarray] = None  # (N, S, S) float32, >= 0


def completion_picture(image: np.ndarray, predicted: Objects, patches: Optional[Patches] = None,
                       truth: Optional[Objects] = None) -> np.ndarray:
    """Image, visible masks, evidence, amodal prediction, truth and uncertainty side by side.

    Args:
        image: (H, W, 3).
        predicted: N objects in the order of ``patches`` and ``truth``; their visible masks
            are those that were given.
        patches: nothing for a method that has none; their panels are left out then.
        truth: nothing if the data has none; its panel is left out then.

    Returns:
        (height, width, 3) uint8 BGR.
    """
    picture, ground = _enlarged(image)
    colours, top = drawing.object_colours(len(predicted.amodal)), None
    given = Objects(predicted.visible, predicted.visible, f'visible masks ({len(colours)}, given)')
    panels = [('image', picture), _panel(ground, given, colours)]
    if patches is not None:
        panels.append(_evidence(ground, given, colours, patches))
    panels.append(_panel(ground, predicted, colours))
    if truth is not None:
        panels.append(_panel(ground, truth, colours))
    if patches is not None and patches.uncertainty is not None and len(colours):
        heat, top = _uncertainty(ground, predicted, patches)
        panels.append(('uncertainty', heat))
    return drawing.side_by_side(panels, bar_top=top)


def detection_picture(image: np.ndarray, predicted: Objects,
                      truth: Optional[Objects] = None) -> np.ndarray:
    """Image, predicted objects and true ones side by side; one colour for what belongs together.

    Args:
        image: (H, W, 3).
        predicted: M objects, best score first; grey if no true object is like them.
        truth: N objects; nothing if the data has none.

    Returns:
        (height, width, 3) uint8 BGR.
    """
    picture, ground = _enlarged(image)
    colours = drawing.object_colours(len(predicted.amodal))
    if truth is None:
        return drawing.side_by_side([('image', picture), _panel(ground, predicted, colours, 0.4)])
    true_colours = drawing.object_colours(len(truth.amodal))
    colours = drawing.match_colours(predicted.amodal, truth.amodal, true_colours)
    return drawing.side_by_side([('image', picture), _panel(ground, predicted, colours, 0.4),
                                 _panel(ground, truth, true_colours, 0.4)])


def occlusion_rates(amodal: np.ndarray, invisible: np.ndarray) -> np.ndarray:
    """(N,) invisible over amodal area of masks (N, H, W), 1 at most, 0 for an empty mask."""
    hidden, area = (masks.astype(bool).sum((1, 2)) for masks in (invisible, amodal))
    return np.where(area > 0, np.minimum(hidden / np.maximum(area, 1), 1), 0)


def with_rates(names: Sequence[str], rates: np.ndarray) -> List[str]:
    """``name 34%`` for an object whose occlusion rate is 0.34; 0 % goes without saying."""
    percent = [round(100 * float(rate)) for rate in rates]
    return [f'{name} {part}%' if part else name for name, part in zip(names, percent)]


def _enlarged(image: np.ndarray) -> Tuple[np.ndarray, np.ndarray]:
    """The image at the size of a panel (h, w, 3), and the ground for masks made of it."""
    picture = drawing.resize_image(image, drawing.panel_shape(*image.shape[:2]))
    return picture, drawing.fade(picture)


def _panel(ground: np.ndarray, objects: Objects, colours: np.ndarray,
           opacity: float = 0.55) -> Tuple[str, np.ndarray]:
    """Objects on the ground (h, w, 3), the last ones first: the best score lies on top."""
    out = draw_objects(ground, objects, colours, opacity)
    amodal = drawing.resize_masks(objects.amodal, ground.shape[:2])
    return objects.caption, drawing.draw_names(out, amodal, objects.names, colours)


def draw_objects(ground: np.ndarray, objects: Objects, colours: np.ndarray,
                 opacity: float = 0.55) -> np.ndarray:
    """Objects in their colours (N, 3) BGR on the ground (h, w, 3), without their names; the
    first one lies on top."""
    amodal, visible, invisible = (
        None if masks is None else drawing.resize_masks(masks, ground.shape[:2])[::-1]
        for masks in (objects.amodal, objects.visible, objects.invisible))
    if invisible is None:
        return drawing.draw_amodal(ground, amodal, visible, colours[::-1], opacity)
    out = drawing.fill(ground, visible, colours[::-1], opacity)
    return drawing.outline(drawing.stripe(out, invisible, colours[::-1]), amodal, colours[::-1])


def _evidence(ground: np.ndarray, given: Objects, colours: np.ndarray,
              patches: Patches) -> Tuple[str, np.ndarray]:
    """The evidence of all objects in ink on their visible masks; occluders as stripes."""
    visible = drawing.resize_masks(given.visible, ground.shape[:2])
    out = drawing.fill(ground, visible, colours, opacity=0.35)
    places = _scaled(patches.places, ground, given)
    mask = drawing.paste_patches(patches.evidence.astype(np.uint8), places, ground.shape[:2]) > 0
    mask, ink = mask[None].astype(np.uint8), np.array([drawing.INK], np.uint8)
    if patches.is_boundary:
        return 'occlusion boundary', drawing.fill(out, mask, ink, opacity=1.0)
    return 'occluders (striped)', drawing.outline(drawing.stripe(out, mask, ink), mask, ink)


def _uncertainty(ground: np.ndarray, predicted: Objects,
                 patches: Patches) -> Tuple[np.ndarray, float]:
    """The heat map (h, w, 3) below the predicted outlines, and what its last colour means."""
    places = _scaled(patches.places, ground, predicted)
    values = drawing.paste_patches(patches.uncertainty, places, ground.shape[:2])
    top = float(np.nan_to_num(values).max())
    amodal = drawing.resize_masks(predicted.amodal, ground.shape[:2])
    white = np.full((len(amodal), 3), 255, np.uint8)
    return drawing.outline(drawing.draw_heat(ground, values, top), amodal, white, width=1), top


def _scaled(places: np.ndarray, ground: np.ndarray, objects: Objects) -> np.ndarray:
    """(N, 4) patches in pixels of the panel."""
    return np.round(places * (ground.shape[0] / objects.amodal.shape[1])).astype(np.int64)
