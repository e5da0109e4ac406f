"""tools/analysis_tools/order_graph.py on two scenes, with a method that learns nothing."""

import importlib.util
import json
from pathlib import Path
from types import ModuleType

import cv2
import numpy as np
import pytest
from pictured_blocks import block

from mmamodal.structures.annotation import annotation_of_masks

REPO = Path(__file__).parents[2]
CONFIG = str(REPO / 'configs/baselines/convex_scenes.py')


@pytest.fixture(scope='module')
def tool() -> ModuleType:
    """The tool as a module."""
    path = REPO / 'tools/analysis_tools/order_graph.py'
    spec = importlib.util.spec_from_file_location('order_graph_tool', path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_list_graph_and_pictures(tool, tmp_path, capsys):
    tool.main([CONFIG, 'none', '--number', '2', '--out-dir', str(tmp_path), '--cfg-options',
               'test_dataloader.dataset.num_scenes=3', 'test_dataloader.dataset.mutual=True',
               'test_dataloader.dataset.num_objects=[2,2]'])
    out = capsys.readouterr().out
    assert 'image 1: 2 objects\n  back to front: ' in out and 'image 2:' in out
    assert 'image 3' not in out and f'to {tmp_path}' in out
    names = {path.name for path in tmp_path.iterdir()}
    assert {f'{i}.{ending}' for i in (1, 2) for ending in ('png', 'dot', 'json')} <= names
    record = json.loads((tmp_path / '1.json').read_text())
    assert len(record['objects']) == 2 and record['contacts']


def test_what_has_no_order_is_refused(tool, tmp_path):
    with pytest.raises(ValueError, match='--number of at least 1, got 0'):
        tool.main([CONFIG, 'none', '--number', '0', '--out-dir', str(tmp_path)])
    with pytest.raises(FileNotFoundError, match='nowhere.py'):
        tool.main(['nowhere.py', 'none'])


@pytest.mark.parametrize('gap, found', [(0, False), (4, True)])
def test_contacts_across_gaps_that_the_completer_closes(tool, tmp_path, gap, found):
    """A block in the corner that an L leaves, two pixels off it."""
    corner, ell = block(12, 24, 24, 36), block(10, 10, 40, 40) - block(10, 22, 26, 40)
    coco = dict(images=[dict(id=1, file_name='1.png', height=48, width=48)],
                categories=[dict(id=1, name='thing')],
                annotations=[dict(annotation_of_masks(mask, mask), id=i, image_id=1, category_id=1)
                             for i, mask in enumerate([corner, ell], 1)])
    (tmp_path / 'two.json').write_text(json.dumps(coco))
    cv2.imwrite(str(tmp_path / '1.png'), np.full((48, 48, 3), 128, np.uint8))
    tool.main([CONFIG.replace('scenes', 'coco'), 'none', '--out-dir', str(tmp_path / 'order'),
               '--cfg-options', f'test_dataloader.dataset.data_root={tmp_path}/',
               'test_dataloader.dataset.ann_file=two.json',
               'test_dataloader.dataset.data_prefix.img=', f'model.contact_gap={gap}'])
    contacts = json.loads((tmp_path / 'order' / '1.json').read_text())['contacts']
    assert {contact['front'] for contact in contacts} == ({1} if found else set())
