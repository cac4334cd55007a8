"""Random sound processes made of nested blocks: as diagrams for the engine, and as a reference interpreter.

The interpreter knows nothing of tokens, tables or diagrams; it says which user tasks are open, which timers are due
when, which elements are stuck, how often each script has run, and whether the case is done.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import count, pairwise

from processes.service import Resource
from tests.diagrams import (
    boundary,
    catches,
    chain,
    diagram,
    end,
    flow,
    gateway,
    loop,
    message,
    node,
    script,
    start,
    sub_process,
    timer,
    user,
)

#: The value of `x` with which a flaky script fails; loops go on from 2 upward.
FAILING = 3
_AGAIN = "x > 1"


@dataclass(frozen=True)
class Task:
    """A user task."""


@dataclass(frozen=True)
class Script:
    """A script; a flaky one fails while `x` is FAILING."""

    flaky: bool


@dataclass(frozen=True)
class Many:
    """A multi-instance user task."""

    items: int
    sequential: bool


@dataclass(frozen=True)
class Sequence:
    """One block after the other."""

    blocks: tuple[Block, ...]


@dataclass(frozen=True)
class Choice:
    """Exclusive branches: branch n when `x = n`, else the last."""

    blocks: tuple[Block, ...]


@dataclass(frozen=True)
class Parallel:
    """All branches."""

    blocks: tuple[Block, ...]


@dataclass(frozen=True)
class Inclusive:
    """Branch n when `x > n`; the last when no other is taken."""

    blocks: tuple[Block, ...]


@dataclass(frozen=True)
class Loop:
    """A user task and a block, again while `x > 1`."""

    block: Block


@dataclass(frozen=True)
class Sub:
    """An embedded sub-process, perhaps with an event sub-process that a message starts, interrupting or not."""

    block: Block
    interrupted: bool | None


@dataclass(frozen=True)
class Call:
    """A call activity with a process of its own."""

    block: Block


@dataclass(frozen=True)
class Guarded:
    """An activity with a timer at its border that leads to a user task."""

    host: Task | Many | Sub | Call
    interrupting: bool
    hours: int


Block = Task | Script | Many | Sequence | Choice | Parallel | Inclusive | Loop | Sub | Call | Guarded


# --- the diagram


@dataclass
class Drawing:
    """The diagrams of a block: the process itself first, then those that it calls."""

    prefix: str
    resources: list[Resource] = field(default_factory=list)
    names: dict[tuple[int, ...], str] = field(default_factory=dict)
    messages: list[str] = field(default_factory=list)

    @property
    def process_id(self) -> str:
        """The id of the outermost process."""
        return f"{self.prefix}p"

    def draw(self, block: Block) -> None:
        """Draw the whole process."""
        self._process(block, (), self.process_id)

    def _process(self, block: Block, path: tuple[int, ...], process_id: str) -> None:
        parts: list[str] = []
        declared = len(self.messages)
        first, last = self._block(block, path, parts)
        ids = (f"begun{_name(path)}", f"done{_name(path)}")
        extra = "".join(message(name, "=case") for name in self.messages[declared:])
        own = diagram(
            start(ids[0]), *parts, end(ids[1]), flow(ids[0], first), flow(last, ids[1]),
            process_id=process_id, extra=extra,
        )  # fmt: skip
        self.resources.append(own)

    def _block(self, block: Block, path: tuple[int, ...], parts: list[str], inside: str = "") -> tuple[str, str]:
        """Add the elements of a block; return those at which it is entered and left."""
        name = f"b{_name(path)}"
        match block:
            case Task():
                parts.append(user(name, inside=inside))
            case Script(flaky):
                parts.append(script(name, f"assert(x, x != {FAILING})" if flaky else "1", f"v{_name(path)}"))
            case Many(items, sequential):
                parts.append(user(name, inside=loop(str(list(range(items))), sequential=sequential)))
            case Sequence(blocks):
                ends = [self._block(inner, (*path, number), parts) for number, inner in enumerate(blocks)]
                parts.extend(flow(left, entered) for (_, left), (entered, _) in pairwise(ends))
                return ends[0][0], ends[-1][1]
            case Choice(blocks) | Parallel(blocks) | Inclusive(blocks):
                return self._branches(block, blocks, path, parts)
            case Loop(inner):
                return self._loop(inner, path, parts)
            case Sub(inner, interrupted):
                self._sub(inner, interrupted, path, parts)
            case Call(inner):
                self._process(inner, (*path, 0), f"{self.prefix}{name}")
                called = f'<zeebe:calledElement processId="{self.prefix}{name}"/>'
                parts.append(node("callActivity", name, extensions=called))
            case Guarded(host, interrupting, _):
                return self._guarded(host, interrupting, block, path, parts)
        return name, name

    def _branches(
        self, block: Block, blocks: tuple[Block, ...], path: tuple[int, ...], parts: list[str]
    ) -> tuple[str, str]:
        fork, join = f"fork{_name(path)}", f"join{_name(path)}"
        kind = {Choice: "exclusive", Parallel: "parallel", Inclusive: "inclusive"}[type(block)]
        last = len(blocks) - 1
        for number, inner in enumerate(blocks):
            entered, left = self._block(inner, (*path, number), parts)
            condition = (
                None if kind == "parallel" or number == last else f"x {'=' if kind == 'exclusive' else '>'} {number}"
            )
            # A pass-through element, so that two empty-looking branches are two flows.
            parts += [flow(fork, entered, condition, f"{fork}-{number}"), flow(left, join, flow_id=f"{join}-{number}")]
        given = {} if kind == "parallel" else {"default": f"{fork}-{last}"}
        parts += [gateway(kind, fork, **given), gateway(kind, join)]
        return fork, join

    def _loop(self, inner: Block, path: tuple[int, ...], parts: list[str]) -> tuple[str, str]:
        merge, task, split, out = (f"{word}{_name(path)}" for word in ("merge", "turn", "split", "out"))
        entered, left = self._block(inner, (*path, 0), parts)
        parts += [gateway("exclusive", merge), user(task), gateway("exclusive", split, default=f"{split}-{out}")]
        parts += [node("task", out), chain(merge, task, entered), flow(left, split)]
        parts += [flow(split, merge, _AGAIN), flow(split, out)]
        return merge, out

    def _sub(self, inner: Block, interrupted: bool | None, path: tuple[int, ...], parts: list[str]) -> None:
        content: list[str] = []
        entered, left = self._block(inner, (*path, 0), content)
        first, last = f"start{_name(path)}", f"end{_name(path)}"
        content += [start(first), end(last), flow(first, entered), flow(left, last)]
        if interrupted is not None:
            name = f"{self.prefix}m{_name(path)}"
            self.messages.append(name)
            ids = [f"{word}{_name(path)}" for word in ("asked", "event", "answered")]
            content.append(
                sub_process(
                    f"events{_name(path)}",
                    start(ids[0], catches("message", name), isInterrupting="true" if interrupted else "false"),
                    user(ids[1]),
                    end(ids[2]),
                    chain(*ids),
                    event=True,
                )
            )
        parts.append(sub_process(f"b{_name(path)}", *content))

    def _guarded(
        self, host: Block, interrupting: bool, block: Guarded, path: tuple[int, ...], parts: list[str]
    ) -> tuple[str, str]:
        entered, left = self._block(host, (*path, 0), parts)
        border, task, merge = (f"{word}{_name(path)}" for word in ("late", "reminded", "merged"))
        parts += [boundary(border, entered, timer("Duration", duration(block, path)), interrupting=interrupting)]
        parts += [user(task), flow(border, task)]
        if interrupting:
            parts += [gateway("exclusive", merge), flow(left, merge), flow(task, merge)]
            return entered, merge
        parts += [end(merge), flow(task, merge)]
        return entered, left


def _name(path: tuple[int, ...]) -> str:
    return "".join(f"_{number}" for number in path)


def duration(block: Guarded, path: tuple[int, ...]) -> str:
    """Return how long the timer of a block takes: no two in a process take the same time."""
    return f"PT{block.hours}H{_offset(path)}S"


def _offset(path: tuple[int, ...]) -> int:
    seconds = 0
    for number in path:
        seconds = seconds * 4 + number + 1
    return seconds


# --- the reference interpreter


class Region:
    """A part of a case that ends as a whole."""

    def __init__(self, around: Region | None) -> None:
        self.around = around
        self._ended = False

    @property
    def alive(self) -> bool:
        """Neither this part nor one around it has ended."""
        return not self._ended and (self.around is None or self.around.alive)

    def end(self) -> None:
        """End everything in it."""
        self._ended = True


class Scope:
    """Counts the paths that are still under way in a process or sub-process."""

    def __init__(self, done: Callable[[], None]) -> None:
        self.paths = 1
        self._done = done

    def leave(self) -> None:
        """One path is at its end."""
        self.paths -= 1
        if self.paths == 0:
            self._done()


Go = Callable[[], None]


@dataclass
class Waiting:
    """Something that waits for the outside."""

    name: str
    region: Region
    variables: dict[str, int]
    go: Go
    at: datetime | None = None


@dataclass(frozen=True)
class Place:
    """Where a block is run: what ends with it, the scope that its paths belong to, its instance's variables."""

    region: Region
    scope: Scope
    variables: dict[str, int]


