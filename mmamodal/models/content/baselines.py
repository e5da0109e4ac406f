"""Content completers that learn nothing: the object's mean colour, and what its rim suggests."""

from typing import Iterator, List, Optional, Sequence

import cv2
import numpy as np
from mmdet.registry import MODELS
from mmdet.structures import DetDataSample
from torch import Tensor

from ...structures import occlusion
from .completer import ContentModel, Filled


@MODELS.register_module()
class PlainContent(ContentModel):
    """Fills the hidden part of an object from its visible part alone.

    Args:
        method: ``'mean'``: its mean colour; ``'telea'``: ``cv2.inpaint`` (Telea, 2004), all
            that is not the object being unknown. Black where nothing is visible.

    Raises:
        ValueError: another method.
    """

    def __init__(self, method: str = 'mean') -> None:
        super().__init__()
        if method not in ('mean', 'telea'):
            raise ValueError(f"expected method 'mean' or 'telea', got {method!r}")
        self.method = method

    def forward(self, inputs: Optional[Sequence[Tensor]] = None,
                data_samples: Optional[List[DetDataSample]] = None,
                mode: str = 'predict') -> List[DetDataSample]:
        """Adds ``pred_instances``, as ContentCompleter does."""
        if mode != 'predict':
            raise ValueError("PlainContent has nothing to learn: expected mode 'predict', got "
                             f'{mode!r}; test it, do not train it')
        return self.predict(data_samples, inputs)

    def fill(self, image: np.ndarray, visible: np.ndarray, amodal: np.ndarray,
             categories: Optional[np.ndarray]) -> Iterator[Filled]:
        """See :meth:`ContentModel.fill`."""
        for seen, whole, box in zip(visible, amodal, occlusion.tight_boxes(amodal)):
            x1, y1, x2, y2 = box
            window, known = image[y1:y2, x1:x2], seen[y1:y2, x1:x2]
            yield Filled(box, self._content(window, known), whole[y1:y2, x1:x2] & (1 - known))

    def _content(self, window: np.ndarray, known: np.ndarray) -> np.ndarray:
        """(h, w, 3) and what of it is the object -> (h, w, 3)."""
        if not known.any():
            return np.zeros_like(window)
        if self.method == 'telea':
            return cv2.inpaint(window, 1 - known, 3, cv2.INPAINT_TELEA)
        return np.full_like(window, np.rint(window[known > 0].mean(0)))
