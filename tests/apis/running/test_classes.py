"""Classes of a detector and of its data."""

import pytest
from mmengine.config import Config, ConfigDict

from mmamodal.apis.running.classes import check_classes


@pytest.mark.parametrize('name', ['bbox_head', 'mask_head'])
def test_number_of_classes_must_be_that_of_the_data(name):
    cfg = Config(dict(model=dict(roi_head={name: dict(num_classes=80)}),
                      train_dataloader=dict(dataset=dict(ann_file='a.json'))))
    runner = ConfigDict(
        train_dataloader=dict(dataset=dict(metainfo=dict(classes=('a', 'b')))))
    with pytest.raises(ValueError, match=f'{name}.num_classes is 80, but a.json has 2 classes'):
        check_classes(runner, cfg)
    cfg.model.roi_head[name].num_classes = 2
    check_classes(runner, cfg)
