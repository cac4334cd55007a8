"""Reasons to be alive: what each live token without anything inside of it must be waiting for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from engine.elements.ad_hoc import AdHocSubProcess
from engine.elements.base import Element
from engine.elements.gateways import JoiningGateway
from engine.elements.scopes import CallActivity
from engine.elements.tasks import JobTask, ReceiveTask
from engine.elements.throw_events import ThrowEvent
from engine.elements.user_task import UserTaskElement
from engine.process import Process
from engine.state import StoredToken

WaitKind = Literal[
    "user task", "job", "incident", "timer", "message subscription", "signal subscription", "called instance"
]

_OF_EVENTS = frozenset({"timer", "message subscription", "signal subscription"})


@dataclass(frozen=True, slots=True)
class Wait:
    """One open thing that a token waits for; the element is that of the event, where it is an event."""

    kind: WaitKind
    element_id: str
    key: int


def missing(
    process: Process, tokens: Sequence[StoredToken], waits: Mapping[int, list[Wait]]
) -> Iterator[tuple[StoredToken, str]]:
    """Yield each token that nothing would ever move again, with a sentence."""
    # What is inside of something, and what listeners hold up before something else goes on.
    holding = {token.parent_key for token in tokens} | {token.remembered.get("ends_for", 0) for token in tokens}
    for token in tokens:
        if token.key in holding:
            continue
        held = waits.get(token.key, [])
        # Listeners hold up any element by their jobs.
        if any(wait.kind in ("incident", "job") for wait in held):
            continue
        sentence = _missing(process.element(token.name), token, tokens, held)
        if sentence is not None:
            yield token, sentence


def _missing(element: Element, token: StoredToken, tokens: Sequence[StoredToken], held: list[Wait]) -> str | None:
    kinds = {wait.kind for wait in held}
    match element:
        case UserTaskElement():
            return None if "user task" in kinds else "It waits for a person, but it has no open user task."
        case JobTask():
            return "It waits for a worker, but it has no open job."
        case CallActivity():
            return None if "called instance" in kinds else "It waits for the instance that it called, which is gone."
        case JoiningGateway():
            return None if _others(token, tokens) else "It waits for other tokens, but there are none."
        case AdHocSubProcess():
            open_end = element.active_elements is None or element.completion_condition is not None
            return None if open_end else "Nothing is alive in it, and nobody can start anything in it."
        case ThrowEvent():
            undoing = any(other.remembered.get("undoes_for") == token.key for other in tokens)
            return None if undoing else "It waits for a compensation that is not under way."
        case ReceiveTask():
            return None if _awaits(element, token, held) else "It waits for a message, but it has no subscription."
        case _ if element.kind == "eventBasedGateway":
            return None if kinds & _OF_EVENTS or token.remembered.get("conditions") else "It waits for no event."
        case _ if element.kind in ("intermediateCatchEvent", "startEvent"):
            return None if _awaits(element, token, held) else "It waits for an event, but for none that can come."
        case _ if element.is_scope:
            return "Nothing is alive in it."
    return "It has stopped on its way."


def _awaits(element: Element, token: StoredToken, held: list[Wait]) -> bool:
    watched = any(name == element.name for name, _, _ in token.remembered.get("conditions", ()))
    return watched or any(wait.kind in _OF_EVENTS and wait.element_id == element.id for wait in held)


def _others(token: StoredToken, tokens: Sequence[StoredToken]) -> bool:
    """Return whether the scope has a token that does not wait at the same gateway."""
    return any(other.parent_key == token.parent_key and other.name != token.name for other in tokens)
