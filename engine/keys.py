"""Keys: 63-bit ids that rise with time and are made by the application, without asking the database."""

from __future__ import annotations

import os
import socket
import threading
import time
from zlib import crc32

#: 2024-01-01T00:00:00Z in milliseconds: keys count from here, which leaves room until the year 2093.
EPOCH_MILLISECONDS = 1_704_067_200_000

_NODE_BITS = 16
_SEQUENCE_BITS = 6


class KeyMaker:
    """Makes keys of 41 bits milliseconds, 16 bits process, 6 bits sequence; safe for threads and forks.

    Processes of one machine differ in their ids; two of different machines have the same 16 bits once in 65,536.
    """

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
                self._node = (crc32(socket.gethostname().encode()) + self._pid) & ((1 << _NODE_BITS) - 1)
            stamp = (int(time.time() * 1000) - EPOCH_MILLISECONDS) << _SEQUENCE_BITS
            # More than 64 keys in a millisecond, or a clock set back, borrow from the future.
            self._last = max(self._last + 1, stamp)
            milliseconds, sequence = self._last >> _SEQUENCE_BITS, self._last & ((1 << _SEQUENCE_BITS) - 1)
            return (milliseconds << (_NODE_BITS + _SEQUENCE_BITS)) | (self._node << _SEQUENCE_BITS) | sequence


_maker = KeyMaker()


def new_key() -> int:
    """Return a new key, unique in all tables and larger than the keys this process made before."""
    return _maker.next()
