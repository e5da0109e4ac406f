import json
import math
import re
import runpy
from pathlib import Path

import cv2
import numpy as np
import pytest
from mmengine.config import Config
from mmengine.visualization import LocalVisBackend

from mmamodal.visualization.plots.loss_curves import loss_curve
from mmamodal.visualization.report import page as report_page
from mmamodal.visualization.report import runs as report

TOOL = Path(__file__).parents[3] / 'tools' / 'analysis_tools' / 'report.py'


def record(step: int, loss: float = 1.0, **others) -> dict:
    return dict(loss=loss, step=step, **others)


def write_lines(path: Path, *records: dict) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text('\n'.join(json.dumps(one) for one in records) + '\n')


def write_metrics(work_dir: Path, **metrics: float) -> None:
    (work_dir / 'test').mkdir(parents=True, exist_ok=True)
    (work_dir / 'test' / 'metrics.json').write_text(
        json.dumps({key.replace('__', '/'): value for key, value in metrics.items()}))


def write_pictures(work_dir: Path, *names: str) -> None:
    (work_dir / 'test' / 'vis').mkdir(parents=True, exist_ok=True)
    for name in names:
        picture = np.random.default_rng(0).integers(0, 255, (20, 60, 3), np.uint8)
        cv2.imwrite(str(work_dir / 'test' / 'vis' / f'{name}.png'), picture)


def run_of(name: str = 'a', **metrics: float) -> report.Run:
    metrics = {key.replace('__', '/'): value for key, value in metrics.items()}
    return report.Run(name, Path('work_dirs') / name, [], None, None, metrics, [])


@pytest.fixture
def work_dirs(tmp_path) -> Path:
    """A completer trained in two starts, one without training, and a detector."""
    for name, steps in (('20250101_000000', (10, 20, 30)), ('20250102_000000', (30, 40))):
        write_lines(tmp_path / 'asbu' / name / 'vis_data' / 'scalars.json',
                    *(record(step, 1 / step, time=0.5) for step in steps))
    write_metrics(tmp_path / 'asbu', completion__mIoU=93.96, completion__inv_mIoU=68.94,
                  completion__O_Acc=92.0)
    write_metrics(tmp_path / 'raw', completion__mIoU=81.24, completion__inv_mIoU=0.0,
                  completion__O_Acc=math.nan)
    write_metrics(tmp_path / 'det', coco__segm_mAP=0.3312, coco__segm_mAP_50=0.6021,
                  coco__bbox_mAP=-1.0)
    write_lines(tmp_path / 'det' / '20250103_000000' / 'vis_data' / 'scalars.json',
                *(record(step, loss_cls=0.4, loss_mask=0.6, time=0.5) for step in (50, 100)))
    write_pictures(tmp_path / 'asbu', '1', '2', '10')
    write_pictures(tmp_path / 'raw', '2', '10')
    write_pictures(tmp_path / 'det', '1')
    return tmp_path


def runs_in(folder: Path, *names: str) -> list:
    return [report.read_run(name, folder / name) for name in names]


@pytest.mark.parametrize('logs, expected', [
    ([], []),
    ([[]], []),
    ([[(10, 'a'), (20, 'a')]], [(10, 'a'), (20, 'a')]),
    ([[(10, 'a'), (20, 'a')], [(30, 'b')]], [(10, 'a'), (20, 'a'), (30, 'b')]),
    ([[(10, 'a'), (20, 'a'), (30, 'a')], [(20, 'b')]], [(10, 'a'), (20, 'b')]),
    ([[(10, 'a')], [], [(20, 'c')]], [(10, 'a'), (20, 'c')]),
])
def test_starts_are_joined_by_step(logs, expected):
    joined = report.join_logs([[dict(step=step, start=start) for step, start in log]
                               for log in logs])
    assert [(one['step'], one['start']) for one in joined] == expected


def test_scalars_are_read_as_mmengine_writes_them(tmp_path):
    backend = LocalVisBackend(str(tmp_path / 'run' / '20250101_000000' / 'vis_data'))
    backend.add_config(Config(dict(train_dataloader=dict(batch_size=4, dataset=dict(
        type='InstancePairDataset', dataset=dict(type='SceneDataset', num_scenes=2000))))))
    backend.add_scalars(dict(loss=0.5, time=0.1), step=10, file_path='a.json')
    backend.add_scalars({'completion/mIoU': 90.0}, step=10)
    run = report.read_run('run', tmp_path / 'run')
    assert run.log == [dict(loss=0.5, time=0.1, step=10)]
    assert run.config.train_dataloader.batch_size == 4
    assert report.data_in_words(run.config, 'train') == 'SceneDataset, 2,000 scenes'
    assert report.data_in_words(run.config, 'test') == '' and run.test_config is None


