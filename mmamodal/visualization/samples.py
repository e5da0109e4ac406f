"""Samples as a model gets them, after their pipeline: chosen, read, and drawn.

Letters: N objects, H×W image, S patch side. Images are uint8 BGR, masks uint8 in {0, 1}.
"""

import re
from typing import Callable, List, NamedTuple, Optional, Sequence, Tuple

import numpy as np
from mmdet.structures import DetDataSample
from mmdet.structures.bbox import get_box_tensor
from mmengine.runner import set_random_seed
from torch.utils.data import Dataset

from mmamodal.datasets.completion.transforms import shifted
from mmamodal.structures.occlusion import order_from_masks
from mmamodal.structures.order_graph import depth_ranks
from mmamodal.visualization import drawing
from mmamodal.visualization.hooks import true_objects
from mmamodal.visualization.sample_pictures import (Annotated, Pair, annotated_panels, pair_panels,
                                                    small_picture)


class SamplePicture(NamedTuple):
    """The picture of a sample, and a small one for the contact sheet."""

    name: str  # fit for a file, without suffix
    picture: np.ndarray
    small: np.ndarray
    group: int = 0  # those of one group stand together


def read_annotated(sample: DetDataSample, classes: Sequence[str], record: dict) -> Annotated:
    """The objects of a packed sample.

    Args:
        sample: with ``gt_instances`` of masks, boxes and labels.
        classes: their names, by label.
        record: of the dataset. Its instances with an ``order`` are found again by the
            ``ann_ids`` that PackAmodalInputs packs; without either the masks give the order.

    Raises:
        ValueError: the sample has no masks.
    """
    truth = sample.gt_instances
    if 'masks' not in truth:
        raise ValueError(f'image {sample.get("img_id")} comes out of its pipeline without masks: '
                         'expected LoadAmodalAnnotations in it, and gt_masks to be packed')
    size = (truth.masks.height, truth.masks.width)
    objects = true_objects(sample, size, classes if len(classes) > 1 else ())
    numbers, source = read_numbers(truth.get('ann_ids'), record['instances']), "the file's order"
    if numbers is None:
        # Of the hidden parts alone: visible masks that overlap say nothing of depth.
        ranks = depth_ranks(order_from_masks(objects.visible, objects.amodal - objects.visible))
        numbers, source = [str(rank) if rank else '' for rank in ranks], 'depth, 1 in front'
    ignored = sample.get('ignored_instances', {}).get('masks')
    ignored = np.zeros((0, *size), np.uint8) if ignored is None else ignored.to_ndarray()
    boxes = get_box_tensor(truth.bboxes).numpy() if 'bboxes' in truth else np.zeros((0, 4))
    parts = [f'{len(numbers)} object{"s" * (len(numbers) != 1)}']
    parts += [f'{len(ignored)} ignored (grey)'] * (len(ignored) > 0)
    parts += ['visible masks only'] * bool(record.get('visible_only'))
    parts += ['striped: hidden'] * bool((objects.visible != objects.amodal).any())
    parts += [f'numbers: {source}'] * any(numbers)
    return Annotated(objects.amodal, objects.visible, boxes, ignored, objects.names, numbers,
                     '; '.join(parts))


def read_numbers(ann_ids: Optional[Sequence[int]],
                 instances: Sequence[dict]) -> Optional[List[str]]:
    """The ``order`` of each annotation in a data record, '' where it has none; None if nothing
    says which annotations these are, or none of the record has one."""
    orders = {item['ann_id']: str(item['order']) for item in instances if 'order' in item}
    if ann_ids is None or not orders:
        return None
    return [orders.get(int(ann_id), '') for ann_id in ann_ids]


def read_pair(stages: dict, names: Tuple[str, str]) -> Pair:
    """The pair of a completer's pipeline, as it is before packing.

    Args:
        stages: what :func:`run_to_packing` gives.
        names: of the object and of the second one.
    """
    other = shifted(stages['other_visible'], stages['offset'])
    return Pair(stages['target'], stages['mask'], stages['occluder'], other, names,
                **{key: stages.get(key) for key in ('boundary', 'bare_image', 'image', 'alpha')})


def run_to_packing(transforms: Sequence[Callable], results: dict) -> Optional[dict]:
    """What a completer's pipeline makes of a pair before it packs it, with ``bare_image``, the
    first ``image``; None where a transform leaves the pair out.

    Raises:
        ValueError: the pipeline makes no pair.
    """
    for transform in transforms:
        after = transform(results)
        if after is None:
            return None
        if 'inputs' in after:
            break
        results = after
        if 'image' in results:
            results.setdefault('bare_image', results['image'])
    missing = {'target', 'mask', 'occluder', 'other_visible', 'offset'} - set(results)
    if missing:
        raise ValueError(f'the pipeline makes no {", ".join(sorted(missing))}: expected CropPair '
                         'and PlaceOccluder before PackCompletionInputs')
    return results


