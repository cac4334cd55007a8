"""Execution listeners: jobs that a worker does before an element works and after it has (Camunda 8's rules).

They block: start listeners run one after the other between the input mappings and the element's own work, end listeners
between the output mappings and the outgoing flows. What a start listener returns is local to the element, what an end
listener returns goes to the scopes around it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from engine import job_creation
from engine.models import JobKind

if TYPE_CHECKING:
    from engine.tokens import Token

Moment = Literal["start", "end"]


def wait_for(token: Token, moment: Moment) -> bool:
    """Create the job of the token's next listener at this moment; return whether there is one left to wait for."""
    listeners = [listener for listener in token.element.listeners if listener.event == moment]
    done = token.internal_data.get(f"{moment}_listeners", 0)
    if done >= len(listeners):
        return False
    job_creation.create(token, listeners[done].job, kind=JobKind.EXECUTION_LISTENER, listener_event=moment)
    return True


def completed(token: Token, moment: str, variables: dict[str, Any]) -> None:
    """Go on after a listener's job: with the next listener, or with what they held up."""
    execution = token.execution
    if moment == "start":
        for name, value in variables.items():
            execution.variables.set_local(token, name, value)
    elif variables:
        execution.variables.merge(token.parent or token, variables)
    count = f"{moment}_listeners"
    token.internal_data[count] = token.internal_data.get(count, 0) + 1
    execution.agenda.append(token)
