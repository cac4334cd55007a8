"""Geometry: from cells, routes and tracks to positions on the canvas, for one container at a time."""

from __future__ import annotations

from dataclasses import dataclass

from processes.layout.fitting import (
    BOUNDARY_LABEL,
    NARROW_LABEL,
    WIDEST_LABEL,
    WIDEST_ON_LINE,
    beside_line,
    beside_shape,
    fitted_size,
)
from processes.layout.grid import Grid, build_grid
from processes.layout.labels import place_flow_labels
from processes.layout.model import Container, Flow, Node
from processes.layout.picture import Box, Picture, Point, border_point
from processes.layout.routing import Route, Router, Strips
from processes.layout.sizes import EVENT, boundary_middle, node_size
from processes.layout.text import Size, label_size, title_width
from processes.layout.tracks import Segment, Tracks, assign_tracks

_TRACK = 12
_MARGIN_ACROSS = 20
_MARGIN_EDGE = 12
_MARGIN_DOWN = 9
# What a row of tasks leaves free below a gateway, where a name can begin.
_SPARE = 12
_LANE_PADDING = 8
_LEAST_LANE = 120
_SUB_PROCESS_TITLE = 26
_FOOT = 10


@dataclass
class _Extent:
    """How far a cell reaches from its middle."""

    left: int
    right: int
    up: int
    down: int


def draw(container: Container) -> Picture:
    """Positions of a container's content with the origin at its upper left corner, sub-processes included."""
    inner = {node.id: draw(node.inside) for node in container.nodes if node.inside is not None}
    sizes = {node.id: node_size(node, inner.get(node.id)) for node in container.nodes}
    grid = build_grid(container, sizes)
    router = Router(container, grid, sizes)
    routes = router.route_all()
    tracks = assign_tracks(container, routes, router.strips)
    picture = _Canvas(container, sizes, grid, routes, tracks, router.strips).paint()
    for node in container.nodes:
        if node.id in inner:
            box = picture.shapes[node.id]
            picture.absorb(inner[node.id], box.x, box.y)
    return picture


