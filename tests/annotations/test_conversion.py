"""Every reader's data set as amodal COCO: the same masks again, by two other readers."""

import json

import numpy as np
import published_files
import pytest
from mmdet.registry import DATASETS
from mmengine.logging import MMLogger
from PIL import Image
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from mmamodal.annotations.conversion import amodal_annotation, converted, image_entry
from mmamodal.datasets.amodal_coco import AmodalCocoDataset
from mmamodal.datasets.formats import FORMATS, open_annotations
from mmamodal.datasets.loading import decode_instance
from mmamodal.files import write_json
from mmamodal.structures.segmentation import decode, encode
from mmamodal.version import __version__

SIZE = (4, 6)
SQUARE = [[0., 0., 4., 0., 4., 4., 0., 4.]]  # 16 pixels


def mask(x1, y1, x2, y2):
    array = np.zeros(SIZE, np.uint8)
    array[y1:y2, x1:x2] = 1
    return array


def rle(*corners):
    return encode(mask(*corners))


def open_as(path, name, images=''):
    return open_annotations(path, name, images, lazy_init=False)


def ann_file(name, data, split='train'):
    """The written annotation file of a published data set."""
    published_files.write(name, data)
    layout = published_files.LAYOUTS[name]
    return str(data / layout.root / layout.ann_files[split][0])


def masks_of(dataset):
    """Image and annotation id -> class, crowd, amodal and visible mask; without empty objects."""
    found = {}
    for record in (dataset.get_data_info(i) for i in range(len(dataset))):
        for instance in record['instances']:
            amodal, visible = decode_instance(instance, record['height'], record['width'])
            name = dataset.metainfo['classes'][instance['bbox_label']]
            if amodal.any():
                found[record['img_id'], instance['ann_id']] = (name, instance['ignore_flag'],
                                                               amodal, visible)
    return found


def assert_same_masks(dataset, out):
    """The file ``out`` read as amodal COCO, and by pycocotools, gives the data set's masks."""
    write_json(out, converted(dataset))
    again = AmodalCocoDataset(ann_file=str(out), test_mode=True)
    before, after = masks_of(dataset), masks_of(again)
    assert before and before.keys() == after.keys()
    assert len(again) == len(dataset)
    coco = COCO(str(out))
    for (image_id, ann_id), (name, crowd, amodal, visible) in before.items():
        assert after[image_id, ann_id][:2] == (name, crowd)
        np.testing.assert_array_equal(after[image_id, ann_id][2], amodal)
        np.testing.assert_array_equal(after[image_id, ann_id][3], visible)
        ann = coco.anns[ann_id]
        np.testing.assert_array_equal(coco.annToMask(ann), amodal)
        assert_clean(ann, amodal, visible)


def assert_clean(ann, amodal, visible):
    """The fields of an annotation are those of its masks."""
    ys, xs = np.nonzero(amodal)
    assert ann['bbox'] == [xs.min(), ys.min(), np.ptp(xs) + 1, np.ptp(ys) + 1]
    assert ann['area'] == amodal.sum()
    assert ann['occlude_rate'] == pytest.approx(1 - visible.sum() / amodal.sum(), abs=1e-12)
    hidden = (amodal != visible)
    assert ('visible_mask' in ann) == ('invisible_mask' in ann) == hidden.any()
    if hidden.any():
        np.testing.assert_array_equal(decode(ann['visible_mask'], *amodal.shape), visible)
        np.testing.assert_array_equal(decode(ann['invisible_mask'], *amodal.shape), hidden)


def evaluated(path):
    """COCO's average precision of a file's own masks as predictions."""
    coco = COCO(str(path))
    results = [dict(image_id=ann['image_id'], category_id=ann['category_id'],
                    segmentation=coco.annToRLE(ann), score=0.5)
               for ann in coco.dataset['annotations'] if not ann['iscrowd']]
    evaluation = COCOeval(coco, coco.loadRes(results), 'segm')
    evaluation.evaluate()
    evaluation.accumulate()
    evaluation.summarize()
    return evaluation.stats[0]


