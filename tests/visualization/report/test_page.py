"""The page of a report."""

import re

import cv2
import numpy as np
from written_runs import runs_in, write_pictures

from mmamodal.visualization.report import page as report_page
from mmamodal.visualization.report import runs as report


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
