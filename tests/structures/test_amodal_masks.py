"""AmodalMasks against the same operation on the amodal and the visible masks apart."""

import copy
import pickle
import random
from typing import Iterator

import numpy as np
import pytest
import torch
from mmdet.registry import MODELS, TRANSFORMS
from mmdet.structures import DetDataSample
from mmdet.structures.bbox import HorizontalBoxes
from mmdet.structures.mask import BitmapMasks, mask_target
from mmengine import Config
from mmengine.hub import get_config
from mmengine.registry import DefaultScope
from mmengine.structures import InstanceData

from mmamodal.structures.amodal_masks import AmodalMasks

AMODAL = np.array([[[1, 1, 1, 0], [1, 1, 1, 0], [0, 0, 0, 0]],
                   [[0, 0, 1, 1], [0, 0, 1, 1], [0, 0, 1, 1]]], dtype=np.uint8)
VISIBLE = np.array([[[1, 1, 1, 0], [1, 1, 1, 0], [0, 0, 0, 0]],
                    [[0, 0, 0, 1], [0, 0, 0, 1], [0, 0, 1, 1]]], dtype=np.uint8)
INVISIBLE = np.array([[[0, 0, 0, 0], [0, 0, 0, 0], [0, 0, 0, 0]],
                      [[0, 0, 1, 0], [0, 0, 1, 0], [0, 0, 0, 0]]], dtype=np.uint8)

BOXES = np.array([[0, 0, 9, 7], [2, 3, 12, 9], [1, 1, 4, 4]], dtype=np.float32)
OPERATIONS = {
    'rescale': dict(scale=(26, 20)),
    'resize': dict(out_shape=(7, 19)),
    'resize bilinear': dict(out_shape=(7, 19), interpolation='bilinear'),
    'flip': dict(),
    'flip vertical': dict(flip_direction='vertical'),
    'flip diagonal': dict(flip_direction='diagonal'),
    'pad': dict(out_shape=(16, 20)),
    'pad with ones': dict(out_shape=(16, 20), pad_val=1),
    'crop': dict(bbox=np.array([2, 1, 9, 30])),
    'expand': dict(expanded_h=20, expanded_w=30, top=3, left=5),
    'translate': dict(out_shape=(10, 13), offset=3.5),
    'translate into larger': dict(out_shape=(15, 18), offset=-2, direction='vertical'),
    'shear': dict(out_shape=(10, 13), magnitude=0.3),
    'shear vertical': dict(out_shape=(10, 13), magnitude=-0.4, direction='vertical'),
    'rotate': dict(out_shape=(10, 13), angle=33),
    'rotate and scale': dict(out_shape=(10, 13), angle=-70, center=(4, 5), scale=1.3),
}


def _amodal_masks(number: int = 3) -> AmodalMasks:
    return AmodalMasks.random(number, height=10, width=13, rng=0)


def _apart(masks: AmodalMasks) -> tuple:
    return (BitmapMasks(masks.masks.copy(), masks.height, masks.width),
            BitmapMasks(masks.visible.masks.copy(), masks.height, masks.width))


def _assert_pair(masks: AmodalMasks, amodal: BitmapMasks, visible: BitmapMasks) -> None:
    assert type(masks) is AmodalMasks
    for found, expected in ((masks, amodal), (masks.visible, visible)):
        assert (found.height, found.width) == (expected.height, expected.width)
        assert found.masks.dtype == expected.masks.dtype
        np.testing.assert_array_equal(found.masks, expected.masks)
    assert (masks.visible.masks <= masks.masks).all()


# construction


def test_visible_and_invisible_part_the_amodal_mask():
    masks = AmodalMasks(AMODAL, 3, 4, VISIBLE)
    np.testing.assert_array_equal(masks.masks, AMODAL)
    np.testing.assert_array_equal(masks.visible.masks, VISIBLE)
    np.testing.assert_array_equal(masks.invisible.masks, INVISIBLE)
    assert masks.invisible.masks.dtype == np.uint8
    assert type(masks.visible) is type(masks.invisible) is BitmapMasks


def test_visible_none_means_not_occluded():
    masks = AmodalMasks(AMODAL, 3, 4, None)
    np.testing.assert_array_equal(masks.visible.masks, AMODAL)
    assert not masks.invisible.masks.any()
    assert not np.shares_memory(masks.visible.masks, masks.masks)


def test_no_visible_is_no_default():
    with pytest.raises(TypeError, match='visible'):
        AmodalMasks(AMODAL, 3, 4)