@pytest.mark.parametrize('split', ['train', 'val'])
@pytest.mark.parametrize('name', published_files.NAMES)
def test_masks_come_back(tmp_path, name, split):
    dataset = open_as(ann_file(name, tmp_path, split), name)
    assert_same_masks(dataset, tmp_path / 'out.json')
    assert evaluated(tmp_path / 'out.json') == pytest.approx(1)


@pytest.mark.parametrize('name', published_files.NAMES)
def test_what_depends_on_masks_is_those_of_the_scenes(tmp_path, name):
    """Not by a reader: the masks that were drawn into the files."""
    coco = converted(open_as(ann_file(name, tmp_path, 'val'), name))
    truth = [(amodal, visible) for picture in published_files.pictures(name, 'val')
             for amodal, visible in zip(picture.amodal, picture.visible)]
    shown = [pair for pair in truth if name != 'coco' or pair[1].any()]
    assert len(coco['annotations']) == len(shown)
    for ann, (amodal, visible) in zip(coco['annotations'], shown):
        assert ann['area'] == (visible if name == 'coco' else amodal).sum()
        assert 0 < ann['area'] or ann['iscrowd']
        rate = 0 if name == 'coco' else 1 - visible.sum() / amodal.sum()
        assert ann['occlude_rate'] == pytest.approx(rate, abs=1e-12)


@pytest.mark.parametrize('folder, images, annotations', [
    ('composites/val/amodal.json', 100, 459), ('syntable/amodal.json', 9, 125),
    ('cocoa_sample/annotations/COCO_amodal_val2014.json', 3, 32),
])
def test_masks_of_real_files_come_back(shared_data, tmp_path, folder, images, annotations):
    name = 'cocoa' if 'cocoa' in folder else 'amodal-coco'
    assert_same_masks(open_as(str(shared_data / folder), name), tmp_path / 'out.json')
    coco = json.loads((tmp_path / 'out.json').read_text())
    assert (len(coco['images']), len(coco['annotations'])) == (images, annotations)
    assert evaluated(tmp_path / 'out.json') == pytest.approx(1)


def coco_file(folder, annotations, **fields):
    """An amodal COCO file of one image."""
    coco = dict(info=dict(url='there'), licenses=[dict(id=3)], annotations=annotations,
                images=[dict(id=8, file_name='a.png', height=4, width=6, license=3)],
                categories=[dict(id=5, name='cup', supercategory='kitchen')])
    write_json(folder / 'file.json', dict(coco, **fields))
    return str(folder / 'file.json')


def annotation(**fields):
    return dict(dict(id=31, image_id=8, category_id=5, segmentation=SQUARE), **fields)


def test_what_the_file_says_besides_is_kept(tmp_path):
    path = coco_file(tmp_path, [annotation(
        name='mug', isStuff=0, order=2, cluster=7, visible_mask=rle(2, 0, 4, 4), bbox=[0, 0, 5, 5],
        area=17.5, occlude_rate=0.1, invisible_mask=rle(5, 0, 6, 1))], source_images=[1])
    coco = converted(open_as(path, 'amodal-coco'), 'amodal-coco')
    assert coco['annotations'] == [dict(
        id=31, image_id=8, category_id=5, name='mug', isStuff=0, order=2, cluster=7, iscrowd=0,
        segmentation=SQUARE, visible_mask=rle(2, 0, 4, 4), invisible_mask=rle(0, 0, 2, 4),
        bbox=[0, 0, 4, 4], area=16, occlude_rate=0.5)]
    assert coco['images'] == [dict(id=8, file_name='a.png', height=4, width=6, license=3)]
    assert coco['categories'] == [dict(id=5, name='cup', supercategory='kitchen')]
    assert (coco['licenses'], coco['source_images']) == ([dict(id=3)], [1])
    assert coco['info'] == dict(
        description='file.json as amodal COCO', version=f'mmamodal {__version__}',
        source=dict(files=['file.json'], format='amodal-coco', visible_only=False,
                    info=dict(url='there')),
        left_out=dict(by_the_reader=0, without_a_pixel=0))
    assert list(coco)[0] == 'info'


