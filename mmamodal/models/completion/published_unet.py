"""Weights of the published PCNet-M and ASBU networks as those of a CompletionUNet.

Both projects save the same UNet (``unet025`` to ``unet4``) under the names of its parts: ``inc``,
``down1`` to ``down4``, ``up1`` to ``up4`` and ``outc``.
"""

import re
from typing import Dict, List, Mapping, Tuple

import torch
from torch import Tensor

from .unet import CompletionUNet

# Numbers of the layers in a published block of two convolutions, and where they are here.
LAYERS = {'0': '0.conv', '1': '0.bn', '3': '1.conv', '4': '1.bn'}
BLOCK = re.compile(r'(inc\.conv|down([1-4])\.mpconv\.1|up([1-4])\.conv)\.conv\.([0134])\.(\w+)')


def convert_published(weights: Mapping[str, Tensor]) -> Dict[str, Tensor]:
    """The state dict of a CompletionUNet.

    Args:
        weights: by the published names, without ``module.``.

    Raises:
        ValueError: names or shapes are not those of a published UNet; lists them.
    """
    found = {our_name(name): value for name, value in weights.items()}
    in_channels, base_channels, out_channels = widths(weights)
    with torch.device('meta'):
        network = CompletionUNet(in_channels, out_channels, base_channels)
    wanted = {name: value.shape for name, value in network.state_dict().items()}
    for name in wanted:
        if name.endswith('num_batches_tracked'):  # Counted since torch 0.4.1, used by nothing.
            found.setdefault(name, torch.zeros((), dtype=torch.long))
    faults = [('missing', [their_name(name) for name in wanted if name not in found]),
              ('unexpected', [name for name in weights if our_name(name) not in wanted]),
              ('of another shape', [their_name(name) for name, shape in wanted.items()
                                    if name in found and found[name].shape != shape])]
    _refuse(faults)
    return {name: found[name] for name in wanted}


def widths(weights: Mapping[str, Tensor]) -> Tuple[int, int, int]:
    """Channels of the input, of the first level and of the output, as the weights have them.

    Raises:
        ValueError: the first or the last layer is missing.
    """
    ends = ['inc.conv.conv.0.weight', 'outc.conv.weight']
    missing = [name for name in ends if name not in weights or weights[name].ndim != 4]
    if missing:
        _refuse([('missing', missing),
                 ('unexpected', [name for name in weights if our_name(name) == name])])
    first, last = (weights[name] for name in ends)
    return first.shape[1], first.shape[0], last.shape[0]


def our_name(name: str) -> str:
    """The name here of a published parameter; an unknown one as it is."""
    if name in ('outc.conv.weight', 'outc.conv.bias'):
        return name.replace('outc.conv', 'head')
    match = BLOCK.fullmatch(name)
    if not match:
        return name
    _, down, up, layer, kind = match.groups()
    block = f'decoder.{int(up) - 1}' if up else f'encoder.{down or 0}'
    return f'{block}.{LAYERS[layer]}.{kind}'


def their_name(name: str) -> str:
    """The inverse of :func:`our_name`."""
    if name.startswith('head.'):
        return name.replace('head', 'outc.conv')
    part, number, layer, kind = re.fullmatch(r'(\w+)\.(\d)\.(\d\.\w+)\.(\w+)', name).groups()
    block = 'inc.conv' if name.startswith('encoder.0.') else f'down{number}.mpconv.1'
    if part == 'decoder':
        block = f'up{int(number) + 1}.conv'
    theirs = next(key for key, value in LAYERS.items() if value == layer)
    return f'{block}.conv.{theirs}.{kind}'


def _refuse(faults: List[Tuple[str, List[str]]]) -> None:
    words = [f'{len(names)} {fault}: {", ".join(names[:6])}{", …" if len(names) > 6 else ""}'
             for fault, names in faults if names]
    if words:
        raise ValueError('expected the published UNet of PCNet-M or ASBU (inc, down1 to down4, '
                         f'up1 to up4, outc); parameters {"; ".join(words)}')
