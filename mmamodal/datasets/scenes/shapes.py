"""The objects of the drawn scenes: outlines and painted parts, in the plane of the object.

Letters: V vertices of a contour. A contour is (V, 2) float64 xy with y down, closed, in units
such that an object spans about [-1, 1]. Colours are BGR in 0..255.
"""

from functools import lru_cache
from typing import Callable, Dict, Iterator, List, NamedTuple, Sequence, Tuple

import numpy as np

Colour = Tuple[float, float, float]
Parts = Iterator[Tuple[np.ndarray, Colour]]


class Shape(NamedTuple):
    """One object.

    outline: (contour, solid) in drawing order: a solid one is added to the silhouette, another
        one is cut out.
    colour: of whatever no part covers.
    parts: (contour, colour) in drawing order, to be read once; what leaves the silhouette is
        clipped.
    """

    outline: List[Tuple[np.ndarray, bool]]
    colour: Colour
    parts: Parts


def ellipse(center: Sequence[float], radii: Sequence[float], vertices: int = 32) -> np.ndarray:
    """An axis-parallel ellipse, (V, 2)."""
    return _circle(vertices) * radii + center


@lru_cache(maxsize=None)
def _circle(vertices: int) -> np.ndarray:
    theta = np.arange(vertices) * (2 * np.pi / vertices)
    return np.stack([np.cos(theta), np.sin(theta)], 1)


def rounded(corners: Sequence[Sequence[float]], closed: bool = True, rounds: int = 3) -> np.ndarray:
    """The polygon or open path with its corners cut off ``rounds`` times (Chaikin, 1974)."""
    points = np.asarray(corners, dtype=np.float64)
    for _ in range(rounds):
        following = np.roll(points, -1, 0) if closed else points[1:]
        start = points if closed else points[:-1]
        cut = np.stack([0.75 * start + 0.25 * following, 0.25 * start + 0.75 * following], 1)
        cut = cut.reshape(-1, 2)
        points = cut if closed else np.concatenate([points[:1], cut, points[-1:]])
    return points


def tube(path: np.ndarray, half_width: np.ndarray) -> np.ndarray:
    """The contour of a tube with round ends around an open path.

    Args:
        path: (V, 2).
        half_width: one, or (V,).
    """
    across = normals(path) * np.reshape(half_width, (-1, 1))
    rim = np.concatenate([path + across, _cap(path[-1], across[-1]), (path - across)[::-1]])
    return np.concatenate([rim, _cap(path[0], -across[0])])


def normals(path: np.ndarray) -> np.ndarray:
    """Unit normals of an open path, (V, 2)."""
    along = np.empty_like(path)
    along[1:-1] = path[2:] - path[:-2]
    along[0], along[-1] = path[1] - path[0], path[-1] - path[-2]
    return along[:, ::-1] * [-1, 1] / (np.hypot(*along.T)[:, None] + 1e-9)


def _cap(end: np.ndarray, radius_xy: np.ndarray) -> np.ndarray:
    half_turn = _circle(12)[1:6]
    return end + half_turn @ np.array([radius_xy, (radius_xy[1], -radius_xy[0])])


def tint(colour: Sequence[float], factor: float) -> Colour:
    """The colour, darkened (factor < 1) or drawn towards white (factor > 1)."""
    bgr = np.asarray(colour, dtype=np.float64)
    bgr = bgr * factor if factor <= 1 else 255 - (255 - bgr) / factor
    return tuple(float(value) for value in bgr)


def pick_colour(rng: np.random.Generator, *palette: Colour) -> Colour:
    """One of the palette's colours, a little off."""
    bgr = np.asarray(palette[rng.integers(len(palette))]) + rng.uniform(-14, 14, 3)
    return tuple(float(value) for value in bgr.clip(0, 255))


