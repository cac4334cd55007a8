"""The archive: what ended cases were, as JSON lines in gzip files, one file for each process and day of ending.

A line is one case: its topmost instance, the instances that it has called, and every row that belonged to them. Files
are only ever appended to, by whole gzip members that carry their own length, so that half a member, left by a process
that died while it wrote, is found and cut off. A case that was archived twice, because the process died before it had
removed the case from the database, is there twice; readers take the last one.
"""

from __future__ import annotations

import base64
import os
import re
import struct
import zlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import IO, Any

from database import dumps, loads

try:
    import fcntl
except ImportError:  # Windows: only one process may clean up
    fcntl = None  # type: ignore[assignment]

#: Rises when a line gets another shape.
FORMAT = 1

_SUFFIX = ".jsonl.gz"

# RFC 1952: magic number, deflate, the flag for an extra field, no time, no system.
_HEAD = struct.pack("<BBBBIBB", 0x1F, 0x8B, 8, 4, 0, 0, 255)
# The extra field: its length, our name for it, the length of its content, and the length of the whole member.
_EXTRA = struct.Struct("<H2sHQ")
_TAIL = struct.Struct("<II")
_OUR_NAME = b"Bt"


@dataclass(frozen=True, slots=True)
class Case:
    """One archived hierarchy of instances."""

    #: The key of the topmost instance.
    key: int
    process_id: str
    #: The day on which it ended, in the company's zone.
    ended_on: date
    #: All rows by table: column names and values.
    rows: Mapping[str, list[dict[str, Any]]]

    def line(self) -> bytes:
        """Return the case as the archive keeps it."""
        said = {"format": FORMAT, "processInstanceKey": self.key, "processDefinitionId": self.process_id}
        said |= {"endedOn": self.ended_on.isoformat(), "rows": self.rows}
        return dumps(_plain(said)).encode() + b"\n"


def _plain(value: Any) -> Any:
    """Return the value with instants as ISO 8601 texts and bytes as base64."""
    if isinstance(value, Mapping):
        return {name: _plain(item) for name, item in value.items()}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    return value


@dataclass(frozen=True, slots=True)
class ArchiveFile:
    """The cases of one process that ended on one day."""

    path: Path
    #: The process id, as far as it can be a folder's name.
    process: str
    day: date

    def cases(self) -> Iterator[dict[str, Any]]:
        """Yield each case once, as the archive keeps it; half a member at the end is left out."""
        last: dict[int, int] = {}
        for number, line in enumerate(self._lines()):
            last[loads(line)["processInstanceKey"]] = number
        for number, line in enumerate(self._lines()):
            case: dict[str, Any] = loads(line)
            if last[case["processInstanceKey"]] == number:
                yield case

    def _lines(self) -> Iterator[bytes]:
        with self.path.open("rb") as file:
            for start, length in _members(file):
                file.seek(start)
                yield from zlib.decompress(file.read(length), wbits=31).splitlines()


class Archive:
    """A directory of archive files."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory

    def add(self, cases: Iterable[Case]) -> None:
        """Append the cases; when this returns, they are on the disk."""
        by_file: dict[Path, list[bytes]] = {}
        for case in cases:
            path = self.directory / _folder(case.process_id) / f"{case.ended_on.isoformat()}{_SUFFIX}"
            by_file.setdefault(path, []).append(case.line())
        for path, lines in by_file.items():
            _append(path, _member(b"".join(lines)))

    def files(self, process_id: str | None = None) -> list[ArchiveFile]:
        """Return the files, of one process if asked for, in the order of process and day."""
        folder = "*" if process_id is None else _folder(process_id)
        found = sorted(self.directory.glob(f"{folder}/*{_SUFFIX}"))
        return [
            ArchiveFile(path, path.parent.name, date.fromisoformat(path.name.removesuffix(_SUFFIX))) for path in found
        ]


def _folder(process_id: str) -> str:
    """Return the process id as the name of a folder."""
    return re.sub(r"[^\w.-]", "_", process_id).lstrip(".") or "_"


def _member(data: bytes) -> bytes:
    """Return a gzip member that says how long it is."""
    compressor = zlib.compressobj(6, zlib.DEFLATED, -zlib.MAX_WBITS)
    content = compressor.compress(data) + compressor.flush()
    length = len(_HEAD) + _EXTRA.size + len(content) + _TAIL.size
    extra = _EXTRA.pack(_EXTRA.size - 2, _OUR_NAME, 8, length)
    return _HEAD + extra + content + _TAIL.pack(zlib.crc32(data), len(data) & 0xFFFFFFFF)


def _members(file: IO[bytes]) -> Iterator[tuple[int, int]]:
    """Yield where each whole member begins, and its length."""
    end = file.seek(0, os.SEEK_END)
    start = 0
    while start < end:
        file.seek(start)
        head = file.read(len(_HEAD) + _EXTRA.size)
        if len(head) < len(_HEAD) + _EXTRA.size or not head.startswith(_HEAD):
            return
        length = int(_EXTRA.unpack_from(head, len(_HEAD))[3])
        if start + length > end:
            return
        yield start, length
        start += length


def _append(path: Path, member: bytes) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with open(os.open(path, os.O_RDWR | os.O_CREAT, 0o600), "r+b") as file:
        if fcntl is not None:
            fcntl.flock(file, fcntl.LOCK_EX)
        end = 0
        for start, length in _members(file):
            end = start + length
        file.truncate(end)
        file.seek(end)
        file.write(member)
        file.flush()
        os.fsync(file.fileno())
    # The name of a new file must last as well.
    for folder in (path.parent, path.parent.parent):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