@pytest.mark.parametrize('visible', [None, [], np.zeros((0, 3, 4), np.uint8)])
def test_no_instances(visible):
    masks = AmodalMasks([], 3, 4, visible)
    for part in (masks, masks.visible, masks.invisible):
        assert part.masks.shape == (0, 3, 4) and part.masks.dtype == np.uint8


def test_lists_and_other_dtypes():
    masks = AmodalMasks(list(AMODAL), 3, 4, list(VISIBLE.astype(bool)))
    _assert_pair(masks, BitmapMasks(AMODAL, 3, 4), BitmapMasks(VISIBLE, 3, 4))
    assert AmodalMasks(AMODAL.astype(bool), 3, 4, VISIBLE).invisible.masks.sum() == 2


@pytest.mark.parametrize('amodal, visible, words', [
    (AMODAL, VISIBLE[::-1], 'visible mask 0 has 4 pixels outside'),
    (VISIBLE, AMODAL, 'visible mask 1 has 2 pixels outside'),
    (AMODAL, VISIBLE[:1], '1 visible and 2 amodal'),
    ([], VISIBLE, '2 visible and 0 amodal'),
    (AMODAL[0], None, r'amodal masks: expected one of .* \(3, 4\) .*\(4,\)'),
    (AMODAL, VISIBLE[:, :2], r'visible masks: expected one of .*\(2, 4\)'),
    ([AMODAL[0], AMODAL[1, :2]], None, r'amodal masks: .*\(2, 4\), \(3, 4\)'),
])
def test_wrong_masks_are_refused_at_the_door(amodal, visible, words):
    with pytest.raises(ValueError, match=words):
        AmodalMasks(amodal, 3, 4, visible)


def test_random_is_seeded_and_occluded():
    masks = _amodal_masks()
    assert masks.masks.shape == (3, 10, 13) and masks.invisible.masks.any()
    _assert_pair(_amodal_masks(), *_apart(masks))


# operations


def _unsure_masks(number: int = 3) -> AmodalMasks:
    masks = _amodal_masks(number)
    levels = np.random.RandomState(1).choice(np.uint8([0, 91, 128, 157, 182]), masks.masks.shape)
    return AmodalMasks(masks.masks, 10, 13, masks.visible.masks, levels)


def test_every_bitmap_operation_is_covered():
    kept = {'areas', 'to_ndarray', 'to_tensor'}  # of the amodal masks alone
    other = {'random', 'cat', 'crop_and_resize'}  # tested below
    stock = {name for name in vars(BitmapMasks) if not name.startswith('_')}
    assert stock == {name.split()[0] for name in OPERATIONS} | kept | other


@pytest.mark.parametrize('number', [0, 1, 3])
@pytest.mark.parametrize('name', OPERATIONS)
def test_operation_equals_the_operation_apart(name, number):
    masks, method = _amodal_masks(number), name.split()[0]
    expected = [getattr(part, method)(**OPERATIONS[name]) for part in _apart(masks)]
    _assert_pair(getattr(masks, method)(**OPERATIONS[name]), *expected)


@pytest.mark.parametrize('number', [0, 1, 3])
@pytest.mark.parametrize('name', OPERATIONS)
def test_uncertainty_moves_with_the_masks(name, number):
    masks, method = _unsure_masks(number), name.split()[0]
    levels = BitmapMasks(masks.uncertainty.masks.copy(), 10, 13)
    expected = getattr(levels, method)(**OPERATIONS[name])
    moved = getattr(masks, method)(**OPERATIONS[name])
    _assert_pair(moved, *[getattr(part, method)(**OPERATIONS[name]) for part in _apart(masks)])
    assert (moved.uncertainty.height, moved.uncertainty.width) == (moved.height, moved.width)
    np.testing.assert_array_equal(moved.uncertainty.masks, expected.masks)
    assert getattr(_amodal_masks(number), method)(**OPERATIONS[name]).uncertainty is None


@pytest.mark.parametrize('config, place', [
    (dict(type='RandomFlip', prob=1.0), (slice(0, 2), slice(2, 4))),
    (dict(type='Resize', scale=(8, 12)), (slice(0, 4), slice(0, 4))),
    (dict(type='Pad', size=(9, 7)), (slice(0, 2), slice(0, 2))),
], ids=lambda value: value['type'] if isinstance(value, dict) else '')
def test_transforms_of_training_move_uncertainty_by_hand(config, place):
    """A 6×4 image whose upper left corner of 2×2 is unsure."""
    levels = np.zeros((1, 6, 4), np.uint8)
    levels[0, :2, :2] = 182
    masks = AmodalMasks(np.ones((1, 6, 4), np.uint8), 6, 4, None, levels)
    moved = _transformed(config, masks, masks)
    expected = np.zeros(moved.masks.shape, np.uint8)
    expected[(0, *place)] = 182
    np.testing.assert_array_equal(moved.uncertainty.masks, expected)