def banana(rng: np.random.Generator) -> Shape:
    """A crescent that thins out to both ends."""
    opening, thickness = rng.uniform(1.3, 1.95), rng.uniform(0.2, 0.3)
    theta = np.linspace(-opening, opening, 28)
    path = np.stack([np.sin(theta), np.cos(theta)], 1) * (0.84 - thickness / 4) - [0, 0.25]
    width = 0.06 + (thickness - 0.06) * np.sqrt(np.cos(theta / opening * np.pi / 2).clip(0))
    colour = pick_colour(rng, (60, 205, 240), (70, 225, 235), (80, 190, 150), (60, 150, 235))
    ridge = path * 0.9 - [0, 0.04]
    spots = rng.integers(3, 24, 6), rng.uniform(-0.6, 0.6, 6), rng.uniform(0.02, 0.045, 6)

    def parts() -> Parts:
        yield tube(ridge[2:-2], 0.045), tint(colour, 0.82)
        for end in (slice(None, 3), slice(-2, None)):
            yield tube(path[end], 0.15), (38, 62, 84)
        for index, across, radius in zip(*spots):
            centre = path[index] * (1 + across * width[index])
            yield ellipse(centre, (radius, radius), 8), tint(colour, 0.6)

    return Shape([(tube(path, width), True)], colour, parts())


def cactus(rng: np.random.Generator) -> Shape:
    """A column with one or two bent arms in a pot, often with a flower on top."""
    girth, top = rng.uniform(0.15, 0.2), rng.uniform(-0.85, -0.65)
    limbs = [(np.array([[0, top + girth], [0, 0], [0, 0.6]]), girth)]
    for side in ((-1, 1), (-1,), (1,))[rng.choice(3, p=[0.6, 0.2, 0.2])]:
        reach, elbow = rng.uniform(0.5, 0.72), rng.uniform(-0.05, 0.25)
        rise = rng.uniform(0.35, 0.75)
        bend = [[0, elbow], [side * reach, elbow + 0.03], [side * reach, elbow - rise]]
        limbs.append((rounded(bend, closed=False), girth * rng.uniform(0.6, 0.75)))
    rim, foot = rng.uniform(0.36, 0.46), rng.uniform(0.24, 0.32)
    pot = np.array([[-rim, 0.44], [rim, 0.44], [rim, 0.58], [foot, 1], [-foot, 1], [-rim, 0.58]])
    flower = ellipse((0, top + 0.02), (0.15, 0.12), 14) if rng.random() < 0.5 else None
    colour = pick_colour(rng, (70, 140, 60), (90, 150, 95), (110, 130, 50), (60, 120, 110))
    clay = pick_colour(rng, (70, 105, 190), (190, 140, 90), (90, 90, 205), (150, 170, 190))
    petals = pick_colour(rng, (170, 90, 240), (60, 170, 250), (240, 240, 250))

    def parts() -> Parts:
        for path, width in limbs:
            steps, at = np.linspace(0, 1, 12), np.linspace(0, 1, len(path))
            dense = np.stack([np.interp(steps, at, axis) for axis in path.T], 1)
            for shift in (-0.55, 0.0, 0.55):
                yield tube(dense + shift * width * normals(dense), 0.02), tint(colour, 1.45)
        yield pot, clay
        yield pot[[0, 1, 2, 5]], tint(clay, 1.25)
        yield np.array([[-rim, 0.58], [rim, 0.58], [rim, 0.62], [-rim, 0.62]]), tint(clay, 0.65)
        if flower is not None:
            yield flower, petals
            yield ellipse((0, top + 0.02), (0.05, 0.045), 8), (60, 200, 250)

    outline = [(tube(path, width), True) for path, width in limbs] + [(pot, True)]
    return Shape(outline if flower is None else outline + [(flower, True)], colour, parts())


