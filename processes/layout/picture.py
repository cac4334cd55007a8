"""Picture: positions of shapes, names and edges by element id, in canvas units."""

from __future__ import annotations

from dataclasses import dataclass, field

Point = tuple[int, int]


@dataclass(frozen=True)
class Box:
    """A rectangle on the canvas."""

    x: int
    y: int
    width: int
    height: int

    @property
    def right(self) -> int:
        """Right border."""
        return self.x + self.width

    @property
    def bottom(self) -> int:
        """Lower border."""
        return self.y + self.height

    @property
    def center(self) -> Point:
        """Middle."""
        return (self.x + self.width // 2, self.y + self.height // 2)

    def moved(self, across: int, down: int) -> Box:
        """The same box elsewhere."""
        return Box(self.x + across, self.y + down, self.width, self.height)

    def holds(self, other: Box) -> bool:
        """Whether the other lies in this one."""
        return self.x <= other.x and self.y <= other.y and other.right <= self.right and other.bottom <= self.bottom

    def meets(self, other: Box, gap: int = 0) -> bool:
        """Whether they overlap or come nearer than `gap`."""
        return (
            self.x < other.right + gap
            and other.x < self.right + gap
            and self.y < other.bottom + gap
            and other.y < self.bottom + gap
        )


@dataclass
class Picture:
    """Positions of everything in a container, by element id."""

    width: int = 0
    height: int = 0
    shapes: dict[str, Box] = field(default_factory=dict)
    labels: dict[str, Box] = field(default_factory=dict)
    edges: dict[str, list[Point]] = field(default_factory=dict)

    def absorb(self, other: Picture, across: int, down: int) -> None:
        """Take over the positions of a picture that is drawn at this offset."""
        self.shapes.update({key: box.moved(across, down) for key, box in other.shapes.items()})
        self.labels.update({key: box.moved(across, down) for key, box in other.labels.items()})
        for key, points in other.edges.items():
            self.edges[key] = [(x + across, y + down) for x, y in points]


def border_point(box: Box, towards: Point) -> Point:
    """Where the straight line from the middle of a box to a point leaves the box."""
    (cx, cy), (x, y) = box.center, towards
    dx, dy = x - cx, y - cy
    if dx == 0 and dy == 0:
        return (cx, box.y)
    scale = min(
        box.width / 2 / abs(dx) if dx else float("inf"),
        box.height / 2 / abs(dy) if dy else float("inf"),
    )
    return (round(cx + dx * scale), round(cy + dy * scale))