class Reference:
    """Plays a block by the rules of BPMN."""

    def __init__(self, prefix: str, block: Block, x: int, now: datetime) -> None:
        self.prefix = prefix
        self.now = now
        self.done = False
        self.scripts: Counter[str] = Counter()
        self._tasks: list[Waiting] = []
        self._stuck: list[Waiting] = []
        self._timers: list[Waiting] = []
        self._messages: list[Waiting] = []
        region = Region(None)

        def finished() -> None:
            self.done = True
            region.end()

        scope = Scope(finished)
        self._run(block, (), Place(region, scope, {"x": x}), scope.leave)

    # --- what it predicts

    @property
    def tasks(self) -> list[str]:
        """The open user tasks, sorted."""
        return sorted(waiting.name for waiting in self._alive(self._tasks))

    @property
    def stuck(self) -> list[str]:
        """The elements with an incident, sorted."""
        return sorted(waiting.name for waiting in self._alive(self._stuck))

    @property
    def timers(self) -> list[tuple[datetime, str]]:
        """When which timer is due."""
        return sorted((waiting.at, waiting.name) for waiting in self._alive(self._timers) if waiting.at)

    def _alive(self, among: list[Waiting]) -> list[Waiting]:
        among[:] = [waiting for waiting in among if waiting.region.alive]
        return among

    # --- what happens to it

    def complete(self, name: str, x: int) -> None:
        """Complete one of the user tasks at an element."""
        self._take(self._tasks, name, x)

    def resolve(self, name: str, x: int) -> None:
        """Set `x` and try a stuck element again."""
        self._take(self._stuck, name, x)

    def message(self, name: str) -> None:
        """Let a message come."""
        for waiting in self._alive(self._messages):
            if waiting.name == name:
                waiting.go()
                return

    def advance(self, by: timedelta) -> None:
        """Let time pass, and fire timers in the order in which they are due."""
        target = self.now + by
        while due := [waiting for waiting in self._alive(self._timers) if waiting.at and waiting.at <= target]:
            first = min(due, key=lambda waiting: waiting.at or target)
            self._timers.remove(first)
            self.now = max(self.now, first.at or target)
            first.go()
        self.now = target

    def _take(self, among: list[Waiting], name: str, x: int) -> None:
        waiting = next(waiting for waiting in self._alive(among) if waiting.name == name)
        among.remove(waiting)
        waiting.variables["x"] = x
        waiting.go()

    # --- the rules

    def _task(self, name: str, place: Place, go: Go) -> None:
        self._tasks.append(Waiting(name, place.region, place.variables, go))

    def _run(self, block: Block, path: tuple[int, ...], place: Place, go: Go) -> None:
        name = f"b{_name(path)}"
        x = place.variables["x"]
        match block:
            case Task():
                self._task(name, place, go)
            case Script(flaky):
                self._script(name, flaky, place, go)
            case Many(items, sequential):
                self._many(name, items, sequential, place, go)
            case Sequence(blocks):
                self._sequence(blocks, 0, path, place, go)
            case Choice(blocks):
                number = x if x < len(blocks) else len(blocks) - 1
                self._run(blocks[number], (*path, number), place, go)
            case Parallel(blocks):
                self._all(blocks, range(len(blocks)), path, place, go)
            case Inclusive(blocks):
                last = len(blocks) - 1
                self._all(blocks, [number for number in range(last) if x > number] or [last], path, place, go)
            case Loop(inner):
                self._loop(inner, path, place, go)
            case Sub(inner, interrupted):
                self._sub(inner, interrupted, path, place, go)
            case Call(inner):
                self._call(inner, path, place, go)
            case Guarded():
                self._guarded(block, path, place, go)

    def _script(self, name: str, flaky: bool, place: Place, go: Go) -> None:
        if flaky and place.variables["x"] == FAILING:
            again = lambda: self._script(name, flaky, place, go)  # noqa: E731
            self._stuck.append(Waiting(name, place.region, place.variables, again))
            return
        self.scripts[name] += 1
        go()

    def _many(self, name: str, items: int, sequential: bool, place: Place, go: Go) -> None:
        left = count(items - 1, -1)

        def one_done() -> None:
            remaining = next(left)
            if remaining == 0:
                go()
            elif sequential:
                self._task(name, place, one_done)

        for _ in range(min(items, 1) if sequential else items):
            self._task(name, place, one_done)
        if not items:
            go()

    def _sequence(self, blocks: tuple[Block, ...], number: int, path: tuple[int, ...], place: Place, go: Go) -> None:
        if number == len(blocks):
            go()
            return
        then = lambda: self._sequence(blocks, number + 1, path, place, go)  # noqa: E731
        self._run(blocks[number], (*path, number), place, then)

    def _all(
        self, blocks: tuple[Block, ...], taken: list[int] | range, path: tuple[int, ...], place: Place, go: Go
    ) -> None:
        left = count(len(taken) - 1, -1)

        def arrived() -> None:
            if next(left) == 0:
                go()

        for number in taken:
            self._run(blocks[number], (*path, number), place, arrived)

    def _loop(self, inner: Block, path: tuple[int, ...], place: Place, go: Go) -> None:
        def decide() -> None:
            if place.variables["x"] > 1:
                turn()
            else:
                go()

        def turn() -> None:
            self._task(f"turn{_name(path)}", place, lambda: self._run(inner, (*path, 0), place, decide))

        turn()

    def _sub(self, inner: Block, interrupted: bool | None, path: tuple[int, ...], place: Place, go: Go) -> None:
        whole = Region(place.region)
        main = Region(whole)

        def done() -> None:
            whole.end()
            go()

        scope = Scope(done)

        def asked() -> None:
            if interrupted:
                main.end()
                scope.paths = 0
            scope.paths += 1
            self._task(f"event{_name(path)}", Place(whole, scope, place.variables), scope.leave)

        if interrupted is not None:
            name = f"{self.prefix}m{_name(path)}"
            self._messages.append(Waiting(name, main, place.variables, asked))
        self._run(inner, (*path, 0), Place(main, scope, place.variables), scope.leave)

    def _call(self, inner: Block, path: tuple[int, ...], place: Place, go: Go) -> None:
        own = dict(place.variables)
        whole = Region(place.region)

        def done() -> None:
            whole.end()
            place.variables.update(own)
            go()

        scope = Scope(done)
        self._run(inner, (*path, 0), Place(whole, scope, own), scope.leave)

    def _guarded(self, block: Guarded, path: tuple[int, ...], place: Place, go: Go) -> None:
        host = Region(place.region)
        task = f"reminded{_name(path)}"

        def fired() -> None:
            if block.interrupting:
                host.end()
                self._task(task, place, go)
            else:
                place.scope.paths += 1
                self._task(task, place, place.scope.leave)

        def done() -> None:
            host.end()
            go()

        due = self.now + timedelta(hours=block.hours, seconds=_offset(path))
        self._timers.append(Waiting(f"late{_name(path)}", host, place.variables, fired, due))
        self._run(block.host, (*path, 0), Place(host, place.scope, place.variables), done)
