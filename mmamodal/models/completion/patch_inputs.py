"""What a completer's network sees of patches, the same in training and in prediction.

Letters: N instances of an image, P patches of side S, C input channels.
"""

from typing import Dict, List, Optional, Sequence, Tuple

import numpy as np
import torch
from mmengine.structures import InstanceData
from torch import Tensor, nn

from ...structures import occlusion, patches
from .options import check_choice, check_whole
from .visible_objects import VisibleObjects


class PatchInputs(nn.Module):
    """From masks on patches to the channels of a network; has no weights.

    Args:
        evidence: see :class:`~mmamodal.models.completion.completer.MaskCompleter`, as for the
            others.
        patch_size: S.
        boundary_width: odd, pixels of the patch.
        category_input: whether masks are multiplied by category ids.
        with_image: whether C is 5, else 2.

    Raises:
        ValueError: an option has another value.
    """

    def __init__(self, evidence: str, patch_size: int, boundary_width: int, category_input: bool,
                 with_image: bool) -> None:
        super().__init__()
        check_choice('evidence', evidence, ('boundary', 'mask'))
        check_whole('patch_size', patch_size, 16)
        check_whole('boundary_width', boundary_width, 1)
        if boundary_width % 2 == 0:
            raise ValueError(f'expected an odd boundary_width, got {boundary_width}')
        self.evidence, self.patch_size, self.boundary_width = evidence, patch_size, boundary_width
        self.category_input, self.with_image = category_input, with_image
        self.register_buffer('mean', torch.tensor([0.485, 0.456, 0.406]), persistent=False)
        self.register_buffer('std', torch.tensor([0.229, 0.224, 0.225]), persistent=False)

    @property
    def evidence_key(self) -> str:
        """Which input is the second channel."""
        return 'boundary' if self.evidence == 'boundary' else 'occluder'

    def forward(self, mask: Tensor, occluder: Tensor, category: Tensor,
                boundary: Optional[Tensor] = None, image: Optional[Tensor] = None) -> Tensor:
        """Inputs of P patches -> (P, C, S, S) float32: mask, evidence and normalised RGB.

        Args:
            mask: (P, S, S) uint8 in {0, 1}, as are the next ones.
            occluder: (P, S, S).
            category: (P,) what the mask is multiplied by.
            boundary: (P, S, S), where it is the evidence.
            image: (P, 3, S, S) uint8 BGR, where the network sees it.

        Raises:
            ValueError: boundary or image is missing; says what makes it.
        """
        second = boundary if self.evidence == 'boundary' else occluder
        if second is None:
            raise ValueError("evidence='boundary' needs OcclusionBoundary in the pipeline")
        mask = mask.float()
        if self.category_input:
            mask = mask * category[:, None, None].float()
        channels = torch.stack([mask, second.float()], dim=1)
        if self.with_image:
            if image is None:
                raise ValueError('with_image=True needs images: CropPair(image_loader=dict('
                                 "type='LoadImageFromFile')) in the pipeline")
            rgb = image.flip(1).float() / 255
            rgb = (rgb - self.mean[:, None, None]) / self.std[:, None, None]
            channels = torch.cat([channels, rgb], dim=1)
        return channels.contiguous(memory_format=torch.channels_last)

    def crop(self, objects: VisibleObjects, jobs: Sequence[Tuple[int, Sequence[int]]],
             smooth: bool) -> Dict[str, np.ndarray]:
        """The inputs of :meth:`forward` for P (object, occluders) jobs of one image.

        Args:
            objects: of the image.
            jobs: places of objects, each with those of its occluders.
            smooth: how masks are scaled, see :func:`~mmamodal.structures.patches.crop_mask`.
        """
        samples: List[dict] = [self._crop_one(objects, i, others, smooth) for i, others in jobs]
        return {key: np.stack([sample[key] for sample in samples]) for key in samples[0]}

    def categories(self, truth: InstanceData) -> np.ndarray:
        """(N,) what the masks of an image are multiplied by: category ids, or 1.

        Raises:
            ValueError: the ids are missing.
        """
        if not self.category_input:
            return np.ones(len(truth.masks), np.int64)
        if 'category_ids' not in truth:
            raise ValueError('category_input=True needs category ids: load annotations with '
                             'LoadAmodalAnnotations and pack them with PackAmodalInputs')
        return torch.as_tensor(truth.category_ids).cpu().numpy()

    def _crop_one(self, objects: VisibleObjects, index: int, others: Sequence[int],
                  smooth: bool) -> Dict[str, np.ndarray]:
        patch = objects.patches[index]
        mask = patches.crop_mask(objects.visible[index], patch, self.patch_size, smooth)
        occluder = patches.resize_mask(objects.union(others, patch), self.patch_size, smooth)
        mask = mask & (1 - occluder)
        sample = dict(mask=mask, occluder=occluder, category=objects.categories[index])
        if self.evidence == 'boundary':
            sample['boundary'] = occlusion.occlusion_boundary(occluder, mask, self.boundary_width)
        if self.with_image:
            image = patches.crop_image(objects.image, patch, self.patch_size)
            sample['image'] = image.transpose(2, 0, 1)
        return sample
