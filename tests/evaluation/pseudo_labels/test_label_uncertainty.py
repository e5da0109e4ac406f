"""How unsure a completer is, as fields of its labels."""

import json

import numpy as np
import pytest
import torch
from label_samples import VISIBLE, a_sample, a_writer, an_instance
from mmdet.registry import DATASETS

from mmamodal.evaluation.pseudo_labels.label_uncertainty import add_uncertainty
from mmamodal.evaluation.pseudo_labels.writer import label_image
from mmamodal.structures.segmentation import encode
from mmamodal.structures.uncertainty_maps import decode_levels


def an_unsure_sample() -> dict:
    """Of the 3×4 image, the patch is all but the first column; u is 0.5 there, and 1 at its end."""
    sample = a_sample(instances=(an_instance(5), an_instance(6), an_instance(
        7, ignore_flag=1, mask=encode(VISIBLE), bbox=[0, 0, 2, 2])))
    unsure = torch.full((1, 3, 3), 0.5)
    unsure[:, :, 2] = 1
    sample['pred_instances'].update(patches=torch.tensor([[1, 0, 4, 3]]), uncertainty=unsure)
    return sample


def test_uncertainty_is_written_where_nothing_is_visible(tmp_path):
    writer = a_writer(tmp_path)
    writer.with_uncertainty = True
    writer.process(None, [an_unsure_sample()])
    writer.merge()
    label, unpredicted, crowd = json.loads((tmp_path / 'labels.json').read_text())['annotations']
    assert decode_levels(label['uncertainty_map'], 3, 4).tolist() == [
        [0, 0, 128, 182], [0, 0, 128, 182], [0, 128, 128, 182]]
    assert label['uncertainty'] == pytest.approx(2 * 0.5 / 6, abs=1e-4)  # of 6 pixels 2 are grown
    assert (unpredicted['uncertainty'], unpredicted['uncertainty_map']) == (0, [])
    assert 'uncertainty_map' not in crowd


def test_uncertainty_is_read_back_as_written(tmp_path):
    writer = a_writer(tmp_path)
    writer.with_uncertainty = True
    writer.process(None, [an_unsure_sample()])
    writer.merge()
    dataset = DATASETS.build(dict(
        type='AmodalCocoDataset', ann_file=str(tmp_path / 'labels.json'),
        pipeline=[dict(type='LoadAmodalAnnotations', with_uncertainty=True)]))
    masks = dataset[0]['gt_masks']
    written = json.loads((tmp_path / 'labels.json').read_text())['annotations'][0]
    np.testing.assert_array_equal(masks.uncertainty.masks[0],
                                  decode_levels(written['uncertainty_map'], 3, 4))
    assert not masks.uncertainty.masks[1:].any()
    wider = DATASETS.build(dict(
        type='AmodalCocoDataset', ann_file=str(tmp_path / 'labels.json'), margin=2,
        pipeline=[dict(type='LoadAmodalAnnotations', with_uncertainty=True)]))[0]['gt_masks']
    np.testing.assert_array_equal(wider.uncertainty.masks[0],
                                  np.pad(masks.uncertainty.masks[0], 2))
    visible = DATASETS.build(dict(type='AmodalCocoDataset', visible_only=True,
                                  ann_file=str(tmp_path / 'labels.json')))
    assert 'uncertainty_map' not in visible.get_data_info(0)['instances'][0]


def test_labels_are_the_same_with_uncertainty_and_without():
    plain, unsure = label_image(an_unsure_sample())[1], label_image(an_unsure_sample())[1]
    add_uncertainty(unsure, an_unsure_sample()['pred_instances'])
    for annotation in unsure:
        annotation.pop('uncertainty', None), annotation.pop('uncertainty_map', None)
    assert plain == unsure and 'uncertainty' not in plain[0]


def test_completer_without_uncertainty_is_refused(tmp_path):
    writer = a_writer(tmp_path)
    writer.with_uncertainty = True
    with pytest.raises(ValueError, match='train.json: with_uncertainty=True .*UncertaintyLoss'):
        writer.process(None, [a_sample()])
