"""Content completion: what the hidden part of an object looks like.

Letters: N instances of an image of H×W pixels, P patches of side S. Images are uint8 BGR, masks
uint8 in {0, 1}; layers are those of :mod:`~mmamodal.structures.layers`.
"""

from contextlib import contextmanager
from typing import Any, Dict, Iterator, List, NamedTuple, Optional, Sequence, Union

import cv2
import numpy as np
import torch
from mmdet.registry import MODELS
from mmdet.structures import DetDataSample
from mmengine.model import BaseModel, is_model_wrapper
from mmengine.optim import OptimWrapperDict
from mmengine.structures import InstanceData
from torch import Tensor, nn

from ...structures import occlusion, patches
from ...structures.layers import Layer, cut_out
from .losses import PerceptualLosses, composed, judged_as, reconstruction_losses


class Filled(NamedTuple):
    """The content of a window of the image: (x1, y1, x2, y2), its pixels (y2 - y1, x2 - x1, 3),
    and where of it they are to be used, (y2 - y1, x2 - x1)."""

    box: Sequence[int]
    content: np.ndarray
    hole: np.ndarray


class ContentModel(BaseModel):
    """What turns visible and amodal masks of an image into whole objects with their content.

    A subclass says how to :meth:`fill` the holes.
    """

    def predict(self, data_samples: List[DetDataSample],
                images: Optional[Sequence[Tensor]]) -> List[DetDataSample]:
        """Add ``pred_instances`` to each sample, in the order of ``gt_instances``, with ``layers``,
        a list. Masks, visible and amodal, are those of ``gt_instances``."""
        if images is None:
            raise ValueError('content completion needs images: put LoadImageFromFile before '
                             'LoadAmodalAnnotations in the test pipeline')
        for image, sample in zip(images, data_samples):
            truth = sample.gt_instances
            categories = truth.get('category_ids')
            layers = self.complete(image.permute(1, 2, 0).cpu().numpy(),
                                   truth.masks.visible.masks, truth.masks.masks,
                                   None if categories is None else categories.cpu().numpy())
            sample.pred_instances = InstanceData(
                layers=layers, labels=truth.labels, scores=torch.ones(len(layers)))
        return data_samples

    def complete(self, image: np.ndarray, visible: np.ndarray, amodal: np.ndarray,
                 categories: Optional[np.ndarray] = None) -> List[Layer]:
        """Whole objects.

        Args:
            image: (H, W, 3).
            visible: (N, H, W).
            amodal: (N, H, W), from annotations or a mask completer.
            categories: (N,) ids, where the network knows them.

        Returns:
            N layers, opaque where the object is visible or amodal.
        """
        whole = amodal | visible
        layers = [cut_out(image, mask) for mask in whole]
        hidden = np.flatnonzero([(mask > seen).any() for mask, seen in zip(whole, visible)])
        chosen = None if categories is None else categories[hidden]
        for i, filled in zip(hidden, self.fill(image, visible[hidden], whole[hidden], chosen)):
            x1, y1, x2, y2 = filled.box
            where = (filled.hole | (1 - visible[i, y1:y2, x1:x2])) > 0
            painted = image.copy()
            painted[y1:y2, x1:x2][where] = filled.content[where]
            layers[i] = cut_out(painted, whole[i])
        return layers

    def fill(self, image: np.ndarray, visible: np.ndarray, amodal: np.ndarray,
             categories: Optional[np.ndarray]) -> Iterator[Filled]:
        """The content of each object's hidden part; arguments as in :meth:`complete`, every
        object with a hidden part."""
        raise NotImplementedError


