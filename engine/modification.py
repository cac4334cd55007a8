"""Modification: activate, terminate and move elements of a live instance by hand (Camunda 8's rules).

All activations come first, then all terminations; a scope that is left empty is terminated too, and so, in the end, is
the instance. Scopes that an activated element needs are made without their start event and input mappings.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from engine import canceling, compensation, subscriptions
from engine.elements.base import Element
from engine.elements.gateways import JoiningGateway
from engine.elements.multi_instance import MultiInstanceBody
from engine.elements.scopes import EventSubProcess
from engine.elements.standard_loop import StandardLoopBody
from engine.errors import CalledByAnother, ElementFailure, InvalidElements, NotActive
from engine.tokens import STARTED, Token
from engine.variables import checked

if TYPE_CHECKING:
    from engine.process import Process
    from engine.workflow import Execution

#: What cannot be activated: it begins only by what it waits for.
_NEVER_ACTIVATED = frozenset({"process", "startEvent", "boundaryEvent"})


@dataclass(frozen=True, slots=True)
class VariableInstruction:
    """Variables to set before an element is activated: of the instance, or local to the scope with this element id."""

    variables: dict[str, Any]
    scope_id: str | None = None


@dataclass(frozen=True, slots=True)
class ActivateInstruction:
    """Activate an element; the ancestor's key is needed where its scope has several instances."""

    element_id: str
    ancestor_element_instance_key: int | None = None
    variables: Sequence[VariableInstruction] = ()


@dataclass(frozen=True, slots=True)
class MoveInstruction:
    """Terminate live instances of an element and activate another for each, as far inside as both stand."""

    source_element_id: str | None
    target_element_id: str
    variables: Sequence[VariableInstruction] = ()
    #: The only instance to move; then its element need not be named.
    source_key: int | None = None
    #: Activate the target in this live scope, or in the one that the source is in, instead.
    ancestor_element_instance_key: int | None = None
    in_scope_of_source: bool = False


@dataclass(frozen=True, slots=True)
class ModifyInstance:
    """Activate, terminate and move elements: all of it, or nothing."""

    activate: Sequence[ActivateInstruction] = ()
    #: Keys of live element instances.
    terminate: Sequence[int] = ()
    move: Sequence[MoveInstruction] = ()
    reason: str = ""
    action = "modify process instance"

    def apply(self, execution: Execution) -> None:
        """Modify; raises InvalidElements, NotActive, InvalidVariables, CalledByAnother for a child left empty."""
        moved = [(source, move) for move in self.move for source in _sources(execution, move)]
        ended = [*(_live(execution, key) for key in self.terminate), *(source for source, _ in moved)]
        execution.audit(
            self.action,
            details={
                "reason": self.reason,
                "activate": [asdict(instruction) for instruction in self.activate],
                "terminate": [{"key": token.key, "element": token.element.id} for token in ended],
                "move": [asdict(instruction) for instruction in self.move],
            },
        )
        for instruction in self.activate:
            activate(execution, instruction)
        for source, move in moved:
            _move(source, move)
        for token in ended:
            # It may have gone with a scope that was named, too.
            if not execution.ended and token.key in execution.tasks:
                _terminate(token)


def activate(execution: Execution, instruction: ActivateInstruction) -> Token:
    """Activate an element, with the scopes around it that are missing, and return its token.

    Raises InvalidElements when it cannot be activated or has more than one place, InvalidVariables.
    """
    element = _activatable(execution.process, instruction.element_id)
    outer_first = _scopes_around(element)
    scope, missing = _place(execution, element, outer_first, instruction.ancestor_element_instance_key)
    local = _local_variables(execution, element, outer_first, instruction)
    try:
        for outer in missing:
            scope = _make_scope(outer, scope, local)
        for live in _chain(scope):
            _set_local(live, local.get(live.element.details.id, {}))
        token = execution.spawn(element, scope, enter=False)
        _set_local(token, local.get(element.details.id, {}))
    except ElementFailure as failure:
        raise InvalidElements(failure.message) from None
    if isinstance(element, JoiningGateway):
        # It is activated as if all had come for whom it waits.
        execution.finish(token)
        return token
    if isinstance(element, EventSubProcess):
        token.remember(start=execution.process.start_events(element)[0].id, payload={})
    execution.agenda.append(token)
    return token


def activatable(process: Process) -> list[Element]:
    """Return the elements that can be activated by hand, in the order of the diagram."""
    found = []
    for element in process.elements:
        try:
            found.append(_activatable(process, element.name))
        except InvalidElements:
            continue
    return found


def _activatable(process: Process, element_id: str) -> Element:
    element: Element | None = process.task_specs.get(element_id)
    if element is None or element.details.id != element.id:
        raise InvalidElements(f"The process has no element “{element_id}”.")
    if element.kind in _NEVER_ACTIVATED:
        raise InvalidElements(f"“{element_id}” is a {element.kind}: it cannot be activated by hand.")
    if any(process.element(flow.source_id).kind == "eventBasedGateway" for flow in element.incoming):
        sentence = f"“{element_id}” belongs to an event-based gateway: it cannot be activated by hand."
        raise InvalidElements(sentence)
    return element


