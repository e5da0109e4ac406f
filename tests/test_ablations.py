"""The rows of ASBU's Table 1, and the baselines beside them: configs that can be compared."""

import re
from pathlib import Path

import pytest

from mmamodal.apis.running.command_line import load_config

REPO = Path(__file__).parents[1]
CONFIGS = REPO / 'configs'
ROWS = {
    'pcnet/pcnet-m': ('mask', 'RegionWeightedCrossEntropy'),
    'asbu/boundary': ('boundary', 'RegionWeightedCrossEntropy'),
    'asbu/uncertainty': ('mask', 'UncertaintyLoss'),
    'asbu/ubce': ('boundary', 'UncertaintyBCELoss'),
    'asbu/gaussian': ('boundary', 'GaussianLoss'),
    'asbu/asbu': ('boundary', 'UncertaintyLoss')
}
BASELINES = {'raw': ('raw', 'hull'), 'convex': ('convex', 'hull'), 'convexr': ('convexr', 'hull'),
             'area-smaller': ('raw', 'area_smaller'), 'area-larger': ('raw', 'area_larger'),
             'yaxis': ('raw', 'yaxis')}


@pytest.mark.parametrize('rest', ['unet_scenes', 'unet-p128_3k_coco', 'unet_56k_cocoa',
                                  'unet_32k_kins'])
def test_rows_differ_in_evidence_loss_and_thresholds_alone(rest):
    same = []
    for row, expected in ROWS.items():
        cfg = load_config(str(CONFIGS / f'{row}_{rest}.py')).to_dict()
        model = cfg['model']
        assert (model.pop('evidence', 'boundary'), model.pop('loss')['type']) == expected
        assert all(0 < model.pop(name) < 1 for name in ('order_thr', 'amodal_thr'))
        same.append(cfg)
    assert all(cfg == same[0] for cfg in same)


@pytest.mark.parametrize('data, kind', [('scenes', 'SceneDataset'), ('cocoa', 'COCOADataset'),
                                        ('coco', 'AmodalCocoDataset')])
def test_baselines_differ_in_completion_and_order_alone(data, kind):
    same = []
    for name, expected in BASELINES.items():
        cfg = load_config(str(CONFIGS / f'baselines/{name}_{data}.py')).to_dict()
        model = cfg['model']
        assert (model.pop('method'), model.pop('order', 'hull')) == expected
        same.append(cfg)
    assert all(cfg == same[0] for cfg in same)
    dataset = same[0]['test_dataloader']['dataset']
    assert dataset['type'] == kind and not dataset.get('visible_only', False)
    assert same[0]['test_evaluator'] == dict(type='CompletionMetric')


def test_the_docs_name_configs_that_are_there():
    text = (REPO / 'docs/ablations.md').read_text()
    named = re.findall(r'`(?:configs/)?((?:asbu|pcnet|baselines)/[\w.-]+?)(?:\.py)?`', text)
    named += re.findall(r'configs/([\w/-]+)\.py', text)
    assert len(named) > 20
    assert [stem for stem in sorted(set(named)) if not (CONFIGS / f'{stem}.py').is_file()] == []