@MODELS.register_module()
class ContentCompleter(ContentModel):
    """Fills the hidden part of objects (PCNet-C, CVPR'20).

    Trains on patches of which another object's mask cuts a hole, against a discriminator. Each
    step updates the generator, then the discriminator, and takes an optimiser for either:
    :class:`~mmamodal.models.content.optim.OptimWrapperPerNetwork`.

    Args:
        generator: module from (P, 4, S, S), known (P, 1, S, S) to (P, 3, S, S): PConvUNet.
        discriminator: module from (P, 4, S, S) to logits: InpaintDiscriminator.
        hole_weight, valid_weight, tv_weight, adversarial_weight: of the losses.
        vgg16: path of a VGG-16 for the perceptual losses; None: without them.
        perceptual_weight, style_weight: of these.
        patch_size: S in pixels, as in training.
        enlarge: area of a patch over its object's box, as in training.
        dilation: the hole is dilated by a square of so many pixels of the patch in prediction,
            as the rim of a mask is neither of the object nor of its occluder.
        category_input: multiply the mask by the object's category id (KINS).
        object_only: all that is not the object is unknown to the network, too, and no loss
            looks there. Published: False, and what lies around the hole, in training the
            object's surroundings and in prediction its occluder, flows into it.
        batch_size: patches in one pass of prediction.
        data_preprocessor: as in mmengine.
        init_cfg: as in mmengine.
    """

    def __init__(self, generator: dict, discriminator: dict, hole_weight: float = 6.0,
                 valid_weight: float = 1.0, tv_weight: float = 0.1,
                 adversarial_weight: float = 0.1, vgg16: Optional[str] = None,
                 perceptual_weight: float = 0.1, style_weight: float = 250.0,
                 patch_size: int = 256, enlarge: float = 3.0, dilation: int = 5,
                 category_input: bool = False, object_only: bool = False, batch_size: int = 16,
                 data_preprocessor: Optional[dict] = None,
                 init_cfg: Optional[dict] = None) -> None:
        super().__init__(data_preprocessor, init_cfg)
        if dilation < 1 or dilation % 2 == 0:
            raise ValueError(f'expected an odd dilation of at least 1, got {dilation}')
        self.generator = MODELS.build(generator).to(memory_format=torch.channels_last)
        self.discriminator = MODELS.build(discriminator).to(memory_format=torch.channels_last)
        self.perceptual = PerceptualLosses(vgg16) if vgg16 else None
        self.weights = dict(hole=hole_weight, valid=valid_weight, tv=tv_weight,
                            perceptual=perceptual_weight, style=style_weight)
        self.adversarial_weight = adversarial_weight
        self.patch_size, self.enlarge, self.dilation = patch_size, enlarge, dilation
        self.category_input, self.object_only = category_input, object_only
        self.batch_size = batch_size
        self.register_buffer('mean', torch.tensor([0.485, 0.456, 0.406])[:, None, None], False)
        self.register_buffer('std', torch.tensor([0.229, 0.224, 0.225])[:, None, None], False)

    def forward(self, inputs: Union[Dict[str, Tensor], Sequence[Tensor], None] = None,
                data_samples: Optional[List[DetDataSample]] = None,
                mode: str = 'tensor') -> Union[Tensor, List[DetDataSample]]:
        """Generated patches, or whole objects of images; :meth:`train_step` trains.

        Args:
            inputs: for patches ``image`` (P, 3, S, S) uint8 BGR, ``mask`` and ``hole``
                (P, S, S) uint8, ``category`` (P,). Prediction: images (3, H, W) uint8 BGR.
            data_samples: prediction: with ``gt_instances.masks``, AmodalMasks (N, H, W).
            mode: ``'predict'``, or ``'tensor'`` for (P, 3, S, S), normalised RGB.
        """
        if mode == 'predict':
            return self.predict(data_samples, inputs)
        if mode != 'tensor':
            raise ValueError(f"ContentCompleter has two losses, of train_step: expected mode "
                             f"'predict' or 'tensor', got {mode!r}")
        return self._generate(*self._tensors(**inputs))

    def train_step(self, data: dict, optim_wrapper: OptimWrapperDict) -> Dict[str, Tensor]:
        """Update the generator, then the discriminator; returns what is logged."""
        if not isinstance(optim_wrapper, OptimWrapperDict):
            raise ValueError('ContentCompleter trains two networks: expected optim_wrapper=dict('
                             "constructor='OptimWrapperPerNetwork', generator=dict(optimizer=...), "
                             'discriminator=dict(optimizer=...))')
        inputs = self.data_preprocessor(data, training=True)['inputs']
        rgb, mask, known = self._tensors(**inputs)
        with optim_wrapper['generator'].optim_context(self.generator):
            out = self._generate(rgb, mask, known)
            if self.object_only:
                whole = ((mask > 0) | (known == 0)).float()
                rgb, out = rgb * whole, out * whole
            losses = self._generator_losses(out, rgb, mask, known)
        total, log = self.parse_losses(losses)
        optim_wrapper['generator'].update_params(total)
        with optim_wrapper['discriminator'].optim_context(self.discriminator):
            # Both in one batch: one pass for each of several processes to agree on.
            judged = self.discriminator(torch.cat([torch.cat([rgb, mask], 1),
                                                   torch.cat([out.detach(), mask], 1)]))
            real, fake = judged.chunk(2)
            loss = (judged_as(real, True) + judged_as(fake, False)) / 2
        optim_wrapper['discriminator'].update_params(loss)
        return dict(log, loss_discriminator=loss.detach())

    def _generator_losses(self, out: Tensor, rgb: Tensor, mask: Tensor,
                          known: Tensor) -> Dict[str, Tensor]:
        """All losses of the generator, weighted."""
        losses = reconstruction_losses(out, rgb, known)
        if self.perceptual is not None:
            losses.update(self.perceptual.losses(out, rgb, known))
        losses = {f'loss_{name}': self.weights[name] * loss for name, loss in losses.items()}
        with _frozen(self.discriminator) as judge:
            losses['loss_adversarial'] = self.adversarial_weight * judged_as(
                judge(torch.cat([out, mask], 1)), True)
        return losses

    def state_dict(self, *args: Any, **kwargs: Any) -> Dict[str, Tensor]:
        """Like any module's, but parallel wrappers of the networks leave no trace in the names:
        mmengine unwraps them when it loads, not when it saves."""
        state = super().state_dict(*args, **kwargs)
        for name in [name for name in state if '.module.' in name]:
            state[name.replace('.module.', '.', 1)] = state.pop(name)
        return state

    @torch.no_grad()
    def fill(self, image: np.ndarray, visible: np.ndarray, amodal: np.ndarray,
             categories: Optional[np.ndarray]) -> Iterator[Filled]:
        """See :meth:`ContentModel.fill`. A patch lies around the amodal mask: in training it
        lies around the object before a part of it is hidden."""
        if self.category_input and categories is None:
            raise ValueError('category_input=True needs category ids: load annotations with '
                             'LoadAmodalAnnotations and pack them with PackAmodalInputs')
        boxes = [patches.square_patch(box, self.enlarge) for box in occlusion.tight_boxes(amodal)]
        for start in range(0, len(boxes), self.batch_size):
            chosen = range(start, min(start + self.batch_size, len(boxes)))
            samples = [self._patch_inputs(image, visible[i], amodal[i], boxes[i]) for i in chosen]
            inputs = {key: torch.from_numpy(np.stack([sample[key] for sample in samples])).to(
                self.mean.device) for key in samples[0]}
            inputs['category'] = torch.as_tensor(
                np.ones(len(samples)) if categories is None else categories[chosen])
            content = self._content(**inputs)
            for i, sample, bgr in zip(chosen, samples, content):
                yield _back_in_image(bgr, sample['hole'], boxes[i], visible.shape[1:])

    def _patch_inputs(self, image: np.ndarray, visible: np.ndarray, amodal: np.ndarray,
                      patch: np.ndarray) -> Dict[str, np.ndarray]:
        """What training patches have, of one object."""
        mask, whole = (patches.crop_mask(m, patch, self.patch_size, smooth=True)
                       for m in (visible, amodal))
        hole = cv2.dilate(whole & (1 - mask), np.ones((self.dilation, self.dilation), np.uint8))
        bgr = patches.crop_image(image, patch, self.patch_size)
        return dict(image=np.ascontiguousarray(bgr.transpose(2, 0, 1)), mask=mask, hole=hole)

    def _content(self, **inputs: Tensor) -> np.ndarray:
        """Inputs of patches -> (P, S, S, 3) uint8 BGR, filled."""
        rgb, mask, known = self._tensors(**inputs)
        filled = composed(self._generate(rgb, mask, known), rgb, known)
        bgr = ((filled * self.std + self.mean) * 255).round().clamp(0, 255).byte().flip(1)
        return bgr.permute(0, 2, 3, 1).cpu().numpy()

    def _tensors(self, image: Tensor, mask: Tensor, hole: Tensor, category: Tensor) -> tuple:
        """Training inputs -> normalised RGB (P, 3, S, S), mask and known (P, 1, S, S), float32."""
        rgb = (image.flip(1).float() / 255 - self.mean) / self.std
        mask = mask[:, None].float()
        if self.category_input:
            mask = mask * category[:, None, None, None].to(mask)
        return rgb, mask, 1 - hole[:, None].float()

    def _generate(self, rgb: Tensor, mask: Tensor, known: Tensor) -> Tensor:
        channels = torch.cat([rgb, mask], 1).contiguous(memory_format=torch.channels_last)
        seen = known * (mask > 0) if self.object_only else known
        return self.generator(channels, seen).float()


@contextmanager
def _frozen(network: nn.Module) -> Iterator[nn.Module]:
    """A network that gradients pass through and leave no trace in, without its parallel wrapper,
    which would wait for them."""
    network = network.module if is_model_wrapper(network) else network
    network.requires_grad_(False)
    try:
        yield network
    finally:
        network.requires_grad_(True)


def _back_in_image(content: np.ndarray, hole: np.ndarray, patch: np.ndarray,
                   size: Sequence[int]) -> Filled:
    """A patch (S, S, 3) and its hole (S, S), scaled and cut to what is inside the image."""
    side = int(patch[2] - patch[0])
    box = (max(patch[0], 0), max(patch[1], 0), min(patch[2], size[1]), min(patch[3], size[0]))
    content = cv2.resize(content, (side, side), interpolation=cv2.INTER_LINEAR)
    return Filled(box, *(patches.crop_window(x, box, (patch[0], patch[1]))
                         for x in (content, patches.resize_mask(hole, side, smooth=True))))
