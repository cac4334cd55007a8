"""Routing: the way of each flow through the free strips between columns and rows.

The grid is read as strips: across, even numbers are the gaps between columns and odd numbers the columns; down, each
lane is gap, row, gap, row, ..., gap. A route is a chain of places (strip across, strip down); it may follow any gap,
and may cross a cell that no shape takes.
"""

from __future__ import annotations

import heapq
from dataclasses import dataclass, field

from processes.layout.columns import grid_ids
from processes.layout.grid import Grid
from processes.layout.model import Container, Flow, LayoutError, Node
from processes.layout.text import Size

Place = tuple[int, int]

_BEND = 60
_CROSSING = 45
_SHARED_EXIT = 260
_OTHER_SIDE = 90
_OTHER_SIDE_OF_FRAME = 400
_MIXED_PORT = 2000
_GAP_ACROSS = 45
_GAP_DOWN = 24

_SIDES: dict[str, tuple[int, int]] = {"right": (1, 0), "left": (-1, 0), "bottom": (0, 1), "top": (0, -1)}


@dataclass
class Route:
    """Way of one flow: the side it leaves, the places it passes, the side it enters."""

    flow: Flow
    leaves: str
    enters: str
    places: list[Place]


@dataclass
class Strips:
    """Kinds of the strips down the page, and where each row and lane lies among them."""

    row_strip: list[int] = field(default_factory=list)
    lane_strips: list[tuple[int, int]] = field(default_factory=list)
    count: int = 0

    @classmethod
    def of(cls, grid: Grid) -> Strips:
        """Strips for the lanes and rows of a grid."""
        strips = cls()
        for _, rows in grid.lanes:
            first = strips.count
            strips.row_strip.extend(first + 1 + 2 * row for row in range(rows))
            strips.count += 2 * rows + 1
            strips.lane_strips.append((first, strips.count - 1))
        return strips


