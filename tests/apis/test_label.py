"""Where pseudo-labels come from, and what they never replace."""

from types import SimpleNamespace

import pytest
from mmdet.registry import DATASETS
from torch import nn
from trainings import labels_config

from mmamodal.apis.label import (annotation_files, check_out_file, chosen, continue_labels,
                                 describe_source, unlabelled)
from mmamodal.evaluation.pseudo_labels.parts import append, open_part, part_path
from mmamodal.evaluation.pseudo_labels.writer import PseudoLabelWriter
from mmamodal.files import sha256


@pytest.mark.parametrize('dataset, expected', [
    (dict(ann_file='a.json'), ['a.json']),
    (dict(ann_file='a.json', data_root='data/'), ['data/a.json']),
    (dict(dataset=dict(ann_file='a.json')), ['a.json']),
    (dict(datasets=[dict(ann_file='a.json'), dict(ann_file='b.json')]), ['a.json', 'b.json']),
    (dict(type='D2SADataset', ann_file='a.json', more_ann_files=['b.json'], data_root='data/',
          image_ids='ids.txt'), ['data/a.json', 'data/b.json', 'data/ids.txt']),
    (dict(type='SceneDataset'), [])])
def test_annotation_files_are_found(dataset, expected):
    assert [str(path) for path in annotation_files(dataset)] == expected


def test_annotation_files_are_found_in_the_other_layout(tmp_path):
    (tmp_path / 'annotations').mkdir()
    (tmp_path / 'annotations' / 'a.json').touch()
    data = dict(type='KINSDataset', ann_file='a.json', data_root=str(tmp_path))
    assert annotation_files(data) == [tmp_path / 'annotations' / 'a.json']


@pytest.mark.parametrize('name, text, message', [
    ('train.json', '{"images": []}', 'is the annotation file that the labels are made from'),
    ('link.json', '', 'is the annotation file'),
    ('labels.json', '{"images": []}', 'labels.json is no pseudo-label file'),
    ('labels.json', '{"info": {"year": 2014}, "images": []}', 'expected a fingerprint'),
    ('labels.json', '{"info": null, "images": []}', 'labels.json is no pseudo-label file'),
    ('labels.json', '{"info": {"fingerprint": "f"}, "images": []}', None)])
def test_files_of_the_user_are_not_overwritten(tmp_path, name, text, message):
    (tmp_path / 'link.json').symlink_to(tmp_path / 'train.json')
    (tmp_path / name).write_text(text)
    if message is None:
        return check_out_file(tmp_path / name, labels_config(tmp_path))
    with pytest.raises(ValueError, match=message):
        check_out_file(tmp_path / name, labels_config(tmp_path))


def test_labels_of_a_model_at_random_are_refused(tmp_path):
    runner = SimpleNamespace(
        model=nn.Conv2d(1, 1, 1),
        test_evaluator=SimpleNamespace(metrics=[PseudoLabelWriter(str(tmp_path / 'a.json'))]))
    with pytest.raises(ValueError, match='a.json would hold labels of a model.*at random'):
        continue_labels(runner, None)


def test_a_source_tells_what_could_change_the_labels(tmp_path):
    weights = tmp_path / 'weights.pth'
    weights.write_text('1')
    cfg = labels_config(tmp_path, amodal_thr=0.5)
    first, again = (describe_source(cfg, str(weights), 3) for _ in range(2))
    assert first['fingerprint'] == again['fingerprint'] and first['images'] == 3
    assert first['checkpoint_sha256'] == sha256(weights) and 'not ground truth' in first[
        'description']
    others = [describe_source(labels_config(tmp_path, amodal_thr=0.4), str(weights), 3),
              describe_source(cfg, str(weights), 4), describe_source(cfg, None, 3)]
    weights.write_text('2')
    others.append(describe_source(cfg, str(weights), 3))
    assert len({one['fingerprint'] for one in [first, *others]}) == 5


class Images:
    """As many images, their ids from 10."""

    def __init__(self, count: int) -> None:
        self.count = count

    def __len__(self) -> int:
        return self.count

    def get_data_info(self, index: int) -> dict:
        return dict(img_id=10 + index)


def test_images_without_labels_are_left(tmp_path):
    out_file = tmp_path / 'labels.json'
    assert unlabelled(Images(3), out_file, 'f') == [0, 1, 2]
    with open_part(part_path(out_file, 1), 'f') as part:
        append(part, dict(id=11), [], {})
    assert unlabelled(Images(3), out_file, 'f') == [0, 2]
    assert unlabelled(Images(3), out_file, 'other') == [0, 1, 2]


@pytest.mark.parametrize('wrapper', [{}, dict(type='RepeatDataset', times=2)])
def test_images_are_chosen_from_any_dataset(wrapper):
    scenes = dict(type='SceneDataset', num_scenes=3, pipeline=[])
    dataset = DATASETS.build(dict(wrapper, dataset=scenes) if wrapper else scenes)
    some = chosen(dataset, [0, 2])
    assert [some[i]['img_id'] for i in range(len(some))] == [1, 3]
