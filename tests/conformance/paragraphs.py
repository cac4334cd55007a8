"""Which paragraph of the standard (DMN 1.5, formal/24-01-01) each group of test cases is about."""

from __future__ import annotations

PARAGRAPHS = {
    "0032": "10.3.2.11 If expression",
    "0050": "10.3.4.5 Numeric functions, table 76: abs takes numbers and durations",
    "0057": "10.3.2.6 Context expression: an expression with two entries of one key is null",
    "0068": "10.3.2.13 Equality, table 53; null has no order and is no end of a range",
    "0069": "10.3.2.5 Filter expression: a filter by a boolean gives a list",
    "0070": "10.3.2.9.3 instance of: an unknown type makes it null",
    "0072": "10.3.2.8 Ranges; 10.3.1.2 rule 49.c: null is no end of a range",
    "0084": "10.3.2.14 For expression: iterates over numbers and dates",
    "0099": "10.3.2.12 Arithmetic, table 57: durations can be negated",
    "0100": "10.3.2.12 Arithmetic, tables 55 to 57",
    "0103": "10.3.4.7 is(): values of different kinds are never the same",
    "0105": "10.3.2.3.1 number: decimal floating point of 34 digits",
    "1100": "10.3.4.5 Numeric functions, table 76: decimal",
    "1109": "10.3.4.3 String functions, table 74: replace, flags as in XPath",
    "1111": "10.3.4.3 String functions, table 74: matches, patterns as in XPath",
    "1115": "10.3.2.3.4 date: years from -999,999,999 to 999,999,999",
    "1116": "10.3.2.3.5 time; 10.3.4.1 time(): offset UTC is written Z",
    "1117": "10.3.2.3.6 date and time: years from -999,999,999 to 999,999,999; offset UTC is written Z",
    "1120": "10.3.2.3.7 and 10.3.2.3.8 durations",
    "1121": "10.3.4.1 years and months duration(): whole months only",
    "1141": "10.3.4.5 Numeric functions, table 76: the scale is between -6111 and 6176",
    "1142": "10.3.4.5 Numeric functions, table 76: the scale is between -6111 and 6176",
    "1143": "10.3.4.5 Numeric functions, table 76: the scale is between -6111 and 6176",
    "1144": "10.3.4.5 Numeric functions, table 76: the scale is between -6111 and 6176",
    "1155": "10.3.4.4 List functions, table 75: list replace, a position counts from the end if negative",
    "1156": "10.3.4.1 range()",
}
"""By the first four characters of the folder of the test case."""


def paragraph(case: str) -> str | None:
    """The paragraph that decides a test case of this folder, if it is recorded."""
    return PARAGRAPHS.get(case[:4])
