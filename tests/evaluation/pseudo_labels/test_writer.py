"""Pseudo-label files: labels of an image, parts, merging, and what survives a kill."""

import json

import numpy as np
import pytest
from label_samples import CATEGORIES, VISIBLE, WIDER, a_sample, a_writer, an_instance
from pycocotools.coco import COCO

from mmamodal.evaluation.pseudo_labels.parts import finished_images, read_info
from mmamodal.evaluation.pseudo_labels.writer import PseudoLabelWriter, label_image, label_instance
from mmamodal.structures.segmentation import decode, encode

EMPTY = np.zeros((3, 4), np.uint8)


def test_label_is_the_prediction_united_with_the_visible_mask():
    annotation, outcomes = label_instance(an_instance(), WIDER, 3, 4)
    assert decode(annotation['segmentation'], 3, 4).tolist() == (VISIBLE | WIDER).tolist()
    assert decode(annotation['visible_mask'], 3, 4).tolist() == VISIBLE.tolist()
    assert annotation['bbox'] == [0, 0, 3, 2]
    assert annotation['area'] == 6
    assert annotation['occlude_rate'] == pytest.approx(1 / 3, abs=1e-4)
    assert (annotation['id'], annotation['category_id'], annotation['iscrowd']) == (5, 7, 0)
    assert outcomes == ['instances', 'grown']


@pytest.mark.parametrize('amodal', [EMPTY, None], ids=['empty', 'none'])
def test_no_prediction_falls_back_to_the_visible_mask(amodal):
    annotation, outcomes = label_instance(an_instance(), amodal, 3, 4)
    assert decode(annotation['segmentation'], 3, 4).tolist() == VISIBLE.tolist()
    assert outcomes == ['instances', 'fallback']


def test_prediction_inside_the_visible_mask_adds_nothing():
    annotation, outcomes = label_instance(an_instance(), VISIBLE & WIDER, 3, 4)
    assert (annotation['area'], outcomes) == (4, ['instances'])


def test_object_without_visible_mask_is_not_occluded():
    instance = an_instance(mask=encode(VISIBLE))
    del instance['visible_mask']
    annotation, outcomes = label_instance(instance, VISIBLE, 3, 4)
    assert (annotation['area'], outcomes) == (4, ['instances'])
    assert decode(annotation['visible_mask'], 3, 4).tolist() == VISIBLE.tolist()


def test_object_without_any_pixel_is_left_out():
    assert label_instance(an_instance(visible=EMPTY), EMPTY, 3, 4) == (None, ['dropped'])


def test_truth_of_an_occluded_object_is_never_read():
    blank = an_instance(mask='not a mask at all')
    assert label_instance(blank, WIDER, 3, 4) == label_instance(an_instance(), WIDER, 3, 4)


def test_crowd_is_kept_as_it_is():
    runs = dict(size=[3, 4], counts=[0, 6, 6])
    crowd = an_instance(ignore_flag=1, mask=runs, bbox=[0, 0, 2, 3])
    del crowd['visible_mask']
    annotation, outcomes = label_instance(crowd, None, 3, 4)
    assert annotation == dict(id=5, category_id=7, segmentation=runs, bbox=[0, 0, 2, 3], area=6,
                              iscrowd=1)
    assert outcomes == ['crowd']


def test_predictions_are_matched_by_id():
    sample = a_sample(instances=(an_instance(5), an_instance(6), an_instance(9)),
                      masks=(EMPTY, WIDER), ann_ids=(9, 6))
    _, annotations, counts = label_image(sample)
    assert [annotation['area'] for annotation in annotations] == [4, 6, 4]
    assert [annotation['image_id'] for annotation in annotations] == [1, 1, 1]
    assert counts == dict(instances=3, grown=1, fallback=2)


def test_image_without_instances_keeps_its_entry():
    image, annotations, counts = label_image(a_sample(instances=(), masks=(), ann_ids=()))
    assert image == dict(id=1, file_name='1.jpg', height=3, width=4)
    assert (annotations, counts) == ([], {})


def test_broken_visible_mask_names_annotation_and_image():
    broken = an_instance(visible_mask=dict(size=[9, 9], counts='0'))
    with pytest.raises(ValueError, match=r'annotation 5 of image 1: .* of size \[3, 4\]'):
        label_image(a_sample(instances=(broken, )))


def test_prediction_of_another_size_is_refused():
    with pytest.raises(ValueError, match=r'shape \(3, 4\), got \(2, 2\)'):
        label_instance(an_instance(), np.ones((2, 2), np.uint8), 3, 4)


def test_sample_of_another_pipeline_is_refused():
    sample = a_sample()
    del sample['instances']
    with pytest.raises(ValueError, match='image 1: .*PackAmodalInputs'):
        label_image(sample)


def test_file_loads_with_pycocotools(tmp_path):
    writer = a_writer(tmp_path, images=2, checkpoint_sha256='abc')
    writer.process(None, [a_sample(4), a_sample(2, instances=(an_instance(6), ), ann_ids=(6, ))])
    metrics = writer.evaluate(2)
    coco = COCO(str(tmp_path / 'labels.json'))
    assert coco.getImgIds() == [2, 4]
    assert coco.getAnnIds(imgIds=4) == [5]
    assert coco.annToMask(coco.anns[5]).tolist() == (VISIBLE | WIDER).tolist()
    assert coco.dataset['categories'] == CATEGORIES
    assert read_info(tmp_path / 'labels.json') == coco.dataset['info']
    assert coco.dataset['info']['checkpoint_sha256'] == 'abc'
    assert metrics == {'pseudo_labels/images': 2, 'pseudo_labels/instances': 2,
                       'pseudo_labels/grown': 2, 'pseudo_labels/fallback': 0,
                       'pseudo_labels/crowd': 0, 'pseudo_labels/dropped': 0}
    assert [path.name for path in tmp_path.iterdir()] == ['labels.json']


def test_image_entries_of_the_source_are_kept(tmp_path):
    source = tmp_path / 'train.json'
    source.write_text(json.dumps(dict(images=[dict(id=1, license=3, file_name='1.jpg')])))
    writer = a_writer(tmp_path)
    writer.dataset_meta['ann_file'] = str(source)
    writer.process(None, [a_sample(1), a_sample(2)])
    writer.merge()
    images = json.loads((tmp_path / 'labels.json').read_text())['images']
    assert [image.get('license') for image in images] == [3, None]
    assert images[0]['height'] == 3


def test_missing_images_are_refused_and_nothing_is_lost(tmp_path):
    writer = a_writer(tmp_path, images=2)
    writer.process(None, [a_sample(1)])
    with pytest.raises(ValueError, match='1 of 2 images of train.json have labels'):
        writer.evaluate(1)
    assert not (tmp_path / 'labels.json').exists()
    assert list(finished_images(tmp_path / 'labels.json', 'f')) == [1]


def test_labels_of_unknown_origin_are_refused(tmp_path):
    writer = PseudoLabelWriter(str(tmp_path / 'labels.json'))
    with pytest.raises(ValueError, match='provenance is empty: run tools/train.py'):
        writer.process(None, [a_sample()])


def test_out_file_must_be_json():
    with pytest.raises(ValueError, match=r"expected out_file to end in .json, got 'labels.pkl'"):
        PseudoLabelWriter('labels.pkl')
