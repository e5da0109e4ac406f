"""Whether an amodal COCO file keeps what it promises: every violation, each with id and numbers.

Made for broken files: whatever a value is, it ends in a violation, not in an exception.
Letters: H×W image (the canvas of its masks), h×w photo.
"""

from typing import Callable, Dict, Iterable, Iterator, List, NamedTuple, Optional, Sequence, Tuple

from .image_checks import check_file_name, check_record, photo_box
from .mask_checks import Ranked, check_masks, check_order, check_photo
from .mask_regions import Box, Finding, read_regions, short, visible_region, whole

KINDS = {
    'structure': 'no lists of images and annotations, or an entry that is no dict',
    'categories': 'categories missing, without id or name, or two of one id or name',
    'image': 'image without whole id, size or file name',
    'image_id': 'two images of one id',
    'file_name': 'two images of one file, or a file outside the image folder',
    'image_file': 'image file missing or unreadable',
    'image_size': 'image file of another size than annotated',
    'photo': 'visible mask reaches outside the photo',
    'annotation_id': 'annotation ids not unique, or not whole numbers from 1',
    'unknown_image': 'annotation of no image of the file',
    'unknown_category': 'annotation of no category of the file',
    'broken_mask': 'polygon or RLE that cannot be read, or RLE of another size',
    'empty_mask': 'amodal mask without a pixel',
    'outside': 'polygon reaches outside the image (by more than 1 pixel)',
    'visible': 'visible mask not within the amodal one',
    'invisible': 'invisible_mask is not amodal minus visible',
    'bbox': 'box not tight (by more than 1 pixel for polygons and crowds)',
    'area': 'area differs from the mask (by half a pixel along polygons; not of crowds)',
    'occlude_rate': 'occlude_rate differs from the masks (by more than 0.01)',
    'iscrowd': 'iscrowd is neither 0 nor 1',
    'rank': 'order or cluster that is no whole number',
    'order': 'visible where an object nearer by order covers it (over 2 pixels thick)',
    'no_annotations': 'note: image without annotations',
    'wholly_hidden': 'note: nothing of the object is visible',
    'not_compared': 'note: no image file found, sizes were not compared',
}
SINGULAR = dict(images='image', annotations='annotation', categories='category')
NOTES = ('no_annotations', 'wholly_hidden', 'not_compared')


class Violation(NamedTuple):
    """One thing that is wrong, or a note (see NOTES): ``table`` is the list of the file that it
    is in, ``place`` its index there, ``id`` the entry's id where it has a whole one."""
    kind: str
    text: str
    table: str = ''
    place: Optional[int] = None
    id: Optional[int] = None
    image_id: Optional[int] = None

    def __str__(self) -> str:
        if not self.table:
            return self.text
        name = SINGULAR[self.table]
        entry = f'{name} at place {self.place}' if self.id is None else f'{name} {self.id}'
        of = f' (image {self.image_id})' if self.image_id is not None else ''
        return f'{entry}{of}: {self.text}'


def check_dataset(coco: object, image_dir: Optional[str] = None, margin: int = 0,
                  progress: Callable[[list], Iterable] = iter) -> List[Violation]:
    """All violations of an amodal COCO dict, and notes.

    Args:
        coco: content of a file, unchecked. An image may say where on the canvas of its masks its
            photo lies (``canvas_origin``, [x, y]) and how large that is (``photo_size``, [h, w]);
            if it does not, the photo must be as large as the canvas.
        image_dir: folder of the images; None: their files are not looked at.
        margin: pixels by which polygons may reach outside their images.
        progress: wraps the list of images that the checks of masks go through.
    """
    found = list(_structure(coco))
    if not isinstance(coco, dict) or any(violation.place is None for violation in found):
        return found
    images, problems = usable_images(coco['images'])
    groups, more = _grouped(coco, images)
    found += [*problems, *more, *_categories(coco), *_annotation_ids(coco['annotations'])]
    names = [_name(ann, place) for place, ann in enumerate(coco['annotations'])]
    for image_id in progress(list(images)):
        place, image = images[image_id]
        photo, findings = photo_box(image, image_dir)
        if not groups[image_id]:
            findings.append(('no_annotations', 'no annotation is of it'))
        found += [_of('images', place, image, finding) for finding in findings]
        found += [_of('annotations', ann_place, coco['annotations'][ann_place], finding)
                  for ann_place, finding in check_image(groups[image_id], image, photo, names,
                                                        margin)]
    return found


def check_image(annotations: Sequence[Tuple[int, dict]], image: dict, photo: Optional[Box],
                names: Sequence[object], margin: int = 0) -> Iterator[Tuple[int, Finding]]:
    """(place, finding) of what is wrong with one image's annotations.

    Args:
        annotations: (place in the file, annotation).
        image: COCO image, of usable size.
        photo: box (xyxy) of the photo on the canvas; None: it covers the canvas.
        names: how messages name the annotation at each place.
        margin: pixels by which polygons may reach outside the image.
    """
    height, width, ranked = image['height'], image['width'], []
    for place, ann in annotations:
        regions, findings = read_regions(ann, height, width)
        findings += _flags(ann)
        if 'segmentation' in regions:
            findings += check_masks(ann, regions, height, width, margin)
            visible = visible_region(regions, ann)
            if visible is not None and photo is not None:
                findings += check_photo(visible, photo)
            if visible is not None and whole(ann.get('order')):
                ranked.append(Ranked(place, regions['segmentation'], visible, ann['order'],
                                     ann.get('cluster')))
        yield from ((place, finding) for finding in findings)
    yield from check_order(ranked, names)


