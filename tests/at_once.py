"""Doing things at the same time, each in a thread of its own."""

from __future__ import annotations

from collections.abc import Callable
from threading import Barrier, Thread
from typing import Any


def at_once(*works: Callable[[], Any]) -> list[Any]:
    """Do all of it at the same time; return each one's result or exception."""
    results: list[Any] = [None] * len(works)
    barrier = Barrier(len(works))

    def do(number: int, work: Callable[[], Any]) -> None:
        barrier.wait()
        try:
            results[number] = work()
        except Exception as error:
            results[number] = error

    threads = [Thread(target=do, args=(number, work)) for number, work in enumerate(works)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results
