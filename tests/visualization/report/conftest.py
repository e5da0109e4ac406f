"""Work dirs to report on."""

import math
from pathlib import Path

import pytest
from written_runs import record, write_lines, write_metrics, write_pictures


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