def test_a_line_cut_short_is_left_out(tmp_path):
    path = tmp_path / 'scalars.json'
    path.write_text('{"loss": 1.0, "step": 10}\n{"loss": 0.9, "st')
    assert report.read_scalars(path) == [record(10)]


def test_times():
    log = [record(10, time=1.0), record(20, time=0.5), record(30, time=0.5)]
    assert report.seconds_per_step(log) == 0.5
    assert report.training_seconds(log) == 20.0
    assert report.training_seconds([record(10)]) is None and report.seconds_per_step([]) is None


def test_pictures_are_in_the_order_of_image_ids(work_dirs):
    run, = runs_in(work_dirs, 'asbu')
    assert [path.stem for path in run.pictures] == ['1', '2', '10']


def test_table_is_in_percent_throughout():
    heads, values = report.table([run_of(coco__segm_mAP=0.331, coco__bbox_mAP=-1.0)],
                                 report.DETECTOR_COLUMNS)
    assert [(group, name) for group, name, _ in heads] == [('amodal mask', 'AP'),
                                                           ('amodal box', 'AP')]
    assert values[0, 0] == pytest.approx(33.1) and math.isnan(values[0, 1])
    assert report.percent('completion/mIoU', 93.9) == 93.9


@pytest.mark.parametrize('column, expected', [
    ([1.0, 2.0], [False, True]),
    ([2.01, 2.04], [True, True]),
    ([math.nan, 2.0], [False, False]),
    ([math.nan, 2.0, 1.0], [False, True, False]),
    ([2.0], [False]),
])
def test_best_of_a_column(column, expected):
    assert report.best(np.array([column]).T)[:, 0].tolist() == expected


def test_best_of_nothing():
    assert report.best(np.zeros((0, 3))).shape == (0, 3)


def test_text_table_lines_up():
    runs = [run_of('raw', completion__mIoU=81.24), run_of('ASBU', completion__mIoU=93.96)]
    lines = report.table_as_text(runs, report.COMPLETER_COLUMNS).splitlines()
    assert lines[1].split() == ['mIoU'] and lines[2].split() == ['raw', '81.2']
    assert lines[3].split() == ['ASBU', '94.0*']
    assert lines[2].index('81.2') + 4 == lines[3].index('94.0') + 4 == lines[1].index('mIoU') + 4


@pytest.mark.parametrize('content, message', [('{', 'no JSON'), ('[]', 'expected an object')])
def test_broken_metrics_name_the_file(tmp_path, content, message):
    path = tmp_path / 'metrics.json'
    path.write_text(content)
    with pytest.raises(ValueError, match=f'{path}.*{message}'):
        report.read_metrics(path)


def test_page_holds_all_numbers_and_pictures(work_dirs):
    html = report_page.page('Title', runs_in(work_dirs, 'raw', 'asbu'), runs_in(work_dirs, 'det'))
    for number in ('94.0', '68.9', '92.0', '81.2', '33.1', '60.2'):
        assert f'>{number}<' in html
    assert '<td class=best>94.0</td>' in html and '<td class=best>33.1' not in html
    assert html.count('<img src="data:image/') == 6
    assert html.count('<svg') == 2
    assert re.search(r'>asbu</th>.*?<td>40</td><td>0.5 s</td><td>20 s</td>', html)


def test_page_needs_nothing_from_outside(work_dirs):
    html = report_page.page('Title', runs_in(work_dirs, 'raw', 'asbu'), runs_in(work_dirs, 'det'))
    targets = re.findall(r'(?:src|href)\s*=\s*"([^"]*)"', html)
    assert targets and all(target.startswith(('data:image/', '#')) for target in targets)
    assert not re.search(r'<(script|link|iframe)|@import|url\((?!#)', html)
    assert 'DejaVu Sans\'' not in html and '#010101' not in html


def test_names_are_escaped(work_dirs):
    name = '<b>"R&D"</b>'
    run = report.read_run(name, work_dirs / 'asbu')
    html = report_page.page(name, [run], [run._replace(pictures=run.pictures[:1])])
    assert name not in html and '<b>"' not in html
    assert '&lt;b&gt;&quot;R&amp;D&quot;&lt;/b&gt;' in html


def test_pictures_of_one_image_stand_together(work_dirs):
    groups = report_page.by_image(runs_in(work_dirs, 'raw', 'asbu'), most=3)
    assert [[(run.name, path.stem) for run, path in group] for group in groups] == [
        [('raw', '2'), ('asbu', '2')], [('raw', '10'), ('asbu', '10')], [('asbu', '1')]]


