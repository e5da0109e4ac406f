"""Orders as matrices, graphs and lists: literal orders, a graph search by hand as oracle."""

import networkx as nx
import numpy as np
import pytest

from mmamodal.structures.order_graph import back_to_front, depth_ranks, in_front, order_graph

CHAIN = np.array([(0, 1, 0, 0), (-1, 0, 1, 0), (0, -1, 0, 0), (0, 0, 0, 0)], np.int8)
CYCLE = np.array([(0, 1, -1), (-1, 0, 1), (1, -1, 0)], np.int8)


@pytest.mark.parametrize('order, context, expected', [
    (CHAIN, 'neighbours', [(0, 1, 0, 0), (1, 0, 1, 0), (0, 1, 0, 0), (0, 0, 0, 0)]),
    (CHAIN, 'parents', [(0, 0, 0, 0), (1, 0, 0, 0), (0, 1, 0, 0), (0, 0, 0, 0)]),
    (CHAIN, 'ancestors', [(0, 0, 0, 0), (1, 0, 0, 0), (1, 1, 0, 0), (0, 0, 0, 0)]),
    (CYCLE, 'parents', [(0, 0, 1), (1, 0, 0), (0, 1, 0)]),
    (CYCLE, 'ancestors', [(0, 1, 1), (1, 0, 1), (1, 1, 0)]),
    (np.zeros((0, 0), np.int8), 'ancestors', np.zeros((0, 0))),
])
def test_in_front(order, context, expected):
    occluders = in_front(order, context)
    assert occluders.dtype == bool
    np.testing.assert_array_equal(occluders, expected)


def test_unknown_context_is_refused():
    with pytest.raises(ValueError, match="context to be one of .*'parents'.*, got 'parent'"):
        in_front(np.zeros((2, 2), np.int8), 'parent')


def test_ancestors_of_a_long_chain():
    count = 30
    order = (np.eye(count, k=1) - np.eye(count, k=-1)).astype(np.int8)
    np.testing.assert_array_equal(in_front(order, 'ancestors'),
                                  np.tril(np.ones((count, count)), -1))


@pytest.mark.parametrize('seed', range(20))
def test_ancestors_are_those_that_a_search_finds(seed):
    rng = np.random.default_rng(seed)
    upper = np.triu(rng.choice([-1, 0, 0, 1], (9, 9)), 1)
    order = (upper - upper.T).astype(np.int8)
    for i, row in enumerate(in_front(order, 'ancestors')):
        found, left = set(), [i]
        while left:
            new = set(np.flatnonzero(order[left.pop()] == -1)) - found
            found |= new
            left += new
        assert set(np.flatnonzero(row)) == found - {i}


RING_AND_TAIL = [(0, 1, 0, 0, 0), (-1, 0, 1, -1, 0), (0, -1, 0, 1, 1), (0, 1, -1, 0, 0),
                 (0, 0, -1, 0, 0)]
MUTUAL = [(0, -1, 0), (-1, 0, -1), (0, 1, 0)]


def test_the_graph_points_from_front_to_behind():
    graph = order_graph(CHAIN)
    assert list(graph) == [0, 1, 2, 3] and set(graph.edges) == {(0, 1), (1, 2)}
    assert nx.ancestors(graph, 2) == {0, 1} and list(graph.predecessors(2)) == [1]
    assert set(order_graph(np.array(MUTUAL)).edges) == {(0, 1), (1, 0), (2, 1)}


@pytest.mark.parametrize('order, layers, rings', [
    (np.zeros((0, 0)), [], []),
    (np.zeros((2, 2)), [[0, 1]], []),
    (CHAIN, [[2], [1], [0, 3]], []),
    (CYCLE, [[0, 1, 2]], [[0, 1, 2]]),
    (RING_AND_TAIL, [[4], [1, 2, 3], [0]], [[1, 2, 3]]),
    (MUTUAL, [[0, 1], [2]], [[0, 1]]),
])
def test_back_to_front(order, layers, rings):
    assert back_to_front(np.array(order)) == (layers, rings)


@pytest.mark.parametrize('order, ranks', [
    (np.zeros((0, 0)), []),
    (np.zeros((2, 2)), [0, 0]),
    ([[0, 1], [-1, 0]], [1, 2]),
    ([[0, -1, 0], [1, 0, 1], [0, -1, 0]], [2, 1, 2]),  # one hides two
    ([[0, 0, 1], [0, 0, 1], [-1, -1, 0]], [1, 1, 2]),  # two hide one
    ([[0, 0, -1, 0], [0, 0, 0, 0], [1, 0, 0, -1], [0, 0, 1, 0]], [3, 0, 2, 1]),  # a chain
    ([[0, 1, -1], [-1, 0, 1], [1, -1, 0]], [1, 1, 1]),  # a ring shares one rank
    (np.array(RING_AND_TAIL), [1, 2, 2, 2, 3]),  # in front of a ring, and behind it
])
def test_depth_counts_what_lies_in_front(order, ranks):
    assert depth_ranks(np.array(order, np.int8)).tolist() == ranks
