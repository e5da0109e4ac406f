"""What may be chosen of the amodal metrics."""

import pytest

from mmamodal.evaluation.detection.amodal_rules import AmodalRules


@pytest.mark.parametrize('options, message', [
    (dict(max_dets=()), r'rising whole numbers from 1, got \[\]'),
    (dict(max_dets=(10, 1)), 'rising whole numbers from 1'),
    (dict(max_dets=(0, 1)), 'rising whole numbers from 1'),
    (dict(max_dets=(1.5, )), 'rising whole numbers from 1'),
    (dict(occ_thr=1), 'occ_thr from 0 to below 1, got 1'),
    (dict(iv_gate=-.1), 'iv_gate from 0 to below 1, got -0.1'),
    (dict(occ_bins=(.5, .2)), 'rising occ_bins between 0 and 1'),
    (dict(occ_bins=(.5, )), 'two rising occ_bins')])
def test_options_out_of_range(options: dict, message: str):
    with pytest.raises(ValueError, match=message):
        AmodalRules(**options)
