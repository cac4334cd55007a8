"""Which paragraph of the standard (DMN 1.5) each group of test cases is about."""

from __future__ import annotations

PARAGRAPHS = {
    "0050": "10.3.4.5 table 76: abs takes numbers and durations; 10.3.2.3.5: years may be negative",
    "0057": "10.3.2.6: the keys of a context are distinct",
    "0068": "10.3.2.15 tables 52 and 53: only values of one kind are comparable; 10.3.2.7: null is no end of a range",
    "0069": "10.3.2.15 table 68: a filter by a boolean gives a list",
    "0070": "10.3.2.15 table 61: an unknown type gives null",
    "0072": "10.3.2.7: a range with a null end contains nothing",
    "0084": "10.3.2.14: iterates over lists, ranges of numbers and ranges of dates",
    "0099": "10.3.2.15 table 62: durations can be negated",
    "0100": "10.3.2.15 tables 57 and 59",
    "0103": "10.3.4.6 table 77: is",
    "0105": "10.3.2.3.1: decimal numbers of 34 digits",
    "1100": "10.3.4.5 table 76: decimal",
    "1109": "10.3.4.3 table 74, footnote 2: flags as in XPath",
    "1111": "10.3.4.3 table 74, footnote 2: patterns as in XPath",
    "1115": "10.3.2.3.5: years from -999,999,999 to 999,999,999",
    "1116": "10.3.2.3.4; 10.3.4.6 table 77: Z and +00:00 are the same element",
    "1117": "10.3.2.3.6: years from -999,999,999 to 999,999,999; 10.3.4.6 table 77: Z and +00:00 are the same element",
    "1120": "10.3.4.1 table 72: duration strings as in XPath",
    "1121": "10.3.4.1 table 72: whole years and months",
    "1141": "10.3.4.5 table 76, footnote 1: the scale is between -6111 and 6176",
    "1142": "10.3.4.5 table 76, footnote 1: the scale is between -6111 and 6176",
    "1143": "10.3.4.5 table 76, footnote 1: the scale is between -6111 and 6176",
    "1144": "10.3.4.5 table 76, footnote 1: the scale is between -6111 and 6176",
    "1155": "10.3.4.4 table 75, footnote 1: a position is in [-L..L] and counts from the end if negative",
    "1156": "10.3.4.1 table 72: range",
}
"""By the first four characters of the folder of the test case."""


def paragraph(case: str) -> str | None:
    """The paragraph that decides a test case of this folder, if it is recorded."""
    return PARAGRAPHS.get(case[:4])
