"""tools/analysis_tools/eval_predictions.py: files in, table and figures out; errors in one line."""

import importlib.util
import json
from pathlib import Path
from types import ModuleType

import amodal_scenes
import numpy as np
import published_files
import pytest

from mmamodal.apis.running.command_line import run_tool
from mmamodal.evaluation.detection.amodal_coco_eval import evaluate
from mmamodal.evaluation.detection.amodal_figures import figures
from mmamodal.evaluation.detection.amodal_overlaps import overlaps_of_image
from mmamodal.evaluation.detection.amodal_rules import AmodalRules
from mmamodal.structures.segmentation import encode

SCENES = amodal_scenes.random_scenes(2, 10)


def load(*parts: str) -> ModuleType:
    path = Path(__file__).parents[2].joinpath('tools', *parts)
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope='module')
def tool() -> ModuleType:
    return load('analysis_tools', 'eval_predictions.py')


@pytest.fixture
def files(tmp_path: Path) -> tuple:
    """Ground truth, predictions, and where figures go."""
    paths = tmp_path / 'truth.json', tmp_path / 'predictions.json', tmp_path / 'out' / 'm.json'
    paths[0].write_text(json.dumps(amodal_scenes.coco_of(SCENES)))
    paths[1].write_text(json.dumps(amodal_scenes.entries_of(SCENES)))
    return paths


def status(tool: ModuleType, *options: object) -> int:
    try:
        return run_tool(lambda: tool.main([str(option) for option in options]))
    except SystemExit as end:
        return end.code


def test_table_and_figures(tool: ModuleType, files: tuple, capsys):
    truth, predictions, out = files
    assert status(tool, truth, predictions, '--out', out, '--classwise') == 0
    text, named = capsys.readouterr().out, json.loads(out.read_text())
    expected = amodal_scenes.expected_figures(SCENES)
    for name, value in expected.items():
        assert named[name] == (None if np.isnan(value) else pytest.approx(value, abs=1e-9))
    assert set(named) - set(expected) == {
        *(f'num_{name}' for name in ('images', 'objects', 'occluded', 'ignored', 'detections',
                                     'gated')),
        *(f'{name}/{class_name}' for name in (
            'AP_A_all', 'AP_V_all', 'AP_AV_all', 'AP_A_occluded', 'AP_V_occluded',
            'AP_AV_occluded', 'AP50_IV', 'AP50_IV_diff') for class_name in ('box', 'bar'))}
    for name in ('AP_A_all', 'AP75_AV_occluded', 'AR1_V_all', 'AP50_IV_diff'):
        assert f'{named[name]:.1f}' in text
    assert '10 images' in text and '\nbar ' in text


def test_options_reach_the_rules(tool: ModuleType, files: tuple):
    truth, predictions, out = files
    options = '--max-dets 1 2 --occ-thr 0.4 --occ-bins 0.2 0.5 --iv-gate 0.6 --iv-gate-once'
    assert status(tool, truth, predictions, '--out', out, *options.split(),
                  '--iv-gate-any-class', '--iv-drop-empty') == 0
    named = json.loads(out.read_text())
    expected = amodal_scenes.expected_figures(SCENES, 2)
    assert named['AP_A_all'] == pytest.approx(expected['AP_A_all'])
    assert 'AR2_A_all' in named and 'AR10_A_all' not in named
    rates = np.concatenate([amodal_scenes.rates_of(scene)[~scene.crowd] for scene in SCENES])
    assert named['num_occluded'] == np.count_nonzero(rates > 0.4)


def test_images_without_predictions_count(tool: ModuleType, files: tuple):
    truth, predictions, out = files
    predictions.write_text('[]')
    assert status(tool, truth, predictions, '--out', out) == 0
    named = json.loads(out.read_text())
    assert named['AP_A_all'] == named['AR100_AV_occluded'] == 0 and named['AP50_IV'] is None


def test_plain_coco_is_taken_at_its_word(tool: ModuleType, files: tuple):
    truth, predictions, out = files
    coco = json.loads(truth.read_text())
    for annotation in coco['annotations']:
        annotation.pop('visible_mask', None)
    truth.write_text(json.dumps(coco))
    assert status(tool, truth, predictions, '--out', out) == 0
    named = json.loads(out.read_text())
    assert named['num_occluded'] == 0 < named['AP_A_all'] and named['AP_A_occluded'] is None