def _scopes_around(element: Element) -> list[Element]:
    """Return the scopes that an element stands in, the process first."""
    found: list[Element] = []
    while element.details.scope_id is not None:
        element = element.process.element(element.details.scope_id)
        found.append(element)
    return found[::-1]


def _place(
    execution: Execution, element: Element, outer_first: list[Element], ancestor_key: int | None
) -> tuple[Token, list[Element]]:
    """Return the innermost live scope for an element, and the scopes inside of it that have to be made."""
    scope = execution.root
    if ancestor_key is not None:
        scope = _live(execution, ancestor_key)
        if scope.element not in outer_first:
            raise InvalidElements(f"“{element.id}” is not inside of the element instance {ancestor_key}.")
    remaining = outer_first[outer_first.index(scope.element) + 1 :]
    for outer in (scope.element, *remaining):
        if isinstance(outer, MultiInstanceBody | StandardLoopBody):
            raise InvalidElements(
                f"“{element.id}” is inside of the repeated activity “{outer.id}”: name the live instance of it in "
                "which it is to be activated."
            )
    while remaining:
        live = [child for child in scope.children if child.task_spec is remaining[0]]
        if len(live) > 1:
            sentence = (
                f"“{remaining[0].id}” has {len(live)} live instances: name the one to activate “{element.id}” in."
            )
            raise InvalidElements(sentence)
        if not live:
            break
        scope = live[0]
        remaining = remaining[1:]
    if scope.in_error:
        raise InvalidElements(f"“{scope.element.id}” has an incident: resolve it first.")
    if canceling.is_canceling(scope):
        raise InvalidElements(f"“{scope.element.id}” is being terminated.")
    return scope, remaining


def _local_variables(
    execution: Execution, element: Element, outer_first: list[Element], instruction: ActivateInstruction
) -> dict[str, dict[str, Any]]:
    """Set the variables of the instance, and return those of inner scopes by element id."""
    around = {scope.id: scope.details.id for scope in (*outer_first, element)}
    local: dict[str, dict[str, Any]] = {}
    for given in instruction.variables:
        variables = checked(given.variables)
        if given.scope_id is not None and given.scope_id not in around:
            raise InvalidElements(f"“{given.scope_id}” is no scope of “{element.id}”.")
        if given.scope_id is None:
            _set_local(execution.root, variables)
        else:
            local.setdefault(around[given.scope_id], {}).update(variables)
    return local


def _make_scope(element: Element, around: Token, local: dict[str, dict[str, Any]]) -> Token:
    token = around.execution.spawn(element, around, enter=False)
    _set_local(token, local.pop(element.details.id, {}))
    token._set_state(STARTED)
    subscriptions.open_attached(token)
    return token


def _set_local(token: Token, variables: dict[str, Any]) -> None:
    for name, value in variables.items():
        token.execution.variables.set_local(token, name, value)


def _chain(token: Token) -> list[Token]:
    """Return a token and those that it is inside of."""
    chain = [token]
    while chain[-1].parent is not None:
        chain.append(chain[-1].scope)
    return chain


def _live(execution: Execution, key: int) -> Token:
    token = execution.find(key)
    if token is None:
        raise NotActive("element instance", key, "not active in this process instance")
    return token


def _sources(execution: Execution, move: MoveInstruction) -> list[Token]:
    """Return the live instances that a move starts at; raises InvalidElements without any, NotActive."""
    if move.source_key is not None:
        source = _live(execution, move.source_key)
        if source is execution.root or move.source_element_id not in (None, source.element.id):
            raise InvalidElements(f"The element instance {move.source_key} cannot be moved.")
        return [source]
    found = [
        token
        for token in execution.tasks.values()
        if token.element.name == move.source_element_id and token is not execution.root
    ]
    if not found:
        raise InvalidElements(f"“{move.source_element_id}” has no live instance to move.")
    return found


def _move(source: Token, move: MoveInstruction) -> None:
    """Activate the target in the scope that is named, else in the innermost that it has in common with the source."""
    target = _activatable(source.execution.process, move.target_element_id)
    key = move.ancestor_element_instance_key
    if move.in_scope_of_source:
        key = source.scope.key
    if key is None:
        around = _scopes_around(target)
        key = next(token.key for token in _chain(source.scope) if token.element in around)
    activate(source.execution, ActivateInstruction(target.id, key, move.variables))


def _terminate(token: Token) -> None:
    """Take a token away, and the scopes around it that it leaves empty; at last the instance."""
    execution = token.execution
    while True:
        if token is execution.root:
            if execution.parent_key is not None:
                raise CalledByAnother(execution.instance_key, execution.parent_key)
            execution.end_terminated()
            return
        scope = token.scope
        execution.terminate(token)
        compensation.handled(token, scope)
        canceling.tell(token)
        if scope.children:
            return
        token = scope
