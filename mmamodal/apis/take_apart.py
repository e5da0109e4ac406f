"""Taking an image apart into whole objects and a background, and putting it together again.

Letters: N objects, H×W image. Images are uint8 BGR, masks uint8 in {0, 1}; layers are those of
:mod:`mmamodal.structures.layers`.
"""

import json
from pathlib import Path
from typing import Dict, List, NamedTuple, Optional, Sequence, Set, Tuple

import cv2
import numpy as np
import torch
from mmdet.structures import DetDataSample
from mmengine.model import BaseModel
from mmengine.structures import InstanceData

from ..composites.backgrounds import paint_out
from ..datasets.amodal_coco import AmodalCocoDataset
from ..datasets.coco_files import annotation_named
from ..datasets.loading import decode_instance
from ..files import write_json, write_whole
from ..models.content.baselines import PlainContent
from ..models.content.completer import ContentModel
from ..structures.amodal_masks import AmodalMasks
from ..structures.layers import Layer, moved, on_image, put_together
from ..structures.occlusion import order_from_masks
from ..structures.order_graph import back_to_front

Move = Tuple[int, int, int]


class Objects(NamedTuple):
    """The objects of an image: their masks (N, H, W), visible and amodal, and (N, N) int8 order;
    (N,) annotation ids and category ids."""

    visible: np.ndarray
    amodal: np.ndarray
    order: np.ndarray
    ann_ids: np.ndarray
    categories: np.ndarray


def find_image(dataset: AmodalCocoDataset, wanted: str) -> int:
    """The index of the image of a file name or id.

    Raises:
        ValueError: there is none.
    """
    dataset.full_init()
    for index in range(len(dataset)):
        record = dataset.get_data_info(index)
        if wanted in (record['file_name'], Path(record['file_name']).name, str(record['img_id'])):
            return index
    first = dataset.get_data_info(0)
    raise ValueError(f'{dataset.source} has no image {wanted!r}: expected a file name or an id, '
                     f"such as {first['file_name']} or {first['img_id']}")


def read_objects(dataset: AmodalCocoDataset, index: int) -> Objects:
    """The objects of an image as they are annotated, crowds left out.

    Raises:
        ValueError: there is none, or a mask is broken.
    """
    record = dataset.get_data_info(index)
    instances = [instance for instance in record['instances'] if not instance['ignore_flag']]
    if not instances:
        raise ValueError(f"{record['file_name']} of {dataset.source} has no object: choose another "
                         'image')
    pairs = []
    for instance in instances:
        with annotation_named(instance['ann_id'], dataset.source):
            pairs.append(decode_instance(instance, record['height'], record['width']))
    amodal, visible = (np.stack(masks) for masks in zip(*pairs))
    ids = [np.array([instance[key] for instance in instances])
           for key in ('ann_id', 'category_id')]
    return Objects(visible, amodal, order_from_masks(visible, amodal), *ids)


def complete_masks(objects: Objects, image: np.ndarray, completer: BaseModel) -> Objects:
    """Amodal masks and order as a mask completer predicts them from the visible masks."""
    truth = InstanceData(
        masks=AmodalMasks(objects.visible, *image.shape[:2], visible=objects.visible),
        labels=torch.zeros(len(objects.visible), dtype=torch.int64),
        category_ids=torch.from_numpy(objects.categories))
    pixels = torch.from_numpy(np.ascontiguousarray(image.transpose(2, 0, 1)))
    sample, = completer.forward([pixels], [DetDataSample(gt_instances=truth)], mode='predict')
    amodal = np.asarray(sample.pred_instances.masks).astype(np.uint8)
    return objects._replace(amodal=amodal | objects.visible, order=sample.pred_order.numpy())


def background_of(image: np.ndarray, amodal: np.ndarray,
                  network: Optional[ContentModel] = None) -> np.ndarray:
    """The image (H, W, 3) without its objects (N, H, W): filled smoothly from their rims, or by
    a content completer, to which the background is an object that all others hide."""
    hole = amodal.max(0)
    if network is None:
        return paint_out(image, hole)
    return network.complete(image, 1 - hole[None], np.ones_like(hole)[None],
                            np.ones(1, np.int64))[0].pixels[..., :3]


