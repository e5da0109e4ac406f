"""Samples in: readers, drawn scenes, instance pairs, and the synthetic occlusion."""

from .amodal_coco import AmodalCocoDataset
from .canvas import PadToCanvas
from .cocoa import COCOAClsDataset, COCOADataset
from .completion_transforms import (CompositeOccluder, CropPair, OcclusionBoundary,
                                    PackCompletionInputs, PlaceOccluder)
from .content_transforms import LoadSceneContent, LoadSceneImageOnce, PackContentInputs
from .copy_paste import AmodalCopyPaste
from .d2sa import D2SADataset
from .image_windows import ImageWindowSampler
from .instance_pairs import InstancePairDataset
from .kins import KINS2020Dataset, KINSDataset
from .loading import LoadAmodalAnnotations, PackAmodalInputs
from .mask_jitter import CloseGaps, JitterMasks
from .pasted_masks import PastedMasksDataset
from .patch_geometry import FocusOnVisible, TurnPair
from .scenes import LoadSceneImage, SceneDataset

__all__ = [
    'AmodalCocoDataset', 'AmodalCopyPaste', 'COCOAClsDataset', 'COCOADataset',
    'CompositeOccluder', 'CropPair', 'D2SADataset', 'FocusOnVisible', 'ImageWindowSampler',
    'CloseGaps', 'InstancePairDataset', 'JitterMasks', 'KINS2020Dataset', 'KINSDataset',
    'LoadAmodalAnnotations', 'LoadSceneContent', 'LoadSceneImage', 'LoadSceneImageOnce',
    'OcclusionBoundary', 'PackAmodalInputs', 'PackCompletionInputs', 'PackContentInputs',
    'PadToCanvas', 'PastedMasksDataset', 'PlaceOccluder', 'SceneDataset', 'TurnPair'
]