class _Canvas:
    """Turns the strips into coordinates and writes every position."""

    def __init__(
        self,
        container: Container,
        sizes: dict[str, Size],
        grid: Grid,
        routes: list[Route],
        tracks: Tracks,
        strips: Strips,
    ) -> None:
        self.container, self.sizes, self.grid = container, sizes, grid
        self.routes, self.tracks, self.strips = routes, tracks, strips
        self.picture = Picture()
        self.used: dict[str, set[str]] = {node.id: set() for node in container.all_nodes()}
        for route in routes:
            self.used[route.flow.source].add(route.leaves)
            self.used[route.flow.target].add(route.enters)
        self.extents = {node.id: self._extent(node) for node in container.nodes}
        self.left, self.middle_x = self._measure_across()
        self.top, self.middle_y, self.track_y = self._measure_down()

    # -- measuring ---------------------------------------------------------------------------------------------------

    def _label_spot(self, node: Node) -> str:
        """Where the outside name of a node stands: above, below or beside the vertical flow."""
        used = self.used[node.id]
        first, second = ("top", "bottom") if node.is_gateway else ("bottom", "top")
        if first not in used:
            return first
        return second if second not in used else "corner"

    def _outside_label(self, node: Node) -> Size:
        return label_size(node.name, 60, WIDEST_LABEL)

    def _extent(self, node: Node) -> _Extent:
        size = self.sizes[node.id]
        extent = _Extent(size.width // 2, size.width // 2, size.height // 2, size.height // 2)
        for index, event in enumerate(node.boundary):
            label = label_size(event.name, 40, BOUNDARY_LABEL) if event.name else EVENT
            middle = boundary_middle(size.width, index, len(node.boundary)) - size.width // 2
            extent.right = max(extent.right, middle + 5 + label.width)
            extent.down = max(extent.down, size.height // 2 + 20 + label.height)
        if not node.named_outside:
            return extent
        label = self._outside_label(node)
        spot = self._label_spot(node)
        extent.left = max(extent.left, label.width // 2)
        extent.right = max(extent.right, label.width // 2)
        if spot == "top":
            extent.up += label.height + 4
        elif spot == "bottom":
            extent.down += label.height + 4
        else:
            extent.right = max(extent.right, label.width + 8)
            extent.up += label.height + 4
        return extent

    def _measure_across(self) -> tuple[list[int], list[int]]:
        """Left border of every strip across, and the middle line of every column."""
        columns = self.grid.columns
        left_part, right_part = [25] * columns, [25] * columns
        for node in self.container.nodes:
            cell, extent = self.grid.cells[node.id], self.extents[node.id]
            if cell.span == 1:
                left_part[cell.column] = max(left_part[cell.column], extent.left)
                right_part[cell.column] = max(right_part[cell.column], extent.right)
        borders, middles = self._add_up(left_part, right_part)
        for node in self.container.nodes:
            cell = self.grid.cells[node.id]
            last = cell.column + cell.span - 1
            missing = self.sizes[node.id].width - (borders[2 * last + 2] - borders[2 * cell.column + 1])
            if cell.span > 1 and missing > 0:
                right_part[last] += missing
                borders, middles = self._add_up(left_part, right_part)
        return borders, middles

    def _add_up(self, left_part: list[int], right_part: list[int]) -> tuple[list[int], list[int]]:
        """Left borders and middle lines for columns that reach this far from their middle."""
        columns = self.grid.columns
        label_room = self._label_room(right_part)
        borders, middles, x = [], [], 0
        for strip in range(2 * columns + 1):
            borders.append(x)
            if strip % 2 == 1:
                middles.append(x + left_part[strip // 2])
                x += left_part[strip // 2] + right_part[strip // 2]
            else:
                tracks = self.tracks.across.get(strip, 0)
                edge = strip in (0, 2 * columns)
                room = (
                    (tracks - 1) * _TRACK + 2 * (_MARGIN_EDGE if edge else _MARGIN_ACROSS)
                    if tracks
                    else 20
                    if edge
                    else 44
                )
                x += room + label_room.get(strip, 0)
        borders.append(x)
        return borders, middles

    def _label_room(self, right_part: list[int]) -> dict[int, int]:
        """Extra width of gaps where a named flow leaves a shape to the right, so that its name fits."""
        room: dict[int, int] = {}
        for route in self.routes:
            if route.flow.name and route.leaves == "right":
                cell = self.grid.cells[route.flow.source]
                shape = self.sizes[route.flow.source].width // 2
                strip = 2 * cell.column + 2
                straight = route.places[-1] == route.places[0]
                margin = 40 if straight else _MARGIN_ACROSS if strip < 2 * self.grid.columns else _MARGIN_EDGE
                have = right_part[cell.column] - shape + margin
                room[strip] = max(room.get(strip, 0), label_size(route.flow.name, 20, WIDEST_ON_LINE).width + 10 - have)
        return room

    def _measure_down(self) -> tuple[list[int], dict[int, int], dict[int, list[int]]]:
        """Upper border of every strip, middle line of every row, and the lines of every gap's tracks."""
        up = [25] * self.grid.rows
        down = [25] * self.grid.rows
        for node in self.container.nodes:
            cell, extent = self.grid.cells[node.id], self.extents[node.id]
            if cell.reach == 0:
                up[cell.row], down[cell.row] = max(up[cell.row], extent.up), max(down[cell.row], extent.down)
        for node in self.container.nodes:
            cell, extent = self.grid.cells[node.id], self.extents[node.id]
            if cell.reach > 0:
                above, below = cell.all_rows[: cell.reach], cell.all_rows[cell.reach + 1 :]
                have_up = up[cell.row] + sum(up[row] + down[row] for row in above)
                have_down = down[cell.row] + sum(up[row] + down[row] for row in below)
                up[above[0]] += max(0, extent.up - have_up)
                down[below[-1]] += max(0, extent.down - have_down)
        rows = {strip: row for row, strip in enumerate(self.strips.row_strip)}
        lane_ends = {strip for ends in self.strips.lane_strips for strip in ends}
        names = {lane.id: lane.name for lane in self.container.lanes}
        lane_at = {
            last: (first, lane)
            for (first, last), (lane, _) in zip(self.strips.lane_strips, self.grid.lanes, strict=True)
        }
        heights = self._track_heights()
        borders: list[int] = []
        middles: dict[int, int] = {}
        lines: dict[int, list[int]] = {}
        y = 0
        for strip in range(self.strips.count):
            borders.append(y)
            if strip in rows:
                middles[rows[strip]] = y + up[rows[strip]]
                y += up[rows[strip]] + down[rows[strip]]
                continue
            y += _LANE_PADDING if strip in lane_ends else 0
            lines[strip] = []
            for height in heights.get(strip, []):
                y += height
                lines[strip].append(y)
            y += _MARGIN_DOWN if heights.get(strip) else 7
            if strip in lane_at:
                first, lane = lane_at[strip]
                least = max(_LEAST_LANE, title_width(names.get(lane, "")) + 24) if lane else 0
                missing = max(0, least - (y - borders[first]))
                if missing:
                    y = self._center_lane(first, strip, missing, borders, middles, lines, rows, y)
        borders.append(y)
        return borders, middles, lines

    def _center_lane(
        self,
        first: int,
        last: int,
        missing: int,
        borders: list[int],
        middles: dict[int, int],
        lines: dict[int, list[int]],
        rows: dict[int, int],
        y: int,
    ) -> int:
        """Move the content of a lane that is too low by half of what it lacks; returns the lane's new end."""
        half = missing // 2
        for strip in range(first, last + 1):
            if strip > first:
                borders[strip] += half
            if strip in rows:
                middles[rows[strip]] += half
            else:
                lines[strip] = [line + half for line in lines[strip]]
        return y + missing

    def _track_heights(self) -> dict[int, list[int]]:
        """Distance of every track of a gap from the one above; more where a flow's name will stand on the line."""
        heights = {strip: [_TRACK] * count for strip, count in self.tracks.down.items()}
        for route, chain in zip(self.routes, self.tracks.segments, strict=True):
            if not route.flow.name or route.leaves == "right":
                continue
            segment = next((s for s in chain if not s.vertical and s.strip in heights), None)
            if segment is not None:
                tall = label_size(route.flow.name, 20, NARROW_LABEL).height - _SPARE
                heights[segment.strip][segment.track] = max(heights[segment.strip][segment.track], tall)
        return heights

    # -- painting ----------------------------------------------------------------------------------------------------

    def paint(self) -> Picture:
        """Every position of the container's content."""
        bare = not self.container.lanes
        shift_x = 12 if bare else 0
        title = _SUB_PROCESS_TITLE if bare else 0
        for node in self.container.nodes:
            self._paint_node(node)
        for route, chain in zip(self.routes, self.tracks.segments, strict=True):
            self.picture.edges[route.flow.id] = self._points(route, chain)
        for flow in self.container.flows:
            if flow.tag != "sequenceFlow":
                self.picture.edges[flow.id] = self._straight(flow)
        canvas = Box(-shift_x, 0, self.left[-1] + 2 * shift_x, self.top[-1] + (_FOOT if bare else 0))
        self.picture.labels.update(place_flow_labels(self.container.flows, self.picture, canvas))
        self._fit_names()
        inner = self.picture
        self.picture = Picture(self.left[-1] + 2 * shift_x, self.top[-1] + title + (_FOOT if bare else 0))
        self.picture.absorb(inner, shift_x, title)
        offset = title
        for (first, last), (lane, _) in zip(self.strips.lane_strips, self.grid.lanes, strict=True):
            if lane:
                height = self.top[last + 1] - self.top[first]
                self.picture.shapes[lane] = Box(0, self.top[first] + offset, self.left[-1], height)
        return self.picture

    def _fit_names(self) -> None:
        """Shrink the names' boxes, which have room for every language, to the one in the file."""
        shapes, labels, edges = self.picture.shapes, self.picture.labels, self.picture.edges
        for node in self.container.all_nodes():
            if node.id in labels:
                size = fitted_size(node.name, labels[node.id].width)
                labels[node.id] = beside_shape(labels[node.id], shapes[node.id], size)
        for flow in self.container.flows:
            if flow.id in labels:
                size = fitted_size(flow.name, labels[flow.id].width)
                labels[flow.id] = beside_line(labels[flow.id], edges[flow.id], size)

    def _paint_node(self, node: Node) -> None:
        cell, size = self.grid.cells[node.id], self.sizes[node.id]
        x = self.middle_x[cell.column] - size.width // 2
        if cell.span > 1:
            x = self.left[2 * cell.column + 1]
        box = Box(x, self.middle_y[cell.row] - size.height // 2, size.width, size.height)
        self.picture.shapes[node.id] = box
        for index, event in enumerate(node.boundary):
            self._paint_boundary(event, box, index, len(node.boundary))
        if node.named_outside:
            self.picture.labels[node.id] = self._label_box(node, box, self._label_spot(node))

    def _paint_boundary(self, event: Node, host: Box, index: int, count: int) -> None:
        center = host.x + boundary_middle(host.width, index, count)
        circle = Box(center - 18, host.bottom - 18, 36, 36)
        self.picture.shapes[event.id] = circle
        if event.name:
            size = label_size(event.name, 40, BOUNDARY_LABEL)
            self.picture.labels[event.id] = Box(center + 5, host.bottom + 19, size.width, size.height)

    def _label_box(self, node: Node, box: Box, spot: str) -> Box:
        size = self._outside_label(node)
        x = box.center[0] - size.width // 2
        if spot == "top":
            return Box(x, box.y - size.height - 3, size.width, size.height)
        if spot == "bottom":
            return Box(x, box.bottom + 3, size.width, size.height)
        return Box(box.center[0] + 6, box.y - size.height - 2, size.width, size.height)

    def _port(self, node_id: str, side: str) -> Point:
        box = self.picture.shapes[node_id]
        return {
            "right": (box.right, box.center[1]),
            "left": (box.x, box.center[1]),
            "top": (box.center[0], box.y),
            "bottom": (box.center[0], box.bottom),
        }[side]

    def _points(self, route: Route, chain: list[Segment]) -> list[Point]:
        first, last = self._port(route.flow.source, route.leaves), self._port(route.flow.target, route.enters)
        lines: list[int] = []
        for index, segment in enumerate(chain):
            if index == 0:
                lines.append(first[0] if segment.vertical else first[1])
            elif index == len(chain) - 1:
                lines.append(last[0] if segment.vertical else last[1])
            else:
                lines.append(self._line(segment))
        points = [first]
        for index in range(1, len(chain)):
            one, two = lines[index - 1], lines[index]
            points.append((one, two) if chain[index - 1].vertical else (two, one))
        points.append(last)
        return _without_repeats(points)

    def _line(self, segment: Segment) -> int:
        if segment.vertical:
            if segment.strip % 2 == 1:
                return self.middle_x[segment.strip // 2]
            count = self.tracks.across[segment.strip]
            end = self.left[segment.strip + 1] - (
                _MARGIN_EDGE if segment.strip == 2 * self.grid.columns else _MARGIN_ACROSS
            )
            return end - (count - 1 - segment.track) * _TRACK
        if segment.strip in self.track_y:
            return self.track_y[segment.strip][segment.track]
        return self.middle_y[self.strips.row_strip.index(segment.strip)]

    def _straight(self, flow: Flow) -> list[Point]:
        one, two = self.picture.shapes[flow.source], self.picture.shapes[flow.target]
        return [border_point(one, two.center), border_point(two, one.center)]


def _without_repeats(points: list[Point]) -> list[Point]:
    """The points without doubles and without corners on a straight line."""
    kept: list[Point] = []
    for point in points:
        if kept and kept[-1] == point:
            continue
        if len(kept) > 1 and (kept[-2][0] == kept[-1][0] == point[0] or kept[-2][1] == kept[-1][1] == point[1]):
            kept[-1] = point
            continue
        kept.append(point)
    return kept
