"""The rules of one component: required, bounds, lengths, pattern, kind of text; the same as in the browser."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Any

from tasks.forms import patterns
from tasks.forms.components import TEXT, Component
from tasks.forms.expressions import Scope, is_expression
from tasks.forms.sentences import Sentence
from tasks.forms.sentences import mark as N_  # noqa: N812
from tasks.forms.values import as_decimal

REQUIRED = N_("This field is required.")
WHOLE_NUMBER = N_("This must be a whole number.")
DECIMAL_DIGITS = N_("At most %(digits)s digits after the decimal point.")
STEP = N_("This must be a multiple of %(value)s.")
AT_LEAST = N_("This must be at least %(value)s.")
AT_MOST = N_("This must be at most %(value)s.")
TOO_SHORT = N_("At least %(value)s characters, please.")
TOO_LONG = N_("At most %(value)s characters, please.")
WRONG_PATTERN = N_("This does not have the expected form.")
NOT_AN_EMAIL = N_("This is not a valid e-mail address.")
NOT_A_PHONE = N_("Please enter the phone number with its country code, for example +8675512345678.")
IN_THE_PAST = N_("This date has passed already.")


def broken(component: Component, value: Any, scope: Scope) -> Iterator[Sentence]:
    """Yield a sentence for each rule that `value` (as `values.read` returned it) breaks.

    `scope` is what FEEL in a rule sees.
    """
    if value is None or value == "" or value == [] or value is False:
        if component.required:
            yield Sentence(REQUIRED)
        return
    if component.type == "number":
        yield from _number(component, value, scope)
    elif component.type in TEXT:
        yield from _text(component, value, scope)
    elif component.type == "datetime":
        yield from _datetime(component, value, scope.today)


def _number(component: Component, value: Any, scope: Scope) -> Iterator[Sentence]:
    number = as_decimal(value)
    if number is None:
        return
    digits = component.properties.get("decimalDigits")
    if isinstance(digits, int) and digits >= 0 and _decimal_digits(number) > digits:
        yield Sentence(DECIMAL_DIGITS, {"digits": str(digits)}) if digits else Sentence(WHOLE_NUMBER)
    step = as_decimal(component.properties.get("increment"))
    if step and Fraction(number) % Fraction(step):
        yield Sentence(STEP, {"value": f"{step:f}"})
    minimum = _limit(component, "min", scope)
    if minimum is not None and number < minimum:
        yield Sentence(AT_LEAST, {"value": f"{minimum:f}"})
    maximum = _limit(component, "max", scope)
    if maximum is not None and number > maximum:
        yield Sentence(AT_MOST, {"value": f"{maximum:f}"})


def _decimal_digits(number: Decimal) -> int:
    fraction = f"{number:f}".partition(".")[2]
    return len(fraction.rstrip("0"))


def _text(component: Component, value: str, scope: Scope) -> Iterator[Sentence]:
    rules = component.validate
    pattern = rules.get("pattern")
    if isinstance(pattern, str) and pattern and not _matches(pattern, value):
        message = rules.get("patternErrorMessage")
        yield Sentence(message, from_form=True) if isinstance(message, str) and message else Sentence(WRONG_PATTERN)
    length = _browser_length(value.strip())
    shortest = _limit(component, "minLength", scope)
    if shortest is not None and length < shortest:
        yield Sentence(TOO_SHORT, {"value": f"{shortest:f}"})
    longest = _limit(component, "maxLength", scope)
    if longest is not None and length > longest:
        yield Sentence(TOO_LONG, {"value": f"{longest:f}"})
    if rules.get("validationType") == "email" and not _matches(patterns.EMAIL, value):
        yield Sentence(NOT_AN_EMAIL)
    if rules.get("validationType") == "phone" and not _matches(patterns.PHONE, value):
        yield Sentence(NOT_A_PHONE)


def _browser_length(text: str) -> int:
    # JavaScript counts UTF-16 units, so that an emoji counts as two.
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def _matches(pattern: str, value: str) -> bool:
    try:
        return patterns.matches(pattern, value)
    except patterns.PatternFailed:
        return False


def _datetime(component: Component, value: str, today: date) -> Iterator[Sentence]:
    properties = component.properties
    has_date = properties.get("subtype") != "time"
    if has_date and properties.get("disallowPassedDates") is True and value[:10] < today.isoformat():
        yield Sentence(IN_THE_PAST)


def _limit(component: Component, rule: str, scope: Scope) -> Decimal | None:
    limit: Any = component.validate.get(rule)
    if is_expression(limit):
        limit = scope.evaluate(limit)
    return as_decimal(limit)
