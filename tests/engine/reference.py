"""What random processes have to do: an interpreter of blocks, kept in memory beside the engine.

It knows nothing of tokens, tables or diagrams; it says which user tasks are open, which timers are due when, which
elements are stuck, how often each script has run, and whether the case is done.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import count

from tests.engine.blocks import (
    FAILING,
    AdHoc,
    Block,
    Call,
    Choice,
    Complex,
    Guarded,
    Inclusive,
    Loop,
    Many,
    Parallel,
    Script,
    Sequence,
    Sub,
    Task,
    Undone,
    name_of,
    offset,
)


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

    def sleep(self, by: timedelta) -> None:
        """Let time pass in which nothing happens."""
        self.now += by

    def _take(self, among: list[Waiting], name: str, x: int) -> None:
        waiting = next(waiting for waiting in self._alive(among) if waiting.name == name)
        among.remove(waiting)
        waiting.variables["x"] = x
        waiting.go()

    # --- the rules

    def _task(self, name: str, place: Place, go: Go) -> None:
        self._tasks.append(Waiting(name, place.region, place.variables, go))

    def _run(self, block: Block, path: tuple[int, ...], place: Place, go: Go) -> None:
        name = f"b{name_of(path)}"
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
            case Complex(blocks, needed):
                self._complex(blocks, needed, path, place, go)
            case AdHoc(blocks):
                self._ad_hoc(blocks, path, place, go)
            case Undone(host):
                undo = lambda: self._task(f"undone{name_of(path)}", place, go)  # noqa: E731
                self._run(host, (*path, 0), place, undo)

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

    def _complex(self, blocks: tuple[Block, ...], needed: int, path: tuple[int, ...], place: Place, go: Go) -> None:
        arrived = count(1)

        def one_arrived() -> None:
            number = next(arrived)
            if number == needed:
                go()
            elif number > needed:
                place.scope.leave()

        # Besides the path that goes on, there is one for each branch that comes too late.
        place.scope.paths += len(blocks) - needed
        for number, inner in enumerate(blocks):
            self._run(inner, (*path, number), place, one_arrived)

    def _ad_hoc(self, blocks: tuple[Block, ...], path: tuple[int, ...], place: Place, go: Go) -> None:
        whole = Region(place.region)

        def done() -> None:
            whole.end()
            go()

        scope = Scope(done)
        scope.paths = len(blocks)
        for number, inner in enumerate(blocks):
            self._run(inner, (*path, number), Place(whole, scope, place.variables), scope.leave)

    def _loop(self, inner: Block, path: tuple[int, ...], place: Place, go: Go) -> None:
        def decide() -> None:
            if place.variables["x"] > 1:
                turn()
            else:
                go()

        def turn() -> None:
            self._task(f"turn{name_of(path)}", place, lambda: self._run(inner, (*path, 0), place, decide))

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
            self._task(f"event{name_of(path)}", Place(whole, scope, place.variables), scope.leave)

        if interrupted is not None:
            name = f"{self.prefix}m{name_of(path)}"
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
        task = f"reminded{name_of(path)}"

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

        due = self.now + timedelta(hours=block.hours, seconds=offset(path))
        self._timers.append(Waiting(f"late{name_of(path)}", host, place.variables, fired, due))
        self._run(block.host, (*path, 0), Place(host, place.scope, place.variables), done)