def test_what_is_left_out_is_counted(tmp_path):
    path = coco_file(tmp_path, [
        annotation(), annotation(id=32, ignore=1), annotation(id=33, area=0),
        annotation(id=34, segmentation=[[1.1, 1.1, 2.2, 1.1, 2.2, 1.2]], bbox=[1, 1, 1, 1])])
    coco = converted(open_as(path, 'amodal-coco'))
    assert [ann['id'] for ann in coco['annotations']] == [31]
    assert coco['info']['left_out'] == dict(by_the_reader=2, without_a_pixel=1)


def test_visible_masks_only_say_nothing_of_what_is_hidden(tmp_path):
    path = coco_file(tmp_path, [annotation(
        visible_mask=rle(2, 0, 4, 4), order=2, occlude_rate=0.5, invisible_mask=rle(0, 0, 2, 4))])
    coco = converted(open_as(path, 'coco'))
    assert coco['annotations'] == [dict(
        id=31, image_id=8, category_id=5, iscrowd=0, segmentation=rle(2, 0, 4, 4),
        bbox=[2, 0, 2, 4], area=8, occlude_rate=0)]
    assert coco['info']['source']['visible_only'] is True


def test_images_without_annotations_and_crowds_are_kept(tmp_path):
    crowd = dict(size=[4, 6], counts=[0, 8, 16])
    images = [dict(id=i, file_name=f'{i}.png', height=4, width=6) for i in (9, 8)]
    path = coco_file(tmp_path, [annotation(segmentation=crowd, iscrowd=1)], images=images)
    coco = converted(open_as(path, 'amodal-coco'))
    assert coco['images'] == images
    assert coco['annotations'] == [dict(
        id=31, image_id=8, category_id=5, iscrowd=1, segmentation=rle(0, 0, 2, 4),
        bbox=[0, 0, 2, 4], area=8, occlude_rate=0)]


@pytest.mark.parametrize('instance, fields', [
    (dict(mask=SQUARE), dict(segmentation=SQUARE, occlude_rate=0)),
    (dict(mask=rle(0, 0, 4, 4)), dict(segmentation=rle(0, 0, 4, 4), occlude_rate=0)),
    (dict(mask=SQUARE, visible_mask=SQUARE), dict(segmentation=SQUARE, occlude_rate=0)),
    # A visible mask that is a pixel too wide is cut; one that is empty is written.
    (dict(mask=SQUARE, visible_mask=rle(3, 0, 5, 4)),
     dict(segmentation=SQUARE, occlude_rate=0.75, visible_mask=rle(3, 0, 4, 4),
          invisible_mask=rle(0, 0, 3, 4))),
    (dict(mask=SQUARE, visible_mask=rle(0, 0, 0, 0)),
     dict(segmentation=SQUARE, occlude_rate=1, visible_mask=rle(0, 0, 0, 0),
          invisible_mask=rle(0, 0, 4, 4))),
])
def test_fields_of_an_annotation(instance, fields):
    found = amodal_annotation(dict(instance, ignore_flag=0), *SIZE)
    assert found == dict(fields, bbox=[0, 0, 4, 4], area=16, iscrowd=0)


def test_an_empty_mask_is_no_annotation():
    assert amodal_annotation(dict(mask=rle(0, 0, 0, 0), ignore_flag=0), *SIZE) is None


@pytest.mark.parametrize('change, message', [
    (dict(segmentation=rle(0, 0, 1, 4), visible_mask=rle(4, 0, 6, 4)),
     'annotation 31 of .*file.json: .*outside the amodal mask'),
    (dict(segmentation=dict(size=[4, 6], counts='?')), 'annotation 31 of .*file.json: '),
])
def test_broken_masks_are_named(tmp_path, change, message):
    path = coco_file(tmp_path, [annotation(bbox=[0, 0, 4, 4], **change)])
    with pytest.raises(ValueError, match=message):
        converted(open_as(path, 'amodal-coco'))


