"""What the engine has said, in the reader's language: its sentences are recognised and worded anew, names filled in.

The engine speaks English and keeps its sentences as they are (incidents, refusals, items of operations), so that
programs and logs read the same words whoever looks. Here stand the templates of the sentences that people meet;
a test holds them against the engine's source. What is not among them stays as it is.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache

from flask_babel import get_locale
from flask_babel import gettext as _

from processes.translations import translate


def N_(text: str) -> str:  # noqa: N802  the name by which words are collected for translation
    """Mark a text for translation."""
    return text


#: Sentences, most of them of incidents.
SENTENCES = (
    N_("The {what} is {kind}, not true or false."),
    N_("The {what} cannot be evaluated: {cause}"),
    N_("The {what} gives a value that cannot be stored: {cause}"),
    N_("The {what} must be a list of texts."),
    N_("The {what} must be a date and time."),
    N_("The assignee must be a text."),
    N_("The priority must be a whole number."),
    N_("The correlation key of the message “{name}” must be a text or a number."),
    N_("The input collection must be a list but is {kind}."),
    N_("No condition of the outgoing flows is true and there is no default flow."),
    N_("No condition of the exclusive gateway is true and it has no default flow."),
    N_("The decision “{name}” is not deployed."),
    N_("The decision “{name}” cannot be made: {cause}"),
    N_("The rules of the decision “{name}” contradict its hit policy: {cause}"),
    N_("The form “{name}” is not deployed."),
    N_("The process “{name}” is not deployed."),
    N_("The process “{name}” has no start event without a trigger."),
    N_("Processes call each other without end."),
    N_("The element was entered {number} times at one go: a loop without a wait."),
    N_("The join “{name}” waits for a token that can no longer come."),
    N_("Nobody catches the error “{name}”."),
    N_("The worker gave no reason."),
    N_("A timer duration must be an ISO 8601 duration such as PT2H or P3D."),
    N_("A timer date must be a date and time such as 2026-03-01T09:00:00+08:00."),
    N_("A timer cycle must be a text such as R3/PT1H or a cron expression such as 0 0 9 * * MON."),
    N_("The timer “{name}” cannot be fired: {cause}"),
    N_("Its state cannot be read: {cause}."),
    N_("It waits for a person, but it has no open user task."),
    N_("It waits for a worker, but it has no open job."),
    N_("It waits for the instance that it called, which is gone."),
    N_("It waits for other tokens, but there are none."),
    N_("It waits for a message, but it has no subscription."),
    N_("It waits for an event, but for none that can come."),
    N_("It waits for no event."),
    N_("It has stopped on its way."),
    N_("Nothing is alive in it."),
    # Refusals of changes by hand and of migrations.
    N_("The process has no element “{name}”."),
    N_("“{name}” is a {kind}: it cannot be activated by hand."),
    N_("“{name}” belongs to an event-based gateway: it cannot be activated by hand."),
    N_("“{name}” has {number} live instances: name the one to activate “{other}” in."),
    N_("“{name}” has an incident: resolve it first."),
    N_("“{name}” has no live instance to move."),
    N_("“{name}” is active and has no mapping."),
    N_("“{name}” is a {kind}; it cannot become “{other}”, a {other_kind}."),
    N_("“{name}” would change its scope: “{other}” is not directly inside of “{scope}”."),
    N_("“{name}” takes part in a compensation; migrate when that is done."),
    N_("“{name}” and “{other}” do not wait for the same kind of event."),
    N_("“{name}” and “{other}” must both be sequential, or both be parallel."),
    N_("“{name}” must have at least as many incoming flows as “{other}”."),
    N_("The flow “{name}” was taken and must be mapped to one into “{other}”."),
    N_("The event “{name}” of “{other}” cannot be mapped to “{wanted}” elsewhere."),
    N_("Both “{name}” and “{other}” are mapped to the event “{wanted}”."),
    N_("A listener of “{name}” is at work; migrate when it is done."),
    N_("The process instance {key} is suspended. Resume it first."),
    N_("The process instance {key} is not suspended."),
    N_("The state of the process instance {key} cannot be read: {cause}. Cancel it."),
    N_("The {kind} {key} is {state}, so this cannot be done any more."),
    N_("The process instance {key} was called by {other}; cancel that one."),
)

#: What sentences are about.
PARTS = (
    N_("condition of the flow “{name}”"),
    N_("completion condition"),
    N_("activation condition"),
    N_("active elements"),
    N_("input collection"),
    N_("loop cardinality"),
    N_("correlation key"),
    N_("candidate groups"),
    N_("candidate users"),
    N_("input {name}"),
    N_("output {name}"),
    N_("timer {name}"),
)

#: What may stand in brackets behind a sentence: why an expression gives nothing.
REASONS = (
    N_("variable `{name}` is not set; known: {names}"),
    N_("there is no `{name}` in the context; known: {names}"),
    N_("`{name}` cannot be read, because what it would be read from is null"),
    N_("there is no function `{name}`"),
    N_("division by zero"),
    N_("what should be iterated over is null"),
    N_("{name} and {other} have no order"),
    N_("{name} and {other} cannot be compared"),
)

#: Names of kinds of values, elements and states inside of sentences.
_WORDS = {
    "null": N_("nothing"),
    "number": N_("a number"),
    "string": N_("a text"),
    "boolean": N_("true or false"),
    "list": N_("a list"),
    "context": N_("a context"),
    "date": N_("a date"),
    "time": N_("a time"),
    "date and time": N_("a date and time"),
}

_FIELD = re.compile(r"\{(\w+)\}")
_WITH_REASONS = re.compile(r"(.+[.]) \((.+)\)", re.DOTALL)


def said(text: str) -> str:
    """Return a sentence of the engine in the reader's language; one that is not known as it is."""
    return _worded(text, SENTENCES, 3)


