"""Small random images with objects, what hides them, and detections good and bad, in all the forms
that the amodal metrics take; and the metrics again, by their definitions.

Letters: D detections, G objects of an image, H×W pixels.
"""

from typing import Callable, Dict, List, NamedTuple, Optional, Sequence, Tuple

import numpy as np
import torch
from mmdet.structures import DetDataSample
from mmengine.structures import InstanceData

from mmamodal.evaluation.detection.amodal_coco_eval import evaluate
from mmamodal.evaluation.detection.amodal_overlaps import Predicted, Truth, overlaps_of_image
from mmamodal.evaluation.detection.amodal_rules import AmodalRules
from mmamodal.structures.segmentation import encode

HEIGHT, WIDTH = 40, 56
CLASSES = ('box', 'bar')
THRESHOLDS = np.linspace(0.5, 0.95, 10)
RECALLS = np.linspace(0, 1, 101)
RULES = AmodalRules()


class Scene(NamedTuple):
    """An image. Masks are (G, H, W) and (D, H, W) bool; ``stuff`` may be -1, unknown."""
    image_id: int
    amodal: np.ndarray
    visible: np.ndarray
    labels: np.ndarray
    crowd: np.ndarray
    stuff: np.ndarray
    found_amodal: np.ndarray
    found_visible: np.ndarray
    found_invisible: np.ndarray
    found_labels: np.ndarray
    scores: np.ndarray


def rectangle(rng: np.random.Generator) -> np.ndarray:
    """Corners (x1, y1, x2, y2) inside the image."""
    size = rng.integers(4, 40, 2)
    corner = rng.integers(0, (WIDTH - size[0] + 1, HEIGHT - size[1] + 1))
    return np.concatenate([corner, corner + size])


def drawn(corners: np.ndarray) -> np.ndarray:
    """A rectangle as a mask (H, W)."""
    mask = np.zeros((HEIGHT, WIDTH), bool)
    x1, y1, x2, y2 = np.maximum(corners, 0)
    mask[y1:y2, x1:x2] = True
    return mask


def random_scene(rng: np.random.Generator, image_id: int, stuff: bool = False) -> Scene:
    """Up to five objects, front first, and up to nine detections, most of them near objects.

    Scores are of few values, so that ties are common. Some objects are wholly hidden, some
    detections have empty masks.
    """
    corners = [rectangle(rng) for _ in range(rng.integers(0, 6))]
    amodal = np.array([drawn(box) for box in corners], bool).reshape(-1, HEIGHT, WIDTH)
    cover = np.cumsum(amodal, axis=0) - amodal
    visible = amodal & (cover == 0)
    labels = rng.integers(0, 2, len(corners))
    found = [corners[place % len(corners)] + rng.integers(-2, 3, 4)
             if corners and rng.random() < 0.8 else rectangle(rng)
             for place in range(rng.integers(0, 10))]
    found_amodal = np.array([drawn(box) for box in found], bool).reshape(-1, HEIGHT, WIDTH)
    front = drawn(corners[0]) if corners else np.zeros((HEIGHT, WIDTH), bool)
    hides = rng.random((len(found), 1, 1)) < 0.6
    found_visible = found_amodal & ~(hides & front)
    found_invisible = found_amodal & front & (rng.random(found_amodal.shape) < 0.9)
    kinds = rng.integers(-1, 2, len(corners)) if stuff else np.full(len(corners), -1)
    found_labels = np.array([labels[place % len(labels)] if rng.random() < 0.8 and len(labels)
                             else rng.integers(0, 2) for place in range(len(found))], np.int64)
    return Scene(image_id, amodal, visible, labels, rng.random(len(corners)) < 0.1, kinds,
                 found_amodal, found_visible, found_invisible, found_labels,
                 rng.integers(1, 8, len(found)) / 8)


def random_scenes(seed: int, count: int = 12, stuff: bool = False) -> List[Scene]:
    """Scenes whose image ids do not rise."""
    rng = np.random.default_rng(seed)
    return [random_scene(rng, image_id, stuff) for image_id in rng.permutation(count) + 1]


def encoded(masks: np.ndarray) -> List[dict]:
    """RLEs of (N, H, W) masks."""
    return [encode(mask) for mask in masks]


