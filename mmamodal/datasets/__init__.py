"""Samples in: readers, drawn scenes, instance pairs, and the synthetic occlusion."""

from .amodal_coco import AmodalCocoDataset
from .canvas import PadToCanvas
from .cocoa import COCOAClsDataset, COCOADataset
from .completion.content_transforms import LoadSceneContent, LoadSceneImageOnce, PackContentInputs
from .completion.image_windows import ImageWindowSampler
from .completion.instance_pairs import InstancePairDataset
from .completion.mask_jitter import CloseGaps, JitterMasks
from .completion.pasted_masks import PastedMasksDataset
from .completion.patch_geometry import FocusOnVisible, TurnPair
from .completion.transforms import (CompositeOccluder, CropPair, OcclusionBoundary,
                                    PackCompletionInputs, PlaceOccluder)
from .d2sa import D2SADataset
from .kins import KINS2020Dataset, KINSDataset
from .loading import LoadAmodalAnnotations, PackAmodalInputs
from .pasting.copy_paste import AmodalCopyPaste
from .scenes.dataset import LoadSceneImage, SceneDataset

__all__ = [
    'AmodalCocoDataset', 'AmodalCopyPaste', 'COCOAClsDataset', 'COCOADataset',
    'CompositeOccluder', 'CropPair', 'D2SADataset', 'FocusOnVisible', 'ImageWindowSampler',
    'CloseGaps', 'InstancePairDataset', 'JitterMasks', 'KINS2020Dataset', 'KINSDataset',
    'LoadAmodalAnnotations', 'LoadSceneContent', 'LoadSceneImage', 'LoadSceneImageOnce',
    'OcclusionBoundary', 'PackAmodalInputs', 'PackCompletionInputs', 'PackContentInputs',
    'PadToCanvas', 'PastedMasksDataset', 'PlaceOccluder', 'SceneDataset', 'TurnPair'
]