def _worded(text: str, templates: tuple[str, ...], depth: int) -> str:
    known = _known(text, templates, depth)
    return text if known is None else known


def _known(text: str, templates: tuple[str, ...], depth: int) -> str | None:
    for template in templates:
        found = _pattern(template).fullmatch(text)
        if found is not None:
            return _filled(_(template), {name: _part(name, value, depth) for name, value in found.groupdict().items()})
    with_reasons = _WITH_REASONS.fullmatch(text) if depth else None
    if with_reasons is not None:
        known = _known(with_reasons[1], templates, depth - 1)
        if known is not None:
            reason = _worded(with_reasons[2], REASONS, depth - 1)
            return _filled(_("{sentence} ({reason})"), {"sentence": known, "reason": reason})
    # The engine puts the name of a timer before what is wrong with it.
    name, colon, rest = text.partition(": ")
    known = _known(rest, SENTENCES, depth - 1) if depth and colon else None
    if known is not None:
        return _filled(_("{name}: {sentence}"), {"name": translate(name, _language()), "sentence": known})
    return None


def _filled(template: str, parts: Mapping[str, str]) -> str:
    # One by one, because what is filled in may have braces itself.
    return _FIELD.sub(lambda field: parts[field[1]], template)


def _part(name: str, value: str, depth: int) -> str:
    if not depth:
        return value
    match name:
        case "what":
            return _worded(value, PARTS, depth - 1)
        case "cause":
            return _worded(value, SENTENCES, depth - 1)
        case "kind" | "other_kind":
            return _(_WORDS[value]) if value in _WORDS else value
        case _:
            return translate(value, _language())


def _language() -> str:
    return str(get_locale())


@cache
def _pattern(template: str) -> re.Pattern[str]:
    text = "".join(
        f"(?P<{piece}>.+?)" if odd else re.escape(piece)
        for odd, piece in ((number % 2, piece) for number, piece in enumerate(_FIELD.split(template)))
    )
    return re.compile(text, re.DOTALL)
