"""Predictions as a COCO result list, there and back."""

import json

import numpy as np
import pytest
import torch
from mmengine.evaluator import Evaluator

from mmamodal.apis.score_files import score_files
from mmamodal.evaluation.detection.amodal_rules import AmodalRules
from mmamodal.evaluation.predictions.result_lists import check_entries
from mmamodal.evaluation.predictions.result_writer import ResultWriter
from mmamodal.structures.segmentation import decode, encode

META = dict(classes=('a', 'b'), categories=[dict(id=4, name='a'), dict(id=9, name='b')])
AMODAL = [[[1, 1, 1], [1, 1, 1]], [[0, 0, 1], [0, 0, 1]]]
VISIBLE = [[[1, 1, 0], [1, 1, 0]], [[0, 0, 1], [0, 0, 1]]]


def sample(img_id=5, **masks):
    """Two detections, with the kinds of masks that are given."""
    masks = {key: torch.tensor(value, dtype=torch.bool) for key, value in masks.items()}
    instances = dict(labels=torch.tensor([1, 0]), scores=torch.tensor([0.75, 0.5]),
                     bboxes=torch.tensor([[0.0, 0, 3, 2], [2, 0, 3.25, 2]]), **masks)
    return dict(img_id=img_id, ori_shape=(2, 3), pred_instances=instances)


def written(tmp_path, samples):
    """What the writer makes of data samples, as an evaluator runs it."""
    evaluator = Evaluator(dict(type='mmdet.ResultWriter', out_file=f'{tmp_path}/out/x.json'))
    evaluator.dataset_meta = META
    for one in samples:
        evaluator.process([one])
    assert evaluator.evaluate(len(samples)) == {}
    return json.loads((tmp_path / 'out/x.json').read_text())


def test_all_masks_are_written_with_the_ids_of_the_annotations(tmp_path):
    invisible = np.array(AMODAL) - VISIBLE
    entries = written(tmp_path, [sample(masks=AMODAL, visible_masks=VISIBLE,
                                        invisible_masks=invisible)])
    assert [[e['image_id'], e['category_id'], e['score'], e['bbox']] for e in entries] == [
        [5, 9, 0.75, [0, 0, 3, 2]], [5, 4, 0.5, [2, 0, 1.25, 2]]]
    for key, masks in (('segmentation', AMODAL), ('visible_mask', VISIBLE),
                       ('invisible_mask', invisible)):
        assert [decode(e[key], 2, 3).tolist() for e in entries] == np.array(masks).tolist()


def test_a_model_of_one_kind_of_masks_writes_one(tmp_path):
    entries = written(tmp_path, [sample(masks=AMODAL), sample(6, masks=AMODAL)])
    assert [e['image_id'] for e in entries] == [5, 5, 6, 6]
    assert 'visible_mask' not in entries[0] and 'invisible_mask' not in entries[0]
    assert check_entries(entries, 'x.json') == entries


def test_images_without_detections(tmp_path):
    empty = sample(masks=AMODAL)
    empty['pred_instances'] = {k: v[:0] for k, v in empty['pred_instances'].items()}
    assert written(tmp_path, [empty]) == []


def test_what_is_written_is_read_by_the_offline_evaluation(tmp_path):
    written(tmp_path, [sample(masks=AMODAL, visible_masks=VISIBLE)])
    annotations = [
        dict(id=1 + place, image_id=5, category_id=(9, 4)[place], iscrowd=0, bbox=[0, 0, 3, 2],
             area=6, segmentation=encode(np.array(AMODAL[place], np.uint8)),
             visible_mask=encode(np.array(VISIBLE[place], np.uint8))) for place in (0, 1)]
    truth = dict(images=[dict(id=5, file_name='5.png', height=2, width=3)],
                 annotations=annotations, categories=META['categories'])
    (tmp_path / 'truth.json').write_text(json.dumps(truth))
    scores = score_files(str(tmp_path / 'truth.json'), str(tmp_path / 'out/x.json'),
                         AmodalRules()).as_dict()
    assert scores['AP_AV_all'] == pytest.approx(100)


@pytest.mark.parametrize('change, message', [
    (dict(labels=torch.tensor([2, 0])), 'image 5: expected labels from 0 to 1, got 0 to 2'),
    (dict(masks=torch.zeros(2, 3, 3)), r"image 5: expected 'masks' of shape \(2, 2, 3\)")])
def test_predictions_of_another_dataset(tmp_path, change, message):
    wrong = sample(masks=AMODAL)
    wrong['pred_instances'].update(change)
    with pytest.raises(ValueError, match=message):
        written(tmp_path, [wrong])


def test_it_writes_json_only():
    with pytest.raises(ValueError, match='ends in .json'):
        ResultWriter('x.pkl')
