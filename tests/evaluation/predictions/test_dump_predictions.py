"""Predictions in a file: masks as RLEs, nothing that lies on patches."""

import numpy as np
import pytest
import torch

from mmamodal.evaluation.predictions.dump_predictions import DumpPredictions, compact
from mmamodal.structures.segmentation import decode

MASKS = torch.tensor([[[1, 0, 0], [1, 1, 0]], [[0, 0, 1], [0, 0, 1]]], dtype=torch.bool)


def test_completer_s_maps_are_left_out():
    maps = dict.fromkeys(('uncertainty', 'evidence', 'probability'), torch.zeros(2, 64, 64))
    sample = dict(img_id=3, pred_instances=dict(masks=MASKS, patches=torch.zeros(2, 4), **maps))
    kept = compact(sample)
    assert set(kept['pred_instances']) == {'masks', 'patches'} and kept['img_id'] == 3
    assert set(sample['pred_instances']) == {'masks', 'patches', *maps}


@pytest.mark.parametrize('kind', [torch.as_tensor, np.asarray])
def test_visible_and_invisible_masks_are_rles(kind):
    sample = dict(pred_instances=dict(visible_masks=kind(MASKS), invisible_masks=kind(~MASKS)))
    kept = compact(sample)['pred_instances']
    for key, masks in (('visible_masks', MASKS), ('invisible_masks', ~MASKS)):
        assert [decode(rle, 2, 3).tolist() for rle in kept[key]] == masks.int().tolist()
    assert compact(dict(pred_instances=kept))['pred_instances'] == kept  # once is enough


def test_an_entry_of_the_dump(tmp_path):
    dump = DumpPredictions(str(tmp_path / 'x.pkl'))
    dump.process(None, [dict(img_id=1, pred_instances=dict(
        masks=MASKS, scores=torch.ones(2), evidence=torch.zeros(2, 8, 8)))])
    (entry, ) = dump.results
    assert [decode(rle, 2, 3).tolist() for rle in entry['pred_instances']['masks']] == (
        MASKS.int().tolist())
    assert 'evidence' not in entry['pred_instances']