def donut(rng: np.random.Generator) -> Shape:
    """A ring, iced and sprinkled, seen a little from the side."""
    squeeze, hole = rng.uniform(0.68, 1.0), rng.uniform(0.38, 0.52)
    theta = np.linspace(0, 2 * np.pi, 48, endpoint=False)
    unit = np.stack([np.cos(theta), np.sin(theta) * squeeze], 1)
    outer, inner = unit * 0.97, unit * hole
    waves, phase = rng.integers(6, 10), rng.uniform(0, 6.3)
    edge = unit * (0.86 + 0.05 * np.sin(waves * theta + phase) + 0.02 * np.sin(3 * theta))[:, None]
    dough = pick_colour(rng, (110, 165, 215), (85, 135, 185), (70, 105, 150))
    icing = pick_colour(rng, (180, 130, 245), (40, 55, 85), (235, 235, 240), (190, 215, 130),
                        (225, 165, 120))
    angles, radii = rng.uniform(0, 2 * np.pi, 22), rng.uniform(hole + 0.12, 0.78, 22)
    leans, hues = rng.uniform(0, np.pi, 22), rng.integers(0, 5, 22)
    candy = ((90, 90, 250), (80, 220, 250), (230, 190, 90), (150, 230, 120), (250, 250, 250))

    def parts() -> Parts:
        yield edge, icing
        yield unit * (hole + 0.06), tint(icing, 0.8)
        yield unit * (hole + 0.03), tint(dough, 0.85)
        for angle, radius, lean, hue in zip(angles, radii, leans, hues):
            centre = np.array([np.cos(angle), np.sin(angle) * squeeze]) * radius
            half = np.array([np.cos(lean), np.sin(lean)]) * 0.045
            side = np.array([-half[1], half[0]]) * 0.45
            yield np.stack([centre - half - side, centre + half - side, centre + half + side,
                            centre - half + side]), candy[hue]

    return Shape([(outer, True), (inner, False)], dough, parts())


def fish(rng: np.random.Generator) -> Shape:
    """A striped body with a forked tail and two fins."""
    height, tail, fork = rng.uniform(0.34, 0.5), rng.uniform(0.48, 0.72), rng.uniform(0.52, 0.68)
    fin, waist = rng.uniform(0.2, 0.42), rng.uniform(0.08, 0.12)
    corners = [(-1, 0.02), (-0.78, -0.6 * height), (-0.35, -height), (-0.25, -height - 0.1),
               (0.1, -height - fin), (0.3, -height - fin * 0.9), (0.22, -0.62 * height),
               (0.5, -waist), (0.98, -tail), (1, -tail * 0.9), (fork, 0), (1, tail * 0.9),
               (0.98, tail), (0.5, waist), (0.22, 0.6 * height), (0.2, height + fin * 0.6),
               (0.05, height + fin * 0.5), (-0.12, 0.95 * height), (-0.45, 0.9 * height),
               (-0.8, 0.5 * height)]
    body = rounded(corners, rounds=2)
    colour = pick_colour(rng, (60, 120, 245), (220, 150, 60), (80, 200, 245), (190, 110, 200),
                         (150, 170, 70))
    second = pick_colour(rng, (245, 245, 240), (90, 60, 40), (60, 190, 250), (200, 200, 90))
    stripes, start = int(rng.integers(2, 5)), rng.uniform(-0.4, -0.25)

    def parts() -> Parts:
        for fringe in ([(-0.3, -height), (0.4, -1.2), (0.4, -0.55 * height), (-0.1, -0.8 * height)],
                       [(0, 1.2), (0.4, 1.2), (0.4, 0.55 * height), (0, 0.8 * height)],
                       [(0.55, -1), (1.2, -1), (1.2, 1), (0.55, 1)]):
            yield np.array(fringe), tint(colour, 0.75)
        bow = np.linspace(-1, 1, 9)
        for left in np.linspace(start, 0.42, stripes):
            path = np.stack([left + 0.08 * (1 - bow**2), bow * height * 0.95], 1)
            yield tube(path, 0.2 / stripes + 0.02), second
        gill = np.stack([-0.58 + 0.1 * (1 - bow**2), bow * height * 0.5], 1)
        yield tube(gill, 0.02), tint(colour, 0.6)
        for radius, ink in ((0.13, (250, 250, 250)), (0.075, (25, 20, 20))):
            yield ellipse((-0.72, -0.16 * height), (radius, radius), 14), ink

    return Shape([(body, True)], colour, parts())