def truth_of(scene: Scene) -> Truth:
    """The objects as the metrics' arithmetic takes them."""
    return Truth(scene.labels, encoded(scene.amodal), encoded(scene.visible), scene.crowd,
                 scene.stuff)


def predicted_of(scene: Scene) -> Predicted:
    """The detections as the metrics' arithmetic takes them."""
    return Predicted(scene.found_labels, scene.scores, encoded(scene.found_amodal),
                     encoded(scene.found_visible), encoded(scene.found_invisible))


def coco_of(scenes: Sequence[Scene]) -> dict:
    """Ground truth as amodal COCO; category ids are 10 and 20."""
    annotations: List[dict] = []
    for scene in scenes:
        for place, (amodal, visible) in enumerate(zip(scene.amodal, scene.visible)):
            annotation = dict(
                id=len(annotations) + 1, image_id=scene.image_id, iscrowd=int(scene.crowd[place]),
                category_id=10 * int(scene.labels[place] + 1), segmentation=encode(amodal),
                area=int(amodal.sum()))
            if (amodal != visible).any():
                annotation['visible_mask'] = encode(visible)
            annotations.append(annotation)
    images = [dict(id=int(scene.image_id), height=HEIGHT, width=WIDTH,
                   file_name=f'{scene.image_id}.png') for scene in scenes]
    for annotation in annotations:
        annotation['image_id'] = int(annotation['image_id'])
    categories = [dict(id=10 * place, name=name) for place, name in enumerate(CLASSES, 1)]
    return dict(images=images, annotations=annotations, categories=categories)


def entries_of(scenes: Sequence[Scene]) -> List[dict]:
    """Detections as a COCO result list with all three masks."""
    return [dict(image_id=int(scene.image_id), category_id=10 * (int(label) + 1),
                 score=float(score), segmentation=encode(amodal), visible_mask=encode(visible),
                 invisible_mask=encode(invisible))
            for scene in scenes
            for label, score, amodal, visible, invisible in zip(
                scene.found_labels, scene.scores, scene.found_amodal, scene.found_visible,
                scene.found_invisible)]


def sample_of(scene: Scene, **changes: object) -> DetDataSample:
    """A data sample as a detector with three masks returns it; ``changes`` to its metas."""
    instances = []
    for place, (amodal, visible) in enumerate(zip(scene.amodal, scene.visible)):
        instance = dict(bbox=[0, 0, 1, 1], bbox_label=int(scene.labels[place]), ann_id=place + 1,
                        category_id=10 * (int(scene.labels[place]) + 1),
                        ignore_flag=int(scene.crowd[place]), mask=encode(amodal))
        if (amodal != visible).any():
            instance['visible_mask'] = encode(visible)
        if scene.stuff[place] >= 0:
            instance['is_stuff'] = int(scene.stuff[place])
        instances.append(instance)
    predicted = InstanceData(
        bboxes=torch.zeros(len(scene.scores), 4), labels=torch.from_numpy(scene.found_labels),
        scores=torch.from_numpy(scene.scores), masks=torch.from_numpy(scene.found_amodal),
        visible_masks=torch.from_numpy(scene.found_visible),
        invisible_masks=torch.from_numpy(scene.found_invisible))
    metas = dict(img_id=int(scene.image_id), ori_shape=(HEIGHT, WIDTH), visible_only=False,
                 instances=instances)
    return DetDataSample(pred_instances=predicted, metainfo=dict(metas, **changes))


# The metrics by their definitions: slow, and short enough to be checked by reading.


class Case(NamedTuple):
    """One image and class: scores (D,), overlaps (D, G), which objects count, which are crowds,
    and which detections are left out if they match nothing."""
    scores: np.ndarray
    ious: np.ndarray
    counts: np.ndarray
    crowd: np.ndarray
    beyond: np.ndarray


def overlap(first: np.ndarray, second: np.ndarray, crowd: bool = False) -> float:
    """COCO's IoU of two masks."""
    whole = first.sum() if crowd else (first | second).sum()
    return (first & second).sum() / whole if whole else 0.0


