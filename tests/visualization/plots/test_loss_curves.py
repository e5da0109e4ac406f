"""Loss curves."""

import math

import pytest

from mmamodal.visualization.plots.loss_curves import loss_curve


@pytest.mark.parametrize('losses', [[math.nan, math.nan], [0.0, 1.0], [-1.0, 2.0], [1.0, 100.0],
                                    [1.0] * 50])
def test_any_loss_can_be_drawn(losses):
    log = [dict(step=10 * i, loss=loss) for i, loss in enumerate(losses, 1)]
    assert loss_curve('a', log).startswith('<svg')
