"""Functions of lists (DMN 1.5, table 75) and `sort` (table 80)."""

from __future__ import annotations

from decimal import Decimal
from functools import cmp_to_key

from feel.builtins.registry import builtin
from feel.comparison import compare, equal
from feel.compiler.functions import call_function
from feel.numbers import truncated, whole
from feel.runtime import Run
from feel.values import Function, Value, shown


def made(run: Run, items: list[Value]) -> list[Value]:
    """A new list, accounted for."""
    run.budget.make_list(len(items))
    return items


def _same(run: Run, left: Value, right: Value) -> bool:
    run.budget.spend()
    return equal(left, right, run.budget.spend) is True


def _contains(run: Run, items: list[Value], element: Value) -> bool:
    return any(_same(run, item, element) for item in items)


@builtin("list contains", "list: list", "element: any")
def list_contains(run: Run, items: list[Value], element: Value) -> Value:
    """Whether an element of the list equals the value."""
    return _contains(run, items, element)


@builtin("count", "list: list")
def count(_run: Run, items: list[Value]) -> Value:
    """The number of elements."""
    return Decimal(len(items))


@builtin("count", "...list: any")
def count_arguments(_run: Run, *items: Value) -> Value:
    """The number of arguments."""
    return Decimal(len(items))


def _extreme(run: Run, items: list[Value], direction: int) -> Value:
    if not items:
        return None
    best = items[0]
    for item in items:
        run.budget.spend()
        order = compare(item, best)
        if order is None:
            return run.null(f"{shown(item)} and {shown(best)} have no order")
        if order == direction:
            best = item
    return best


def _extreme_function(name: str, direction: int) -> None:
    @builtin(name, "list: list")
    def of_list(run: Run, items: list[Value]) -> Value:
        return _extreme(run, items, direction)

    @builtin(name, "...list: any")
    def of_arguments(run: Run, *items: Value) -> Value:
        return _extreme(run, list(items), direction)


_extreme_function("min", -1)
_extreme_function("max", 1)


def _quantifier(name: str, deciding: bool) -> None:
    def decide(run: Run, items: list[Value]) -> Value:
        run.budget.spend(len(items))
        if any(item is deciding for item in items):
            return deciding
        return not deciding if all(type(item) is bool for item in items) else None

    @builtin(name, "list: list")
    def of_list(run: Run, items: list[Value]) -> Value:
        return decide(run, items)

    @builtin(name, "...list: any")
    def of_arguments(run: Run, *items: Value) -> Value:
        return decide(run, list(items))


_quantifier("all", deciding=False)
_quantifier("any", deciding=True)
_quantifier("and", deciding=False)
_quantifier("or", deciding=True)


@builtin("sublist", "list: list", "start position: number", "length?: number")
def sublist(run: Run, items: list[Value], start_position: Decimal, length: Decimal | None = None) -> Value:
    """The part from a position (from the end if negative) on."""
    start = truncated(start_position)
    size = len(items) if length is None else truncated(length)
    if start is None or start == 0 or abs(start) > len(items):
        return run.null(f"there is no position {start_position} in a list of {len(items)}")
    begin = start - 1 if start > 0 else len(items) + start
    if size is None or size < 0 or (length is not None and begin + size > len(items)):
        return run.null(f"there are no {length} elements from there on")
    return made(run, items[begin : begin + size])


@builtin("append", "list: list", "...item: any")
def append(run: Run, items: list[Value], *more: Value) -> Value:
    """The list with more elements at its end."""
    run.budget.make_list(len(items) + len(more))
    return [*items, *more]


@builtin("concatenate", "...list: list")
def concatenate(run: Run, *lists: list[Value]) -> Value:
    """The lists after one another."""
    run.budget.make_list(sum(map(len, lists)))
    return [item for items in lists for item in items]


@builtin("insert before", "list: list", "position: number", "newItem: any")
def insert_before(run: Run, items: list[Value], position: Decimal, new_item: Value) -> Value:
    """The list with an element put in at a position."""
    index = _index(items, position)
    if index is None:
        return run.null(f"there is no position {position} in a list of {len(items)}")
    return made(run, [*items[:index], new_item, *items[index:]])


@builtin("remove", "list: list", "position: number")
def remove(run: Run, items: list[Value], position: Decimal) -> Value:
    """The list without the element at a position."""
    index = _index(items, position)
    if index is None:
        return run.null(f"there is no position {position} in a list of {len(items)}")
    return made(run, items[:index] + items[index + 1 :])


