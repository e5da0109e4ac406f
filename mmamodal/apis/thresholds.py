"""The thresholds of a completer, chosen where nothing is reported: on a validation split, or on
synthetic occlusions of visible masks that were held out.
"""

import hashlib
from typing import Dict, List, NamedTuple, Optional, Sequence, Union

from mmengine.config import Config
from mmengine.model import BaseModel
from mmengine.runner import Runner
from mmengine.utils import track_iter_progress
from torch import Tensor, nn
from torch.utils.data import DataLoader

from ..evaluation.completion.completion_metric import completion_figures, sums_of_sample
from .held_out import held_out_pairs, synthetic_samples, validation_split
from .running.command_line import config_name
from .running.models import load_model

GRID = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)
# What each threshold is chosen by.
CRITERIA = dict(order_thr='O_Acc', amodal_thr='inv_mIoU')


class Choice(NamedTuple):
    """A threshold's name, the value chosen for it, and the figures of each value."""
    name: str
    value: float
    figures: Dict[float, Dict[str, float]]


def choose_thresholds(cfg: Config, checkpoint: str, grid: Sequence[float] = GRID,
                      synthetic: Optional[str] = None, pairs: int = 500) -> List[Choice]:
    """The order's threshold with the best O_Acc, then the masks' with the best inv_mIoU.

    Without a graph the order is read from the masks, and with ``order_thr=None`` there is no
    threshold for it: only the second is chosen.

    Args:
        cfg: of a completer.
        checkpoint: path of its weights.
        grid: values to try.
        synthetic: COCO file of visible masks to make occlusions from; None: amodal truth of the
            config's validation split.
        pairs: number of synthetic occlusions.

    Raises:
        ValueError: the data are those that are trained on or reported, or there are none.
    """
    if cfg.model.type != 'MaskCompleter':
        raise ValueError(f'{config_name(cfg)} has a {cfg.model.type}: expected a MaskCompleter, '
                         'which has thresholds to choose')
    dataset = held_out_pairs(cfg, synthetic) if synthetic else validation_split(cfg)
    model = load_model(cfg, checkpoint)
    model.network = Remembering(model.network)
    choices = []
    ordered = model.order == 'pairs' and model.order_thr is not None
    for name in ('order_thr', 'amodal_thr') if ordered else ('amodal_thr', ):
        samples = (synthetic_samples(dataset, pairs) if synthetic
                   else Runner.build_dataloader(dataset, seed=0))
        choices.append(sweep(model, samples, name, grid))
        setattr(model, name, choices[-1].value)
    return choices


def sweep(model: BaseModel, batches: Union[DataLoader, Sequence[dict]], name: str,
          grid: Sequence[float]) -> Choice:
    """Predict each batch with each value of a threshold; choose the value.

    Args:
        model: whose network is a :class:`Remembering`.
        batches: as a test dataloader gives them.
        name: one of CRITERIA.
        grid: values to try.
    """
    sums: Dict[float, List[dict]] = {value: [] for value in grid}
    for batch in track_iter_progress((batches, len(batches))):
        model.network.memory.clear()  # other images are coming
        for value in grid:
            setattr(model, name, value)
            sums[value] += [sums_of_sample(sample.to_dict()) for sample in model.test_step(batch)]
    figures = {value: completion_figures(images) for value, images in sums.items()}
    return Choice(name, best(figures, CRITERIA[name]), figures)


def best(figures: Dict[float, Dict[str, float]], criterion: str) -> float:
    """The value with the highest figure; of equal ones that nearest to 0.5.

    Raises:
        ValueError: the figure is NaN: there is nothing to choose by.
    """
    if any(row[criterion] != row[criterion] for row in figures.values()):
        raise ValueError(f'the data have nothing to measure {criterion} on: expected touching '
                         'objects that hide parts of each other; give other data')
    return max(figures, key=lambda value: (figures[value][criterion], -abs(value - 0.5)))


class Remembering(nn.Module):
    """A network that computes each input once: thresholds come after it.

    Args:
        network: any module, with its weights as they stay.
    """

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network
        self.memory = Memory()

    def forward(self, x: Tensor) -> Tensor:
        """The network's output, computed or remembered."""
        key = hashlib.sha1(x.contiguous().cpu().numpy().tobytes()).digest()
        if key not in self.memory:
            self.memory[key] = self.network(x)
        return self.memory[key]


class Memory(dict):
    """Outputs by input; shared with the copy of a network that predictions are made with."""

    def __deepcopy__(self, copies: dict) -> 'Memory':
        return self
