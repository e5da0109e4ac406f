"""D2S amodal as it is downloaded: "Learning to See the Invisible", WACV 2019."""

from typing import Optional, Sequence, Tuple

from mmdet.registry import DATASETS
from mmengine.fileio import join_path
from mmengine.utils import is_abs

from .amodal_coco import AmodalCocoDataset
from .coco_checks import check_coco, group_annotations, is_id, merge_coco
from .coco_files import read_json


@DATASETS.register_module()
class D2SADataset(AmodalCocoDataset):
    """Like AmodalCocoDataset, but of D2S amodal, whose objects may reach beyond the photo.

    Masks are RLEs of a canvas that is larger than what the camera saw. The canvas is what the
    RLEs of an image say, whatever its entry has as height and width; files of photos may have
    its size or be smaller, and the transform PadToCanvas pads those. Classes are the file's.
    Files lie in the folders of the official archives, or in ``annotations`` and ``images``.

    Args:
        ann_file: as in AmodalCocoDataset.
        more_ann_files: further files, looked for as ``ann_file`` is: the train split is
            ``training_rot0`` and ``augmented``. Where an id of theirs is taken, all their ids of
            that kind are numbered on from the largest.
        photo_origin: where the upper left pixel of a smaller photo lies on the canvas, (x, y).
        **kwargs: those of AmodalCocoDataset.
    """

    ann_dirs = ('d2s_amodal_annotations_v1', 'annotations', '')
    img_dirs = ('d2s_amodal_images_v1/images', 'images')

    def __init__(self, ann_file: str = '', more_ann_files: Sequence[str] = (),
                 photo_origin: Tuple[int, int] = (0, 0), **kwargs) -> None:
        self.more_ann_files = list(more_ann_files)
        self.photo_origin = tuple(photo_origin)
        super().__init__(ann_file=ann_file, **kwargs)

    @property
    def source(self) -> str:
        """Where the annotations come from, for messages."""
        return ' + '.join([super().source, *self.more_ann_files])

    def read_coco(self) -> dict:
        """The files as one, images of the size of their masks, with the objects' ``order``."""
        parts = {self.ann_file: check_coco(super().read_coco(), self.ann_file)}
        for path in self.more_ann_files:
            parts[path] = check_coco(read_json(path, self.backend_args), path)
        for path, part in parts.items():
            group_annotations(part['images'], part['annotations'], path)
        coco = merge_coco(parts)
        sizes = {ann['image_id']: size for ann in coco['annotations']
                 if (size := _canvas(ann.get(self.amodal_key)))}
        images = [self._on_canvas(image, sizes.get(image['id'])) for image in coco['images']]
        return dict(coco, images=images, annotations=[_with_order(a) for a in coco['annotations']])

    def _on_canvas(self, image: dict, size: Optional[list]) -> dict:
        height, width = size or (image['height'], image['width'])
        return dict(image, height=height, width=width, canvas_origin=list(self.photo_origin))

    def _join_prefix(self) -> None:
        super()._join_prefix()
        for place, path in enumerate(self.more_ann_files):
            if not is_abs(path) and self.data_root:
                path = join_path(self.data_root, path)
            self.more_ann_files[place] = self._located(path)


def _canvas(segmentation: object) -> list:
    """[height, width] of an RLE; nothing for what is none."""
    size = segmentation.get('size') if isinstance(segmentation, dict) else None
    whole = isinstance(size, (list, tuple)) and len(size) == 2 and all(
        is_id(side) and side > 0 for side in size)
    return list(size) if whole else []


def _with_order(ann: dict) -> dict:
    """The annotation with the ``order`` of its region of the annotation tool."""
    region = ann.get('amodal_region')
    if 'order' in ann or not isinstance(region, dict) or region.get('order') is None:
        return ann
    return dict(ann, order=region['order'])
