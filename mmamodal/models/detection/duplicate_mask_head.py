"""Weights of a Mask R-CNN that start ORCNN: one mask head for two, and other classes.

mmdet's names: ``mask_head.conv_logits`` has a row per class (or one, class-agnostic),
``bbox_head.fc_cls`` a row per class and one for the background, the last, and
``bbox_head.fc_reg`` four rows per class (or four). Heads of a cascade are numbered after these.
"""

import math
import re
from typing import Dict, List, Mapping, Optional, Sequence, Union

import torch
from torch import Tensor

Weights = Dict[str, Tensor]
LAYER = re.compile(r'(?:^|\.)(?:visible_)?(?:mask|bbox)_head\.(?:\d+\.)?'
                   r'(conv_logits|fc_cls|fc_reg)\.(weight|bias)$')


def start_both_heads(weights: Mapping[str, Tensor], num_classes: Optional[int] = None,
                     class_agnostic: bool = False,
                     sources: Optional[Sequence[Union[int, Sequence[int]]]] = None) -> Weights:
    """The weights of a Mask R-CNN, fitted to other classes, with a visible mask head.

    Args:
        weights: by name; those of other modules are passed on.
        num_classes: how many the new model has; None: as many as there are.
        class_agnostic: the new model has one mask for all classes.
        sources: see ``map_classes``. None: classes stay as they are; a single one is made of
            all; where the numbers differ otherwise, the layers keep their shapes, so that
            loading leaves them out.

    Returns:
        New dict; tensors that are not changed are shared, also between the two heads.

    Raises:
        ValueError: see ``map_classes``.
    """
    known = class_count(weights)
    if sources is None and num_classes == 1 and known is not None and known > 1:
        sources = [range(known)]
    out = dict(weights) if sources is None else map_classes(weights, sources)
    return duplicate_mask_head(make_class_agnostic(out) if class_agnostic else out)


def duplicate_mask_head(weights: Mapping[str, Tensor]) -> Weights:
    """``mask_head`` again as ``visible_mask_head``: both begin alike, as in the ORCNN paper."""
    visible = {re.sub(r'(^|\.)mask_head\.', r'\1visible_mask_head.', name): value
               for name, value in weights.items()}
    return {**visible, **weights}


def map_classes(weights: Mapping[str, Tensor],
                sources: Sequence[Union[int, Sequence[int]]]) -> Weights:
    """Rows of the class-wise layers for other classes; all other weights as they are.

    A class that several were is their mean; its classifier's bias is raised by the logarithm of
    their number, the best linear bound from below of the probability that it is one of them.
    Layers with one row for all classes stay as they are.

    Args:
        weights: by name.
        sources: for each new class the old one or those that it begins with; empty: it begins
            as the mean of all, without the raised bias.

    Raises:
        ValueError: there is no class-wise layer, or a source is not among its classes.
    """
    count = class_count(weights)
    groups = [[group] if isinstance(group, int) else list(group) for group in sources]
    wrong = sorted({i for group in groups for i in group if count is None or not 0 <= i < count})
    if count is None or wrong:
        raise ValueError(
            f'classes {wrong} to begin with: expected numbers from 0 to {(count or 0) - 1}, the '
            f'classes of the weights, which have {count or "no class-wise layers"}')
    return {name: _mapped(name, value, groups, count) for name, value in weights.items()}


def make_class_agnostic(weights: Mapping[str, Tensor]) -> Weights:
    """The mask heads' last layer with one row, the mean of all classes."""
    return {name: value.mean(dim=0, keepdim=True) if _layer(name) == 'conv_logits' else value
            for name, value in weights.items()}


def class_count(weights: Mapping[str, Tensor]) -> Optional[int]:
    """How many classes a Mask R-CNN tells apart; None if no class-wise layer is there."""
    for name, value in weights.items():
        if _layer(name) == 'fc_cls':
            return len(value) - 1
    rows = [len(value) for name, value in weights.items() if _layer(name) == 'conv_logits']
    return rows[0] if rows else None


def sources_by_name(wanted: Sequence[str], known: Sequence[str],
                    same: Optional[Mapping[str, str]] = None) -> List[List[int]]:
    """Which old class each new one is.

    Args:
        wanted: names of the new classes.
        known: names of the old ones.
        same: old name by new name, where they differ.

    Returns:
        ``sources`` of ``map_classes``; empty for a class whose name is unknown.

    Raises:
        ValueError: ``same`` names a class that is not there, or ``wanted`` names one twice.
    """
    twice = sorted({name for name in wanted if list(wanted).count(name) > 1})
    if twice:
        raise ValueError(f'expected each class once, got {twice} more than once')
    same = same or {}
    absent = [name for name in same if name not in wanted]
    absent += [name for name in same.values() if name not in known]
    if absent:
        raise ValueError(f'classes {absent} are not there: expected new names among '
                         f'{list(wanted)} and old ones among {list(known)}')
    names = [same.get(name, name) for name in wanted]
    return [[known.index(name)] if name in known else [] for name in names]


def _layer(name: str) -> Optional[str]:
    found = LAYER.search(name)
    return found[1] if found else None


def _mapped(name: str, value: Tensor, groups: Sequence[Sequence[int]], count: int) -> Tensor:
    """The rows of a parameter for new classes, if it has rows for ``count`` old ones."""
    layer = _layer(name)
    if layer == 'fc_cls':
        rows = _means(value[:-1], groups)
        if name.endswith('bias'):
            rows = rows + rows.new_tensor([math.log(max(1, len(group))) for group in groups])
        return torch.cat([rows, value[-1:]])
    if layer == 'fc_reg' and len(value) == 4 * count:
        return _means(value.reshape(count, 4, -1), groups).reshape(-1, *value.shape[1:])
    if layer == 'conv_logits' and len(value) == count:
        return _means(value, groups)
    return value


def _means(rows: Tensor, groups: Sequence[Sequence[int]]) -> Tensor:
    """(C, ...) -> (len(groups), ...): the mean of each group's rows, of all for an empty one."""
    return torch.stack([rows[list(group) or slice(None)].mean(dim=0) for group in groups])
