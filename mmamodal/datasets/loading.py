"""From the record of a dataset to AmodalMasks, and from the pipeline to the model.

Letters: N instances, H×W image.
"""

from typing import Any, Callable, Dict, Sequence, Tuple

import cv2
import numpy as np
from mmdet.datasets.transforms import LoadAnnotations, PackDetInputs
from mmdet.registry import TRANSFORMS

from ..structures.amodal_masks import AmodalMasks
from ..structures.segmentation import decode
from ..structures.uncertainty_maps import decode_levels
from .coco_files import annotation_named, describe_image

RIM = 2  # pixels by which a polygon and an RLE of the same outline may differ


def clip_visible(visible: np.ndarray, amodal: np.ndarray) -> np.ndarray:
    """The visible mask inside the amodal one: annotations disagree by a pixel at the rim.

    Args:
        visible: (H, W) uint8 in {0, 1}.
        amodal: (H, W) uint8 in {0, 1}.

    Returns:
        visible & amodal, (H, W) uint8.

    Raises:
        ValueError: more than half of the visible mask is outside, and farther than
            ``RIM`` pixels away; that is no noise.
    """
    inside = visible & amodal
    area, area_inside = np.count_nonzero(visible), np.count_nonzero(inside)
    if 2 * area_inside < area:
        near = cv2.dilate(amodal, np.ones((2 * RIM + 1, 2 * RIM + 1), np.uint8))
        if 2 * np.count_nonzero(visible & near) <= area:
            raise ValueError(
                f'{area - area_inside} of the {area} visible pixels are outside the amodal mask: '
                'expected visible inside amodal; the masks are swapped or belong to different '
                'objects (tools/analysis_tools/check_dataset.py lists all such and mends a copy)')
    return inside


def decode_instance(instance: dict, height: int, width: int) -> Tuple[np.ndarray, np.ndarray]:
    """Amodal and visible mask, each (H, W) uint8 in {0, 1}, of an instance of a data record.

    Args:
        instance: with ``mask`` (amodal) and, where occluded, ``visible_mask``; polygons or RLE.
        height: H in pixels.
        width: W in pixels.

    Raises:
        ValueError: a segmentation is broken (see :func:`decode`), or visible leaves amodal.
    """
    amodal = _decode(instance.get('mask'), height, width, 'amodal mask')
    if instance.get('visible_mask') is None:
        return amodal, amodal
    visible = _decode(instance['visible_mask'], height, width, "'visible_mask'")
    return amodal, clip_visible(visible, amodal)


def decode_uncertainty(instance: dict, height: int, width: int) -> np.ndarray:
    """The levels of an instance's ``uncertainty_map``, (H, W) uint8; those of a crowd are 0.

    Raises:
        ValueError: it has none, or a broken one.
    """
    if instance['ignore_flag']:
        return np.zeros((height, width), np.uint8)
    if 'uncertainty_map' not in instance:
        raise ValueError("expected an 'uncertainty_map', since with_uncertainty=True: write the "
                         'pseudo-labels with PseudoLabelWriter(with_uncertainty=True)')
    try:
        return decode_levels(instance['uncertainty_map'], height, width)
    except ValueError as error:
        raise ValueError(f"'uncertainty_map': {error}") from error


@TRANSFORMS.register_module()
class LoadAmodalAnnotations(LoadAnnotations):
    """Like mmdet's LoadAnnotations, but ``gt_masks`` is AmodalMasks; adds ``gt_ann_ids`` and
    ``gt_category_ids``, both as in the file.

    Without an image, ``ori_shape`` and ``img_shape`` come from ``height`` and ``width``; without
    ``instances``, as on an image alone (mmdet's inference API), there are none.
    What mmdet hides behind an ignored empty mask (a polygon of two points, an RLE of another
    size) is an error. A mask that is valid but empty, because the object is smaller than a
    pixel, is kept and ignored (``gt_ignore_flags``, hence in ``ignored_instances``): nothing can
    be learned from it, and its place is no background. An object that is wholly occluded
    (amodal mask not empty, visible mask empty) is kept as it is.

    Args:
        with_mask: load masks.
        with_uncertainty: load the ``uncertainty_map`` of pseudo-labels, too, as
            ``gt_masks.uncertainty``.
        **kwargs: see mmdet's LoadAnnotations.

    Raises:
        ValueError: on loading: an annotation without id, with a broken mask or, if asked for,
            without uncertainty (file and id are named), an image of another size than its
            record; on building: ``poly2mask=False``.
    """

    def __init__(self, with_mask: bool = True, with_uncertainty: bool = False, **kwargs) -> None:
        super().__init__(with_mask=with_mask, **kwargs)
        self.with_uncertainty = with_uncertainty
        if not self.poly2mask:
            raise ValueError('AmodalMasks are bitmaps: expected poly2mask=True, got False')

    def transform(self, results: dict) -> dict:
        """Add ``gt_*`` and, where no image was loaded, the shapes."""
        _set_shapes(results)
        results['gt_ann_ids'] = _ids(results, 'ann_id')
        results['gt_category_ids'] = _ids(results, 'category_id')
        return super().transform(results)

    def _load_masks(self, results: dict) -> None:
        height, width = results['ori_shape']
        instances = results.get('instances', [])
        file = describe_image(results)
        pairs = [_named(decode_instance, i, height, width, file) for i in instances]
        unsure = [_named(decode_uncertainty, i, height, width, file)
                  for i in instances] if self.with_uncertainty else None
        masks = AmodalMasks([amodal for amodal, _ in pairs], height, width,
                            [visible for _, visible in pairs], unsure)
        crowd = [instance['ignore_flag'] for instance in instances]
        results['gt_masks'] = masks
        results['gt_ignore_flags'] = np.array(crowd, dtype=bool) | (masks.areas == 0)


