"""What the ORCNN paper leaves open about its metrics, each with a default."""

from dataclasses import dataclass
from typing import Sequence


@dataclass(frozen=True)
class AmodalRules:
    """The choices of the amodal metrics; docs/metrics.md says why the defaults are what they are.

    Args:
        max_dets: numbers of detections per image and class at which recall is measured, the
            best by score; AP is measured at the largest.
        occ_thr: an object is occluded if more than this part of its amodal mask is invisible.
        occ_bins: occlusion rates that part none, partial and heavy; both bins have the bound.
        iv_gate: the IoU of amodal masks that a detection must exceed, with an occluded object,
            for its invisible mask to be judged at all.
        iv_gate_once: an occluded object lets one detection through, the one that COCO's matching
            gives it; otherwise all that overlap it enough.
        iv_gate_any_class: that object may be of another class.
        iv_drop_empty: a detection whose invisible mask is empty is left out of the invisible AP;
            otherwise it is wrong.

    Raises:
        ValueError: a value is out of its range.
    """

    max_dets: Sequence[int] = (1, 10, 100)
    occ_thr: float = 0.0
    occ_bins: Sequence[float] = (1e-5, 0.25)
    iv_gate: float = 0.5
    iv_gate_once: bool = False
    iv_gate_any_class: bool = False
    iv_drop_empty: bool = False

    def __post_init__(self) -> None:
        dets, bins = list(self.max_dets), list(self.occ_bins)
        if not dets or any(not isinstance(number, int) for number in dets) or dets[0] < 1 or \
                sorted(set(dets)) != dets:
            raise ValueError(f'expected max_dets of rising whole numbers from 1, got {dets}')
        if len(bins) != 2 or not 0 <= bins[0] <= bins[1] <= 1:
            raise ValueError(f'expected two rising occ_bins between 0 and 1, got {bins}')
        for name in ('occ_thr', 'iv_gate'):
            if not 0 <= getattr(self, name) < 1:
                raise ValueError(f'expected {name} from 0 to below 1, got {getattr(self, name)}')
