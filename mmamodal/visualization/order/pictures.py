"""Pictures of an order: its graph over the image, and who is in front where objects touch.

Letters: N instances, H×W image, h×w panel, K pixels. Images are uint8 BGR, masks uint8 in {0, 1},
image pixels. In an order matrix, -1 both ways is mutual occlusion.
"""

from typing import List, Sequence, Tuple

import cv2
import networkx as nx
import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from mmamodal.structures.contacts import Contact
from mmamodal.structures.order_graph import back_to_front, order_graph
from mmamodal.visualization import drawing

RED, BLUE = (60, 20, 220), (200, 80, 20)  # the paper's for A and B, BGR
RING, EDGE = '#d55e00', '#1e2228'
DASH = 6


def order_picture(image: np.ndarray, visible: np.ndarray, order: np.ndarray) -> np.ndarray:
    """The graph over the image: an arrow from each object to each that is behind it.

    Objects are numbered from 1 in the order of their masks; an object of which nothing is
    visible has no place, and is left out. Arrows inside a ring have another colour.

    Args:
        image: (H, W, 3).
        visible: (N, H, W).
        order: (N, N) int8.

    Returns:
        (h, w, 3) uint8 BGR.
    """
    ground, masks, colours = _ground(image, visible)
    picture = drawing.outline(drawing.fill(ground, masks, colours), masks, colours)
    graph = order_graph(order).subgraph(np.flatnonzero(masks.any((1, 2))).tolist())
    places = {i: drawing.deepest(masks[i]) for i in graph}
    paint = [RING if edge in _ring_edges(order) else EDGE for edge in graph.edges]
    height, width = picture.shape[:2]
    figure = Figure(figsize=(width / 100, height / 100), dpi=100)
    canvas = FigureCanvasAgg(figure)
    axes = figure.add_axes((0, 0, 1, 1))
    axes.imshow(picture[..., ::-1], aspect='auto')
    axes.axis('off')
    nx.draw_networkx(graph, places, ax=axes, labels={i: str(i + 1) for i in graph},
                     node_color='white', edgecolors=EDGE, node_size=150, font_size=9,
                     edge_color=paint, width=2, arrowsize=13, connectionstyle='arc3,rad=0.12')
    axes.set(xlim=(-0.5, width - 0.5), ylim=(height - 0.5, -0.5))
    canvas.draw()
    return np.ascontiguousarray(np.asarray(canvas.buffer_rgba())[..., 2::-1])


def contacts_picture(image: np.ndarray, visible: np.ndarray,
                     contacts: Sequence[Contact]) -> np.ndarray:
    """Each piece of a contact in the colour of the object in front there, white if neither is.

    Args:
        image: (H, W, 3).
        visible: (N, H, W).
        contacts: of these objects.

    Returns:
        (h, w, 3) uint8 BGR.
    """
    ground, masks, colours = _ground(image, visible)
    return _draw_contacts(drawing.fill(ground, masks, colours, 0.3), contacts, colours,
                          image.shape[:2])


def mutual_picture(image: np.ndarray, visible: np.ndarray, completed: np.ndarray,
                   contacts: Sequence[Contact], pair: Tuple[int, int]) -> np.ndarray:
    """Two objects as in ASBU's Fig. 5: the image with their contact in the colour of the one in
    front there, their visible masks, and the amodal mask of each with a dashed line around
    what it has grown by.

    Args:
        image: (H, W, 3).
        visible: (N, H, W).
        completed: (N, H, W).
        contacts: of all objects; those of other pairs are left out.
        pair: the two objects, A red and B blue.

    Returns:
        (height, width, 3) uint8 BGR.
    """
    pair = sorted(pair)
    shape = drawing.panel_shape(*image.shape[:2])
    colours = np.zeros((len(visible), 3), np.uint8)
    colours[pair] = RED, BLUE
    seen, whole = (drawing.resize_masks(masks[pair], shape) for masks in (visible, completed))
    own = [contact for contact in contacts if [contact.first, contact.second] == pair]
    picture = drawing.resize_image(image, shape)
    panels = [('who is in front', _draw_contacts(picture, own, colours, image.shape[:2])),
              ('visible masks', drawing.fill(np.zeros_like(picture), seen, colours[pair], 1.0))]
    for k, name in enumerate('AB'):
        amodal = drawing.fill(np.zeros_like(picture), whole[k:k + 1], colours[pair][k:], 1.0)
        panels.append((f'{name} completed', _dashed(amodal, whole[k] & (1 - seen[k]))))
    return drawing.side_by_side(panels)


def _ground(image: np.ndarray, visible: np.ndarray) -> Tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The faded image, large enough for arrows, masks on it (N, h, w), their colours (N, 3)."""
    shape = drawing.panel_shape(*image.shape[:2])
    shape = tuple(side * -(-480 // max(shape)) for side in shape)
    ground = drawing.fade(drawing.resize_image(image, shape))
    return ground, drawing.resize_masks(visible, shape), drawing.object_colours(len(visible))


def _ring_edges(order: np.ndarray) -> set:
    return {(i, j) for ring in back_to_front(order)[1] for i in ring for j in ring}


def _draw_contacts(picture: np.ndarray, contacts: Sequence[Contact], colours: np.ndarray,
                   size: Tuple[int, int]) -> np.ndarray:
    """Pieces as bands on a panel (h, w, 3) that shows an image of ``size`` (H, W)."""
    out, scale = picture.copy(), picture.shape[0] / size[0]
    for contact in contacts:
        colour = colours[contact.front].tolist() if contact.front >= 0 else (255, 255, 255)
        for x, y in np.round((contact.points + 0.5) * scale - 0.5).astype(int).tolist():
            cv2.circle(out, (x, y), max(round(scale), 1), colour, -1)
    return out


def _dashed(picture: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """A dashed white line around each piece of a mask (h, w) that is more than a sliver."""
    out = picture.copy()
    mask = cv2.morphologyEx(mask, cv2.MORPH_OPEN, np.ones((3, 3), np.uint8))
    outlines: List[np.ndarray] = list(
        cv2.findContours(mask, cv2.RETR_LIST, cv2.CHAIN_APPROX_NONE)[0])
    for points in outlines:
        for start in range(0, len(points), 2 * DASH):
            cv2.polylines(out, [points[start:start + DASH]], False, (255, 255, 255), 2)
    return out
