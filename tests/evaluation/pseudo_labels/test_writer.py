"""Pseudo-label files: labels of an image, parts, merging, and what survives a kill."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from mmdet.registry import DATASETS
from pycocotools.coco import COCO

from mmamodal.evaluation.pseudo_labels.label_uncertainty import add_uncertainty
from mmamodal.evaluation.pseudo_labels.parts import (append, finished_images, open_part, part_path,
                                                     part_paths, read_info)
from mmamodal.evaluation.pseudo_labels.writer import PseudoLabelWriter, label_image, label_instance
from mmamodal.structures.segmentation import decode, encode
from mmamodal.structures.uncertainty_maps import decode_levels

VISIBLE = np.array([[1, 1, 0, 0],
                    [1, 1, 0, 0],
                    [0, 0, 0, 0]], np.uint8)
WIDER = np.array([[0, 1, 1, 0],
                  [0, 1, 1, 0],
                  [0, 0, 0, 0]], np.uint8)
EMPTY = np.zeros((3, 4), np.uint8)
CATEGORIES = [dict(id=7, name='thing')]


def an_instance(ann_id: int = 5, visible: np.ndarray = VISIBLE, **changes) -> dict:
    truth = np.ones((3, 4), np.uint8)
    return dict(dict(ann_id=ann_id, category_id=7, bbox_label=0, bbox=[0, 0, 4, 3], ignore_flag=0,
                     mask=encode(truth), visible_mask=encode(visible)), **changes)


def a_sample(img_id: int = 1, instances: tuple = (an_instance(), ),
             masks: tuple = (WIDER, ), ann_ids: tuple = (5, )) -> dict:
    predicted = dict(masks=torch.from_numpy(np.array(masks, bool).reshape(-1, 3, 4)),
                     ann_ids=torch.tensor(ann_ids, dtype=torch.int64))
    return dict(img_id=img_id, file_name=f'{img_id}.jpg', ori_shape=(3, 4),
                instances=list(instances), pred_instances=predicted)


def a_writer(folder: Path, **provenance) -> PseudoLabelWriter:
    writer = PseudoLabelWriter(str(folder / 'labels.json'),
                               dict(dict(fingerprint='f', images=0), **provenance))
    writer.dataset_meta = dict(categories=CATEGORIES, ann_file='train.json')
    return writer


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


def an_unsure_sample() -> dict:
    """Of the 3×4 image, the patch is all but the first column; u is 0.5 there, and 1 at its end."""
    sample = a_sample(instances=(an_instance(5), an_instance(6), an_instance(
        7, ignore_flag=1, mask=encode(VISIBLE), bbox=[0, 0, 2, 2])))
    unsure = torch.full((1, 3, 3), 0.5)
    unsure[:, :, 2] = 1
    sample['pred_instances'].update(patches=torch.tensor([[1, 0, 4, 3]]), uncertainty=unsure)
    return sample


def test_uncertainty_is_written_where_nothing_is_visible(tmp_path):
    writer = a_writer(tmp_path)
    writer.with_uncertainty = True
    writer.process(None, [an_unsure_sample()])
    writer.merge()
    label, unpredicted, crowd = json.loads((tmp_path / 'labels.json').read_text())['annotations']
    assert decode_levels(label['uncertainty_map'], 3, 4).tolist() == [
        [0, 0, 128, 182], [0, 0, 128, 182], [0, 128, 128, 182]]
    assert label['uncertainty'] == pytest.approx(2 * 0.5 / 6, abs=1e-4)  # of 6 pixels 2 are grown
    assert (unpredicted['uncertainty'], unpredicted['uncertainty_map']) == (0, [])
    assert 'uncertainty_map' not in crowd


def test_uncertainty_is_read_back_as_written(tmp_path):
    writer = a_writer(tmp_path)
    writer.with_uncertainty = True
    writer.process(None, [an_unsure_sample()])
    writer.merge()
    dataset = DATASETS.build(dict(
        type='AmodalCocoDataset', ann_file=str(tmp_path / 'labels.json'),
        pipeline=[dict(type='LoadAmodalAnnotations', with_uncertainty=True)]))
    masks = dataset[0]['gt_masks']
    written = json.loads((tmp_path / 'labels.json').read_text())['annotations'][0]
    np.testing.assert_array_equal(masks.uncertainty.masks[0],
                                  decode_levels(written['uncertainty_map'], 3, 4))
    assert not masks.uncertainty.masks[1:].any()
    wider = DATASETS.build(dict(
        type='AmodalCocoDataset', ann_file=str(tmp_path / 'labels.json'), margin=2,
        pipeline=[dict(type='LoadAmodalAnnotations', with_uncertainty=True)]))[0]['gt_masks']
    np.testing.assert_array_equal(wider.uncertainty.masks[0],
                                  np.pad(masks.uncertainty.masks[0], 2))
    visible = DATASETS.build(dict(type='AmodalCocoDataset', visible_only=True,
                                  ann_file=str(tmp_path / 'labels.json')))
    assert 'uncertainty_map' not in visible.get_data_info(0)['instances'][0]


def test_labels_are_the_same_with_uncertainty_and_without():
    plain, unsure = label_image(an_unsure_sample())[1], label_image(an_unsure_sample())[1]
    add_uncertainty(unsure, an_unsure_sample()['pred_instances'])
    for annotation in unsure:
        annotation.pop('uncertainty', None), annotation.pop('uncertainty_map', None)
    assert plain == unsure and 'uncertainty' not in plain[0]


def test_completer_without_uncertainty_is_refused(tmp_path):
    writer = a_writer(tmp_path)
    writer.with_uncertainty = True
    with pytest.raises(ValueError, match='train.json: with_uncertainty=True .*UncertaintyLoss'):
        writer.process(None, [a_sample()])


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


def test_parts_of_several_processes_are_merged_once_each(tmp_path):
    out_file = tmp_path / 'labels.json'
    for rank, images in enumerate([(1, 3), (2, 1)]):  # image 1 was repeated to keep them even
        with open_part(part_path(out_file, rank), 'f') as part:
            for image_id in images:
                append(part, dict(id=image_id), [dict(id=10 * image_id, image_id=image_id)],
                       dict(instances=1))
    metrics = a_writer(tmp_path, images=3).merge()
    written = json.loads(out_file.read_text())
    assert [image['id'] for image in written['images']] == [1, 2, 3]
    assert [annotation['id'] for annotation in written['annotations']] == [10, 20, 30]
    assert metrics['instances'] == 3


def test_broken_last_line_is_dropped_and_its_image_done_again(tmp_path):
    out_file = tmp_path / 'labels.json'
    writer = a_writer(tmp_path)
    writer.process(None, [a_sample(1), a_sample(2)])
    path = part_path(out_file, 0)
    path.write_bytes(path.read_bytes()[:-20])  # killed while it wrote image 2
    assert list(finished_images(out_file, 'f')) == [1]
    again = a_writer(tmp_path, images=2)
    again.process(None, [a_sample(2)])
    assert list(finished_images(out_file, 'f')) == [1, 2]
    assert again.evaluate(1)['pseudo_labels/images'] == 2


def test_parts_of_another_checkpoint_are_not_mixed_in(tmp_path):
    out_file = tmp_path / 'labels.json'
    a_writer(tmp_path, fingerprint='old').process(None, [a_sample(1), a_sample(2)])
    part_path(out_file, 0).rename(part_path(out_file, 1))
    writer = a_writer(tmp_path, fingerprint='new')
    writer.process(None, [a_sample(3)])
    assert list(finished_images(out_file, 'new')) == [3]
    assert writer.evaluate(1)['pseudo_labels/images'] == 1
    assert part_paths(out_file) == []


def test_own_part_of_another_checkpoint_is_begun_anew(tmp_path):
    a_writer(tmp_path, fingerprint='old').process(None, [a_sample(1)])
    a_writer(tmp_path, fingerprint='new').process(None, [a_sample(2)])
    assert list(finished_images(tmp_path / 'labels.json', 'new')) == [2]
    assert finished_images(tmp_path / 'labels.json', 'old') == {}


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


def test_info_of_a_foreign_file_is_refused(tmp_path):
    path = tmp_path / 'other.json'
    path.write_text('{"images": []}')
    with pytest.raises(ValueError, match='other.json is no pseudo-label file'):
        read_info(path)
