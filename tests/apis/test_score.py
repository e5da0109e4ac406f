"""What is tested, and what is written."""

import json

import numpy as np
import pytest
import torch
from mmengine.config import Config

from mmamodal.apis.score import (add_pictures, add_predictions_file, choose_evaluators, keep_sums,
                                 write_metrics)


def test_evaluators_keep_the_options_of_the_config():
    cfg = Config(dict(model=dict(type='MaskRCNN'), test_evaluator=dict(
        type='CocoMetric', metric=['bbox', 'segm'], classwise=True)))
    assert choose_evaluators(cfg, ['segm']) == [
        dict(type='CocoMetric', metric=['segm'], classwise=True)]
    cfg.test_evaluator.update(occ_thr=0.1, max_dets=[1, 1000])
    assert choose_evaluators(cfg, ['amodal', 'segm']) == [
        dict(type='CocoMetric', metric=['segm'], classwise=True),
        dict(type='AmodalCocoMetric', classwise=True, occ_thr=0.1, max_dets=[1, 1000])]
    cfg.model.type = 'HullCompleter'
    assert choose_evaluators(cfg, ['completion']) == [dict(type='CompletionMetric')]
    cfg.model.type = 'ContentCompleter'
    assert choose_evaluators(cfg, ['content']) == [dict(type='ContentMetric')]
    with pytest.raises(ValueError, match='is a model of content: use --eval content'):
        choose_evaluators(cfg, ['completion'])


def test_predictions_never_replace_what_the_test_reads(tmp_path):
    truth = tmp_path / 'truth.json'
    cfg = Config(dict(
        model=dict(type='MaskRCNN'), test_evaluator=[], test_dataloader=dict(dataset=dict(
            type='AmodalCocoDataset', data_root=str(tmp_path), ann_file='truth.json'))))
    for out in (truth, tmp_path / 'weights.pkl'):
        with pytest.raises(ValueError, match=f'{out.name} is to be written, but is read'):
            add_predictions_file(cfg, str(out), str(tmp_path / 'weights.pkl'))
    add_predictions_file(cfg, str(tmp_path / 'new.json'), 'none')
    assert cfg.test_evaluator == [dict(type='ResultWriter', out_file=str(tmp_path / 'new.json'))]


def test_metrics_are_written_as_plain_numbers(tmp_path):
    metrics = {'a': torch.tensor(1.5), 'b': 2, 'nan': np.float64('nan'), 'PSNR': float('inf')}
    write_metrics(metrics, tmp_path / 'new/metrics.json')
    assert json.loads((tmp_path / 'new/metrics.json').read_text()) == {
        'a': 1.5, 'b': 2, 'nan': None, 'PSNR': None}
    assert [path.name for path in (tmp_path / 'new').iterdir()] == ['metrics.json']


@pytest.mark.parametrize('kind, names, message', [
    ('MaskRCNN', ['mIoU'], '--eval knows segm, .*, not mIoU'),
    ('MaskRCNN', ['segm', 'completion'], 'is a detector: use --eval segm bbox amodal'),
    ('HullCompleter', ['segm'], 'is a completer: use --eval completion calibration')])
def test_evaluators_that_do_not_go_with_the_model(kind, names, message):
    with pytest.raises(ValueError, match=message):
        choose_evaluators(Config(dict(model=dict(type=kind))), names)


def test_an_evaluator_is_chosen_once():
    cfg = Config(dict(model=dict(type='MaskRCNN')))
    assert choose_evaluators(cfg, ['segm', 'segm', 'amodal', 'amodal']) == [
        dict(type='CocoMetric', metric=['segm']), dict(type='AmodalCocoMetric')]


@pytest.mark.parametrize('out, message', [('x.txt', 'to end in .pkl or .json, got x.txt'),
                                          ('x.json', 'does not go with a completer')])
def test_predictions_of_another_form(out, message):
    with pytest.raises(ValueError, match=message):
        add_predictions_file(Config(dict(model=dict(type='MaskCompleter'))), out, 'none')


@pytest.mark.parametrize('as_list', [False, True])
def test_sums_are_kept_beside_the_metrics(as_list):
    own = dict(type='CalibrationMetric', out_file='mine.json')
    cfg = Config(dict(work_dir='work', test_evaluator=[dict(type='CompletionMetric'), own]
                      if as_list else dict(type='CompletionMetric')))
    keep_sums(cfg)
    found = cfg.test_evaluator if as_list else [cfg.test_evaluator]
    assert found[0] == dict(type='CompletionMetric', out_file='work/completion_per_image.json')
    assert not as_list or found[1] == own


def test_pictures_are_drawn_by_a_hook_beside_others(tmp_path):
    cfg = Config(dict(custom_hooks=[dict(type='EMAHook')]))
    add_pictures(cfg, str(tmp_path / 'new'))
    assert [hook['type'] for hook in cfg.custom_hooks] == ['EMAHook', 'AmodalVisualizationHook']
    (tmp_path / 'file').touch()
    with pytest.raises(OSError):
        add_pictures(cfg, str(tmp_path / 'file'))
