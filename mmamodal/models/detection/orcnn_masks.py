"""An object's three masks from two mask heads: functions of tensors.

Letters: N objects, C classes of a mask head (1 if class-agnostic), h×w its grid (28×28), K kinds
of masks, H×W image.
"""

from typing import Iterator, Tuple

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

# On a GPU, masks are pasted over the whole image, so many pixels at a time: 128 MB of float32.
PASTED_AT_ONCE = 2**25


def class_logits(logits: Tensor, labels: Tensor) -> Tensor:
    """The logits of each object's class, those that losses and predictions are made of.

    Args:
        logits: (N, C, h, w).
        labels: (N, ) int64 in [0, C); with C = 1 whatever they are.

    Returns:
        (N, 1, h, w) float32, also under autocast.
    """
    if logits.shape[1] > 1:
        logits = logits[torch.arange(len(logits), device=logits.device), labels][:, None]
    return logits.float()


def invisible_logits(amodal: Tensor, visible: Tensor, relu: bool = True) -> Tensor:
    """ORCNN's occlusion head, which has no parameters (WACV 2019, section 3).

    Args:
        amodal: logits of any shape.
        visible: logits of the same shape.
        relu: False, to leave the ReLU out: where neither mask is, visible logits far below the
            amodal ones then make an invisible mask.

    Returns:
        ``amodal - relu(visible)``. With ReLU it is at most ``amodal``: what is not amodal is not
        invisible.
    """
    return amodal - (visible.relu() if relu else visible)


def invisible_target(amodal: Tensor, visible: Tensor) -> Tensor:
    """Amodal and not visible, float in [0, 1] of the inputs' shape; not the exclusive or, which
    would also have visible pixels outside the amodal mask."""
    return (amodal - visible).clamp(min=0)


def paste_masks(probabilities: Tensor, boxes: Tensor, size: Tuple[int, int],
                threshold: float = 0.5) -> Tensor:
    """Masks of the grid on the image, as mmdet's FCNMaskHead pastes them, all kinds in one go.

    Interpolation is bilinear and keeps inequalities: a mask with no probability above another's
    stays inside it. Boxes without width or height give empty masks.

    Args:
        probabilities: (N, K, h, w).
        boxes: (N, 4) float xyxy, image pixels.
        size: H, W.
        threshold: a pixel belongs to a mask from this probability on.

    Returns:
        (K, N, H, W) bool.
    """
    shape = (probabilities.shape[1], len(boxes), *size)
    # numpy leaves a page of zeros untouched until something is pasted there.
    pasted = (torch.from_numpy(np.zeros(shape, bool)) if boxes.device.type == 'cpu' else
              torch.zeros(shape, dtype=torch.bool, device=boxes.device))
    for some, (x1, y1, x2, y2) in _windows(boxes, size, shape[0]):
        sampled = _sample(probabilities[some], boxes[some], (x1, y1, x2, y2))
        pasted[:, some, y1:y2, x1:x2] = (sampled >= threshold).transpose(0, 1)
    return pasted


def occlusion_rates(amodal: Tensor, invisible: Tensor) -> Tensor:
    """The invisible share of each object.

    Args:
        amodal: (N, H, W) bool.
        invisible: (N, H, W) bool.

    Returns:
        (N, ) float32 in [0, 1]; 0 for an empty amodal mask.
    """
    return (_areas(invisible) / _areas(amodal).clamp(min=1)).clamp(max=1)


def _windows(boxes: Tensor, size: Tuple[int, int],
             kinds: int) -> Iterator[Tuple[slice, Tuple[int, int, int, int]]]:
    """Objects that are pasted together and the xyxy window of the image that they go to: on a CPU
    one object at a time with a pixel around its box, on a GPU many with the whole image."""
    height, width = size
    if boxes.device.type == 'cpu':
        limit = boxes.new_tensor([width, height])
        first = torch.minimum((boxes[:, :2].floor() - 1).clamp(min=0), limit)
        last = torch.minimum(boxes[:, 2:].ceil() + 1, limit)
        for i, window in enumerate(torch.cat([first, last], dim=1).int().tolist()):
            if window[0] < window[2] and window[1] < window[3]:
                yield slice(i, i + 1), tuple(window)
    else:
        step = max(1, PASTED_AT_ONCE // (kinds * height * width))
        for i in range(0, len(boxes), step):
            yield slice(i, i + step), (0, 0, width, height)


def _sample(probabilities: Tensor, boxes: Tensor, window: Tuple[int, int, int, int]) -> Tensor:
    """Bilinear samples at the pixel centres of a window: (n, K, y2 - y1, x2 - x1) float32."""
    x1, y1, x2, y2 = window
    left, top, right, bottom = boxes.float()[:, :, None].unbind(dim=1)
    x = torch.arange(x1, x2, device=boxes.device, dtype=torch.float32) + 0.5
    y = torch.arange(y1, y2, device=boxes.device, dtype=torch.float32) + 0.5
    tiny = torch.finfo(torch.float32).tiny
    x = (x - left) / (right - left).clamp(min=tiny) * 2 - 1
    y = (y - top) / (bottom - top).clamp(min=tiny) * 2 - 1
    grid = torch.stack(torch.broadcast_tensors(x[:, None, :], y[:, :, None]), dim=3)
    return F.grid_sample(probabilities.float(), grid, align_corners=False)


def _areas(masks: Tensor) -> Tensor:
    """(N, H, W) bool -> (N, ) float32 pixels. On a CPU torch takes 200 times as long as numpy."""
    if masks.device.type == 'cpu':
        return torch.tensor([np.count_nonzero(mask) for mask in masks.numpy()], dtype=torch.float32)
    return masks.sum(dim=(1, 2)).float()
