"""Parts of a label file: what survives a kill, and what is merged."""

import json

import numpy as np
import pytest
from label_samples import VISIBLE, WIDER, a_sample, a_writer, an_instance

from mmamodal.evaluation.pseudo_labels.parts import (append, content_sha256, finished_images,
                                                     open_part, part_path, part_paths, read_info)


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


def test_info_may_be_long(tmp_path):
    """As where the config of the dataset lists indices."""
    writer = a_writer(tmp_path, images=1, indices=list(range(50_000)))
    writer.process(None, [a_sample(1)])
    writer.merge()
    assert read_info(tmp_path / 'labels.json') == writer.provenance


def test_labels_are_the_same_whenever_they_were_written(tmp_path):
    def digest(visible: np.ndarray, **info) -> str:
        writer = a_writer(tmp_path, **info)
        writer.process(None, [a_sample(1, (an_instance(visible=visible), ))])
        writer.merge()
        return content_sha256(tmp_path / 'labels.json')

    assert digest(VISIBLE, date='1999', config='ä.py') == digest(VISIBLE, fingerprint='other')
    assert digest(VISIBLE) != digest(WIDER)


def test_parts_are_found_whatever_the_name_of_the_file(tmp_path):
    out_file = tmp_path / 'labels[1].json'
    with open_part(part_path(out_file, 0), 'f') as part:
        append(part, dict(id=1), [], {})
    assert list(finished_images(out_file, 'f')) == [1]


@pytest.mark.parametrize('content', [b'{"images": []}', b'{"info": {"cut": "off', b'\xff\xfe\x00'])
def test_info_of_a_foreign_file_is_refused(tmp_path, content):
    path = tmp_path / 'other.json'
    path.write_bytes(content)
    with pytest.raises(ValueError, match='other.json is no pseudo-label file'):
        read_info(path)
