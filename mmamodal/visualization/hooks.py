"""Pictures of what is predicted in a test."""

import re
from pathlib import Path
from typing import Optional, Sequence, Tuple, Union

import cv2
import numpy as np
import torch
from mmdet.registry import HOOKS
from mmdet.structures import DetDataSample
from mmengine.hooks import Hook
from mmengine.model import is_model_wrapper
from mmengine.runner import Runner
from mmengine.structures import InstanceData

from mmamodal.files import write_whole
from mmamodal.structures.segmentation import decode
from mmamodal.visualization.content_pictures import content_picture
from mmamodal.visualization.pictures import (Objects, Patches, completion_picture,
                                             detection_picture, occlusion_rates, with_rates)


@HOOKS.register_module()
class AmodalVisualizationHook(Hook):
    """Like mmdet's DetVisualizationHook, but draws panels for completers and detectors.

    Writes ``<out_dir>/<image id>.png`` for the first images of the test dataset, on whichever
    process tests them. A sample with a ``pred_order`` comes from a completer, one with ``layers``
    from a content completer. Of a detector's objects the visible part is filled, the invisible
    one striped, the amodal mask outlined.

    Args:
        out_dir: folder of the pictures.
        max_images: so many images from the start of the dataset.
        score_thr: detections below this score are counted, not drawn.
    """

    def __init__(self, out_dir: Union[str, Path], max_images: int = 20,
                 score_thr: float = 0.5) -> None:
        self.out_dir = Path(out_dir)
        self.max_images = max_images
        self.score_thr = score_thr

    def after_test_iter(self, runner: Runner, batch_idx: int, data_batch: Optional[dict] = None,
                        outputs: Optional[Sequence[DetDataSample]] = None) -> None:
        """Draw those samples of the batch that are among the first images.

        Raises:
            ValueError: a sample does not say which one it is.
        """
        dataset = runner.test_dataloader.dataset
        for sample in outputs or ():
            if _index(sample) >= self.max_images:
                continue
            image = dataset.read_image(_index(sample))
            if 'pred_order' in sample:
                picture = draw_completer_sample(image, sample, _sees_boundary(runner.model))
            elif 'layers' in sample.pred_instances:
                picture = content_picture(image, sample.pred_instances.layers)
            else:
                picture = draw_detector_sample(image, sample, dataset.metainfo['classes'],
                                               self.score_thr)
            name = re.sub(r'[^\w.-]', '_', str(sample.img_id))
            png = cv2.imencode('.png', picture)[1].tobytes()
            write_whole(self.out_dir / f'{name}.png', png)


def draw_completer_sample(image: np.ndarray, sample: DetDataSample,
                          is_boundary: bool) -> np.ndarray:
    """The picture of a completer's data sample.

    Args:
        image: (H, W, 3) uint8 BGR.
        sample: with ``pred_instances`` in the order of ``gt_instances``.
        is_boundary: its evidence is the occlusion boundary.
    """
    truth = true_objects(sample, image.shape[:2], ())
    predicted = sample.pred_instances
    patches = None
    if 'patches' in predicted:
        patches = Patches(_array(predicted.patches), _array(predicted.evidence), is_boundary,
                          _array(predicted.get('uncertainty')))
    return completion_picture(
        image, Objects(_array(predicted.masks), truth.visible, 'predicted amodal (striped: added)'),
        patches, None if sample.get('visible_only') else truth)


def draw_detector_sample(image: np.ndarray, sample: DetDataSample, classes: Sequence[str],
                         score_thr: float) -> np.ndarray:
    """The picture of a detector's data sample.

    Args:
        image: (H, W, 3) uint8 BGR, of the size that predictions are rescaled to.
        sample: with ``masks``, ``labels`` and ``scores`` in ``pred_instances``; with
            ``visible_masks`` or ``invisible_masks`` occlusion rates stand beside the names.
        classes: their names, by label.
        score_thr: the least score that is drawn.
    """
    predicted = predicted_objects(sample.pred_instances, image.shape[:2], classes, score_thr)
    truth = true_objects(sample, image.shape[:2], classes)
    if truth is not None and predicted.invisible is not None and not sample.get('visible_only'):
        rates = occlusion_rates(truth.amodal, truth.amodal & ~truth.visible)
        truth = truth._replace(names=with_rates(truth.names, rates),
                               caption='truth (striped, %: hidden)')
    return detection_picture(image, predicted, truth)