def test_crop_keeps_uncertainty_in_place():
    levels = np.arange(24, dtype=np.uint8).reshape(1, 4, 6)
    masks = AmodalMasks(np.ones((1, 4, 6), np.uint8), 4, 6, None, levels)
    assert masks.crop(np.array([1, 2, 3, 4])).uncertainty.masks.tolist() == [[[13, 14], [19, 20]]]


@pytest.mark.parametrize('binarize', [True, False])
def test_crop_and_resize_averages_uncertainty(binarize):
    levels = np.zeros((1, 4, 4), np.uint8)
    levels[0, :, :1] = 100
    masks = AmodalMasks(np.ones((1, 4, 4), np.uint8), 4, 4, None, levels)
    cropped = masks.crop_and_resize(np.array([[0., 0., 4., 4.]], np.float32), (2, 2),
                                    np.array([0]), binarize=binarize)
    assert cropped.uncertainty.masks.tolist() == [[[50, 0], [50, 0]]]
    assert cropped.masks.all()


@pytest.mark.parametrize('interpolation', ['bicubic', 'lanczos', 'area'])
def test_interpolation_that_overshoots_is_clipped(interpolation):
    masks = _amodal_masks().resize((23, 31), interpolation=interpolation)
    amodal, visible = [
        part.resize((23, 31), interpolation=interpolation) for part in _apart(_amodal_masks())
    ]
    visible.masks = np.minimum(amodal.masks, visible.masks)
    _assert_pair(masks, amodal, visible)


@pytest.mark.parametrize('binarize', [True, False])
@pytest.mark.parametrize('number, inds', [(0, []), (3, []), (1, [0, 0]), (3, [2, 0, 1])])
def test_crop_and_resize(number, inds, binarize):
    masks = _amodal_masks(number)
    arguments = BOXES[:len(inds)], (4, 6), np.array(inds, dtype=np.int64)
    amodal, visible = [p.crop_and_resize(*arguments, binarize=binarize) for p in _apart(masks)]
    resized = masks.crop_and_resize(*arguments, binarize=binarize)
    _assert_pair(resized, amodal, visible)
    np.testing.assert_allclose(resized.invisible.masks.astype(np.float32),
                               amodal.masks.astype(np.float32) - visible.masks)


@pytest.mark.parametrize('index', [
    0, -1, np.int64(2), slice(1, None), slice(0, 0), [2, 0],
    np.array([2, 0, 0]), np.array([], dtype=np.int64), np.array([True, False, True]),
    np.zeros(3, dtype=bool), torch.tensor([1, 2]), torch.tensor([False, True, False]),
    torch.tensor(1)
], ids=repr)
def test_index(index):
    stock_index = index.numpy() if isinstance(index, torch.Tensor) else index
    masks = _amodal_masks()
    _assert_pair(masks[index], *[part[stock_index] for part in _apart(masks)])


def test_index_and_cat_in_instance_data():
    instances = InstanceData(masks=_amodal_masks(), labels=torch.arange(3))
    amodal, visible = _apart(_amodal_masks())
    picked = instances[torch.tensor([True, False, True])]
    _assert_pair(picked.masks, amodal[[0, 2]], visible[[0, 2]])
    both = InstanceData.cat([picked, instances])
    _assert_pair(both.masks, amodal[[0, 2, 0, 1, 2]], visible[[0, 2, 0, 1, 2]])


@pytest.mark.parametrize('numbers', [(3, ), (0, 1), (0, 0), (1, 0, 3)])
def test_cat(numbers):
    items = [_amodal_masks(number) for number in numbers]
    _assert_pair(AmodalMasks.cat(items), *map(BitmapMasks.cat, zip(*map(_apart, items))))


def test_index_cat_and_copy_keep_uncertainty():
    masks = _unsure_masks()
    levels = masks.uncertainty.masks
    np.testing.assert_array_equal(masks[[2, 0]].uncertainty.masks, levels[[2, 0]])
    np.testing.assert_array_equal(masks[torch.tensor(1)].uncertainty.masks, levels[1:2])
    both = AmodalMasks.cat([masks[:1], masks])
    np.testing.assert_array_equal(both.uncertainty.masks, levels[[0, 0, 1, 2]])
    again = pickle.loads(pickle.dumps(copy.deepcopy(masks)))
    np.testing.assert_array_equal(again.uncertainty.masks, levels)
    assert AmodalMasks.cat([masks, _amodal_masks()]).uncertainty is None


