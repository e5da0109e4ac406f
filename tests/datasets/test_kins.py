"""KINS of both versions: classes, ids, clusters."""

import pytest
from published_datasets import change, read, records


def test_kins2020_clusters_are_told_apart_and_may_be_absent(published):
    first, second = records(read('kins2020', published))[:2]
    assert all('order' not in i and 'cluster' not in i for i in first['instances'])
    assert [(i['cluster'], i['order']) for i in second['instances']] == [
        (1, 1), (1, 2), (1, 3), (2, 0)]


@pytest.mark.parametrize('name', ['kins', 'kins2020'])
def test_riders_are_left_out_and_counted_unless_wanted(data, log, name):
    change(name, data, lambda coco: coco['annotations'][1].update(category_id=3))
    seven = read(name, data)
    assert [i['category_id'] for i in seven.get_data_info(0)['instances']] == [4, 7]
    assert [line for line in log if 'left out' in line and '1 of classes not chosen' in line]
    assert (len(seven.metainfo['classes']), 'rider' in seven.metainfo['classes']) == (7, False)
    eight = read(name, data, with_rider=True)
    assert [i['category_id'] for i in eight.get_data_info(0)['instances']] == [4, 3, 7]
    assert [c['id'] for c in eight.metainfo['categories']] == list(range(1, 9))
    assert [i['bbox_label'] for i in eight.get_data_info(0)['instances']] == [3, 2, 6]


@pytest.mark.parametrize('name', ['kins', 'kins2020'])
def test_kins_ids_that_are_not_unique_are_numbered_by_place(data, log, name):
    ids = [i['ann_id'] for record in records(read(name, data)) for i in record['instances']]
    assert ids == list(range(1, 15))
    assert len([line for line in log if 'numbered' in line]) == 1

    def number(coco: dict) -> None:
        for place, annotation in enumerate(coco['annotations']):
            annotation['id'] = 100 + 2 * place

    change(name, data, number)
    ids = [i['ann_id'] for record in records(read(name, data)) for i in record['instances']]
    assert ids == list(range(100, 128, 2))