@pytest.mark.parametrize('name', ['kins', 'd2sa', 'cocoa', 'cocoa-cls'])
def test_published_formats(tool: ModuleType, tmp_path: Path, monkeypatch, name: str):
    """Perfect predictions of the files as they are downloaded; things and stuff of COCOA."""
    monkeypatch.chdir(tmp_path)
    published_files.write(name, tmp_path / 'data')
    layout = published_files.LAYOUTS[name]
    split = list(layout.ann_files)[-1]
    truth = tmp_path / 'data' / layout.root / layout.ann_files[split][0]
    entries = []
    known = {image['id'] for image in json.loads(truth.read_text())['images']}
    for picture in published_files.pictures(name, split):
        if picture.image_id not in known:
            continue
        for thing, amodal, visible in zip(picture.things, picture.amodal, picture.visible):
            if amodal.any():
                category = 1 if name == 'cocoa' else layout.kinds[thing.kind]
                entries.append(dict(image_id=picture.image_id, category_id=category, score=0.5,
                                    segmentation=encode(amodal), visible_mask=encode(visible)))
    (tmp_path / 'p.json').write_text(json.dumps(entries))
    assert status(tool, truth, tmp_path / 'p.json', '--format', name, '--out',
                  tmp_path / 'm.json') == 0
    named = json.loads((tmp_path / 'm.json').read_text())
    for figure in ('AP50_A_all', 'AP50_V_all', 'AP50_AV_occluded'):
        assert named[figure] == 100
    if name == 'cocoa':
        assert named['AP50_A_all_stuff'] == named['AP50_A_all_things'] == 100


def test_files_whose_amodal_and_visible_masks_are_exchanged(tool: ModuleType, files: tuple):
    """AP_V of the ones is AP_A of the others."""
    truth, predictions, out = files
    scenes = [scene._replace(**{part: getattr(scene, part)[scene.visible.any((1, 2))] for part in (
        'amodal', 'visible', 'labels', 'crowd', 'stuff')}) for scene in SCENES]
    coco, entries = amodal_scenes.coco_of(scenes), amodal_scenes.entries_of(scenes)
    named = []
    for _ in range(2):
        truth.write_text(json.dumps(coco))
        predictions.write_text(json.dumps(entries))
        assert status(tool, truth, predictions, '--out', out) == 0
        named.append(json.loads(out.read_text()))
        for item in (*coco['annotations'], *entries):
            item.pop('area', None)
            amodal = item['segmentation']
            item['segmentation'] = item.get('visible_mask', amodal)
            item['visible_mask'] = amodal
    for stat in ('AP', 'AP50', 'AP75', 'APs', 'APm', 'AR1', 'AR10', 'AR100', 'ARs', 'ARm'):
        assert named[0][f'{stat}_V_all'] == named[1][f'{stat}_A_all']
        assert named[0][f'{stat}_A_all'] == named[1][f'{stat}_V_all']


def broken(**changes: object) -> str:
    entries = amodal_scenes.entries_of(SCENES)
    entries[3].update(changes)
    return json.dumps([{key: value for key, value in entry.items() if value is not None}
                       for entry in entries])


@pytest.mark.parametrize('content, message', [
    ('{"annotations": []}', 'predictions.json holds a dict: expected a COCO result list'),
    ('[1', "predictions.json' is no valid JSON at line 1"),
    ('', "predictions.json' is empty"),
    (broken(score=None), "entry 3 of *predictions.json: expected a finite number as 'score'"),
    (broken(score=float('nan')), "predictions.json: expected a finite number as 'score', got nan"),
    (broken(score=10**400), "entry 3 of *predictions.json: expected a finite number as 'score'"),
    (broken(visible_segmentation=encode(np.ones((40, 56), np.uint8))),
     "entry 3 of *predictions.json: 'visible_segmentation' is a mask that nothing is known of"),
    (broken(image_id=99), "entry 3 of *predictions.json: expected as 'image_id' one of the 10"),
    (broken(category_id=1), "entry 3 of *predictions.json: expected as 'category_id' one of the"),
    (broken(segmentation=None, visible_mask=None), "predictions.json: expected a mask as"),
    (broken(segmentation=encode(np.ones((9, 9), np.uint8))),
     "entry 3 of *predictions.json: 'segmentation': expected an RLE of size [40, 56]"),
    (broken(visible_mask=dict(size=[40, 56], counts='11')),
     "entry 3 of *predictions.json: 'visible_mask': the runs of an RLE fill 2 pixels"),
])
def test_broken_predictions_are_one_line(tool: ModuleType, files: tuple, capfd, content: str,
                                         message: str):
    truth, predictions, out = files
    predictions.write_text(content)
    assert status(tool, truth, predictions, '--out', out) == 1
    error = capfd.readouterr().err
    assert error.startswith('error: ') and error.count('\n') == 1
    assert all(part in error for part in message.split('*')) and not out.exists()