def predicted_objects(predicted: InstanceData, shape: Tuple[int, int], classes: Sequence[str],
                      score_thr: float) -> Objects:
    """What a detector has found, best score first.

    Of visible and invisible masks one follows from the other where a model predicts only one; a
    model that predicts neither takes all to be visible.

    Args:
        predicted: as :func:`draw_detector_sample` takes it; with ``occlusion_rates`` if these
            are not to be counted from the masks.
        shape: (H, W).
        classes: their names, by label.
        score_thr: the least score that is taken.
    """
    scores, labels = _array(predicted.scores), _array(predicted.labels)
    best = [i for i in np.argsort(-scores, kind='stable') if scores[i] >= score_thr]
    names = [f'{classes[labels[i]]} {scores[i]:.2f}' for i in best]
    caption = f'predicted (score ≥ {score_thr:g}: {len(best)} of {len(scores)})'
    kinds = (_array(predicted.get(key)) for key in ('masks', 'visible_masks', 'invisible_masks'))
    amodal, visible, invisible = (
        None if masks is None else masks[best].reshape(-1, *shape) for masks in kinds)
    if visible is None and invisible is None:
        return Objects(amodal, amodal, caption, names)
    visible = amodal & ~invisible if visible is None else visible
    invisible = amodal & ~visible if invisible is None else invisible
    rates = _array(predicted.get('occlusion_rates'))
    rates = occlusion_rates(amodal, invisible) if rates is None else rates[best]
    return Objects(amodal, visible, caption, with_rates(names, rates), invisible)


def true_objects(sample: DetDataSample, shape: tuple, classes: Sequence[str]) -> Optional[Objects]:
    """What is annotated, on the image as it is read.

    Args:
        sample: with ``gt_instances.masks``, or ``instances`` as in the record; the latter
            serve where the pipeline has resized the former.
        shape: (H, W).
        classes: names to write beside the objects, or none.

    Returns:
        The objects without crowds; None if nothing is known.
    """
    masks, labels = sample.gt_instances.get('masks'), sample.gt_instances.get('labels')
    instances = [item for item in sample.get('instances', ()) if not item['ignore_flag']]
    if masks is not None and (masks.height, masks.width) == tuple(shape):
        amodal, visible = masks.to_ndarray(), getattr(masks, 'visible', masks).to_ndarray()
    elif 'instances' in sample:
        amodal = _decoded([item['mask'] for item in instances], shape)
        visible = _decoded([item.get('visible_mask', item['mask']) for item in instances], shape)
        labels = [item['bbox_label'] for item in instances]
    else:
        return None
    names = [classes[label] for label in _array(labels)] if classes else ()
    caption = 'annotated (visible masks only)' if sample.get('visible_only') else \
        'truth (striped: hidden)'
    return Objects(amodal, visible & amodal, caption, names)


def _index(sample: DetDataSample) -> int:
    if 'sample_idx' not in sample:
        raise ValueError("a data sample has no 'sample_idx', so its image cannot be found: pack it "
                         'with PackAmodalInputs in the test pipeline')
    return sample.sample_idx


def _sees_boundary(model: torch.nn.Module) -> bool:
    completer = model.module if is_model_wrapper(model) else model
    return getattr(completer, 'evidence', 'boundary') == 'boundary'


def _decoded(segmentations: Sequence[Union[list, dict]], shape: tuple) -> np.ndarray:
    masks = [decode(segmentation, *shape) for segmentation in segmentations]
    return np.array(masks, np.uint8).reshape(-1, *shape)


def _array(values: Union[torch.Tensor, np.ndarray, Sequence, None]) -> Optional[np.ndarray]:
    """On the CPU; masks as they are, bool ones as uint8."""
    if values is None:
        return None
    array = values.cpu().numpy() if isinstance(values, torch.Tensor) else np.asarray(values)
    return array.astype(np.uint8) if array.dtype == bool else array