@TRANSFORMS.register_module()
class PackAmodalInputs(PackDetInputs):
    """Like mmdet's PackDetInputs, but packs ``ann_ids``, ``category_ids`` and the keys of metrics.

    mmdet's FilterAnnotations, RandomCrop and other transforms that drop or add instances
    leave the ids behind, and some (Mosaic, MixUp) ``gt_masks``, too: where the
    numbers differ, ids and instances no longer belong together, and this refuses to pack.

    Args:
        meta_keys: keys of the results that go to ``data_sample.metainfo``, where they are there.

    Raises:
        TypeError: on packing: ``gt_masks`` is no longer AmodalMasks.
        ValueError: on packing: the ``gt_*`` differ in length.
    """

    mapping_table = {**PackDetInputs.mapping_table, 'gt_ann_ids': 'ann_ids',
                     'gt_category_ids': 'category_ids'}

    def __init__(self,
                 meta_keys: Sequence[str] = ('img_id', 'img_path', 'ori_shape', 'img_shape',
                                             'scale_factor', 'flip', 'flip_direction', 'file_name',
                                             'sample_idx', 'visible_only', 'canvas_origin',
                                             'instances')) -> None:
        super().__init__(meta_keys=meta_keys)

    def transform(self, results: dict) -> dict:
        """Check that the instances still belong together, then pack."""
        masks = results.get('gt_masks')
        if masks is not None and not isinstance(masks, AmodalMasks):
            raise TypeError(
                f'{describe_image(results)}: expected gt_masks of AmodalMasks, got '
                f'{type(masks).__name__}: a transform rebuilt them without the visible masks; '
                'take it out, or load them with LoadAmodalAnnotations')
        _check_lengths({
            key: len(results[key])
            for key in (*self.mapping_table, 'gt_ignore_flags') if key in results
        }, describe_image(results))
        return super().transform(results)


def _decode(segmentation: object, height: int, width: int, name: str) -> np.ndarray:
    try:
        return decode(segmentation, height, width)
    except ValueError as error:
        raise ValueError(f'{name}: {error}') from error


def _named(read: Callable, instance: dict, height: int, width: int, file: str) -> Any:
    """What ``read`` makes of an instance; its errors name annotation and file."""
    with annotation_named(instance['ann_id'], file):
        return read(instance, height, width)


def _set_shapes(results: dict) -> None:
    """Take the shapes from the annotations where no image was loaded, else hold them together."""
    if 'height' not in results:
        return
    size = (results['height'], results['width'])
    if tuple(results.setdefault('ori_shape', size)) != size:
        remedy = ('put PadToCanvas behind LoadImageFromFile' if 'canvas_origin' in results else
                  'expected the image that was annotated, not turned or scaled')
        raise ValueError(
            f'{describe_image(results)}: the image is {tuple(results["ori_shape"])} (height, '
            f'width), its masks lie on {size}; {remedy}')
    results.setdefault('img_shape', size)


def _ids(results: dict, key: str) -> np.ndarray:
    """(N,) int64 annotation or category ids of a data record."""
    instances = results.get('instances', [])
    for position, instance in enumerate(instances):
        if key not in instance:
            raise ValueError(
                f"instance {position} of {describe_image(results)} has no '{key}': expected a "
                'record of AmodalCocoDataset or one of its kind')
    return np.array([instance[key] for instance in instances], dtype=np.int64)


def _check_lengths(lengths: Dict[str, int], file: str) -> None:
    if len(set(lengths.values())) > 1:
        raise ValueError(
            f'{file}: expected as many of each, got {lengths}: a transform dropped or added '
            "instances and left some keys behind; take it out, or pack with mmdet's PackDetInputs "
            'where annotation ids are not needed (training)')
