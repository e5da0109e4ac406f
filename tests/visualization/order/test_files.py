"""What Graphviz, JSON and the terminal are told of an order."""

import json

import cv2
import numpy as np
from crossed_blocks import IMAGE, MUTUAL, SEEN, WHOLE

from mmamodal.structures.contacts import find_contacts
from mmamodal.visualization.order.files import (ImageOrder, order_dot, order_lines, order_record,
                                                write_order)


def result(order: np.ndarray = MUTUAL) -> ImageOrder:
    return ImageOrder(['mug', 'a "b"', 'fish'], SEEN, WHOLE, order, find_contacts(SEEN, WHOLE))


def test_lines():
    assert order_lines(result()) == ['back to front: 3 fish | 1 mug, 2 a "b"',
                                     'each in front of the other: 1 mug, 2 a "b"']
    ring = np.array([(0, 1, -1), (-1, 0, 1), (1, -1, 0)], np.int8)
    assert order_lines(result(ring))[1:] == ['ring: 1 mug, 2 a "b", 3 fish']


def test_dot_is_what_graphviz_reads():
    lines = order_dot(result()).splitlines()
    assert lines[0] == 'digraph order {' and lines[-1] == '}'
    assert lines[2] == r'  2 [label="2 a \"b\""];'
    assert set(lines[4:-1]) == {'  1 -> 2;', '  2 -> 1;', '  1 -> 3;'}


def test_record_counts_from_one():
    record = order_record(result())
    assert record['order'] == MUTUAL.tolist()
    assert (record['back_to_front'], record['rings'], record['mutual']) == (
        [[3], [1, 2]], [[1, 2]], [[1, 2]])
    assert {contact['front'] for contact in record['contacts']} <= {1, 2, None}
    assert all(contact['objects'] == [1, 2] for contact in record['contacts'])


def test_files_are_written(tmp_path):
    write_order(tmp_path / 'a.b', IMAGE, result())
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        'a.b.dot', 'a.b.json', 'a.b.png', 'a.b_mutual_1_2.png']
    assert json.loads((tmp_path / 'a.b.json').read_text())['mutual'] == [[1, 2]]
    assert cv2.imread(str(tmp_path / 'a.b.png')).shape[1] > 900