def take_apart(image: np.ndarray, objects: Objects, content: Optional[ContentModel] = None,
               network_background: bool = False) -> Tuple[List[Layer], np.ndarray]:
    """Whole objects and a background.

    Args:
        image: (H, W, 3).
        objects: of it.
        content: fills what is hidden; None: the nearest visible pixels do (Telea).
        network_background: ``content`` fills the background, too.

    Returns:
        N layers and (H, W, 3) background.
    """
    content = content or PlainContent('telea')
    layers = content.complete(image, objects.visible, objects.amodal, objects.categories)
    return layers, background_of(image, objects.amodal, content if network_background else None)


def rearrange(background: np.ndarray, layers: Sequence[Layer], front_to_back: Sequence[int],
              moves: Sequence[Move] = ()) -> np.ndarray:
    """Put an image together.

    Args:
        background: (H, W, 3).
        layers: of N objects.
        front_to_back: numbers of objects, from 1; those that are not named are left out.
        moves: (number, x, y): an object moves to the right and down by so many pixels.

    Raises:
        ValueError: there is no object of that number, or one stands there twice.
    """
    numbers = [*front_to_back, *(number for number, _, _ in moves)]
    for number in numbers:
        if not 1 <= number <= len(layers):
            raise ValueError(f'there is no object {number}: expected numbers from 1 to '
                             f'{len(layers)}')
    if len(set(front_to_back)) < len(front_to_back):
        raise ValueError(f'expected every object once, got the order {list(front_to_back)}')
    layers = list(layers)
    for number, x, y in moves:
        layers[number - 1] = moved(layers[number - 1], x, y)
    return put_together(background, layers, [number - 1 for number in front_to_back])


def describe_order(objects: Objects) -> Dict[str, list]:
    """Who lies where, as JSON holds it; objects by their numbers, from 1.

    ``front_to_back`` are all objects in one row; in ``layers``, from the back, none lies behind
    another of the same; ``rings`` are sets in which each is in front of itself through others,
    so that no row is right for them; ``in_front`` lists the pairs [front, behind].
    """
    layers, rings = back_to_front(objects.order)
    hidden = 1 - objects.visible.sum((1, 2)) / np.maximum(objects.amodal.sum((1, 2)), 1)
    return dict(
        front_to_back=[i + 1 for layer in layers[::-1] for i in layer],
        layers=_from_one(layers), rings=_from_one(rings),
        in_front=(np.argwhere(objects.order.T == -1) + 1).tolist(),
        objects=[dict(number=i + 1, file=object_file(i + 1), ann_id=int(ann_id),
                      category_id=int(category), hidden=round(float(share), 4))
                 for i, (ann_id, category, share) in enumerate(
                     zip(objects.ann_ids, objects.categories, hidden))])


def object_file(number: int) -> str:
    """The name of the picture of an object."""
    return f'object_{number:03d}.png'


def write_parts(out_dir: Path, layers: Sequence[Layer], background: np.ndarray,
                order: Dict[str, list]) -> None:
    """Write ``object_001.png`` … with opacity, ``background.png`` and ``order.json``; objects that
    an earlier ``order.json`` names and this one does not are removed."""
    earlier = _objects_named(out_dir / 'order.json')
    for number, layer in enumerate(layers, 1):
        write_picture(out_dir / object_file(number), on_image(layer, background.shape[:2]))
    write_picture(out_dir / 'background.png', background)
    write_json(out_dir / 'order.json', order)
    for name in earlier - {object_file(number) for number in range(1, len(layers) + 1)}:
        (out_dir / name).unlink(missing_ok=True)


def _objects_named(order_file: Path) -> Set[str]:
    """The files of the objects of an earlier run, if there was one."""
    try:
        order = json.loads(order_file.read_text(encoding='utf-8'))
        return {object_file(int(item['number'])) for item in order['objects']}
    except (FileNotFoundError, ValueError, KeyError, TypeError):
        return set()


def write_picture(path: Path, picture: np.ndarray) -> None:
    """A PNG of (H, W, 3) BGR or (H, W, 4) with opacity, whole or not at all."""
    write_whole(path, cv2.imencode('.png', picture)[1].tobytes())


def _from_one(groups: List[List[int]]) -> List[List[int]]:
    return [[i + 1 for i in group] for group in groups]
