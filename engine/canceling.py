"""Canceling: user tasks that are terminated only after their canceling listeners have run (Camunda 8's rules).

What is terminated is taken away at once, except for such user tasks and the scopes and callers around them: these stay,
wait for nothing but the listeners' jobs, and go with the last of them. Only then goes on what has terminated them: the
token that remembers how many it waits for (`ending`) hears it from each of them (`ends_for`). Modification by hand and
the new attempt after an incident do not ask listeners.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from sqlalchemy import select

from engine import task_listeners, waits
from engine.errors import NotActive
from engine.models import CLOSED_TASKS, Job, UserTask
from engine.tokens import STARTED

if TYPE_CHECKING:
    from engine.tokens import Token

#: The phase of a token that goes when listeners let it.
CANCELING = "canceling"


def is_canceling(token: Token) -> bool:
    """Return whether the token is only there because listeners hold up its end."""
    return bool(token.internal_data.get("phase") == CANCELING)


def terminate(token: Token, then: Token | None = None) -> bool:
    """Terminate a token with everything inside it; return whether listeners hold that up, so that `then` must wait."""
    return terminate_all([token], then)


def terminate_children(scope: Token, *, but: Token | None = None, then: Token | None = None) -> bool:
    """Terminate what is inside a scope, except `but`; return whether listeners hold that up, so that `then` must wait.

    The element of `then` hears by `others_gone` when the last one has gone.
    """
    return terminate_all([child for child in scope.children if child is not but], then)


def terminate_all(tokens: Iterable[Token], then: Token | None) -> bool:
    """Terminate several tokens; return whether listeners hold any of them up, so that `then` must wait."""
    held = [token for token in tokens if _is_held(token)]
    if then is not None and held:
        then.remember(ending=len(held))
        for token in held:
            token.remember(ends_for=then.key)
    return bool(held)


def _is_held(top: Token) -> bool:
    listened = [token for token in _with_called(top) if _is_listened(token)]
    if not listened:
        top.execution.terminate(top)
        return False
    kept: dict[int, Token] = {}
    for token in listened:
        current: Token | None = token
        while current is not None and current.key not in kept:
            kept[current.key] = current
            current = None if current is top else _around(current)
    for token in kept.values():
        for child in token.children:
            if child.key not in kept:
                token.execution.terminate(child)
        _stop(token)
    return True


def _with_called(top: Token) -> Iterator[Token]:
    """Yield a token with all that are inside it, those of called instances, too."""
    stack = [top]
    while stack:
        token = stack.pop()
        yield token
        stack += token.children
        child_key = token.internal_data.get("child")
        if child_key is not None:
            try:
                child = token.execution.hierarchy.load(child_key)
            except NotActive:
                continue
            if not child.ended:
                stack.append(child.root)


def _is_listened(token: Token) -> bool:
    if not any(listener.event == "canceling" for listener in token.element.listeners):
        return False
    # A task that could not be created, or tokens that are only guessed, have no task to look at.
    return waits.holds(token, UserTask) and token.execution.unreadable is None


def _around(token: Token) -> Token | None:
    """Return the scope that a token is in, or the call activity that has called its instance."""
    execution = token.execution
    if token.parent is not None:
        return token.scope
    if execution.parent_key is None:
        return None
    return execution.hierarchy.load(execution.parent_key).find(execution.parent_element_instance_key)


def _stop(token: Token) -> None:
    """Let a token wait for nothing but its end."""
    if is_canceling(token):
        return
    waits.close_all(token, but=UserTask)
    token._set_state(STARTED)
    token.internal_data.pop("change", None)
    token.remember(phase=CANCELING)
    if _is_listened(token):
        token.execution.agenda.append(token)


def go_on(token: Token) -> None:
    """Call the canceling listeners, if that has not been done; raises ElementFailure."""
    if not _is_listened(token) or waits.holds(token, Job):
        return
    statement = select(UserTask.key).where(
        UserTask.element_instance_key == token.key,
        UserTask.state.not_in(CLOSED_TASKS),
    )
    task_key = token.internal_data.get("task") or token.execution.session.execute(statement).scalar_one()
    task_listeners.hold_up(token, task_key, "canceling", entering=True)


def carry_out(token: Token) -> None:
    """Take a token away that no listener holds up any more, and the scopes and callers that have waited for its end."""
    while True:
        outer = _around(token)
        execution = token.execution
        if token is execution.root:
            execution.end_terminated()
        else:
            execution.terminate(token)
        told = tell(token)
        if outer is None or outer.children or not (is_canceling(outer) or not told):
            return
        token = outer


def tell(token: Token) -> bool:
    """Let the token that waits for the end of one that is gone know it; return whether there is one."""
    execution = token.execution
    then = execution.find(token.internal_data.get("ends_for"))
    if then is None:
        return False
    then.remember(ending=then.internal_data["ending"] - 1)
    if then.internal_data["ending"] == 0:
        del then.internal_data["ending"]
        then.element.others_gone(then)
    return True
