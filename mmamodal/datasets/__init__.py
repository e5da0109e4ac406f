"""Samples in: readers, drawn scenes, instance pairs, and the synthetic occlusion."""

from .amodal_coco import AmodalCocoDataset
from .canvas import PadToCanvas
from .cocoa import COCOAClsDataset, COCOADataset
from .completion_transforms import (CompositeOccluder, CropPair, OcclusionBoundary,
                                    PackCompletionInputs, PlaceOccluder)
from .copy_paste import AmodalCopyPaste
from .d2sa import D2SADataset
from .instance_pairs import InstancePairDataset
from .kins import KINS2020Dataset, KINSDataset
from .loading import LoadAmodalAnnotations, PackAmodalInputs
from .scenes import LoadSceneImage, SceneDataset

__all__ = [
    'AmodalCocoDataset', 'AmodalCopyPaste', 'COCOAClsDataset', 'COCOADataset',
    'CompositeOccluder', 'CropPair', 'D2SADataset', 'InstancePairDataset', 'KINS2020Dataset',
    'KINSDataset', 'LoadAmodalAnnotations', 'LoadSceneImage', 'OcclusionBoundary',
    'PackAmodalInputs', 'PackCompletionInputs', 'PadToCanvas', 'PlaceOccluder', 'SceneDataset'
]
