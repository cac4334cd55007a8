"""Keys: 63-bit ids that rise with time and are made by the application, without asking the database."""

from __future__ import annotations

import os
import threading
import time

#: 2024-01-01T00:00:00Z in milliseconds: keys count from here, which leaves room until the year 2093.
EPOCH_MILLISECONDS = 1_704_067_200_000

_NODE_BITS = 10
_SEQUENCE_BITS = 12


class KeyMaker:
    """Makes keys of 41 bits milliseconds, 10 bits process, 12 bits sequence; safe for threads and forks."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._last = 0
        self._pid = 0
        self._node = 0

    def next(self) -> int:
        """Return a key larger than every key that this process made before."""
        with self._lock:
            if self._pid != os.getpid():
                self._pid = os.getpid()
                self._node = int.from_bytes(os.urandom(2)) >> (16 - _NODE_BITS)
            stamp = (int(time.time() * 1000) - EPOCH_MILLISECONDS) << _SEQUENCE_BITS
            # More than 4096 keys in a millisecond, or a clock set back, borrow from the future.
            self._last = max(self._last + 1, stamp)
            milliseconds, sequence = self._last >> _SEQUENCE_BITS, self._last & ((1 << _SEQUENCE_BITS) - 1)
            return (milliseconds << (_NODE_BITS + _SEQUENCE_BITS)) | (self._node << _SEQUENCE_BITS) | sequence


_maker = KeyMaker()


def new_key() -> int:
    """Return a new key, unique in all tables and larger than the keys this process made before."""
    return _maker.next()
