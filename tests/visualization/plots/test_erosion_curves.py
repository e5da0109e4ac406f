"""The picture of figures over erosions."""

import pytest

from mmamodal.visualization.plots.erosion_curves import erosion_curves

FIGURES = [dict(O_Acc=90.0, mIoU=80.0, inv_mIoU=float('nan')),
           dict(O_Acc=70.0, mIoU=60.5, inv_mIoU=50.0)]


@pytest.mark.parametrize('count', [1, 9])
def test_picture(count):
    picture = erosion_curves({f'model {k}': FIGURES for k in range(count)}, [0, 1.5], 'Title')
    assert picture.startswith(b'\x89PNG') and len(picture) > 20_000
