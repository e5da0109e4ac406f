"""The order of an image's objects as a graph: who lies in front of whom, and how far back.

Letters: N instances. An order matrix O is (N, N) int8: ``O[i, j]`` is +1 where i is in front of
j, -1 where it is behind, 0 where neither. ``O[i, j] = O[j, i] = -1`` is mutual occlusion, which
one sign for each pair cannot say.
"""

from typing import List, Tuple

import networkx as nx
import numpy as np

CONTEXTS = ('neighbours', 'parents', 'ancestors')


def order_graph(order: np.ndarray) -> nx.DiGraph:
    """The order as a graph with an edge from each object to each that is behind it.

    Args:
        order: (N, N) int8; row i says what i is behind of.

    Returns:
        Nodes 0 to N - 1. ``graph.predecessors(i)`` are the parents of i, ``nx.ancestors(graph,
        i)`` its ancestors, ``nx.all_neighbors(graph, i)`` its neighbours.
    """
    graph = nx.DiGraph()
    graph.add_nodes_from(range(len(order)))
    graph.add_edges_from((front, behind) for behind, front in np.argwhere(order == -1).tolist())
    return graph


def in_front(order: np.ndarray, context: str) -> np.ndarray:
    """Who counts as each object's occluder, given the order.

    Args:
        order: (N, N) int8.
        context: ``'neighbours'``: all in an order with it; ``'parents'``: those in front of
            it; ``'ancestors'``: those in front of these, too, and so on (PCNet).

    Returns:
        (N, N) bool, row i = the occluders of i, never i itself.

    Raises:
        ValueError: another context.
    """
    if context not in CONTEXTS:
        raise ValueError(f'expected context to be one of {CONTEXTS}, got {context!r}')
    if context == 'neighbours':
        return order != 0
    front = order == -1
    if context == 'ancestors':
        graph = order_graph(order)
        for i in graph:  # for each: nx.transitive_closure is slow where many are in rings
            front[i, list(nx.ancestors(graph, i))] = True
    return front & ~np.eye(len(order), dtype=bool)


def back_to_front(order: np.ndarray) -> Tuple[List[List[int]], List[List[int]]]:
    """The order as a list, and what of it is no order.

    Returns:
        layers: all objects, the rearmost first; each lies behind nothing of its own layer or
            of an earlier one, but for those of its own ring.
        rings: sets of objects each of which is, through others, in front of itself: the cycles
            of the graph, those that share an object as one. All of a ring are in one layer.
    """
    graph = order_graph(order)
    condensed = nx.condensation(graph)
    members = [sorted(condensed.nodes[group]['members']) for group in condensed]
    layers = [sorted(sum((members[group] for group in layer), []))
              for layer in nx.topological_generations(condensed)]
    return layers[::-1], sorted(group for group in members if len(group) > 1)


def depth_ranks(order: np.ndarray) -> np.ndarray:
    """How far back each object lies among those that it hides or is hidden by.

    Args:
        order: (N, N) int8, +1 where the row is in front of the column, -1 where behind.

    Returns:
        (N,) int64: 1 where nothing is in front, else one more than the farthest of those in
        front, 0 for an object without any order. Objects in a ring share one rank.
    """
    ranks = np.zeros(len(order), np.int64)
    for rank, layer in enumerate(back_to_front(order)[0][::-1], start=1):
        ranks[layer] = rank
    return np.where((order != 0).any(1), ranks, 0)
