"""Data to choose thresholds on: held out, and not reported."""

import copy
from pathlib import Path

import numpy as np
import pytest
from mmengine.config import Config

from mmamodal.apis.held_out import held_out_pairs, picture_of_pair, source, validation_split
from mmamodal.apis.running.command_line import load_config

CONFIGS = Path(__file__).parents[2] / 'configs'


def config(name: str, **options) -> Config:
    return load_config(str(CONFIGS / f'{name}.py'), options)


def test_a_split_that_is_tested_is_refused():
    with pytest.raises(ValueError, match='validates and tests on the same data.*flatter'):
        validation_split(config('asbu/asbu_unet_56k_cocoa'))
    other = config('asbu/asbu_unet_56k_cocoa',
                   **{'test_dataloader.dataset.ann_file': 'COCO_amodal_test2014.json'})
    assert validation_split(other).dataset.ann_file.endswith('val2014.json')
    scenes = config('asbu/asbu_unet_scenes')
    assert validation_split(scenes).dataset.split == 'val'
    scenes.test_dataloader.dataset.split = 'val'
    with pytest.raises(ValueError, match='SceneDataset, val'):
        validation_split(scenes)


@pytest.mark.parametrize('val, test, apart', [
    ('1 2', '3 4', True), ('1 2', '2 3', False), ('1 2', None, False), (None, '3', False)])
def test_lists_of_ids_tell_images_of_one_file_apart(tmp_path, val, test, apart):
    cfg = config('asbu/asbu_unet_32k_kins')
    cfg.test_dataloader = copy.deepcopy(cfg.val_dataloader)
    for name, ids in (('val', val), ('test', test)):
        if ids:
            (tmp_path / name).write_text(ids.replace(' ', '\n'))
            cfg[f'{name}_dataloader'].dataset.update(image_ids=name)
        cfg[f'{name}_dataloader'].dataset.data_root = str(tmp_path)
    if apart:
        assert validation_split(cfg).dataset.image_ids == 'val'
        return
    with pytest.raises(ValueError, match='validates and tests on the same data.*without a common'):
        validation_split(cfg)


def test_a_split_that_is_trained_on_is_refused():
    cfg = config('asbu/asbu_unet_32k_kins')
    trained = cfg.train_dataloader.dataset.dataset
    cfg.val_dataloader = dict(dataset=dict(trained, visible_only=False))
    with pytest.raises(ValueError, match='trains and validates on the same data, KINSDataset'):
        validation_split(cfg)
    trained.image_ids, cfg.val_dataloader.dataset.image_ids = 'train.txt', 'val.txt'
    assert validation_split(cfg).dataset.image_ids == 'val.txt'


def test_a_config_without_amodal_truth_is_refused():
    with pytest.raises(ValueError, match='no validation split with amodal truth.*--synthetic'):
        validation_split(config('asbu/asbu_unet-p128_3k_coco'))


def test_other_spellings_of_a_path_are_the_same_data(tmp_path):
    (tmp_path / 'real').mkdir()
    (tmp_path / 'link').symlink_to(tmp_path / 'real')
    one = dict(data_root=str(tmp_path / 'real'), ann_file='a.json')
    assert source(one) == source(dict(data_root='', ann_file=f'{tmp_path}/link/../real/a.json'))
    assert source(one) != source(dict(one, ann_file='b.json'))


def test_synthetic_occlusions_of_what_is_trained_on_are_refused():
    cfg = config('asbu/asbu_unet-p128_3k_coco')
    with pytest.raises(ValueError, match='trains on or reports: give a file .* held out'):
        held_out_pairs(cfg, 'data/coco/annotations/instances_train2017.json')
    dataset = held_out_pairs(cfg, 'other.json')
    assert dataset['dataset']['ann_file'] == 'other.json' and dataset['dataset']['visible_only']
    assert dataset['pipeline'][1]['front_prob'] == 1
    assert dataset['pipeline'][0]['patch_size'] == 128
    cfg.model.with_image = True
    with pytest.raises(ValueError, match='needs images'):
        held_out_pairs(cfg, 'other.json')


def test_picture_of_a_pair():
    target = np.array([(1, 1, 1, 0)], np.uint8).repeat(4, 0)
    occluder = np.array([(0, 0, 1, 1)], np.uint8).repeat(4, 0)
    pair = dict(target=target, occluder=occluder, mask=target & (1 - occluder),
                instance=dict(category_id=3), other=dict(category_id=7))
    sample = picture_of_pair(pair, 5)
    masks = sample.gt_instances.masks
    np.testing.assert_array_equal(masks.masks, [target, occluder])
    np.testing.assert_array_equal(masks.visible.masks, [target & (1 - occluder), occluder])
    assert sample.gt_instances.category_ids.tolist() == [3, 7] and sample.img_id == 5


def test_a_file_is_told_wherever_it_was_found(tmp_path):
    """Readers look for files in other folders, too, and some read several."""
    (tmp_path / 'annotations').mkdir()
    for name in ('instances_train.json', 'more.json'):
        (tmp_path / 'annotations' / name).touch()
    cfg = config('asbu/asbu_unet-p128_3k_coco')
    for data in (dict(type='KINSDataset', ann_file='instances_train.json'),
                 dict(type='D2SADataset', ann_file='a.json', more_ann_files=['more.json'])):
        cfg.train_dataloader.dataset.dataset = dict(data, data_root=str(tmp_path))
        with pytest.raises(ValueError, match='trains on or reports'):
            held_out_pairs(cfg, str(tmp_path / 'annotations' / Path(
                data.get('more_ann_files', [data['ann_file']])[0]).name))
    asked = dict(type='KINSDataset', data_root=str(tmp_path), ann_file='instances_train.json')
    assert source(asked) == source(dict(
        ann_file=str(tmp_path / 'annotations/instances_train.json')))


def test_of_the_training_data_only_what_holds_for_any_file_is_kept():
    cfg = config('asbu/asbu_unet_scenes')
    cfg.train_dataloader.dataset.dataset.update(
        data_root='data', image_ids='train.txt', one_class=True, filter_cfg=dict(min_size=9))
    assert held_out_pairs(cfg, 'other.json')['dataset'] == dict(
        type='AmodalCocoDataset', ann_file='other.json', visible_only=True, one_class=True,
        filter_cfg=dict(min_size=9))