def outcomes(case: Case, threshold: float, most: int) -> List[Tuple[float, bool]]:
    """Score and rightness of the detections of an image, the best first; ignored ones left out."""
    taken = np.zeros(len(case.counts), bool)
    listed = []
    for found in sorted(range(len(case.scores)), key=lambda d: -case.scores[d])[:most]:
        free = [g for g in range(len(taken)) if case.ious[found, g] >= threshold
                and (case.crowd[g] or not taken[g])]
        free = [g for g in free if case.counts[g]] or free
        if not free:
            if not case.beyond[found]:
                listed.append((case.scores[found], False))
            continue
        best = max(free, key=lambda g: (case.ious[found, g], g))
        taken[best] = True
        if case.counts[best]:
            listed.append((case.scores[found], True))
    return listed


def precision_and_recall(cases: Sequence[Case], threshold: float,
                         most: int) -> Tuple[float, float]:
    """Mean precision at 101 recalls, and the largest recall; NaN if nothing counts."""
    total = sum(case.counts.sum() for case in cases)
    if not total:
        return np.nan, np.nan
    listed = [outcome for case in cases for outcome in outcomes(case, threshold, most)]
    right = [is_right for _, is_right in sorted(listed, key=lambda outcome: -outcome[0])]
    recalls = np.cumsum(right) / total
    precisions = np.cumsum(right) / np.arange(1, len(right) + 1)
    reached = [max([p for p, r in zip(precisions, recalls) if r >= recall], default=0)
               for recall in RECALLS]
    return float(np.mean(reached)), float(recalls[-1]) if len(right) else 0.0


def measured(cases_of_class: Callable[[int], List[Case]], most: int,
             thresholds: Sequence[float] = THRESHOLDS) -> Tuple[float, float]:
    """AP and AR in percent, averaged over classes and thresholds."""
    pairs = [precision_and_recall(cases, threshold, most)
             for cases in map(cases_of_class, range(len(CLASSES))) for threshold in thresholds]
    pairs = [pair for pair in pairs if not np.isnan(pair[0])]
    return tuple(100 * np.mean(pairs, axis=0)) if pairs else (np.nan, np.nan)


def rates_of(scene: Scene) -> np.ndarray:
    """(G,) invisible part of the amodal area."""
    areas = scene.amodal.sum((1, 2))
    return (areas - scene.visible.sum((1, 2))) / areas


def seen_case(scene: Scene, label: int, masks: str, counts: np.ndarray,
              size: Tuple[float, float] = (0, 1e10)) -> Case:
    """Amodal (A), visible (V) or joint (AV) overlaps.

    Args:
        counts: (G,) whether an object counts.
        size: range of areas of the masks, for AV of the amodal ones.
    """
    found, true = scene.found_labels == label, scene.labels == label
    pairs = dict(A=(scene.found_amodal, scene.amodal), V=(scene.found_visible, scene.visible))
    ious = {}
    for key, (detections, objects) in pairs.items():
        ious[key] = np.array([[overlap(d, g, c) for g, c in zip(objects[true], scene.crowd[true])]
                              for d in detections[found]]).reshape(found.sum(), true.sum())
        if key == 'V':
            nothing = ~detections[found].any((1, 2))[:, None] & ~objects[true].any((1, 2))
            ious[key][nothing] = 1
    ious['AV'] = np.minimum(ious['A'], ious['V'])
    areas, true_areas = (masks_.sum((1, 2)) for masks_ in pairs[masks[0]])
    low, high = size
    counts = counts & ~scene.crowd & (true_areas >= low) & (true_areas <= high)
    return Case(scene.scores[found], ious[masks], counts[true], scene.crowd[true],
                ((areas < low) | (areas > high))[found])


def hidden_case(scene: Scene, label: int, difference: bool, same: bool = False,
                gate: float = 0.5, any_class: bool = False, drop_empty: bool = False) -> Case:
    """Overlaps of invisible masks behind the gate."""
    invisible = scene.found_invisible
    if difference:
        invisible = scene.found_amodal & ~scene.found_visible
    occluded = (rates_of(scene) > 0) & ~scene.crowd
    near = np.array([[overlap(d, g) > gate for g in scene.amodal] for d in scene.found_amodal],
                    bool)
    near = near.reshape(len(scene.scores), len(occluded)) & occluded
    in_class = scene.found_labels[:, None] == scene.labels
    passed = (near if any_class else near & in_class).any(1)
    if drop_empty:
        passed &= invisible.any((1, 2))
    found, true = passed & (scene.found_labels == label), occluded & (scene.labels == label)
    hidden = scene.amodal & ~scene.visible
    ious = np.array([[overlap(d, g) for g in hidden[true]] for d in invisible[found]])
    ious = ious.reshape(found.sum(), true.sum())
    if same:
        ious = np.where(near[np.ix_(found, true)], ious, 0)
    return Case(scene.scores[found], ious, np.ones(true.sum(), bool), np.zeros(true.sum(), bool),
                np.zeros(found.sum(), bool))