def sample_picture(dataset: Dataset, index: int, seed: int) -> Optional[SamplePicture]:
    """A sample of a dataset, the same whenever the seed is; None where its pipeline drops it."""
    set_random_seed(seed + index)
    is_pair = 'visible' in dataset.get_data_info(index)
    return _pair_picture(dataset, index) if is_pair else _image_picture(dataset, index)


def _pair_picture(dataset: Dataset, index: int, tries: int = 100) -> Optional[SamplePicture]:
    for _ in range(tries):
        pair = (dataset.get_data_info(i) for i in (index, np.random.randint(len(dataset))))
        stages = run_to_packing(dataset.pipeline.transforms, dict(zip(('instance', 'other'), pair)))
        if stages is not None:
            break
    else:
        return None
    categories = {item['id']: item['name'] for item in dataset.metainfo.get('categories', ())}
    records = stages['instance'], stages['other']
    names = tuple(categories.get(record['category_id'], 'object') for record in records)
    pair = read_pair(stages, names if len(categories) > 1 else Pair._field_defaults['names'])
    panels = pair_panels(pair)
    columns = len(panels) if len(panels) <= 5 else -(-len(panels) // 2)
    name = f"set{pair.set_number}_{records[0]['img_id']}_{records[0]['ann_id']}"
    return SamplePicture(_file_stem(name), drawing.tile(panels, columns), panels[0][1],
                         pair.set_number)


def _image_picture(dataset: Dataset, index: int) -> Optional[SamplePicture]:
    packed = getattr(dataset, 'prepare_data', dataset.__getitem__)(index)
    if packed is None:
        return None
    sample, record = packed['data_samples'], dataset.get_data_info(index)
    objects = read_annotated(sample, dataset.metainfo['classes'], record)
    height, width = objects.amodal.shape[1:]
    image = _image_of_file(dataset, index) if 'inputs' not in packed else np.ascontiguousarray(
        packed['inputs'].permute(1, 2, 0).clamp(0, 255).byte().numpy())
    caption = f'{record.get("file_name", record["img_path"])}, {width}×{height} pixels'
    caption += f', flipped ({sample.flip_direction})' if sample.get('flip') else ''
    panels = annotated_panels(image, objects, caption)
    columns = 1 if width >= 2 * height else 2
    return SamplePicture(_file_stem(str(record['img_id'])), drawing.tile(panels, columns),
                         small_picture(image, objects))


def _image_of_file(dataset: Dataset, index: int) -> Optional[np.ndarray]:
    """The image where the pipeline loads none; None where the file is not there either."""
    try:
        return dataset.read_image(index)
    except FileNotFoundError:
        return None


def _file_stem(text: str) -> str:
    return re.sub(r'[^\w.-]', '_', text)


def contact_sheet(pictures: Sequence[SamplePicture]) -> np.ndarray:
    """All samples small, with their names."""
    return drawing.tile([(item.name, item.small) for item in
                         sorted(pictures, key=lambda item: item.group)], columns=5)


def choose_samples(dataset: Dataset, number: int, ids: Sequence[str], seed: int) -> List[int]:
    """Indices of the samples with some ids, or of as many as asked for, at random.

    Args:
        dataset: of images, or of pairs.
        number: how many; more than there are means all.
        ids: of images, or, for pairs, of annotations; none: any.
        seed: of the choice.

    Raises:
        ValueError: an id is not in the dataset, the number is not positive, or the seed negative.
    """
    if seed < 0:
        raise ValueError(f'expected a seed of at least 0, got {seed}')
    if number < 1:
        raise ValueError(f'expected a number of samples of at least 1, got {number}')
    if not ids:
        return sorted(np.random.default_rng(seed).permutation(len(dataset))[:number].tolist())
    records = (dataset.get_data_info(i) for i in range(len(dataset)))
    found = {str(record.get('ann_id', record['img_id'])): i for i, record in enumerate(records)}
    missing = [wanted for wanted in ids if wanted not in found]
    if missing:
        raise ValueError(f'no sample has the id {", ".join(missing)}: expected ids of images, or '
                         'for the training of a completer of annotations, such as '
                         f'{", ".join(list(found)[:3])}')
    return [found[wanted] for wanted in ids]
