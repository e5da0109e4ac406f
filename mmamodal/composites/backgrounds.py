"""Grounds to paste objects on: pictures of a folder, or images with their objects painted out.

Letters: H×W image.
"""

from pathlib import Path
from typing import List, NamedTuple, Sequence, Tuple, Union

import cv2
import numpy as np

from ..datasets.amodal_coco import AmodalCocoDataset
from ..datasets.coco_files import decode_image, photo_size
from ..structures.segmentation import decode_tight

PICTURES = ('.bmp', '.jpeg', '.jpg', '.png', '.tif', '.tiff', '.webp')
MARGIN = 0.02  # of the longer image side: masks leave a rim and a shadow of their object

Box = Tuple[int, int, int, int]


class Background(NamedTuple):
    """An image to paste on: a file, or image number ``source`` of the data set with its objects
    painted out."""

    source: Union[int, str]
    height: int
    width: int


def photo_box(record: dict) -> Box:
    """Where the photo lies on the canvas of the masks, (x1, y1, x2, y2)."""
    if 'canvas_origin' not in record:
        return 0, 0, record['width'], record['height']
    x, y = record['canvas_origin']
    height, width = photo_size(record['img_path'])
    return x, y, x + width, y + height


def list_backgrounds(folder: Path) -> List[Background]:
    """The pictures of a folder, by name.

    Raises:
        FileNotFoundError: there is no such folder.
        ValueError: it has no picture.
    """
    if not folder.is_dir():
        raise FileNotFoundError(f'folder of backgrounds {folder} does not exist')
    files = sorted(path for path in folder.iterdir() if path.suffix.lower() in PICTURES)
    if not files:
        raise ValueError(f'folder of backgrounds {folder} has no picture: expected files '
                         f'{", ".join(PICTURES)}')
    return [Background(str(path), *photo_size(str(path))) for path in files]


def least_covered(images: Sequence[Tuple[float, Background]]) -> List[Background]:
    """Of images with the share that objects cover, the half that is covered least, in order."""
    limit = sorted(covered for covered, _ in images)[(len(images) - 1) // 2]
    return [background for covered, background in images if covered <= limit]


def read_background(background: Background, dataset: AmodalCocoDataset) -> np.ndarray:
    """The image (H, W, 3) uint8 BGR to paste on."""
    if isinstance(background.source, str):
        return decode_image(background.source)
    record = dataset.get_data_info(background.source)
    hole = np.zeros((record['height'], record['width']), np.uint8)
    for instance in record['instances']:
        mask, (x, y) = decode_tight(instance['mask'], *hole.shape)
        hole[y:y + mask.shape[0], x:x + mask.shape[1]] |= mask
    x1, y1, x2, y2 = photo_box(record)
    image = dataset.read_image(background.source)
    return paint_out(image[y1:y2, x1:x2], hole[y1:y2, x1:x2])


def paint_out(image: np.ndarray, hole: np.ndarray) -> np.ndarray:
    """Fill a hole smoothly from its rim: right for plain grounds, a blur on others.

    Args:
        image: (H, W, 3) uint8.
        hole: (H, W) uint8 in {0, 1}; filled a little beyond its edge.

    Returns:
        (H, W, 3) uint8; all of it the mean colour where the hole is everything.
    """
    if not hole.any():
        return image
    reach = max(round(MARGIN * max(hole.shape)), 1)
    hole = cv2.dilate(hole, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * reach + 1, ) * 2))
    if hole.all():
        return np.full_like(image, image.mean((0, 1)).round())
    x, y, w, h = cv2.boundingRect(hole)
    window = np.s_[max(y - reach, 0):y + h + reach, max(x - reach, 0):x + w + reach]
    out = image.copy()
    out[window] = np.rint(_fill(np.float32(image[window]), 1 - np.float32(hole[window])))
    return out


def _fill(image: np.ndarray, known: np.ndarray) -> np.ndarray:
    """What is not known of an image from a smaller one, which takes it from one smaller still.

    cv2.inpaint draws streaks into large holes, and leaves those at the image's rim black.

    Args:
        image: (H, W, 3) float32.
        known: (H, W) float32 in {0, 1}, at least one pixel 1.
    """
    if known.all():
        return image
    height, width = known.shape
    half_wh = (-(-width // 2), -(-height // 2))
    weight = cv2.resize(known, half_wh, interpolation=cv2.INTER_AREA)
    mean = cv2.resize(image * known[..., None], half_wh, interpolation=cv2.INTER_AREA)
    mean /= np.maximum(weight, 1e-6)[..., None]
    filled = _fill(mean, (weight > 0).astype(np.float32))
    filled = cv2.blur(cv2.resize(filled, (width, height), interpolation=cv2.INTER_LINEAR), (3, 3))
    return np.where(known[..., None] > 0, image, filled)
