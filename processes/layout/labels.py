"""Labels: where the name of a flow stands, near its beginning and free of shapes, names and other lines."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from processes.layout.fitting import NARROW_LABEL, room_along
from processes.layout.model import Flow
from processes.layout.picture import Box, Picture, Point
from processes.layout.text import Size, label_size

_OFF_CANVAS = 50_000
_OVER_SHAPE = 100_000
_OVER_LABEL = 60_000
_OVER_LINE = 400
_AWAY_FROM_LINE = 300
_TIGHT = 400
_STEP = 6
_NEIGHBOURHOOD = 120

Spot = tuple[int, Box]


def place_flow_labels(flows: list[Flow], picture: Picture, canvas: Box) -> dict[str, Box]:
    """Boxes of the flows' names, each at the cheapest of many spots along its line and on the canvas."""
    placed: dict[str, Box] = {}
    lines = [_line(*ends) for points in picture.edges.values() for ends in pairwise(points)]
    for flow in flows:
        if flow.name and flow.tag == "sequenceFlow":
            names = [*picture.labels.values(), *placed.values()]
            spots = sorted(_spots(picture.edges[flow.id], flow.name), key=lambda spot: spot[0])
            shapes = list(picture.shapes.values())
            cost, box = _cheapest(spots, canvas, shapes, names, lines)
            if cost >= _OFF_CANVAS:
                around = sorted(_around(box), key=lambda spot: spot[0])
                _, box = min((cost, box), _cheapest(around, canvas, shapes, names, lines), key=lambda spot: spot[0])
            placed[flow.id] = box
    return placed


def _cheapest(spots: list[Spot], canvas: Box, shapes: list[Box], names: list[Box], lines: list[Box]) -> Spot:
    """The spot with the least cost; spots come in the order of their distance from the best place."""
    least, chosen = 1 << 60, spots[0][1]
    for away, box in spots:
        if away >= least:
            break
        cost = away + (0 if canvas.holds(box) else _OFF_CANVAS)
        if cost < least:
            cost += _OVER_SHAPE * sum(1 for shape in shapes if box.meets(shape, 1))
        if cost < least:
            cost += _OVER_LABEL * sum(1 for name in names if box.meets(name, 1))
        if cost < least:
            cost += _OVER_LINE * sum(1 for line in lines if box.meets(line))
        if cost < least:
            least, chosen = cost, box
    return least, chosen


def _around(box: Box) -> Iterator[Spot]:
    """Boxes in the neighbourhood of one that has no free place along its line."""
    for across in range(-_NEIGHBOURHOOD, _NEIGHBOURHOOD + 1, 2 * _STEP):
        for down in range(-_NEIGHBOURHOOD, _NEIGHBOURHOOD + 1, _STEP):
            yield _AWAY_FROM_LINE + abs(across) + abs(down), box.moved(across, down)


def _line(one: Point, two: Point) -> Box:
    """A straight part of an edge as a box of no height or no width."""
    return Box(min(one[0], two[0]), min(one[1], two[1]), abs(two[0] - one[0]), abs(two[1] - one[1]))


def _spots(points: list[Point], name: str) -> Iterator[Spot]:
    """Boxes beside each straight part of the line, with what it costs to stand there."""
    walked = 0
    for one, two in pairwise(points):
        sizes = {label_size(name, 20, room) for room in (room_along(one, two), NARROW_LABEL)}
        for size in sorted(sizes, key=lambda size: size.height):
            for off in (0, 16, 32):
                for away, box in _beside(one, two, size, off):
                    yield away + walked + off * _AWAY_FROM_LINE // 16, box
        walked += abs(two[0] - one[0]) + abs(two[1] - one[1])


def _beside(one: Point, two: Point, size: Size, off: int) -> Iterator[Spot]:
    """Boxes along one straight part, `off` further from the line than usual."""
    (x1, y1), (x2, y2) = one, two
    level = y1 == y2
    length = abs(x2 - x1) + abs(y2 - y1)
    room = size.width + 8 if level else size.height
    tight = _TIGHT if level and length < room else 0
    for offset in range(0, max(1, length - room), _STEP):
        if level:
            left = x1 + 4 + offset if x2 > x1 else x1 - 4 - offset - size.width
            yield offset + tight, Box(left, y1 - size.height - 2 - off, size.width, size.height)
            yield offset + tight + 8, Box(left, y1 + 3 + off, size.width, size.height)
        else:
            top = y1 + 3 + offset if y2 > y1 else y1 - 3 - offset - size.height
            yield offset + 14, Box(x1 + 4 + off, top, size.width, size.height)
            yield offset + 18, Box(x1 - 4 - off - size.width, top, size.width, size.height)
