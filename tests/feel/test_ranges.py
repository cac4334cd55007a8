"""Relations between points and ranges (DMN 1.5, table 78), and ranges as values (table 67, section 10.3.2.7)."""

from __future__ import annotations

import pytest

from tests.feel.helpers import as_json, evaluate, warnings_of

TRUE = """
before(1, 10)                       before(1, (1..10])                  before(1, [5..10])
before([1..10), 10)                 before([1..10], 15)                 before([1..10], [15..20])
before([1..10), [10..20])           before([1..10], (10..20])           after(10, 5)
after(12, [1..10])                  after(10, [1..10))                  after([11..20], 10)
after((11..20], 11)                 after([11..20], [1..10])            after([11..20], [1..11))
after((11..20], [1..11])            meets([1..5], [5..10])              met by([5..10], [1..5])
overlaps([1..5], [3..8])            overlaps([3..8], [1..5])            overlaps([1..8], [3..5])
overlaps([3..5], [1..8])            overlaps([1..5], [5..8])            overlaps([5..8], [1..5])
overlaps before([1..5], [3..8])     overlaps before([1..5], [5..8])     overlaps before([1..5), (1..5])
overlaps before([1..5], (1..5])     overlaps after([3..8], [1..5])      overlaps after([5..8], [1..5])
overlaps after((1..5], [1..5))      overlaps after((1..5], [1..5])      finishes(10, [1..10])
finishes([5..10], [1..10])          finishes([5..10), [1..10))          finishes([1..10], [1..10])
finishes((1..10], [1..10])          finished by([1..10], 10)            finished by([1..10], [5..10])
finished by([1..10), [5..10))       finished by([1..10], [1..10])       finished by([1..10], (1..10])
includes([1..10], 5)                includes([1..10], 1)                includes([1..10], 10)
includes([1..10], [4..6])           includes([1..10], [1..5])           includes((1..10], (1..5])
includes([1..10], (1..10))          includes([1..10), [5..10))          includes([1..10], [1..10))
includes([1..10], (1..10])          includes([1..10], [1..10])          during(5, [1..10])
during(1, [1..10])                  during(10, [1..10])                 during([4..6], [1..10])
during((1..5], (1..10])             during((1..10), [1..10])            during([1..10], [1..10])
starts(1, [1..10])                  starts([1..5], [1..10])             starts((1..5], (1..10])
starts([1..10), [1..10])            starts((1..10), (1..10))            started by([1..10], 1)
started by([1..10], [1..5])         started by((1..10], (1..5])         started by([1..10], [1..10))
coincides(5, 5)                     coincides([1..5], [1..5])           includes((>= 5), 7)
before((< 5), 5)                    after((> 5), [1..5])                overlaps((>= 5), (<= 5))
includes((>= 1), [2..3])            before(@"2024-01-01", [@"2024-01-02"..@"2024-02-01"])
"""

FALSE = """
before(10, 1)                       before(1, [1..10])                  before([1..10], 10)
before([1..10], [10..20])           after(5, 10)                        after(10, [1..10])
after([11..20], 12)                 after([11..20], 11)                 after([1..10], [11..20])
meets([1..5), [5..10])              meets([1..5], (5..10])              meets([1..5], [6..10])
met by([5..10], [1..5))             met by((5..10], [1..5])             met by([6..10], [1..5])
overlaps([1..5], [6..8])            overlaps([6..8], [1..5])            overlaps([1..5], (5..8])
overlaps([1..5), [5..8])            overlaps((5..8], [1..5])            overlaps([5..8], [1..5))
overlaps before([1..5], [6..8])     overlaps before([1..5], (5..8])     overlaps before([1..5), [5..8])
overlaps before([1..5), [1..5])     overlaps before([1..5], [1..5])     overlaps after([6..8], [1..5])
overlaps after((5..8], [1..5])      overlaps after([5..8], [1..5))      overlaps after([1..5], [1..5))
overlaps after([1..5], [1..5])      finishes(10, [1..10))               finishes([5..10), [1..10])
finished by([1..10), 10)            finished by([1..10], [5..10))       includes([1..10], 12)
includes((1..10], 1)                includes([1..10), 10)               during(12, [1..10])
during(1, (1..10])                  during(10, [1..10))                 starts(1, (1..10])
starts(2, [1..10])                  starts((1..5], [1..10])             starts([1..5], (1..10])
started by((1..10], 1)              started by([1..10], 2)              started by([1..10], (1..5])
coincides(3, 4)                     coincides((1..5), [1..5])           coincides([1..5], [2..6])
includes((>= 5), 4)                 before((<= 5), 5)                   overlaps((> 5), (<= 5))
"""


def expressions(table: str) -> list[str]:
    """The expressions of a table, whose columns are at least two spaces apart."""
    return [cell.strip() for line in table.strip().splitlines() for cell in line.split("  ") if cell.strip()]


@pytest.mark.parametrize("text", expressions(TRUE))
def test_holds(text: str) -> None:
    assert evaluate(text) is True


@pytest.mark.parametrize("text", expressions(FALSE))
def test_does_not_hold(text: str) -> None:
    assert evaluate(text) is False


@pytest.mark.parametrize(
    "text", ['before(1, ["a".."b"])', 'before(1, "a")', "meets(1, [1..2])", "during(null, [1..2])"]
)
def test_what_has_no_order_gives_null(text: str) -> None:
    assert evaluate(text) is None
    assert warnings_of(text)


def test_the_parts_of_a_range_can_be_read() -> None:
    assert as_json("[1..5).end included") is False
    assert as_json("(> 5).start") == 5
    assert as_json("(> 5).end") is None


def test_a_range_written_with_an_operator_equals_its_like_only() -> None:
    assert evaluate("(>= 5) = (>= 5)") is True
    assert evaluate("(= 5) = [5..5]") is False
    assert evaluate('range("[1..3]") = [1..3]') is True
    assert evaluate('range("[2..)") = (>= 2)') is True


def test_ranges_can_be_iterated_in_both_directions() -> None:
    assert as_json("for i in 3..1 return i") == [3, 2, 1]
    assert as_json("for i in [1..4) return i") == [1, 2, 3]
    assert as_json('for d in @"2024-02-28"..@"2024-03-01" return string(d)') == [
        "2024-02-28",
        "2024-02-29",
        "2024-03-01",
    ]
    assert evaluate("for i in [3..1] return i") is None
