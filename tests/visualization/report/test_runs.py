import math
import re
import runpy
from pathlib import Path

import numpy as np
import pytest
from mmengine.config import Config
from mmengine.visualization import LocalVisBackend
from written_runs import record, runs_in

from mmamodal.visualization.report import runs as report

TOOL = Path(__file__).parents[3] / 'tools' / 'analysis_tools' / 'report.py'


def run_of(name: str = 'a', **metrics: float) -> report.Run:
    metrics = {key.replace('__', '/'): value for key, value in metrics.items()}
    return report.Run(name, Path('work_dirs') / name, [], None, None, metrics, [])


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