class Router:
    """Finds the cheapest way for one flow after the other: short, few bends, few crossings."""

    def __init__(self, container: Container, grid: Grid, sizes: dict[str, Size]) -> None:
        self.grid = grid
        self.strips = Strips.of(grid)
        self.standing = grid_ids(container)
        self.nodes: dict[str, Node] = {node.id: node for node in container.all_nodes()}
        self.flows = container.flows
        self.is_row = set(self.strips.row_strip)
        self.taken: set[Place] = set()
        self.across: dict[Place, int] = {}
        self.down: dict[Place, int] = {}
        self.leaving: dict[tuple[str, str], int] = {}
        self.entering: dict[tuple[str, str], int] = {}
        self.width = [_GAP_ACROSS] * (2 * grid.columns + 1)
        self.height = [_GAP_DOWN] * self.strips.count
        self._occupy(container, sizes)

    def _occupy(self, container: Container, sizes: dict[str, Size]) -> None:
        for column in range(self.grid.columns):
            self.width[2 * column + 1] = 100
        for strip in self.strips.row_strip:
            self.height[strip] = 90
        for node in container.nodes:
            cell = self.grid.cells[node.id]
            strip = self.strips.row_strip[cell.row]
            first = 2 * cell.column + 1
            for step in range(first, first + 2 * cell.span - 1):
                for down in range(strip - 2 * cell.reach, strip + 2 * cell.reach + 1):
                    self.taken.add((step, down))
            if cell.span == 1:
                self.width[first] = max(self.width[first], sizes[node.id].width)
            if cell.reach == 0:
                self.height[strip] = max(self.height[strip], sizes[node.id].height)

    def route_all(self) -> list[Route]:
        """Routes of all sequence flows: the straight ones first, then the short ones, the ones that go back last."""

        def order(flow: Flow) -> tuple[bool, bool, int, int]:
            source, target = (self.grid.cells[self.standing[end]] for end in (flow.source, flow.target))
            length = target.column - source.column
            aside = abs(target.row - source.row)
            return (length <= 0, aside > 0, abs(length) + aside, self.flows.index(flow))

        routes = [self._route(flow) for flow in sorted(self._sequence_flows(), key=order)]
        return sorted(routes, key=lambda route: self.flows.index(route.flow))

    def _sequence_flows(self) -> list[Flow]:
        return [flow for flow in self.flows if flow.tag == "sequenceFlow"]

    def _ports(self, node_id: str, outgoing: bool) -> list[tuple[str, int]]:
        """Sides that a flow may use, each with its extra cost."""
        node = self.nodes[node_id]
        if node.id != self.standing[node.id]:
            return [("bottom", 0)]
        ahead = "right" if outgoing else "left"
        aside = 0 if node.is_gateway and outgoing else _OTHER_SIDE if node.inside is None else _OTHER_SIDE_OF_FRAME
        ports = [(ahead, 0), ("top", aside + 5)]
        if not node.boundary:
            ports.append(("bottom", aside))
        here, there = (self.leaving, self.entering) if outgoing else (self.entering, self.leaving)
        crowd = _SHARED_EXIT if outgoing else 6
        return [
            (side, cost + crowd * here.get((node_id, side), 0) + _MIXED_PORT * there.get((node_id, side), 0))
            for side, cost in ports
        ]

    def _port_place(self, node_id: str, side: str) -> Place:
        cell = self.grid.cells[self.standing[node_id]]
        step_across, step_down = _SIDES[side]
        middle = 2 * cell.column + 1
        if side == "right":
            middle += 2 * (cell.span - 1)
        return (middle + step_across, self.strips.row_strip[cell.row] + step_down * (1 + 2 * cell.reach))

    def _route(self, flow: Flow) -> Route:
        goals: dict[tuple[Place, int], tuple[str, int]] = {}
        for side, extra in self._ports(flow.target, outgoing=False):
            goals[(self._port_place(flow.target, side), 0 if side in ("left", "right") else 1)] = (side, extra)
        queue: list[tuple[int, int, tuple[Place, int]]] = []
        best: dict[tuple[Place, int], int] = {}
        came: dict[tuple[Place, int], tuple[Place, int] | str] = {}
        for side, extra in self._ports(flow.source, outgoing=True):
            state = (self._port_place(flow.source, side), 0 if side in ("left", "right") else 1)
            cost = extra + self._pass_cost(*state)
            if cost < best.get(state, 1 << 60):
                best[state], came[state] = cost, side
                heapq.heappush(queue, (cost, len(best), state))
        finish: tuple[int, tuple[Place, int], str] | None = None
        while queue:
            cost, _, state = heapq.heappop(queue)
            if finish is not None and cost >= finish[0]:
                break
            if cost > best[state]:
                continue
            if state in goals and self._enters_rightly(flow, state, goals[state][0], came):
                side, extra = goals[state]
                if finish is None or cost + extra < finish[0]:
                    finish = (cost + extra, state, side)
            for follower, step in self._steps(flow, state, came):
                if cost + step < best.get(follower, 1 << 60):
                    best[follower], came[follower] = cost + step, state
                    heapq.heappush(queue, (cost + step, len(best), follower))
        if finish is None:
            raise LayoutError(f"the flow {flow.id} finds no way between the shapes")
        return self._remember(flow, finish, came)

    def _enters_rightly(
        self, flow: Flow, state: tuple[Place, int], side: str, came: dict[tuple[Place, int], tuple[Place, int] | str]
    ) -> bool:
        """Whether the last step runs towards the shape, not away from it."""
        previous = came[state]
        (across, down), _direction = state
        if isinstance(previous, str):
            return _SIDES[previous] == tuple(-step for step in _SIDES[side])
        (from_across, from_down), _ = previous
        step = (across - from_across, down - from_down)
        return step == (0, 0) or step != _SIDES[side]

    def _steps(
        self, flow: Flow, state: tuple[Place, int], came: dict[tuple[Place, int], tuple[Place, int] | str]
    ) -> list[tuple[tuple[Place, int], int]]:
        (across, down), direction = state
        previous = came[state]
        steps: list[tuple[tuple[Place, int], int]] = []
        turned = not isinstance(previous, str) and previous[0] == (across, down)
        from_boundary = isinstance(previous, str) and self.standing[flow.source] != flow.source
        if not turned and not (across % 2 == 1 and down in self.is_row):
            steps.append((((across, down), 1 - direction), _BEND))
        heading: list[int] = [1, -1]
        if isinstance(previous, str):
            heading = [sum(_SIDES[previous])]
            if from_boundary:
                heading = []
        elif not turned:
            heading = [(across - previous[0][0]) + (down - previous[0][1])]
        for sign in heading:
            target = (across + sign, down) if direction == 0 else (across, down + sign)
            if self._is_open(target, direction):
                steps.append(((target, direction), self._pass_cost(target, direction)))
        return steps

    def _is_open(self, place: Place, direction: int) -> bool:
        across, down = place
        if not (0 <= across < len(self.width) and 0 <= down < self.strips.count) or place in self.taken:
            return False
        if across % 2 == 1 and down in self.is_row:
            return not (self.across if direction == 0 else self.down).get(place)
        return True

    def _pass_cost(self, place: Place, direction: int) -> int:
        across, down = place
        length = self.width[across] if direction == 0 else self.height[down]
        crossed = (self.down if direction == 0 else self.across).get(place, 0)
        return length + crossed * _CROSSING

    def _remember(
        self,
        flow: Flow,
        finish: tuple[int, tuple[Place, int], str],
        came: dict[tuple[Place, int], tuple[Place, int] | str],
    ) -> Route:
        _, state, enters = finish
        places: list[Place] = []
        step: tuple[Place, int] | str = state
        while not isinstance(step, str):
            place, direction = step
            counts = self.across if direction == 0 else self.down
            counts[place] = counts.get(place, 0) + 1
            if not places or places[-1] != place:
                places.append(place)
            step = came[step]
        self.leaving[(flow.source, step)] = self.leaving.get((flow.source, step), 0) + 1
        self.entering[(flow.target, enters)] = self.entering.get((flow.target, enters), 0) + 1
        return Route(flow, step, enters, places[::-1])
