"""Weights that ship with the package, loaded by name: ``mmamodal://asbu_unet_coco``.

They lie beside this file as ``NAME-DIGITS.pth``, as OpenMMLab names its files: the digits begin
the file's SHA-256. ``metafile.yml`` says where they come from. Importing this module makes their
names known to mmengine, wherever it takes the path of a checkpoint.
"""

import re
from pathlib import Path
from typing import Dict, Optional, Union

import torch
from mmengine.runner import CheckpointLoader

from ..files import sha256

PREFIX = 'mmamodal://'
FOLDER = Path(__file__).parent
FILE_NAME = re.compile(r'(?P<name>.+)-(?P<digits>[0-9a-f]{8})\.pth')


def shipped_weights(folder: Optional[Path] = None) -> Dict[str, Path]:
    """Files by name, of this package or of another folder.

    Raises:
        ValueError: two files have the same name.
    """
    found: Dict[str, Path] = {}
    for path in sorted((folder or FOLDER).glob('*.pth')):
        match = FILE_NAME.fullmatch(path.name)
        if match and found.setdefault(match['name'], path) != path:
            raise ValueError(f'{found[match["name"]]} and {path} have the same name '
                             f'{PREFIX}{match["name"]}: remove the old one')
    return found


def local_file(checkpoint: str) -> str:
    """The file behind a name that begins with ``mmamodal://``; any other path as it is.

    Raises:
        ValueError: the name is unknown, or the file is not what was published.
    """
    if not checkpoint.startswith(PREFIX):
        return checkpoint
    known, name = shipped_weights(), checkpoint.removeprefix(PREFIX)
    if name not in known:
        raise ValueError(f'{checkpoint}: there are no weights of this name; expected one of '
                         f'{", ".join(PREFIX + name for name in known) or "none: no file is here"}')
    digest = sha256(known[name])
    if not digest.startswith(FILE_NAME.fullmatch(known[name].name)['digits']):
        raise ValueError(f'{known[name]} is damaged: its SHA-256 begins with {digest[:8]}; '
                         'install the package anew')
    return str(known[name])


@CheckpointLoader.register_scheme(PREFIX, force=True)
def load_from_mmamodal(filename: str, map_location: Union[str, torch.device, None] = None) -> dict:
    """A checkpoint by its name; what is kept in half precision becomes float32.

    Raises:
        ValueError: the name is unknown, or the file is not what was published.
    """
    checkpoint = torch.load(local_file(filename), map_location=map_location, weights_only=True)
    weights = checkpoint['state_dict']
    for name, value in weights.items():
        weights[name] = value.float() if value.dtype == torch.float16 else value
    return checkpoint
