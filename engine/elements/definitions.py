"""What a diagram says about an element, as plain data: flows, mappings, event definitions, loops."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class SequenceFlow:
    """An arrow between two elements of one scope; `condition` is FEEL text without the leading `=`."""

    id: str
    source_id: str
    target_id: str
    name: str
    condition: str | None
    line: int

    @property
    def condition_label(self) -> str:
        """How an incident names the flow's condition."""
        return f"condition of the flow “{self.name or self.id}”"


@dataclass(frozen=True, slots=True)
class VariableMapping:
    """One `zeebe:input` or `zeebe:output`: `source` as written (a leading `=` makes it FEEL), `target` a name path."""

    source: str
    target: str


@dataclass(frozen=True, slots=True)
class TimerDefinition:
    """A timer as written: a date, a duration or a cycle, literal or FEEL (leading `=`)."""

    kind: Literal["date", "duration", "cycle"]
    text: str


@dataclass(frozen=True, slots=True)
class MessageDefinition:
    """A message: its name (may be FEEL) and the expression that gives the correlation key."""

    name: str
    correlation_key: str | None


@dataclass(frozen=True, slots=True)
class SignalDefinition:
    """A signal, by its name (may be FEEL)."""

    name: str


@dataclass(frozen=True, slots=True)
class ErrorDefinition:
    """A BPMN error; a catching event without a code catches every error."""

    code: str | None


@dataclass(frozen=True, slots=True)
class EscalationDefinition:
    """An escalation; a catching event without a code catches every escalation."""

    code: str | None


@dataclass(frozen=True, slots=True)
class LinkDefinition:
    """The two ends of a link have the same name."""

    name: str


@dataclass(frozen=True, slots=True)
class TerminateDefinition:
    """Ends everything in its scope."""


@dataclass(frozen=True, slots=True)
class ConditionalDefinition:
    """A condition on the variables; FEEL text."""

    condition: str


@dataclass(frozen=True, slots=True)
class CompensateDefinition:
    """Undoes completed activities: that of this id, or all of the scope."""

    activity_id: str | None


@dataclass(frozen=True, slots=True)
class CancelDefinition:
    """Gives a transaction up."""


EventDefinition = (
    TimerDefinition
    | MessageDefinition
    | SignalDefinition
    | ErrorDefinition
    | EscalationDefinition
    | LinkDefinition
    | TerminateDefinition
    | ConditionalDefinition
    | CompensateDefinition
    | CancelDefinition
)


@dataclass(frozen=True, slots=True)
class JobDefinition:
    """What a worker is told: the job type, how often it may fail, and constant headers."""

    type: str
    retries: str
    headers: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class ListenerDefinition:
    """A job at a moment of an element (start, end) or before a change of a user task (creating, assigning, ...)."""

    event: str
    job: JobDefinition


@dataclass(frozen=True, slots=True)
class LoopDefinition:
    """Multi-instance: one inner instance per item of the input collection, or as many as `cardinality` (FEEL) says."""

    sequential: bool
    input_collection: str | None
    cardinality: str | None
    input_element: str | None
    output_collection: str | None
    output_element: str | None
    completion_condition: str | None


@dataclass(frozen=True, slots=True)
class StandardLoopDefinition:
    """A loop while a FEEL condition holds, at most so many times; with `test_before` perhaps not even once."""

    condition: str | None
    maximum: int | None
    test_before: bool


@dataclass(frozen=True, slots=True)
class UserTaskDefinition:
    """Who does a user task, until when and with which form; all texts as written (a leading `=` makes them FEEL)."""

    assignee: str | None = None
    candidate_groups: str | None = None
    candidate_users: str | None = None
    due_date: str | None = None
    follow_up_date: str | None = None
    priority: str | None = None
    form_id: str | None = None
    external_form: str | None = None


@dataclass(frozen=True, slots=True)
class Details:
    """What every element has: where it stands in the file and in the diagram, and its mappings."""

    id: str
    name: str
    scope_id: str | None
    line: int
    documentation: str = ""
    #: The group that the element's lane names.
    lane: str | None = None
    inputs: tuple[VariableMapping, ...] = ()
    outputs: tuple[VariableMapping, ...] = ()
    properties: tuple[tuple[str, str], ...] = ()
