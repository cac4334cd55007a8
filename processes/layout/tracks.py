"""Tracks: parallel flows in one gap get lines of their own, ordered so that few of them cross."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field

from processes.layout.columns import grid_ids
from processes.layout.model import Container
from processes.layout.routing import Route, Strips

_ROUNDS = 2
_OVERLAP = 50.0


@dataclass
class Segment:
    """A straight part of a route: the strip it lies in, and the strips where it begins and ends."""

    route: int
    vertical: bool
    strip: int
    begin: int
    end: int
    begin_turn: int = 0
    end_turn: int = 0
    track: int = 0
    begin_at: float = 0.0
    end_at: float = 0.0

    @property
    def span(self) -> tuple[float, float]:
        """Where it lies along its strip, lower end first."""
        return (min(self.begin_at, self.end_at), max(self.begin_at, self.end_at))


@dataclass
class Tracks:
    """Segments of every route in order, and the number of tracks of each gap."""

    segments: list[list[Segment]]
    across: dict[int, int] = field(default_factory=dict)
    down: dict[int, int] = field(default_factory=dict)


def assign_tracks(container: Container, routes: list[Route], strips: Strips) -> Tracks:
    """Cut the routes into straight segments and give each one in a gap its track."""
    tracks = Tracks([_cut(index, route) for index, route in enumerate(routes)])
    rows = set(strips.row_strip)
    shift = _boundary_shift(container, routes)
    for _ in range(_ROUNDS):
        for vertical, counts in ((True, tracks.across), (False, tracks.down)):
            _locate_ends(tracks, rows, shift)
            gaps: dict[int, list[Segment]] = {}
            for segment in (segment for chain in tracks.segments for segment in chain):
                if segment.vertical == vertical and _in_gap(segment, rows):
                    gaps.setdefault(segment.strip, []).append(segment)
            for strip, members in gaps.items():
                counts[strip] = _order(members)
    return tracks


def _in_gap(segment: Segment, rows: set[int]) -> bool:
    return segment.strip % 2 == 0 if segment.vertical else segment.strip not in rows


def _cut(index: int, route: Route) -> list[Segment]:
    """Straight segments of a route; the first and the last one touch the shapes."""
    segments: list[Segment] = []
    vertical = route.leaves in ("top", "bottom")
    start = route.places[0]
    outward = {"right": -1, "left": 1, "bottom": -1, "top": 1}
    first = (start[1] if vertical else start[0]) + outward[route.leaves]
    segments.append(Segment(index, vertical, start[0] if vertical else start[1], first, first))
    for before, place in zip(route.places, route.places[1:], strict=False):
        turned = before[0] == place[0]
        if turned != segments[-1].vertical:
            segments[-1].end = before[1] if segments[-1].vertical else before[0]
            strip, begin = (before[0], before[1]) if turned else (before[1], before[0])
            segments.append(Segment(index, turned, strip, begin, begin))
    last = route.places[-1]
    enters_vertically = route.enters in ("top", "bottom")
    if enters_vertically != segments[-1].vertical:
        segments[-1].end = last[1] if segments[-1].vertical else last[0]
        strip, begin = (last[0], last[1]) if enters_vertically else (last[1], last[0])
        segments.append(Segment(index, enters_vertically, strip, begin, begin))
    segments[-1].end = (last[1] if enters_vertically else last[0]) + outward[route.enters]
    for one, two in itertools.pairwise(segments):
        one.end_turn = 1 if two.end > two.begin else -1
        two.begin_turn = -1 if one.end > one.begin else 1
    return segments


def _boundary_shift(container: Container, routes: list[Route]) -> dict[int, float]:
    """Route index → how far off the middle of its column the boundary event stands, in parts of a strip."""
    standing = grid_ids(container)
    hosts = {node.id: node for node in container.nodes}
    shift: dict[int, float] = {}
    for index, route in enumerate(routes):
        host = hosts[standing[route.flow.source]]
        for place, event in enumerate(host.boundary):
            if event.id == route.flow.source:
                shift[index] = 0.4 * (place + 1) / (len(host.boundary) + 1) - 0.1
    return shift


def _locate_ends(tracks: Tracks, rows: set[int], shift: dict[int, float]) -> None:
    def position(segment: Segment, counts: dict[int, int]) -> float:
        if not _in_gap(segment, rows):
            return segment.strip + 0.5
        return segment.strip + (segment.track + 1) / (counts.get(segment.strip, 0) + 2)

    for index, chain in enumerate(tracks.segments):
        for segment in chain:
            segment.begin_at, segment.end_at = segment.begin + 0.5, segment.end + 0.5
        for one, two in itertools.pairwise(chain):
            meeting = position(two, tracks.across if two.vertical else tracks.down)
            corner = position(one, tracks.across if one.vertical else tracks.down)
            if one is chain[0] and one.vertical and index in shift:
                corner += shift[index]
            one.end_at, two.begin_at = meeting, corner


def _order(members: list[Segment]) -> int:
    """Set the tracks of the segments in one gap; returns how many tracks there are."""
    order = sorted(members, key=lambda s: (s.begin_turn + s.end_turn, s.span, s.route))
    improved = True
    rounds = 0
    while improved and rounds < 20:
        improved, rounds = False, rounds + 1
        for index in range(len(order)):
            for other in range(index + 1, len(order)):
                trial = order[:index] + order[index + 1 : other + 1] + [order[index]] + order[other + 1 :]
                back = [*order[:index], order[other], *order[index:other], *order[other + 1 :]]
                for candidate in (trial, back):
                    if _cost(candidate) + 1e-9 < _cost(order):
                        order, improved = candidate, True
    for index, segment in enumerate(order):
        earlier = [before.track for before in order[:index] if _meet(before, segment)]
        segment.track = max(earlier, default=-1) + 1
    return max(segment.track for segment in order) + 1


def _cost(order: list[Segment]) -> float:
    return sum(_pair_cost(one, two) for index, one in enumerate(order) for two in order[index + 1 :])


def _pair_cost(one: Segment, two: Segment) -> float:
    """Crossings when `one` has the lower track number (further left, or higher up) than `two`."""
    cost = 0.0
    low, high = two.span
    for at, turn in ((one.begin_at, one.begin_turn), (one.end_at, one.end_turn)):
        if turn > 0 and low < at < high:
            cost += 1
        elif turn > 0 and at in (two.begin_at, two.end_at):
            other = two.begin_turn if at == two.begin_at else two.end_turn
            cost += _OVERLAP if other < 0 else 0
    low, high = one.span
    for at, turn in ((two.begin_at, two.begin_turn), (two.end_at, two.end_turn)):
        if turn < 0 and low < at < high:
            cost += 1
    return cost


def _meet(one: Segment, two: Segment) -> bool:
    """Whether the two cannot lie on the same line."""
    low, high = max(one.span[0], two.span[0]), min(one.span[1], two.span[1])
    if low < high:
        return True
    if low > high:
        return False
    sides = [
        turn
        for segment in (one, two)
        for at, turn in ((segment.begin_at, segment.begin_turn), (segment.end_at, segment.end_turn))
        if at == low
    ]
    return len(set(sides)) > 1
