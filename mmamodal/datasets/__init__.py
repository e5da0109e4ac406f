"""Samples in: readers, drawn scenes, instance pairs, and the synthetic occlusion."""

from .amodal_coco import AmodalCocoDataset
from .cocoa import COCOADataset
from .completion_transforms import (CompositeOccluder, CropPair, OcclusionBoundary,
                                    PackCompletionInputs, PlaceOccluder)
from .instance_pairs import InstancePairDataset
from .loading import LoadAmodalAnnotations, PackAmodalInputs
from .scenes import LoadSceneImage, SceneDataset

__all__ = [
    'AmodalCocoDataset', 'COCOADataset', 'CompositeOccluder', 'CropPair', 'InstancePairDataset',
    'LoadAmodalAnnotations', 'LoadSceneImage', 'OcclusionBoundary', 'PackAmodalInputs',
    'PackCompletionInputs', 'PlaceOccluder', 'SceneDataset'
]
