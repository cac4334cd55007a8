"""Ours against feelin: no difference but those that the standard decides."""

from __future__ import annotations

import pytest

from tests.conformance import differential, tck

pytestmark = pytest.mark.skipif(not differential.available(), reason="Node.js or the package feelin is not installed")


def test_our_corpus_differs_only_where_a_paragraph_is_named() -> None:
    cases = differential.own_cases()
    found = differential.differences(cases)
    unexplained = [f"{entry.case.text}: {entry.ours} / {entry.theirs}" for entry in found if entry.case.reason is None]
    assert unexplained == []
    differing = {entry.case.text for entry in found}
    assert [case.text for case in cases if case.reason is not None and case.text not in differing] == []


def test_the_public_kit_differs_only_where_a_paragraph_is_named() -> None:
    kit = tck.folder()
    if kit is None:
        pytest.skip(f"{tck.VARIABLE} does not name the folder of the DMN TCK")
    found = differential.differences(differential.kit_cases(kit))
    unexplained = [f"{entry.case.source}: {entry.case.text}" for entry in found if entry.case.reason is None]
    assert unexplained == []