@pytest.mark.parametrize('change, message', [
    (lambda coco: coco['annotations'][2].update(
        segmentation=dict(size=[40, 56], counts='1'), bbox=[1, 1, 9, 9]),
     'truth.json: annotation 3: the runs of an RLE fill 1 pixels'),
    (lambda coco: coco['annotations'][2].update(image_id=77), 'annotation 3 of'),
    (lambda coco: coco.pop('categories'), 'truth.json has no categories'),
    (lambda coco: coco.pop('annotations'), 'truth.json has no annotations')])
def test_broken_truth_is_one_line(tool: ModuleType, files: tuple, capfd, change, message: str):
    truth, predictions, _ = files
    coco = json.loads(truth.read_text())
    change(coco)
    truth.write_text(json.dumps(coco))
    assert status(tool, truth, predictions) == 1
    error = capfd.readouterr().err
    assert error.startswith('error: ') and error.count('\n') == 1 and message in error


def test_missing_files_and_inputs_as_outputs(tool: ModuleType, files: tuple, capfd):
    truth, predictions, _ = files
    assert status(tool, truth, 'nowhere.json') == 1
    assert 'prediction file nowhere.json does not exist' in capfd.readouterr().err
    assert status(tool, 'nowhere.json', predictions) == 1
    assert 'nowhere.json' in capfd.readouterr().err
    before = truth.read_bytes()
    assert status(tool, truth, predictions, '--out', truth) == 1
    assert 'is read or written by this command' in capfd.readouterr().err
    assert truth.read_bytes() == before
    assert status(tool, truth, predictions, '--max-dets', 5, 2) == 1
    assert 'rising whole numbers' in capfd.readouterr().err


def test_the_benchmark_runs_small(capsys):
    """pycocotools, reading the same files, finds the same of the amodal masks."""
    load('benchmarks', 'evaluation.py').main(
        ['--images', '15', '--detections', '6', '--classes', '2'])
    text = capsys.readouterr().out
    assert 'ratio' in text and '15 images' in text
    assert float(text.split('largest difference of AP and AR ')[1].split()[0]) < 1e-12


def test_a_model_of_one_class(tool: ModuleType, files: tuple, capsys):
    """One class on both sides: categories make no difference, and are not asked for."""
    truth, predictions, out = files
    entries = [dict(entry, category_id=1) for entry in json.loads(predictions.read_text())]
    predictions.write_text(json.dumps(entries))
    assert status(tool, truth, predictions, '--one-class', '--out', out) == 0
    alike = [scene._replace(labels=scene.labels * 0, found_labels=scene.found_labels * 0)
             for scene in SCENES]
    overlaps = [(scene.image_id, overlaps_of_image(
        amodal_scenes.truth_of(scene), amodal_scenes.predicted_of(scene), AmodalRules()))
        for scene in alike]
    named = json.loads(out.read_text())
    for name, value in figures(evaluate(overlaps, 1, AmodalRules())).items():
        assert named[name] == (None if np.isnan(value) else pytest.approx(value))
    assert '--one-class' not in capsys.readouterr().out


def test_a_model_of_one_class_without_the_option(tool: ModuleType, files: tuple, capsys):
    truth, predictions, _ = files
    category = json.loads(truth.read_text())['categories'][0]['id']
    entries = json.loads(predictions.read_text())
    predictions.write_text(json.dumps([dict(entry, category_id=category) for entry in entries]))
    assert status(tool, truth, predictions) == 0
    assert f'All detections are of category {category}, the objects of 2' in capsys.readouterr().out


def test_bootstrap_gives_intervals_of_the_columns_of_the_paper(tool: ModuleType, files: tuple,
                                                               capsys):
    truth, predictions, out = files
    assert status(tool, truth, predictions, '--out', out, '--bootstrap', 5) == 0
    text, named = capsys.readouterr().out, json.loads(out.read_text())
    assert 'AP50_IV_diff' in text and '(bootstrap)' in text
    assert named['AP_A_all_low'] <= named['AP_A_all_high']
    assert sum(name.endswith(('_low', '_high')) for name in named) == 16
    assert status(tool, truth, predictions, '--bootstrap', 1) == 1
    assert '2 draws or more' in capsys.readouterr().err
