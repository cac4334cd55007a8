"""Labels: where the name of a flow stands, near its beginning and free of shapes, names and other lines."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

from processes.layout.model import Flow
from processes.layout.picture import Box, Picture, Point
from processes.layout.text import label_size

_OVER_SHAPE = 100_000
_OVER_LABEL = 60_000
_OVER_LINE = 400


def place_flow_labels(flows: list[Flow], picture: Picture) -> dict[str, Box]:
    """Boxes of the flows' names, each at the cheapest of many spots along its line."""
    placed: dict[str, Box] = {}
    for flow in flows:
        if not flow.name or flow.tag != "sequenceFlow":
            continue
        points = picture.edges[flow.id]
        others = [*picture.labels.values(), *placed.values()]
        spots = list(_spots(points, flow.name))
        costs = [_cost(box, away, others, flow.id, picture) for box, away in spots]
        placed[flow.id] = spots[costs.index(min(costs))][0]
    return placed


def _spots(points: list[Point], name: str) -> Iterator[tuple[Box, int]]:
    """Boxes beside each straight part of the line, with their distance from its beginning."""
    walked = 0
    sizes = [label_size(name, 20, 90), label_size(name, 20, 60)]
    for (x1, y1), (x2, y2) in itertools.pairwise(points):
        length = abs(x2 - x1) + abs(y2 - y1)
        for size in sizes:
            for offset in range(0, max(1, length), 6):
                if y1 == y2 and offset + size.width + 4 <= max(length, size.width + 5):
                    left = x1 + 4 + offset if x2 > x1 else x1 - 4 - offset - size.width
                    tight = 400 if length < size.width + 8 else 0
                    yield Box(left, y1 - size.height - 2, size.width, size.height), walked + offset + tight
                    yield Box(left, y1 + 3, size.width, size.height), walked + offset + tight + 8
                elif x1 == x2 and offset + size.height <= max(length, size.height + 1):
                    top = y1 + 3 + offset if y2 > y1 else y1 - 3 - offset - size.height
                    yield Box(x1 + 4, top, size.width, size.height), walked + offset + 14
                    yield Box(x1 - 4 - size.width, top, size.width, size.height), walked + offset + 18
        walked += length


def _cost(box: Box, away: int, labels: list[Box], flow_id: str, picture: Picture) -> int:
    cost = away
    cost += sum(_OVER_SHAPE for shape in picture.shapes.values() if box.meets(shape, 1))
    cost += sum(_OVER_LABEL for label in labels if box.meets(label, 1))
    cost += sum(
        _OVER_LINE for points in picture.edges.values() for ends in itertools.pairwise(points) if _crosses(box, *ends)
    )
    return cost


def _crosses(box: Box, one: Point, two: Point) -> bool:
    left, right = sorted((one[0], two[0]))
    upper, lower = sorted((one[1], two[1]))
    return left < box.right and right > box.x and upper < box.bottom and lower > box.y