def expected_figures(scenes: Sequence[Scene], most: int = 100) -> Dict[str, float]:
    """The figures of the amodal metrics in percent, with three numbers of detections."""
    scenes = sorted(scenes, key=lambda scene: scene.image_id)
    figures = {}
    subsets: Dict[str, Callable[[np.ndarray], np.ndarray]] = dict(
        all=lambda rate: rate >= 0, occluded=lambda rate: rate > 0)
    bins: Dict[str, Callable[[np.ndarray], np.ndarray]] = dict(
        none=lambda rate: rate <= 1e-5, partial=lambda rate: (rate >= 1e-5) & (rate <= 0.25),
        heavy=lambda rate: rate >= 0.25)

    def cases(masks: str, choose: Callable[[np.ndarray], np.ndarray],
              **options: object) -> Callable[[int], List[Case]]:
        return lambda label: [seen_case(scene, label, masks, choose(rates_of(scene)), **options)
                              for scene in scenes]

    for masks in ('A', 'V', 'AV'):
        for subset, choose in subsets.items():
            name = f'{masks}_{subset}'
            figures[f'AP_{name}'] = measured(cases(masks, choose), most)[0]
            figures[f'AP50_{name}'] = measured(cases(masks, choose), most, [0.5])[0]
            figures[f'AP75_{name}'] = measured(cases(masks, choose), most, [0.75])[0]
            for number in (1, 10, 100):
                figures[f'AR{number}_{name}'] = measured(cases(masks, choose), number)[1]
            for size, bounds in dict(s=(0, 32**2), m=(32**2, 96**2), l=(96**2, 1e10)).items():
                both = measured(cases(masks, choose, size=bounds), most)
                figures[f'AP{size}_{name}'], figures[f'AR{size}_{name}'] = both
        for subset, choose in bins.items():
            figures[f'AR{most}_{masks}_{subset}'] = measured(cases(masks, choose), most)[1]
    for way, difference in (('IV', False), ('IV_diff', True)):
        for same in (False, True):
            figures[f'AP50_{way}' + '_same' * same] = measured(
                lambda label: [hidden_case(scene, label, difference, same) for scene in scenes],
                most, [0.5])[0]
    return figures


def evaluated(scenes: Sequence[Scene], rules: AmodalRules = RULES) -> object:
    overlaps = [(scene.image_id, overlaps_of_image(truth_of(scene),
                                                   predicted_of(scene), rules))
                for scene in scenes]
    return evaluate(overlaps, len(CLASSES), rules)


def rle(text: str, chars: str) -> dict:
    return encode(np.array([[char in chars for char in text]], np.uint8))


def one_image(true: Sequence[str], found: Sequence[str], scores: Optional[Sequence[float]] = None,
              labels: Sequence[Sequence[int]] = ((), ()), crowd: Sequence[int] = (),
              invisible: Optional[Sequence[str]] = None, has_visible: bool = True,
              image_id: int = 1, rules: AmodalRules = RULES) -> tuple:
    """An image of objects and detections, written as rows; all of class 0 if not said."""
    truth = Truth(
        np.array(labels[0] or [0] * len(true), np.int64), [rle(text, 'Aa') for text in true],
        [rle(text, 'A') for text in true], np.array([place in crowd for place in range(len(true))],
                                                    bool), np.full(len(true), -1))
    scores = np.linspace(0.9, 0.1, len(found)) if scores is None else np.array(scores, float)
    predicted = Predicted(
        np.array(labels[1] or [0] * len(found), np.int64), scores,
        [rle(text, 'Aa') for text in found],
        [rle(text, 'A') for text in found] if has_visible else None,
        None if invisible is None else [rle(text, 'a') for text in invisible])
    return image_id, overlaps_of_image(truth, predicted, rules)
