"""Data sets to look into, of configs and files."""

from pathlib import Path

import published_files
import pytest

from mmamodal.apis.running.open_data import open_data

CONFIGS = Path(__file__).parents[3] / 'configs'


@pytest.mark.parametrize('config, split, count', [
    ('asbu/asbu_unet_scenes.py', 'train', 400),  # wrapped by pairs of instances
    ('asbu/asbu_unet_scenes.py', 'test', 100),
    ('mask_rcnn/mask-rcnn_r18_fpn_scenes.py', 'val', 100),
])
def test_dataset_of_a_config(config, split, count):
    assert len(open_data(str(CONFIGS / config), split)) == count


def test_split_that_a_config_lacks():
    with pytest.raises(ValueError, match='asbu_unet_56k_coco.py has no val_dataloader'):
        open_data(str(CONFIGS / 'asbu/asbu_unet_56k_coco.py'), 'val')


def test_options_override_a_config(tmp_path):
    published_files.write('coco', tmp_path)
    data = published_files.dataset_config('coco', tmp_path)
    options = {f'train_dataloader.dataset.dataset.{key}': data[key]
               for key in ('data_root', 'ann_file', 'data_prefix') if key in data}
    config = str(CONFIGS / 'asbu/asbu_unet_56k_coco.py')
    assert len(open_data(config, options=options)) > 0


def test_annotation_file(tmp_path):
    published_files.write('kins2020', tmp_path)
    data = open_data(str(tmp_path / 'KINS' / 'update_train_2020.json'))
    assert type(data).__name__ == 'KINS2020Dataset'
    ann = data.as_amodal_coco()['annotations'][0]
    assert {'segmentation', 'bbox', 'area', 'visible_mask'} < ann.keys()


def test_format_of_a_config():
    with pytest.raises(ValueError, match='is a config, .* leave out the format'):
        open_data(str(CONFIGS / 'asbu/asbu_unet_scenes.py'), format='kins')


def test_missing_file():
    with pytest.raises(FileNotFoundError, match='nowhere.json'):
        open_data('nowhere.json')
