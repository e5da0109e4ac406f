"""The completer: from visible masks and what touches them to amodal masks.

Letters: N instances of an image of H×W pixels, P patches of side S, C input channels.
"""

from contextlib import nullcontext
from functools import partial
from typing import Callable, ContextManager, Dict, Iterator, List, Optional, Sequence, Tuple, Union

import numpy as np
import torch
from mmdet.registry import MODELS
from mmdet.structures import DetDataSample
from mmengine.model import BaseModel
from mmengine.structures import InstanceData
from torch import Tensor

from ...structures import occlusion, patches
from ...structures.order_graph import CONTEXTS, in_front
from .folding import Folding
from .options import check_choice, check_flags, check_gap, check_share, check_whole
from .patch_inputs import PatchInputs
from .visible_objects import VisibleObjects


@MODELS.register_module()
class MaskCompleter(BaseModel):
    """Completes visible masks to amodal masks (PCNet-M, CVPR'20; ASBU, ICCV'21).

    Trains on patches with a pasted occluder. Predicts for whole images, from their visible
    masks alone: pairs that touch, their order, each object's occluders, its amodal mask.

    Args:
        network: any module from (P, C, S, S) to (P, 2, S, S); C is 2, or 5 with the image.
        loss: a :class:`~mmamodal.models.completion.losses.CompletionLoss`; it says, too, how the
            two channels are read.
        evidence: second input channel: ``'boundary'`` (ASBU) or ``'mask'``, the occluder
            itself (PCNet).
        context: who occludes: ``'ancestors'`` and ``'parents'`` in the order graph (PCNet),
            or ``'neighbours'``, ASBU's graph-free mode.
        order: where the order comes from: ``'pairs'``, each object of a touching pair
            completed with the other as occluder (PCNet), or ``'completion'``, read from the
            amodal masks themselves, one pass for each object. By default ``'completion'``
            for neighbours, else ``'pairs'``; neighbours with ``'pairs'`` are those with an
            order.
        patch_size: S in pixels, as in training, at least 16.
        order_thr: probability above which a pixel counts as growth for the order; None: every
            pixel counts, by the cube of its probability.
        amodal_thr: probability above which a pixel belongs to the amodal mask.
        unite_visible: add the visible mask to the result.
        clip_to_occluders: keep the result inside the visible mask and its occluders', as
            hulls are in PCNet's ``convexr``.
        contact_gap: widest gap between masks that is closed, pixels of the patch of either,
            before anything else is done, if it is usual in the image: each pixel of it goes to
            the nearer mask, and all masks get the rim that they lack
            (:func:`~mmamodal.structures.gaps.close_gaps`). At 0 none is.
        cautious_gaps: where one or two pairs do not tell what is usual, leave gaps of more than a
            third of ``contact_gap``, and let masks grow a rim only where three gaps agree; to be
            unset for masks that are known to be too small, as those of many detectors: then the
            narrowest gap of an image decides.
        boundary_width: width of the dilation, odd, pixels of the patch, as in training.
        enlarge: area of a patch over its object's box.
        category_input: multiply the mask by the object's category id (KINS).
        with_image: the network sees the image (C = 5).
        flip_test: predict from each patch and its mirror image, and average the two outputs of
            the network.
        keep_probability: predictions have ``probability``, too.
        batch_size: patches in one pass of prediction.
        cpu_bf16: bfloat16 autocast on a CPU that computes it natively; others are let be.
            On GPUs use ``--amp``.
        data_preprocessor: as in mmengine.
        init_cfg: as in mmengine.

    Raises:
        ValueError: an option has another value than those above.
    """

    def __init__(self, network: dict, loss: dict, evidence: str = 'boundary',
                 context: str = 'neighbours', order: Optional[str] = None,
                 patch_size: int = 256, order_thr: Optional[float] = 0.5, amodal_thr: float = 0.5,
                 unite_visible: bool = False, clip_to_occluders: bool = False,
                 contact_gap: float = 0.0, cautious_gaps: bool = True, boundary_width: int = 5,
                 enlarge: float = 3.0, category_input: bool = False, with_image: bool = False,
                 flip_test: bool = False, keep_probability: bool = False, batch_size: int = 32,
                 cpu_bf16: bool = False, data_preprocessor: Optional[dict] = None,
                 init_cfg: Optional[dict] = None) -> None:
        super().__init__(data_preprocessor, init_cfg)
        order = order or ('completion' if context == 'neighbours' else 'pairs')
        check_choice('context', context, CONTEXTS)
        check_choice('order', order, ('pairs', 'completion'))
        if order == 'completion' and context != 'neighbours':
            raise ValueError(f"order='completion' knows no order before it completes: it goes "
                             f"with context='neighbours', not {context!r}")
        check_whole('batch_size', batch_size, 1)
        if order_thr is not None:
            check_share('order_thr', order_thr)
        check_share('amodal_thr', amodal_thr)
        check_gap(contact_gap)
        check_flags(cautious_gaps=cautious_gaps, unite_visible=unite_visible, cpu_bf16=cpu_bf16,
                    clip_to_occluders=clip_to_occluders, category_input=category_input,
                    with_image=with_image, flip_test=flip_test, keep_probability=keep_probability)
        self.patch_inputs = PatchInputs(evidence, patch_size, boundary_width, category_input,
                                        with_image)
        self.network = MODELS.build(network).to(memory_format=torch.channels_last)
        self._folding = Folding()
        self.loss_mask = MODELS.build(loss)
        self.context, self.order, self.batch_size = context, order, batch_size
        self.order_thr, self.amodal_thr = order_thr, amodal_thr
        self.unite_visible, self.clip_to_occluders = unite_visible, clip_to_occluders
        self.contact_gap, self.cautious_gaps = contact_gap, cautious_gaps
        self.enlarge = enlarge
        self.flip_test, self.keep_probability = flip_test, keep_probability
        self.cpu_bf16 = cpu_bf16

    @property
    def evidence(self) -> str:
        """What the network sees besides the mask: ``'boundary'`` or ``'mask'``."""
        return self.patch_inputs.evidence

    def forward(self, inputs: Union[Dict[str, Tensor], Sequence[Tensor], None] = None,
                data_samples: Optional[List[DetDataSample]] = None,
                target: Optional[Tensor] = None,
                mode: str = 'tensor') -> Union[Tensor, Dict[str, Tensor], List[DetDataSample]]:
        """Loss of training patches, or amodal masks of images.

        Args:
            inputs: training: ``mask``, ``occluder`` and ``boundary``, each (P, S, S) uint8,
                ``category`` (P,), and ``image`` (P, 3, S, S) uint8 BGR where the network
                sees it. Prediction: images (3, H, W) uint8 BGR where it does, else nothing.
            data_samples: prediction: ``gt_instances.masks`` are AmodalMasks (N, H, W), of
                which only ``.visible`` is read.
            target: training: (P, S, S) uint8, the object without occluder.
            mode: ``'loss'``, ``'predict'``, or ``'tensor'`` for the network's output.
        """
        if mode == 'predict':
            return self.predict(data_samples, inputs)
        logits = self._logits(self.network, self.patch_inputs(**inputs))
        if mode == 'tensor':
            return logits
        return dict(loss_mask=self.loss_mask(logits, target, inputs['occluder']))

    def train(self, mode: bool = True) -> 'MaskCompleter':
        """As in PyTorch; prediction takes the weights anew."""
        self._folding.forget()
        return super().train(mode)

    def predict(self, data_samples: List[DetDataSample],
                images: Optional[Sequence[Tensor]] = None) -> List[DetDataSample]:
        """Add ``pred_instances`` and ``pred_order`` to each sample.

        ``pred_instances`` has, in the order of ``gt_instances``: ``masks`` (N, H, W) bool,
        ``labels`` (N,), ``scores`` (N,), ``patches`` (N, 4) int xyxy, ``evidence``
        (N, S, S) uint8 and, if the loss knows it, ``uncertainty`` (N, S, S) float32, both on
        the patches, as is ``probability`` (N, S, S) float32 of the amodal mask where it is
        kept; ``ann_ids`` (N,) if the truth has them. ``pred_order`` is (N, N) int8.
        An object of which nothing is visible gets an empty mask.

        Raises:
            ValueError: images or category ids are missing, or the network gives NaN.
        """
        with_image = self.patch_inputs.with_image
        if with_image and images is None:
            raise ValueError('with_image=True needs images: put LoadImageFromFile before '
                             'LoadAmodalAnnotations in the test pipeline')
        for i, sample in enumerate(data_samples):
            image = images[i].permute(1, 2, 0).cpu().numpy() if with_image else None
            categories = self.patch_inputs.categories(sample.gt_instances)
            objects = self._objects(sample.gt_instances.masks.visible.masks, categories, image)
            add_predictions(sample, *self._complete(objects))
        return data_samples

    def closed(self, visible: np.ndarray) -> np.ndarray:
        """(N, H, W) uint8 visible masks as prediction takes them: see ``contact_gap``."""
        return self._objects(visible, np.ones(len(visible), np.int64)).visible

    def _objects(self, visible: np.ndarray, categories: np.ndarray,
                 image: Optional[np.ndarray] = None) -> VisibleObjects:
        return VisibleObjects(visible, categories, image, self.enlarge,
                              self.contact_gap / self.patch_inputs.patch_size,
                              self.cautious_gaps)

    @torch.inference_mode()
    def _complete(self, objects: VisibleObjects) -> Tuple[InstanceData, np.ndarray]:
        pairs = occlusion.touching_pairs(objects.visible, objects.boxes)
        if self.order == 'pairs':
            order = occlusion.order_from_growth(self._pairwise_growth(objects, pairs))
            return self._complete_with(objects, in_front(order, self.context)), order
        occluders = occlusion.pairs_as_matrix(pairs, len(objects.visible))
        result = self._complete_with(objects, occluders)
        growth = occlusion.growth_inside(result.masks.numpy().view(np.uint8), objects.visible,
                                         pairs, objects.boxes)
        return result, occlusion.order_from_growth(growth)

    def _complete_with(self, objects: VisibleObjects, occluders: np.ndarray) -> InstanceData:
        """The amodal masks, given who occludes whom: (N, N) bool."""
        count, side = len(objects.visible), self.patch_inputs.patch_size
        maps = {key: np.zeros((count, side, side), dtype) for key, dtype in self._maps().items()}
        masks = np.zeros(objects.visible.shape, np.uint8)
        jobs = [(i, np.flatnonzero(occluders[i])) for i in np.flatnonzero(objects.seen)]
        for batch, inputs, logits in self._run(objects, jobs, smooth=True):
            found = dict(evidence=inputs[self.patch_inputs.evidence_key],
                         probability=self.loss_mask.probability(logits).cpu().numpy())
            if 'uncertainty' in maps:
                found['uncertainty'] = self.loss_mask.uncertainty(logits).cpu().numpy()
            indices = [i for i, _ in batch]
            for key, values in maps.items():
                values[indices] = found[key]
            amodal = found['probability'] > self.amodal_thr
            for k, (i, others) in enumerate(batch):
                patches.paste_into(masks[i], amodal[k], objects.patches[i])
                if self.clip_to_occluders:
                    objects.clip(masks[i], i, others)
        if self.unite_visible:
            objects.unite(masks)
        return InstanceData(masks=torch.from_numpy(masks.view(bool)),
                            patches=torch.from_numpy(objects.patches),
                            **{key: torch.from_numpy(values) for key, values in maps.items()})

    def _maps(self) -> Dict[str, type]:
        """What predictions have on the patches, and its type."""
        maps = dict(evidence=np.uint8)
        if self.loss_mask.uncertainty(torch.zeros(1, 2, 1, 1)) is not None:
            maps['uncertainty'] = np.float32
        if self.keep_probability:
            maps['probability'] = np.float32
        return maps

    def _pairwise_growth(self, objects: VisibleObjects, pairs: np.ndarray) -> np.ndarray:
        """(N, N) growth of each object inside its partner, in pixels of the image."""
        growth = np.zeros((len(objects.visible), len(objects.visible)))
        jobs = [(i, [j]) for i, j in np.concatenate([pairs, pairs[:, ::-1]])]
        for batch, inputs, logits in self._run(objects, jobs, smooth=False):
            grown = self.loss_mask.probability(logits).cpu().numpy()
            grown = grown**3 if self.order_thr is None else grown > self.order_thr
            inside = (inputs['mask'] == 0) & (inputs['occluder'] == 1)
            for (i, (j,)), pixels in zip(batch, np.sum(grown * inside, axis=(1, 2))):
                growth[i, j] = pixels * (objects.sides[i] / self.patch_inputs.patch_size)**2
        return growth

    def _run(self, objects: VisibleObjects, jobs: list, smooth: bool) -> Iterator[tuple]:
        """Pass (object, occluders) jobs through the network, a batch at a time."""
        network = partial(self._folding, self.network)
        for start in range(0, len(jobs), self.batch_size):
            batch = jobs[start:start + self.batch_size]
            inputs = self.patch_inputs.crop(objects, batch, smooth)
            tensors = {key: torch.from_numpy(value).to(self.patch_inputs.mean.device)
                       for key, value in inputs.items()}
            channels = self.patch_inputs(**tensors)
            logits = self._logits(network, channels)
            if self.flip_test:
                logits = (logits + self._logits(network, channels.flip(-1)).flip(-1)) / 2
            if logits.isnan().any():
                raise ValueError('the completer predicts NaN, as after a training that diverged: '
                                 'give an earlier checkpoint, or train with a lower learning rate')
            yield batch, inputs, logits

    def _logits(self, network: Callable[[Tensor], Tensor], channels: Tensor) -> Tensor:
        """(P, C, S, S) -> (P, 2, S, S) float32."""
        with self._autocast(channels.device):
            return network(channels).float()

    def _autocast(self, device: torch.device) -> ContextManager:
        if (self.cpu_bf16 and device.type == 'cpu'
                and torch.ops.mkldnn._is_mkldnn_bf16_supported()):
            return torch.autocast('cpu', dtype=torch.bfloat16)
        return nullcontext()


def add_predictions(sample: DetDataSample, instances: InstanceData, order: np.ndarray) -> None:
    """Give a data sample what is predicted for its ``gt_instances``, in their order.

    Args:
        sample: gets ``pred_instances`` and ``pred_order``.
        instances: with ``masks`` (N, H, W) bool; gets labels, scores and annotation ids.
        order: (N, N) int8.
    """
    truth = sample.gt_instances
    instances.labels, instances.scores = truth.labels, torch.ones(len(order))
    if 'ann_ids' in truth:
        instances.ann_ids = truth.ann_ids
    sample.pred_instances = instances
    sample.set_field(torch.from_numpy(order), 'pred_order', dtype=Tensor)
