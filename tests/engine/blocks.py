"""Random sound processes made of nested blocks, as diagrams; `tests.engine.reference` says what they have to do."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise

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


@dataclass(frozen=True)
class Complex:
    """All branches, joined by a complex gateway that goes on with `needed` of them and swallows the others."""

    blocks: tuple[Block, ...]
    needed: int


@dataclass(frozen=True)
class AdHoc:
    """Activities of an ad-hoc sub-process, all of which are started at once."""

    blocks: tuple[Task | Script | Many | Sub | Call, ...]


@dataclass(frozen=True)
class Undone:
    """An activity that is done and then undone, by a user task."""

    host: Task | Many | Sub | Call


Block = (
    Task
    | Script
    | Many
    | Sequence
    | Choice
    | Parallel
    | Inclusive
    | Loop
    | Sub
    | Call
    | Guarded
    | Complex
    | AdHoc
    | Undone
)


# --- the diagram


@dataclass
class Drawing:
    """The diagrams of a block: the process itself first, then those that it calls."""

    prefix: str
    resources: list[Resource] = field(default_factory=list)
    names: dict[tuple[int, ...], str] = field(default_factory=dict)
    messages: list[str] = field(default_factory=list)
    #: User tasks that can be ended and begun anew by hand without any other consequence.
    movable: set[str] = field(default_factory=set)
    #: What every user task has besides: listeners.
    listeners: str = ""

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
        ids = (f"begun{name_of(path)}", f"done{name_of(path)}")
        extra = "".join(message(name, "=case") for name in self.messages[declared:])
        own = diagram(
            start(ids[0]), *parts, end(ids[1]), flow(ids[0], first), flow(last, ids[1]),
            process_id=process_id, extra=extra,
        )  # fmt: skip
        self.resources.append(own)

    def _block(self, block: Block, path: tuple[int, ...], parts: list[str]) -> tuple[str, str]:
        """Add the elements of a block; return those at which it is entered and left."""
        name = f"b{name_of(path)}"
        match block:
            case Task():
                parts.append(user(name, self.listeners))
                self.movable.add(name)
            case Script(flaky):
                parts.append(script(name, f"assert(x, x != {FAILING})" if flaky else "1", f"v{name_of(path)}"))
            case Many(items, sequential):
                parts.append(user(name, self.listeners, loop(str(list(range(items))), sequential=sequential)))
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
            case Complex(blocks, needed):
                return self._complex(blocks, needed, path, parts)
            case AdHoc(blocks):
                self._ad_hoc(blocks, path, parts)
            case Undone(host):
                return self._undone(host, path, parts)
        return name, name

    def _branches(
        self, block: Block, blocks: tuple[Block, ...], path: tuple[int, ...], parts: list[str]
    ) -> tuple[str, str]:
        fork, join = f"fork{name_of(path)}", f"join{name_of(path)}"
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
        merge, task, split, out = (f"{word}{name_of(path)}" for word in ("merge", "turn", "split", "out"))
        self.movable.add(task)
        entered, left = self._block(inner, (*path, 0), parts)
        parts += [
            gateway("exclusive", merge),
            user(task, self.listeners),
            gateway("exclusive", split, default=f"{split}-{out}"),
        ]
        parts += [node("task", out), chain(merge, task, entered), flow(left, split)]
        parts += [flow(split, merge, _AGAIN), flow(split, out)]
        return merge, out

    def _sub(self, inner: Block, interrupted: bool | None, path: tuple[int, ...], parts: list[str]) -> None:
        content: list[str] = []
        entered, left = self._block(inner, (*path, 0), content)
        first, last = f"start{name_of(path)}", f"end{name_of(path)}"
        content += [start(first), end(last), flow(first, entered), flow(left, last)]
        if interrupted is not None:
            name = f"{self.prefix}m{name_of(path)}"
            self.messages.append(name)
            ids = [f"{word}{name_of(path)}" for word in ("asked", "event", "answered")]
            self.movable.add(ids[1])
            content.append(
                sub_process(
                    f"events{name_of(path)}",
                    start(ids[0], catches("message", name), isInterrupting="true" if interrupted else "false"),
                    user(ids[1], self.listeners),
                    end(ids[2]),
                    chain(*ids),
                    event=True,
                )
            )
        parts.append(sub_process(f"b{name_of(path)}", *content))

    def _guarded(
        self, host: Block, interrupting: bool, block: Guarded, path: tuple[int, ...], parts: list[str]
    ) -> tuple[str, str]:
        entered, left = self._block(host, (*path, 0), parts)
        self.movable.discard(entered)  # its timer would begin anew, too
        border, task, merge = (f"{word}{name_of(path)}" for word in ("late", "reminded", "merged"))
        parts += [boundary(border, entered, timer("Duration", duration(block, path)), interrupting=interrupting)]
        parts += [user(task, self.listeners), flow(border, task)]
        self.movable.add(task)
        if interrupting:
            parts += [gateway("exclusive", merge), flow(left, merge), flow(task, merge)]
            return entered, merge
        parts += [end(merge), flow(task, merge)]
        return entered, left

    def _complex(
        self, blocks: tuple[Block, ...], needed: int, path: tuple[int, ...], parts: list[str]
    ) -> tuple[str, str]:
        fork, join = f"fork{name_of(path)}", f"join{name_of(path)}"
        for number, inner in enumerate(blocks):
            entered, left = self._block(inner, (*path, number), parts)
            parts += [flow(fork, entered, None, f"{fork}-{number}"), flow(left, join, flow_id=f"{join}-{number}")]
        condition = f"<bpmn:activationCondition>=activationCount >= {needed}</bpmn:activationCondition>"
        parts += [gateway("parallel", fork), node("complexGateway", join, condition)]
        return fork, join

    def _ad_hoc(self, blocks: tuple[Block, ...], path: tuple[int, ...], parts: list[str]) -> None:
        content: list[str] = []
        entered = [self._block(inner, (*path, number), content)[0] for number, inner in enumerate(blocks)]
        names = ", ".join(f'"{name}"' for name in entered)
        held = f"<zeebe:adHoc activeElementsCollection='=[{names}]'/>"
        parts.append(node("adHocSubProcess", f"b{name_of(path)}", "".join(content), held))

    def _undone(self, host: Block, path: tuple[int, ...], parts: list[str]) -> tuple[str, str]:
        entered, left = self._block(host, (*path, 0), parts)
        border, task, throw = (f"{word}{name_of(path)}" for word in ("undo", "undone", "undoes"))
        parts += [boundary(border, left, "<bpmn:compensateEventDefinition/>"), user(task, isForCompensation="true")]
        parts.append(f'<bpmn:association id="to-{task}" sourceRef="{border}" targetRef="{task}"/>')
        undoes = f'<bpmn:compensateEventDefinition activityRef="{left}"/>'
        parts += [node("intermediateThrowEvent", throw, undoes), flow(left, throw)]
        return entered, throw


def name_of(path: tuple[int, ...]) -> str:
    """Return what the names of all elements of a block end with."""
    return "".join(f"_{number}" for number in path)


def duration(block: Guarded, path: tuple[int, ...]) -> str:
    """Return how long the timer of a block takes: no two in a process take the same time."""
    return f"PT{block.hours}H{offset(path)}S"


def offset(path: tuple[int, ...]) -> int:
    """Return the seconds by which the timer of a block differs from all others."""
    seconds = 0
    for number in path:
        seconds = seconds * 4 + number + 1
    return seconds