@pytest.mark.parametrize('levels, words', [
    (np.zeros((1, 3, 4), np.uint8), '1 uncertainty and 2 amodal'),
    (np.zeros((2, 4, 3), np.uint8), r'uncertainty of masks: .*\(4, 3\)')])
def test_uncertainty_of_other_masks_is_refused(levels, words):
    with pytest.raises(ValueError, match=words):
        AmodalMasks(AMODAL, 3, 4, VISIBLE, levels)


def test_cat_refuses_masks_without_visible():
    masks = _amodal_masks()
    with pytest.raises(TypeError, match='BitmapMasks at 1, which has no visible masks'):
        masks.cat([masks, masks.visible])
    with pytest.raises(ValueError, match='empty'):
        AmodalMasks.cat([])


def test_to_mmdet_it_is_the_amodal_masks():
    masks, (amodal, _) = _amodal_masks(), _apart(_amodal_masks())
    np.testing.assert_array_equal(masks.to_ndarray(), amodal.masks)
    np.testing.assert_array_equal(masks.to_tensor(torch.uint8, 'cpu'), amodal.masks)
    np.testing.assert_array_equal(masks.areas, amodal.areas)
    np.testing.assert_array_equal(list(masks), list(amodal))
    assert torch.equal(masks.get_bboxes('hbox').tensor, amodal.get_bboxes('hbox').tensor)
    assert len(masks) == 3
    assert repr(masks) == 'AmodalMasks(num_masks=3, height=10, width=13)'


@pytest.mark.parametrize('duplicate', [copy.copy, copy.deepcopy,
                                       lambda masks: pickle.loads(pickle.dumps(masks))])
def test_copy_and_pickle(duplicate):
    _assert_pair(duplicate(_amodal_masks()), *_apart(_amodal_masks()))


def test_writing_in_place():
    masks = _amodal_masks()
    masks.visible.masks[:, :5] = 0
    assert not masks.visible.masks[:, :5].any() and masks.masks[:, :5].any()
    masks.masks[:, 5:] = 0
    assert not masks.visible.masks.any()


# mmdet's transforms


def _results(masks: BitmapMasks, seed: int = 0) -> dict:
    rng = np.random.RandomState(seed)
    corners = rng.randint(0, 20, (len(masks), 2)).astype(np.float32)
    return dict(
        img=rng.randint(0, 255, (masks.height, masks.width, 3)).astype(np.uint8),
        img_shape=(masks.height, masks.width),
        gt_bboxes=HorizontalBoxes(np.hstack([corners, corners + 12])),
        gt_bboxes_labels=np.arange(len(masks)),
        gt_ignore_flags=np.zeros(len(masks), dtype=bool),
        gt_masks=masks)


def _transformed(config: dict, masks: BitmapMasks, mix: BitmapMasks) -> BitmapMasks:
    random.seed(1)
    np.random.seed(1)
    results = TRANSFORMS.build(config)(dict(_results(masks), mix_results=[_results(mix, seed=3)]))
    return results['gt_masks']


WORKING = [
    dict(type='Resize', scale=(50, 60)),
    dict(type='Resize', scale=(50, 60), keep_ratio=True),
    dict(type='FixShapeResize', width=50, height=40),
    dict(type='RandomFlip', prob=1.0, direction='diagonal'),
    dict(type='RandomCrop', crop_size=(20, 20), recompute_bbox=True),
    dict(type='MinIoURandomCrop', min_ious=(0.1, 0.3)),
    dict(type='Pad', size_divisor=32),
    dict(type='Expand', prob=1.0),
    dict(type='Rotate', prob=1.0, level=7),
    dict(type='ShearX', prob=1.0, level=7),
    dict(type='ShearY', prob=1.0, level=7),
    dict(type='TranslateX', prob=1.0, level=7),
    dict(type='TranslateY', prob=1.0, level=7),
    dict(type='FilterAnnotations', min_gt_bbox_wh=(11, 11)),
    dict(type='RandomErasing', n_patches=3, ratio=(0.2, 0.4)),
    dict(type='CutOut', n_holes=2, cutout_shape=(5, 5)),
    dict(type='PhotoMetricDistortion'),
]


