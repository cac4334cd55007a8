"""Pools: stacks the participants, puts the headers of pools and lanes before them, and draws the message flows."""

from __future__ import annotations

from lxml import etree

from processes.layout.geometry import draw
from processes.layout.model import BPMN, Container, Pool
from processes.layout.picture import Box, Picture, Point

_ORIGIN = (160, 80)
_HEADER = 30
_POOL_GAP = 60
_BLACK_BOX = Box(0, 0, 600, 60)


def stack_pools(pools: list[Pool], root: etree._Element) -> Picture:
    """Positions of all pools, one below the other, with everything in them."""
    contents = [draw(pool.process) if pool.process is not None else None for pool in pools]
    depths = [_lane_depth(pool.process) if pool.process is not None else 0 for pool in pools]
    frames = [
        _HEADER * (1 + depth) + content.width if content is not None else _BLACK_BOX.width
        for content, depth in zip(contents, depths, strict=True)
    ]
    widest = max(frames, default=0)
    x, y = _ORIGIN
    picture = Picture()
    for pool, content, depth in zip(pools, contents, depths, strict=True):
        height = content.height if content is not None else _BLACK_BOX.height
        header = 0 if pool.id is None else _HEADER
        if pool.id is not None:
            picture.shapes[pool.id] = Box(x, y, widest, height)
        if content is not None and pool.process is not None:
            _add_lanes(picture, pool.process, content, x + header, y, widest - header)
            picture.absorb(content, x + header + _HEADER * depth, y)
        y += height + _POOL_GAP
    for flow in root.iterfind(f"{{{BPMN}}}collaboration/{{{BPMN}}}messageFlow"):
        source, target = flow.get("sourceRef", ""), flow.get("targetRef", "")
        if source in picture.shapes and target in picture.shapes:
            owners = {pool.id for pool in pools}
            picture.edges[flow.get("id", "")] = _message_line(
                picture.shapes[source], picture.shapes[target], source in owners, target in owners
            )
    return picture


def _lane_depth(container: Container) -> int:
    return max((_level(container, lane.id) + 1 for lane in container.lanes), default=0)


def _level(container: Container, lane_id: str) -> int:
    parents = {lane.id: lane.parent for lane in container.lanes}
    level, parent = 0, parents[lane_id]
    while parent is not None:
        level, parent = level + 1, parents[parent]
    return level


def _add_lanes(picture: Picture, container: Container, content: Picture, x: int, y: int, width: int) -> None:
    """Lane boxes from the heights in `content`, which gives them up; outer lanes hold their inner ones."""
    boxes: dict[str, Box] = {}
    for lane in reversed(container.lanes):
        level = _level(container, lane.id)
        if lane.leaf:
            own = content.shapes.pop(lane.id)
            boxes[lane.id] = Box(x + _HEADER * level, y + own.y, width - _HEADER * level, own.height)
        else:
            held = [boxes[child.id] for child in container.lanes if child.parent == lane.id]
            top, bottom = min(box.y for box in held), max(box.bottom for box in held)
            boxes[lane.id] = Box(x + _HEADER * level, top, width - _HEADER * level, bottom - top)
    for lane in container.lanes:
        picture.shapes[lane.id] = boxes[lane.id]


def _message_line(source: Box, target: Box, from_pool: bool, to_pool: bool) -> list[Point]:
    """A message flow: straight down or up to a pool's border, in three parts between two elements."""
    downward = source.center[1] < target.center[1]
    leave, enter = (source.bottom, target.y) if downward else (source.y, target.bottom)
    if from_pool or to_pool:
        x = target.center[0] if from_pool and not to_pool else source.center[0]
        return [(x, leave), (x, enter)]
    middle = (leave + enter) // 2
    start, end = source.center[0], target.center[0]
    return [(start, leave), (start, middle), (end, middle), (end, enter)]
