"""Keys are unique without asking anybody."""

from __future__ import annotations

import os
import time

import pytest

from engine.keys import KeyMaker


def test_processes_of_one_machine_never_make_the_same_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time, "time", lambda: 1_800_000_000.0)
    made: set[int] = set()
    for pid in range(1000, 1200):
        monkeypatch.setattr(os, "getpid", lambda pid=pid: pid)
        maker = KeyMaker()
        made.update(maker.next() for _ in range(100))

    assert len(made) == 200 * 100


def test_keys_rise_even_when_the_clock_is_set_back(monkeypatch: pytest.MonkeyPatch) -> None:
    maker = KeyMaker()
    instants = iter([1_800_000_000.0, 1_800_000_000.0, 1_799_999_000.0, 1_800_000_000.0])
    monkeypatch.setattr(time, "time", lambda: next(instants))
    keys = [maker.next() for _ in range(4)]

    assert keys == sorted(set(keys))
    assert max(keys) < 2**63
