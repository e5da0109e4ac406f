"""The order of an image's objects in files: as a picture, for Graphviz, and as JSON.

Letters: N instances, H×W image. Objects are numbered from 1, in the order of their masks.
"""

import json
from pathlib import Path
from typing import List, NamedTuple, Sequence

import cv2
import numpy as np

from mmamodal.files import write_json, write_whole
from mmamodal.structures.contacts import Contact
from mmamodal.structures.order_graph import back_to_front, order_graph
from mmamodal.visualization import drawing
from mmamodal.visualization.order.pictures import contacts_picture, mutual_picture, order_picture


class ImageOrder(NamedTuple):
    """What a completer says of the order of an image's N objects.

    ``names``: of the objects. ``visible``, ``completed``: (N, H, W) uint8 in {0, 1}. ``order``:
    (N, N) int8, -1 both ways for mutual occlusion. ``contacts``: of these objects.
    """

    names: Sequence[str]
    visible: np.ndarray
    completed: np.ndarray
    order: np.ndarray
    contacts: Sequence[Contact]

    @property
    def mutual(self) -> List[List[int]]:
        """Places of the pairs of which each is in front of the other somewhere."""
        return np.argwhere(np.triu((self.order == -1) & (self.order.T == -1))).tolist()


def order_lines(result: ImageOrder) -> List[str]:
    """The order in words: a list from back to front, rings, and mutual occlusion."""
    labels = [f'{number} {name}' for number, name in enumerate(result.names, 1)]
    layers, rings = back_to_front(result.order)
    lines = ['back to front: ' + ' | '.join(
        ', '.join(labels[i] for i in layer) for layer in layers)]
    # Two that occlude each other are a ring by themselves, of which another line tells.
    lines += ['ring: ' + ', '.join(labels[i] for i in ring) for ring in rings
              if ring not in result.mutual]
    return lines + [f'each in front of the other: {labels[i]}, {labels[j]}'
                    for i, j in result.mutual]


def order_dot(result: ImageOrder) -> str:
    """The graph for Graphviz, from front to behind. networkx writes DOT by pydot only."""
    nodes = [f'  {i + 1} [label={json.dumps(f"{i + 1} {name}", ensure_ascii=False)}];'
             for i, name in enumerate(result.names)]
    edges = [f'  {i + 1} -> {j + 1};' for i, j in order_graph(result.order).edges]
    return '\n'.join(['digraph order {', *nodes, *edges, '}', ''])


def order_record(result: ImageOrder) -> dict:
    """The order as JSON holds it; the rows of the matrix are the objects from 1 on."""
    layers, rings = back_to_front(result.order)
    return dict(
        objects=[dict(number=i, name=name) for i, name in enumerate(result.names, 1)],
        order=result.order.tolist(), back_to_front=_numbered(layers), rings=_numbered(rings),
        mutual=_numbered(result.mutual),
        contacts=[dict(objects=[contact.first + 1, contact.second + 1],
                       front=contact.front + 1 or None, points_xy=contact.points.tolist())
                  for contact in result.contacts])


def write_order(path: Path, image: np.ndarray, result: ImageOrder) -> None:
    """Write ``<path>.png``, ``.dot`` and ``.json``, and ``<path>_mutual_<i>_<j>.png`` for each
    pair of objects that occlude each other.

    Args:
        path: without suffix.
        image: (H, W, 3) uint8 BGR.
        result: of this image.
    """
    panels = [('order: arrows to what is behind', order_picture(image, result.visible,
                                                               result.order)),
              ('contacts: who is in front', contacts_picture(image, result.visible,
                                                            result.contacts))]
    _write_png(path, '', drawing.side_by_side(panels))
    for i, j in result.mutual:
        _write_png(path, f'_mutual_{i + 1}_{j + 1}', mutual_picture(
            image, result.visible, result.completed, result.contacts, (i, j)))
    write_whole(path.with_name(f'{path.name}.dot'), order_dot(result).encode())
    write_json(path.with_name(f'{path.name}.json'), order_record(result))


def _write_png(path: Path, ending: str, picture: np.ndarray) -> None:
    write_whole(path.with_name(f'{path.name}{ending}.png'),
                cv2.imencode('.png', picture)[1].tobytes())


def _numbered(groups: Sequence[Sequence[int]]) -> List[List[int]]:
    return [[i + 1 for i in group] for group in groups]