def mug(rng: np.random.Generator) -> Shape:
    """A cup with an open handle and a band, dots or a plain glaze."""
    width, foot, height = rng.uniform(0.42, 0.54), rng.uniform(0.78, 1.0), rng.uniform(0.64, 0.86)
    rim = rng.uniform(0.1, 0.17)
    arc = np.linspace(0, np.pi, 15)
    top, bottom = (np.stack([np.cos(arc) * scale, sign * np.sin(arc) * rim], 1)
                   for scale, sign in ((width, -1), (width * foot, 1)))
    body = np.concatenate([top + [0, -height], bottom[::-1] + [0, height - 0.1]]) - [0.3, 0]
    grip = (rng.uniform(0.5, 0.64), rng.uniform(0.46, 0.6) * height / 0.75)
    at = (width - 0.33, rng.uniform(-0.12, 0.08))
    hold = rng.uniform(0.13, 0.18)
    colour = pick_colour(rng, (225, 225, 230), (170, 110, 60), (80, 70, 205), (90, 165, 90),
                         (75, 75, 80), (150, 200, 235))
    second = pick_colour(rng, (60, 60, 200), (200, 140, 60), (70, 190, 240), (245, 245, 245),
                         (120, 70, 140))
    style, level = rng.integers(3), rng.uniform(-0.2, 0.25)
    drink = pick_colour(rng, (25, 40, 60), (60, 90, 130), (150, 190, 210))

    def parts() -> Parts:
        bow = np.stack([np.cos(arc) * width * 1.1, np.sin(arc) * rim], 1) - [0.3, 0]
        if style == 0:
            for offset, half in ((0, 0.13), (0.24, 0.04), (-0.24, 0.04)):
                upper, lower = [0, level + offset - half], [0, level + offset + half]
                yield np.concatenate([bow + upper, bow[::-1] + lower]), second
        if style == 1:
            for column, x in enumerate(np.linspace(-0.85, 0.85, 5)):
                for y in np.arange(-0.6 + 0.15 * (column % 2), height, 0.3):
                    centre = np.sin(x) * width * 1.15 - 0.3, y
                    yield ellipse(centre, (0.07 * np.cos(x), 0.07), 10), second
        for scale, ink in ((0.995, tint(colour, 1.5)), (0.86, tint(drink, 0.8)), (0.8, drink)):
            centre = -0.3, -height + 0.03 * (scale < 0.9)
            yield ellipse(centre, (width * scale, rim * scale), 24), ink

    handle = ellipse(at, grip), ellipse(at, (grip[0] - hold, grip[1] - hold))
    return Shape([(handle[0], True), (handle[1], False), (body, True)], colour, parts())


def star(rng: np.random.Generator) -> Shape:
    """A sea star: five soft arms of unequal length, dotted along their middle."""
    theta = np.arange(5) * 2 * np.pi / 5 + rng.uniform(-0.12, 0.12, 5) - np.pi / 2
    length, waist = rng.uniform(0.86, 1.08, 5), rng.uniform(0.25, 0.36)
    tips = np.stack([np.cos(theta), np.sin(theta)], 1)
    between = theta + np.pi / 5
    valleys = np.stack([np.cos(between), np.sin(between)], 1) * waist
    across = np.stack([-tips[:, 1], tips[:, 0]], 1) * rng.uniform(0.07, 0.13)
    ends = tips * length[:, None]
    body = rounded(np.stack([ends - across, ends + across, valleys], 1).reshape(-1, 2), rounds=2)
    colour = pick_colour(rng, (60, 90, 235), (60, 150, 245), (150, 90, 200), (190, 120, 80),
                         (110, 130, 230))
    dots = tint(colour, rng.choice([0.55, 2.2]))

    def parts() -> Parts:
        for tip in ends:
            path = np.linspace(0, 0.9, 6)[:, None] * tip
            yield tube(path, np.linspace(0.12, 0.03, 6)), tint(colour, 1.3)
        for tip in ends:
            for step in (0.3, 0.45, 0.6, 0.75, 0.88):
                yield ellipse(tip * step, (0.062 - 0.035 * step,) * 2, 8), dots
        yield ellipse((0, 0), (0.09, 0.09), 12), dots

    return Shape([(body, True)], colour, parts())


SHAPES: Dict[str, Callable[[np.random.Generator], Shape]] = dict(
    banana=banana, cactus=cactus, donut=donut, fish=fish, mug=mug, star=star)
