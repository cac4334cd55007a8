"""Columns: how far to the right each node stands, by the longest path that leads to it."""

from __future__ import annotations

from processes.layout.model import Container


def grid_ids(container: Container) -> dict[str, str]:
    """Node id → id of the node that takes its place in the grid: the host of a boundary event, else itself."""
    ids = {node.id: node.id for node in container.nodes}
    return ids | {event.id: node.id for node in container.nodes for event in node.boundary}


def forward_edges(container: Container) -> list[tuple[str, str]]:
    """Sequence flows between grid nodes in document order, without the ones that close a loop."""
    standing = grid_ids(container)
    members = [node.id for node in container.nodes if not node.loose and not node.is_artifact]
    successors: dict[str, list[str]] = {member: [] for member in members}
    for flow in container.flows:
        source, target = standing[flow.source], standing[flow.target]
        if flow.tag == "sequenceFlow" and source in successors and target in successors:
            successors[source].append(target)
    entered = {target for targets in successors.values() for target in targets}
    starts = [member for member in members if member not in entered]
    looping = _back_edges([*starts, *members], successors)
    edges = [(source, target) for source in members for target in successors[source]]
    return [edge for edge in dict.fromkeys(edges) if edge not in looping]


def assign_columns(container: Container, edges: list[tuple[str, str]]) -> dict[str, int]:
    """Column of each flow node: one more than its furthest predecessor."""
    members = [node.id for node in container.nodes if not node.loose and not node.is_artifact]
    column = dict.fromkeys(members, 0)
    waiting = {member: sum(1 for edge in edges if edge[1] == member) for member in members}
    ready = [member for member in members if waiting[member] == 0]
    while ready:
        member = ready.pop(0)
        for source, target in edges:
            if source == member:
                column[target] = max(column[target], column[source] + 1)
                waiting[target] -= 1
                if waiting[target] == 0:
                    ready.append(target)
    return column


def remaining_length(edges: list[tuple[str, str]], column: dict[str, int]) -> dict[str, int]:
    """Number of nodes on the longest path from each node to an end."""
    length = dict.fromkeys(column, 1)
    for source, target in sorted(edges, key=lambda edge: -column[edge[0]]):
        length[source] = max(length[source], length[target] + 1)
    return length


def _back_edges(order: list[str], successors: dict[str, list[str]]) -> set[tuple[str, str]]:
    """Edges that return to a node on the path from the start, found depth first without recursion."""
    found: set[tuple[str, str]] = set()
    done: set[str] = set()
    for start in order:
        if start in done:
            continue
        path, stack = [start], [iter(successors[start])]
        on_path = {start}
        while stack:
            target = next(stack[-1], None)
            if target is None:
                stack.pop()
                finished = path.pop()
                on_path.discard(finished)
                done.add(finished)
            elif target in on_path:
                found.add((path[-1], target))
            elif target not in done:
                path.append(target)
                on_path.add(target)
                stack.append(iter(successors[target]))
    return found