def _index(items: list[Value], position: Decimal) -> int | None:
    place = truncated(position)
    if place is None or place == 0 or abs(place) > len(items):
        return None
    return place - 1 if place > 0 else len(items) + place


@builtin("list replace", "list: list", "position: number", "newItem: any")
def list_replace(run: Run, items: list[Value], position: Decimal, new_item: Value) -> Value:
    """The list with another element at a position."""
    index = _index(items, position)
    if index is None:
        return run.null(f"there is no position {position} in a list of {len(items)}")
    return made(run, [*items[:index], new_item, *items[index + 1 :]])


@builtin("list replace", "list: list", "match: function", "newItem: any")
def list_replace_matching(run: Run, items: list[Value], match: Function, new_item: Value) -> Value:
    """The list with another element wherever match(item, new item) is true."""
    result: list[Value] = []
    for item in items:
        outcome = call_function(run, match, [item, new_item])
        if type(outcome) is not bool:
            return run.null("the function must give true or false")
        result.append(new_item if outcome else item)
    return made(run, result)


@builtin("reverse", "list: list")
def reverse(run: Run, items: list[Value]) -> Value:
    """The list from its end."""
    return made(run, items[::-1])


@builtin("index of", "list: list", "match: any")
def index_of(run: Run, items: list[Value], match: Value) -> Value:
    """The positions at which the value stands."""
    return made(run, [Decimal(place) for place, item in enumerate(items, 1) if _same(run, item, match)])


@builtin("union", "...list: list")
def union(run: Run, *lists: list[Value]) -> Value:
    """The lists after one another, each value once."""
    return _distinct(run, [item for items in lists for item in items])


@builtin("distinct values", "list: list")
def distinct_values(run: Run, items: list[Value]) -> Value:
    """Each value once, where it stood first."""
    return _distinct(run, items)


def _distinct(run: Run, items: list[Value]) -> list[Value]:
    simple: set[tuple[type, Value]] = set()
    others: list[Value] = []
    result: list[Value] = []
    for item in items:
        if item is None or isinstance(item, (Decimal, str, bool)):
            key = (type(item), item)
            if key in simple:
                continue
            simple.add(key)
        else:
            if _contains(run, others, item):
                continue
            others.append(item)
        result.append(item)
    return made(run, result)


@builtin("duplicate values", "list: list")
def duplicate_values(run: Run, items: list[Value]) -> Value:
    """Each value that stands more than once, once (Camunda)."""
    seen: list[Value] = []
    repeated: list[Value] = []
    for item in items:
        (repeated if _contains(run, seen, item) else seen).append(item)
    return _distinct(run, repeated)


@builtin("flatten", "list: list")
def flatten(run: Run, items: list[Value]) -> Value:
    """The list with the elements of the lists in it, at any depth."""
    result: list[Value] = []
    pending = [iter(items)]
    while pending:
        run.budget.spend()
        for item in pending[-1]:
            if isinstance(item, list):
                pending.append(iter(item))
                break
            result.append(item)
            run.budget.make_list(1)
        else:
            pending.pop()
    return made(run, result)


@builtin("is empty", "list: list")
def is_empty(_run: Run, items: list[Value]) -> Value:
    """Whether the list has no element (Camunda)."""
    return not items


@builtin("partition", "list: list", "size: number")
def partition(run: Run, items: list[Value], size: Decimal) -> Value:
    """The list cut into lists of that many elements (Camunda)."""
    length = whole(size)
    if length is None or length < 1:
        return run.null("the size is a whole number above 0")
    run.budget.make_list(len(items))
    return made(run, [items[start : start + length] for start in range(0, len(items), length)])


@builtin("sort", "list: list", "precedes?: function")
def sort(run: Run, items: list[Value], precedes: Function | None = None) -> Value:
    """The list in order: precedes(a, b) tells whether a comes before b; without it, the values' own order."""

    def by_function(left: Value, right: Value) -> int:
        if call_function(run, precedes, [left, right]) is True:
            return -1
        return 1 if call_function(run, precedes, [right, left]) is True else 0

    if precedes is not None:
        return made(run, sorted(items, key=cmp_to_key(by_function)))

    def by_order(left: Value, right: Value) -> int:
        run.budget.spend()
        return compare(left, right) or 0

    if any(compare(item, items[0]) is None for item in items):
        return run.null("the elements have no order among each other")
    return made(run, sorted(items, key=cmp_to_key(by_order)))