@pytest.mark.parametrize('number', [1, 4])
@pytest.mark.parametrize('config', WORKING, ids=lambda config: config['type'])
def test_transform_runs_unchanged(config, number):
    masks = AmodalMasks.random(number, 36, 44, rng=0)
    expected = [_transformed(config, part, part) for part in _apart(masks)]
    _assert_pair(_transformed(config, masks, masks), *expected)


@pytest.mark.parametrize('config', [
    dict(type='CachedMosaic', img_scale=(40, 40), prob=1.0, max_cached_images=6),
    dict(type='CachedMixUp', img_scale=(40, 40), ratio_range=(1.0, 1.0), prob=1.0,
         max_cached_images=6, pad_val=0),
], ids=lambda config: config['type'])
def test_transform_that_mixes_images_runs_unchanged(config):
    masks = AmodalMasks.random(2, 40, 40, rng=0)

    def mixed(part: BitmapMasks) -> BitmapMasks:
        random.seed(1)
        np.random.seed(1)
        transform = TRANSFORMS.build(config)
        for seed in range(8):
            results = transform(_results(part[:], seed))
        return results['gt_masks']

    found = mixed(masks)
    assert len(found) > 2
    _assert_pair(found, *map(mixed, _apart(masks)))


def test_copy_paste_fails_loudly():
    masks = AmodalMasks.random(4, 36, 44, rng=0)
    with pytest.raises(AttributeError, match="cannot be replaced.*CopyPaste"):
        _transformed(dict(type='CopyPaste', selected=False), masks, masks)


def test_rebuilding_by_class_fails_loudly():
    masks = _amodal_masks()
    with pytest.raises(TypeError, match="AmodalMasks.*missing.*'visible'"):
        masks.__class__(masks.masks, masks.height, masks.width)


def test_random_affine_refuses_masks_as_of_any_kind():
    masks = AmodalMasks.random(4, 36, 44, rng=0)
    with pytest.raises(NotImplementedError, match='only supports bbox'):
        _transformed(dict(type='RandomAffine'), masks, masks)


# Mask R-CNN


def test_mask_target():
    masks, (amodal, _) = _amodal_masks(), _apart(_amodal_masks())
    proposals, inds = [torch.from_numpy(BOXES)], [torch.tensor([2, 0, 1])]
    config = Config(dict(mask_size=7))
    assert torch.equal(
        mask_target(proposals, inds, [masks], config),
        mask_target(proposals, inds, [amodal], config))


@pytest.fixture(scope='module')
def mask_rcnn() -> Iterator[torch.nn.Module]:
    """Mask R-CNN as mmdet configures it, with a small backbone and few proposals."""
    config = get_config('mmdet::mask_rcnn/mask-rcnn_r50_fpn_1x_coco.py').model
    config.backbone.update(depth=18, init_cfg=None)
    config.neck.in_channels = [64, 128, 256, 512]
    config.train_cfg.rpn_proposal.update(nms_pre=50, max_per_img=50)
    config.train_cfg.rcnn.sampler.num = 16
    with DefaultScope.overwrite_default_scope('mmdet'):
        yield MODELS.build(config)


def _losses(model: torch.nn.Module, masks: BitmapMasks) -> dict:
    sample = DetDataSample(metainfo=dict(img_shape=(64, 64), ori_shape=(64, 64)))
    sample.gt_instances = InstanceData(
        bboxes=masks.get_bboxes('hbox').tensor, labels=torch.arange(len(masks)), masks=masks)
    torch.manual_seed(0)
    np.random.seed(0)
    batch = dict(inputs=[torch.zeros(3, 64, 64, dtype=torch.uint8)], data_samples=[sample])
    with torch.no_grad():
        return model.parse_losses(model(**model.data_preprocessor(batch, True), mode='loss'))[1]


@pytest.mark.parametrize('number', [0, 2])
def test_mask_rcnn_learns_the_amodal_masks(mask_rcnn, number):
    amodal = np.zeros((2, 64, 64), dtype=np.uint8)
    amodal[0, 8:40, 8:40] = amodal[1, 20:60, 30:60] = 1
    visible = amodal * (np.arange(64) < 50)
    masks = AmodalMasks(amodal[:number], 64, 64, visible[:number])
    losses = [_losses(mask_rcnn, part) for part in (masks, *_apart(masks))]
    assert 'loss_mask' in losses[0]
    assert losses[0] == losses[1]
    assert number == 0 or losses[0]['loss_mask'] != losses[2]['loss_mask']