def test_an_empty_run_is_said_not_crashed_on(tmp_path):
    (tmp_path / 'new').mkdir()
    html = report_page.page('Title', runs_in(tmp_path, 'new'), runs_in(tmp_path, 'new'))
    for words in ('No run has a training log', 'No run has a loss curve',
                  'new has no test metrics', 'No completer was tested with',
                  'No detector was tested with'):
        assert words in html


def test_a_broken_picture_is_said_not_crashed_on(work_dirs):
    (work_dirs / 'asbu' / 'test' / 'vis' / '1.png').write_bytes(b'\x89PNG')
    html = report_page.page('Title', runs_in(work_dirs, 'asbu'), [])
    assert '1.png</code> cannot be read' in html and html.count('<img') == 2


@pytest.mark.parametrize('losses', [[math.nan, math.nan], [0.0, 1.0], [-1.0, 2.0], [1.0, 100.0],
                                    [1.0] * 50])
def test_any_loss_can_be_drawn(losses):
    log = [record(10 * i, loss) for i, loss in enumerate(losses, 1)]
    assert loss_curve('a', log).startswith('<svg')


def test_data_uri_is_the_smaller_of_png_and_jpeg(tmp_path):
    flat = tmp_path / 'flat.png'
    cv2.imwrite(str(flat), np.zeros((64, 64, 3), np.uint8))
    assert report_page.data_uri(flat).startswith('data:image/png;base64,')
    write_pictures(tmp_path, 'noise')
    noise = tmp_path / 'test' / 'vis' / 'noise.png'
    assert report_page.data_uri(noise).startswith('data:image/jpeg;base64,')


def test_the_test_data_is_that_of_the_test(work_dirs):
    for name, scenes in (('raw', 8), ('asbu', 8), ('det', 9)):
        folder = work_dirs / name / 'test' / '20250104_000000' / 'vis_data'
        folder.mkdir(parents=True)
        (folder / 'config.py').write_text(
            "test_dataloader = dict(dataset=dict(type='SceneDataset', ann_file='a/b.json', "
            f'num_scenes={scenes}))')
    (work_dirs / 'asbu' / '20250102_000000' / 'vis_data' / 'config.py').write_text('1 / 0')
    html = report_page.page('', runs_in(work_dirs, 'raw', 'asbu'), runs_in(work_dirs, 'det'))
    assert '(SceneDataset, 8 scenes, b.json) the completers' in html
    assert '(SceneDataset, 9 scenes, b.json) the detections' in html


@pytest.fixture(scope='module')
def tool() -> dict:
    return runpy.run_path(str(TOOL))


def test_tool_prints_the_table_and_writes_one_file(work_dirs, tool, capsys):
    out = work_dirs / 'out' / 'report.html'
    tool['main'](['--out', str(out), '--completer', f'ASBU={work_dirs / "asbu"}',
                  '--detector', f'Mask R-CNN={work_dirs / "det"}', '--title', 'A & B'])
    printed = capsys.readouterr().out
    assert re.search(r'ASBU +92.0 +94.0 +68.9', printed)
    assert re.search(r'Mask R-CNN +33.1 +60.2', printed)
    assert [path.name for path in out.parent.iterdir()] == ['report.html']
    assert '<h1>A &amp; B</h1>' in out.read_text(encoding='utf-8')


def test_a_failed_report_leaves_the_old_one(work_dirs, tool, monkeypatch):
    out = work_dirs / 'report.html'
    out.write_text('old')

    def fail(*_):
        raise OSError('disk full')

    monkeypatch.setattr('os.replace', fail)
    with pytest.raises(OSError, match='disk full'):
        tool['main'](['--out', str(out), '--completer', f'ASBU={work_dirs / "asbu"}'])
    assert out.read_text() == 'old'
    assert not list(work_dirs.glob('.report*'))


def test_a_missing_work_dir_is_one_line(tmp_path, tool, monkeypatch, capsys):
    out = tmp_path / 'r.html'
    monkeypatch.setattr('sys.argv', ['report.py', '--out', str(out), '--completer', 'ASBU=nowhere'])
    assert tool['run_tool'](tool['main']) == 1
    line, = capsys.readouterr().err.splitlines()
    assert line.startswith("error: nowhere of 'ASBU' is not there") and not out.exists()


@pytest.mark.parametrize('args, message', [(['--completer', 'ASBU'], 'expected NAME=WORK_DIR'),
                                           ([], 'expected at least one --completer')])
def test_wrong_options_are_refused(tool, capsys, args, message):
    with pytest.raises(SystemExit):
        tool['main'](['--out', 'r.html', *args])
    assert message in capsys.readouterr().err.splitlines()[-1]
