"""Small files of completers: what is in them, and what is refused."""

from pathlib import Path

import pytest
import torch

from mmamodal.apis.publish import halved, publish
from mmamodal.files import sha256

MODEL = ("model = dict(type='MaskCompleter', network=dict(init_cfg=dict(type='Pretrained', "
         "checkpoint='/elsewhere/resnet.pth')))\nwork_dir = '/elsewhere/work'\n")


def checkpoint(path: Path, cfg: str = MODEL, **weights: torch.Tensor) -> str:
    torch.save(dict(meta=dict(cfg=cfg, iter=2), optimizer=dict(lr=1), state_dict=weights), path)
    return str(path)


def test_what_a_test_needs_is_kept_and_no_more(tmp_path):
    trained = checkpoint(tmp_path / 'iter_2.pth', kernel=torch.full((2, 2), 1 / 3),
                         variance=torch.full((2, ), 1e-9), batches=torch.tensor(7))
    path = publish(trained, tmp_path / 'out/tiny.pth')
    assert [file.name for file in (tmp_path / 'out').iterdir()] == [path.name]
    assert path.name == f'tiny-{sha256(path)[:8]}.pth'
    made = torch.load(path, weights_only=True)
    assert set(made) == {'meta', 'state_dict'} and made['meta']['iter'] == 2
    assert "type='MaskCompleter'" in made['meta']['cfg'] or (
        "'type': 'MaskCompleter'" in made['meta']['cfg'])
    assert '/elsewhere' not in made['meta']['cfg']
    assert {name: value.dtype for name, value in made['state_dict'].items()} == dict(
        kernel=torch.float16, variance=torch.float32, batches=torch.int64)
    assert made['state_dict']['variance'].tolist() == pytest.approx([1e-9] * 2)


def test_what_cannot_be_published_is_refused(tmp_path):
    trained = checkpoint(tmp_path / 'iter_2.pth', w=torch.ones(1))
    other = checkpoint(tmp_path / 'r.pth', "model = dict(type='MaskRCNN')")
    torch.save(dict(state_dict={}), tmp_path / 'bare.pth')
    folder = tmp_path / 'weights'
    publish(trained, folder / 'tiny.pth')
    for source, out, words in (
            (trained, 'tiny.pth', 'tiny-.*.pth is there already'),
            (trained, 'tiny', 'ends in .pth'),
            (other, 'new.pth', "no checkpoint of a completer.*got 'MaskRCNN'"),
            (str(tmp_path / 'bare.pth'), 'new.pth', "no checkpoint of a completer.*'no config'")):
        with pytest.raises(ValueError, match=words):
            publish(source, folder / out)
    assert len(list(folder.iterdir())) == 1


@pytest.mark.parametrize('number', [1e5, float('nan'), float('inf')])
def test_numbers_without_a_place_in_float16_are_refused(number):
    with pytest.raises(ValueError, match='1 parameters are not finite.*first: w'):
        halved(dict(w=torch.full((1, 1), number), v=torch.tensor([1e-9, 1e9])))


def test_no_file_is_written_over(tmp_path):
    trained = checkpoint(tmp_path / 'iter_2.pth', w=torch.ones(1))
    with pytest.raises(ValueError, match='iter_2.pth is to be written, but is read'):
        publish(trained, tmp_path / 'iter_2.pth')
    (tmp_path / 'tiny.pth').write_text('of the user')
    path = publish(trained, tmp_path / 'tiny.pth')
    assert sorted(file.name for file in tmp_path.iterdir()) == ['iter_2.pth', path.name, 'tiny.pth']
    assert (tmp_path / 'tiny.pth').read_text() == 'of the user'
    assert 'optimizer' in torch.load(trained, weights_only=True)