def usable_images(images: Sequence[object]) -> Tuple[Dict[int, Tuple[int, dict]], List[Violation]]:
    """id -> (place, image) of those whose masks can be checked; what is wrong with all."""
    usable: Dict[int, Tuple[int, dict]] = {}
    found: List[Violation] = []
    files: Dict[str, object] = {}
    for place, image in enumerate(images):
        if not isinstance(image, dict):
            continue
        finding = check_record(image)
        if finding is None and image['id'] in usable:
            finding = 'image_id', f"image at place {usable[image['id']][0]} has this id, too"
        if finding is None:
            usable[image['id']] = place, image
            finding = check_file_name(image, files)
        if finding is not None:
            found.append(_of('images', place, image, finding))
    return usable, found


def _structure(coco: object) -> Iterator[Violation]:
    """Entries that are no dicts; where there are no lists of them, a violation without place."""
    if not isinstance(coco, dict):
        yield Violation('structure', f'the file holds a {type(coco).__name__}: expected a COCO '
                        'dict with images, annotations and categories')
        return
    for table in ('images', 'annotations'):
        entries = coco.get(table)
        if not isinstance(entries, list) or not entries:
            yield Violation('structure', f'{table} is {short(entries)}: expected a list of dicts')
            continue
        for place, entry in enumerate(entries):
            if not isinstance(entry, dict):
                yield Violation('structure', f'{short(entry)} is no dict', table, place)


def _categories(coco: dict) -> Iterator[Violation]:
    """What is wrong with the list of categories."""
    categories = coco.get('categories')
    if not isinstance(categories, list) or not categories:
        yield Violation('categories', f'categories is {short(categories)}: expected a list of '
                        'dict(id, name)')
        return
    seen: Dict[object, int] = {}
    for place, category in enumerate(categories):
        if not isinstance(category, dict) or not whole(category.get('id')) or not isinstance(
                category.get('name'), str):
            yield Violation('categories', f'{short(category)}: expected a whole id and a name',
                            'categories', place)
            continue
        for key in ('id', 'name'):
            other = seen.setdefault(category[key], place)
            if other != place:
                yield Violation('categories', f'category at place {other} has this {key}, too',
                                'categories', place, category['id'])


def _annotation_ids(annotations: Sequence[object]) -> Iterator[Violation]:
    """Ids that are no whole numbers from 1, or not unique."""
    seen: Dict[int, int] = {}
    for place, ann in enumerate(annotations):
        number = ann.get('id') if isinstance(ann, dict) else place + 1
        if not whole(number) or number < 1:
            yield _of('annotations', place, ann, (
                'annotation_id', f'id is {short(number)}: expected a whole number from 1'))
        elif isinstance(ann, dict) and seen.setdefault(number, place) != place:
            yield _of('annotations', place, ann, (
                'annotation_id', f'annotation at place {seen[number]} has this id, too'))


def _grouped(coco: dict, images: Dict[int, Tuple[int, dict]]
             ) -> Tuple[Dict[int, List[Tuple[int, dict]]], List[Violation]]:
    """(place, annotation) by image id; references that lead nowhere."""
    groups: Dict[int, List[Tuple[int, dict]]] = {image_id: [] for image_id in images}
    # Those of a broken image have no mistake of their own.
    known = {image['id'] for image in coco['images']
             if isinstance(image, dict) and whole(image.get('id'))}
    categories = coco.get('categories')
    chosen = {category['id'] for category in categories if isinstance(category, dict)
              and whole(category.get('id'))} if isinstance(categories, list) else set()
    found = []
    for place, ann in enumerate(coco['annotations']):
        if not isinstance(ann, dict):
            continue
        of, category = ann.get('image_id'), ann.get('category_id')
        if whole(of) and of in groups:
            groups[of].append((place, ann))
        elif not whole(of) or of not in known:
            found.append(_of('annotations', place, ann, (
                'unknown_image', f'image_id is {short(of)}: the file has no such image')))
        if chosen and not (whole(category) and category in chosen):
            found.append(_of('annotations', place, ann, (
                'unknown_category', f'category_id is {short(category)}: the file has '
                f'{short(sorted(chosen))}')))
    return groups, found


def _flags(ann: dict) -> Iterator[Finding]:
    """Whole numbers that an annotation may have."""
    if ann.get('iscrowd', 0) not in (0, 1):
        yield 'iscrowd', f"iscrowd is {short(ann['iscrowd'])}: expected 0 or 1"
    for key in ('order', 'cluster'):
        if ann.get(key) is not None and not whole(ann[key]):
            yield 'rank', f'{key} is {short(ann[key])}: expected a whole number'


def _name(ann: object, place: int) -> object:
    number = ann.get('id') if isinstance(ann, dict) else None
    return number if whole(number) else f'at place {place}'


def _of(table: str, place: int, entry: dict, finding: Finding) -> Violation:
    """The finding, with the entry of the file that it is about."""
    kind, text = finding
    number, image_id = entry.get('id'), entry.get('image_id') if table == 'annotations' else None
    return Violation(kind, text, table, place, number if whole(number) else None,
                     image_id if whole(image_id) else None)
