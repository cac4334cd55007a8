"""Grid: the column and the row of every node, each inside its lane's rows."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from processes.layout.columns import assign_columns, forward_edges, grid_ids, remaining_length
from processes.layout.model import Container
from processes.layout.text import Size

_COLUMN_GUESS = 150
_TWO_ROWS_GUESS = 230


@dataclass
class Cell:
    """Place of a node: column, row (in its lane, then in the grid), columns taken, rows taken on each side."""

    column: int
    row: int
    span: int = 1
    reach: int = 0

    @property
    def all_rows(self) -> range:
        """Every row that the node takes."""
        return range(self.row - self.reach, self.row + self.reach + 1)


@dataclass
class Grid:
    """All cells; `lanes` holds for each lane from the top its id ("" without lanes) and its number of rows."""

    cells: dict[str, Cell] = field(default_factory=dict)
    lanes: list[tuple[str, int]] = field(default_factory=list)
    columns: int = 1

    @property
    def rows(self) -> int:
        """Number of rows of all lanes."""
        return sum(count for _, count in self.lanes)


class _LaneRows:
    """Rows of one lane while it is filled; rows may be negative until they are numbered at the end."""

    def __init__(self) -> None:
        self.taken: dict[tuple[int, int], str] = {}

    def is_free(self, row: int, columns: range, node_id: str, reach: int = 0) -> bool:
        """Whether nobody else has these cells, or a reserved way through them."""
        rows = range(row - reach, row + reach + 1)
        return all(self.taken.get((step, column), node_id) == node_id for column in columns for step in rows)

    def take(self, cell: Cell, node_id: str) -> None:
        """Give the cells to the node, and let go of what was reserved for it elsewhere."""
        for place in [place for place, owner in self.taken.items() if owner == node_id]:
            del self.taken[place]
        columns = range(cell.column, cell.column + cell.span)
        self.taken.update({(row, column): node_id for column in columns for row in cell.all_rows})

    def nearest_free(self, wanted: int, columns: range, node_id: str, reach: int = 0, upward: bool = False) -> int:
        """The free row nearest to the wanted one; of two equally near the lower one, or the upper one if `upward`."""
        return next(row for row in _outward(wanted, upward) if self.is_free(row, columns, node_id, reach))


def _outward(middle: int, upward: bool) -> Iterator[int]:
    yield middle
    for distance in range(1, 1_000_000):
        yield from (middle - distance, middle + distance) if upward else (middle + distance, middle - distance)


def build_grid(container: Container, sizes: dict[str, Size]) -> Grid:
    """Column and row of every node of the container; boundary events go with their host."""
    edges = forward_edges(container)
    column = assign_columns(container, edges)
    lane_ids = [lane.id for lane in container.lanes if lane.leaf] or [""]
    lane_of = _settle_lanes(container, lane_ids)
    lanes = {lane_id: _LaneRows() for lane_id in lane_ids}
    grid = Grid(columns=max(column.values(), default=0) + 1)
    _place_flow_nodes(container, sizes, grid, edges, column, lane_of, lanes)
    _place_artifacts(container, grid, lane_of, lanes)
    _place_loose(container, grid, sizes, lane_of, lanes)
    first = 0
    for lane_id in lane_ids:
        members = [grid.cells[node.id] for node in container.nodes if lane_of[node.id] == lane_id]
        used = sorted({row for cell in members for row in cell.all_rows})
        for cell in members:
            cell.row = first + used.index(cell.row)
        grid.lanes.append((lane_id, max(1, len(used))))
        first += max(1, len(used))
    return grid


def _settle_lanes(container: Container, lane_ids: list[str]) -> dict[str, str]:
    """Lane of each grid node; what no lane names stands with its first neighbour, or in the first lane."""
    standing = grid_ids(container)
    lane_of = {node.id: node.lane for node in container.nodes if node.lane in lane_ids}
    for _ in container.nodes:
        for flow in container.flows:
            source, target = standing[flow.source], standing[flow.target]
            for known, unknown in ((source, target), (target, source)):
                if known in lane_of and unknown not in lane_of:
                    lane_of[unknown] = lane_of[known]
    return {node.id: lane_of.get(node.id) or lane_ids[0] for node in container.nodes}


def _main_path(edges: list[tuple[str, str]], column: dict[str, int], from_boundary: set[tuple[str, str]]) -> list[str]:
    """The longest chain of forward flows from the first column: the line that the eye should follow.

    It goes on from a boundary event only where the host itself has no way on.
    """
    remaining = remaining_length(edges, column)
    order = {node_id: index for index, node_id in enumerate(column)}

    def rank(node_id: str) -> tuple[int, int]:
        return (remaining[node_id], -order[node_id])

    path = [max((node_id for node_id in column if column[node_id] == 0), key=rank)] if column else []
    while path:
        ways = [edge for edge in edges if edge[0] == path[-1]]
        targets = [target for _, target in [way for way in ways if way not in from_boundary] or ways]
        if not targets:
            break
        path.append(max(targets, key=rank))
    return path


def _place_flow_nodes(
    container: Container,
    sizes: dict[str, Size],
    grid: Grid,
    edges: list[tuple[str, str]],
    column: dict[str, int],
    lane_of: dict[str, str],
    lanes: dict[str, _LaneRows],
) -> None:
    remaining = remaining_length(edges, column)
    position = {node.id: index for index, node in enumerate(container.nodes)}
    lane_index = {lane_id: index for index, lane_id in enumerate(lanes)}
    from_boundary = {
        (node.id, flow.target)
        for node in container.nodes
        for event in node.boundary
        for flow in container.flows
        if flow.source == event.id
    }
    before: dict[str, list[str]] = {node_id: [] for node_id in column}
    after: dict[str, list[str]] = {node_id: [] for node_id in column}
    for source, target in edges:
        before[target].append(source)
        after[source].append(target)
    heir = {}
    for node_id, targets in after.items():
        own = [t for t in targets if lane_of[t] == lane_of[node_id] and (node_id, t) not in from_boundary]
        if own:
            heir[node_id] = max(own, key=lambda target: (remaining[target], -position[target]))

    reach = {node.id: _rows_beside(sizes[node.id].height) for node in container.nodes}
    main = _main_path(edges, column, from_boundary)
    for index, node_id in enumerate(main):
        grid.cells[node_id] = Cell(column[node_id], 0, reach=reach[node_id])
        lanes[lane_of[node_id]].take(grid.cells[node_id], node_id)
        follower = main[index + 1] if index + 1 < len(main) else None
        if follower is not None and lane_of[follower] == lane_of[node_id]:
            way = range(column[node_id] + 1, column[follower])
            lanes[lane_of[node_id]].taken.update({(0, step): follower for step in way})

    def height_of_predecessors(node_id: str) -> float:
        places = [lane_index[lane_of[p]] * 100 + grid.cells[p].row for p in before[node_id]]
        return sum(places) / len(places) if places else lane_index[lane_of[node_id]] * 100

    for current in range(grid.columns):
        members = [node_id for node_id in column if column[node_id] == current and node_id not in grid.cells]
        for node_id in sorted(members, key=lambda member: (height_of_predecessors(member), position[member])):
            rows = lanes[lane_of[node_id]]
            below = any((source, node_id) in from_boundary for source in before[node_id])
            row = _choose_row(node_id, current, grid, before[node_id], heir, lane_of, rows, reach[node_id], below)
            grid.cells[node_id] = Cell(current, row, reach=reach[node_id])
            rows.take(grid.cells[node_id], node_id)
            follower = heir.get(node_id)
            if follower is not None and follower not in grid.cells:
                way = range(current + 1, column[follower] + 1)
                already = follower in rows.taken.values()
                if rows.is_free(row, way, follower) and not already:
                    rows.taken.update({(row, step): follower for step in way})


def _rows_beside(height: int) -> int:
    """How many rows a high shape takes above and below its own."""
    return max(0, -(-(height - 120) // _TWO_ROWS_GUESS))


def _choose_row(
    node_id: str,
    column: int,
    grid: Grid,
    before: list[str],
    heir: dict[str, str],
    lane_of: dict[str, str],
    rows: _LaneRows,
    reach: int,
    below: bool,
) -> int:
    here = range(column, column + 1)
    reserved = [row for (row, place), owner in rows.taken.items() if owner == node_id and place == column]
    if reserved and rows.is_free(reserved[0], here, node_id, reach):
        return reserved[0]
    own = [grid.cells[source] for source in before if lane_of[source] == lane_of[node_id]]
    if own:
        nearest = max(own, key=lambda cell: cell.column)
        takes_over = any(heir.get(source) == node_id for source in before if grid.cells[source] is nearest)
        wanted = nearest.row if takes_over else nearest.row + nearest.reach + 1
        way = range(nearest.column + 1, column)
        above = nearest.row - nearest.reach - 1
        # What a boundary event leads to stands below its host, for the event sits on the lower border.
        order = (wanted, wanted + 1, above, above - 1) if below else (wanted, above, wanted + 1, above - 1)
        for candidate in order:
            if rows.is_free(candidate, way, node_id) and rows.is_free(candidate, here, node_id, reach):
                return candidate
        return rows.nearest_free(wanted, here, node_id, reach)
    return rows.nearest_free(0, here, node_id, reach)


def _place_artifacts(container: Container, grid: Grid, lane_of: dict[str, str], lanes: dict[str, _LaneRows]) -> None:
    standing = grid_ids(container)
    for node in container.nodes:
        if not node.is_artifact:
            continue
        partners = [
            standing[flow.target if flow.source == node.id else flow.source]
            for flow in container.flows
            if node.id in (flow.source, flow.target)
        ]
        partner = next((partner for partner in partners if partner in grid.cells), None)
        beside = grid.cells[partner] if partner else Cell(0, 0)
        lane_of[node.id] = lane_of[partner] if partner else lane_of[node.id]
        rows = lanes[lane_of[node.id]]
        here = range(beside.column, beside.column + 1)
        row = rows.nearest_free(beside.row, here, node.id, upward=True)
        grid.cells[node.id] = Cell(beside.column, row)
        rows.take(grid.cells[node.id], node.id)


def _place_loose(
    container: Container,
    grid: Grid,
    sizes: dict[str, Size],
    lane_of: dict[str, str],
    lanes: dict[str, _LaneRows],
) -> None:
    """Event sub-processes: a row of their own below their lane's others, where the fewest flows pass."""
    standing = grid_ids(container)
    order = list(lanes)
    for node in container.nodes:
        if not node.loose:
            continue
        span = max(1, -(-(sizes[node.id].width - 100) // _COLUMN_GUESS) + 1)
        lane = order.index(lane_of[node.id])
        passing: list[tuple[int, int]] = []
        for flow in container.flows:
            ends = (standing[flow.source], standing[flow.target])
            if not all(end in grid.cells for end in ends):
                continue
            upper, lower = sorted(order.index(lane_of[end]) for end in ends)
            if upper <= lane < lower:
                left, right = sorted(grid.cells[end].column for end in ends)
                passing.append((left, right))
        rows = lanes[lane_of[node.id]]
        lowest = max((row for row, _ in rows.taken), default=-1)
        flow_rows = [
            grid.cells[other.id].all_rows[-1]
            for other in container.nodes
            if other.id in grid.cells and lane_of[other.id] == lane_of[node.id] and not other.loose
        ]
        first_row = max(flow_rows, default=-1) + 1

        def crossings(column: int, passing: list[tuple[int, int]] = passing, span: int = span) -> int:
            return sum(1 for left, right in passing if left < column + span - 1 and right > column)

        last = max(0, grid.columns - span)
        best: tuple[int, int, int] | None = None
        for row in range(first_row, max(first_row, lowest + 1) + 1):
            for column in range(last + 1):
                if rows.is_free(row, range(column, column + span), node.id):
                    candidate = (crossings(column), row, column)
                    best = candidate if best is None or candidate < best else best
        _, row, column = best if best else (0, max(first_row, lowest + 1), 0)
        grid.cells[node.id] = Cell(column, row, span)
        rows.take(grid.cells[node.id], node.id)
        grid.columns = max(grid.columns, column + span)