@pytest.mark.parametrize('wrong', FORMATS)
@pytest.mark.parametrize('name', published_files.NAMES)
def test_another_format_is_refused_and_the_right_one_named(tmp_path, name, wrong):
    path = ann_file(name, tmp_path)
    if name == wrong or name in ('cocoa-cls', 'coco') and wrong in (
            'd2sa', 'cocoa-cls', 'coco', 'amodal-coco'):
        assert len(open_as(path, wrong))
        return
    right = 'amodal-coco' if name == 'cocoa-cls' else name
    with pytest.raises(ValueError, match=f'is no file of {wrong}: .*; read it as {right}'):
        open_as(path, wrong)


@pytest.mark.parametrize('content, message', [
    ('{"images": [', 'is no valid JSON'), ('[]', 'holds a list'), ('{}', 'has no images'),
    ('{"images": [{}], "annotations": 3}', 'has no annotations'),
])
def test_what_is_no_coco_file_is_refused(tmp_path, content, message):
    (tmp_path / 'file.json').write_text(content)
    with pytest.raises(ValueError, match=message):
        open_as(str(tmp_path / 'file.json'), 'amodal-coco')


def test_several_files_are_one(tmp_path):
    published_files.write('d2sa', tmp_path)
    dataset = DATASETS.build(dict(published_files.dataset_config('d2sa', tmp_path), test_mode=True))
    assert_same_masks(dataset, tmp_path / 'out.json')
    coco = converted(dataset)
    assert coco['info']['source']['files'] == ['D2S_amodal_training_rot0.json',
                                               'D2S_amodal_augmented.json']
    assert str(tmp_path) not in json.dumps(coco['info'])


@pytest.mark.parametrize('split, photos', [('train', [[48, 64], [64, 96]]), ('val', [])])
def test_photos_that_are_smaller_than_the_canvas_are_told(tmp_path, split, photos):
    path = ann_file('d2sa', tmp_path, split)
    folder = str(tmp_path / 'D2SA/d2s_amodal_images_v1/images')
    coco = converted(open_as(path, 'd2sa', folder), with_photos=True)
    assert [image['photo_size'] for image in coco['images'] if 'photo_size' in image] == photos
    heights = [p.amodal.shape[1] for p in published_files.pictures('d2sa', split)]
    assert [image['height'] for image in coco['images']] == heights[:len(coco['images'])]
    assert all(image['canvas_origin'] == [0, 0] for image in coco['images'])


RECORD = dict(height=6, width=8, img_path='a.png', ann_file='x.json')


@pytest.mark.parametrize('record, message', [
    (RECORD, r"a.png.*x.json.* has \(height, width\) \(5, 8\), but its annotations say \(6, 8\)"),
    (dict(RECORD, canvas_origin=(1, 0)), 'but its annotations say'),
    (dict(RECORD, canvas_origin=(0, 2)), 'but its annotations say'),
])
def test_a_photo_that_does_not_fit_is_named(tmp_path, monkeypatch, record, message):
    monkeypatch.chdir(tmp_path)
    Image.new('RGB', (8, 5)).save('a.png')
    with pytest.raises(ValueError, match=message):
        image_entry(record, {}, with_photo=True)


def test_a_photo_on_a_larger_canvas(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Image.new('RGB', (8, 5)).save('a.png')
    record = dict(RECORD, canvas_origin=(0, 1))
    assert image_entry(record, dict(id=2), with_photo=True) == dict(
        id=2, height=6, width=8, canvas_origin=[0, 1], photo_size=[5, 8])


def test_the_files_log_is_the_readers_alone(tmp_path, monkeypatch):
    lines = []
    monkeypatch.setattr(MMLogger.get_current_instance(), 'handle',
                        lambda record: lines.append(record.getMessage()))
    path = coco_file(tmp_path, [annotation(visible_mask=rle(0, 0, 2, 4)),
                                annotation(id=32, ignore=1)])
    converted(open_as(path, 'amodal-coco'))
    assert lines == [f"{path}: left out 1 of 2 annotations: 1 marked 'ignore'"]
