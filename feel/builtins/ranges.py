"""Relations between points and ranges (DMN 1.5, table 78), and `range`."""

from __future__ import annotations

from feel.builtins.registry import builtin
from feel.comparison import compare, in_range
from feel.runtime import Run
from feel.values import Range, Value


class _Unordered(Exception):
    """Two ends cannot be compared."""


def _order(left: Value, right: Value) -> int:
    result = compare(left, right)
    if result is None:
        raise _Unordered
    return result


def _end_to_start(first: Range, second: Range) -> int:
    """-1 if the first ends before the second starts, 0 if they share just that point, 1 if they overlap there."""
    if first.end is None or second.start is None:
        return 1
    order = _order(first.end, second.start)
    if order != 0:
        return order
    return 0 if first.end_included and second.start_included else -1


def _starts(first: Range, second: Range) -> int:
    """The order of where two ranges start; an open start is before everything."""
    if first.start is None or second.start is None:
        return (first.start is not None) - (second.start is not None)
    order = _order(first.start, second.start)
    return order if order else int(second.start_included) - int(first.start_included)


def _ends(first: Range, second: Range) -> int:
    """The order of where two ranges end; an open end is after everything."""
    if first.end is None or second.end is None:
        return (first.end is None) - (second.end is None)
    order = _order(first.end, second.end)
    return order if order else int(first.end_included) - int(second.end_included)


def _as_range(value: Value) -> Range:
    return value if isinstance(value, Range) else Range(value, value, True, True)


def _before(first: Value, second: Value) -> bool:
    return _end_to_start(_as_range(first), _as_range(second)) < 0


def _meets(first: Range, second: Range) -> bool:
    return _end_to_start(first, second) == 0 and first.end_included and second.start_included


def _overlaps(first: Range, second: Range) -> bool:
    return _end_to_start(first, second) >= 0 and _end_to_start(second, first) >= 0


def _overlaps_before(first: Range, second: Range) -> bool:
    return _overlaps(first, second) and _starts(first, second) < 0 and _ends(first, second) <= 0


def _includes(outer: Range, inner: Value) -> bool:
    if isinstance(inner, Range):
        return _starts(outer, inner) <= 0 and _ends(outer, inner) >= 0
    contained = in_range(inner, outer)
    if contained is None:
        raise _Unordered
    return contained


def _starts_with(outer: Range, inner: Value) -> bool:
    if isinstance(inner, Range):
        return _starts(outer, inner) == 0 and _ends(inner, outer) <= 0
    return outer.start_included and _order(outer.start, inner) == 0


def _ends_with(outer: Range, inner: Value) -> bool:
    if isinstance(inner, Range):
        return _ends(outer, inner) == 0 and _starts(outer, inner) <= 0
    return outer.end_included and _order(outer.end, inner) == 0


def _equal(first: Value, second: Value) -> bool:
    if isinstance(first, Range) and isinstance(second, Range):
        return _starts(first, second) == 0 and _ends(first, second) == 0
    return _order(first, second) == 0


def _declare(name: str, first: str, second: str, relation: object) -> None:
    assert callable(relation)
    decide = relation

    @builtin(name, first, second)
    def function(run: Run, left: Value, right: Value) -> Value:
        try:
            return bool(decide(left, right))
        except _Unordered:
            return run.null("the ends have no order among each other")


def _declare_each(name: str, shapes: str, relation: object) -> None:
    """Declares the relation for the shapes that it has: p for a point, r for a range."""
    for shape in shapes.split():
        parameters = [
            f"{kind}{'' if shape in ('pr', 'rp') else number}: {kind}"
            for number, kind in enumerate(("point" if letter == "p" else "range" for letter in shape), 1)
        ]
        _declare(name, parameters[0], parameters[1], relation)


_declare_each("before", "pp pr rp rr", _before)
_declare_each("after", "pp pr rp rr", lambda first, second: _before(second, first))
_declare_each("meets", "rr", _meets)
_declare_each("met by", "rr", lambda first, second: _meets(second, first))
_declare_each("overlaps", "rr", _overlaps)
_declare_each("overlaps before", "rr", _overlaps_before)
_declare_each("overlaps after", "rr", lambda first, second: _overlaps_before(second, first))
_declare_each("finishes", "pr rr", lambda first, second: _ends_with(second, first))
_declare_each("finished by", "rp rr", _ends_with)
_declare_each("includes", "rp rr", _includes)
_declare_each("during", "pr rr", lambda first, second: _includes(second, first))
_declare_each("starts", "pr rr", lambda first, second: _starts_with(second, first))
_declare_each("started by", "rp rr", _starts_with)
_declare_each("coincides", "pp rr", _equal)


@builtin("range", "from: string")
def range_from_string(run: Run, text: str) -> Value:
    """The range that a text such as "[1..5)" spells, its ends being literals."""
    from feel.range_text import parse_range  # reads FEEL, which needs the functions

    return parse_range(text) or run.null(f'"{text[:60]}" is not a range of literals such as [1..5]')
