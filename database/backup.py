"""A backup is one file: a zip of every table as JSON lines from one snapshot, with a manifest that proves them.

The same for every kind of database, so that a backup of SQLite can be restored into PostgreSQL, and one of an older
version into a newer: tables are made as they were, filled, proved, and only then migrated.
"""

from __future__ import annotations

import base64
import json
import os
import zipfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any

import orjson
import sqlalchemy as sa
from sqlalchemy import Connection, Engine
from sqlalchemy.orm import Session

from database import contents, migrations
from database.contents import Digest, Kind, Row, Table
from database.copying import prove
from database.errors import Damaged, NotEmpty, WrongRevision
from database.session import transaction

#: Rises when a newer program writes what an older one cannot read.
FORMAT = 1

_MANIFEST = "manifest.json"
_FILES = "files/"


@dataclass(frozen=True, slots=True)
class Part:
    """One table in a backup."""

    table: str
    #: Names and kinds of its columns.
    columns: list[tuple[str, str]]
    rows: int
    checksum: str

    def described(self) -> Table:
        """Return the table as it was."""
        return Table(self.table, tuple((name, Kind(kind)) for name, kind in self.columns))


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a backup says about itself."""

    format: int
    #: The instant of the snapshot or shortly before, in UTC.
    made_at: str
    #: The revision that the tables were at.
    revision: str
    parts: list[Part]

    @property
    def rows(self) -> int:
        """How many rows there are in all tables."""
        return sum(part.rows for part in self.parts)


def back_up(engine: Engine, path: Path, files: Mapping[str, bytes]) -> Manifest:
    """Write all rows of one snapshot, and `files` by name, to the file `path`, while others go on working.

    The file appears whole or not at all and can be read by its owner only. Raises FileExistsError, WrongRevision.
    """
    if path.exists():
        raise FileExistsError(f"{path} exists already.")
    unfinished = path.with_name(f"{path.name}.part")
    try:
        with open(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            manifest = _write(engine, file, files)
            file.flush()
            os.fsync(file.fileno())
        # Not `rename`: a file that came into being meanwhile is not overwritten.
        os.link(unfinished, path)
    finally:
        unfinished.unlink(missing_ok=True)
    _sync_directory(path.parent)
    return manifest


def _write(engine: Engine, file: IO[bytes], files: Mapping[str, bytes]) -> Manifest:
    made_at = datetime.now(UTC).isoformat(timespec="seconds")
    # The fastest level: it already takes JSON down to a fifth, and the server works beside us.
    with (
        contents.snapshot(engine) as connection,
        zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive,
    ):
        revision = migrations.current_revision(connection)
        if revision is None:
            raise WrongRevision("The database has no tables of Baton.")
        parts = [_write_table(connection, archive, table) for table in contents.tables(connection)]
        for name, data in files.items():
            archive.writestr(f"{_FILES}{name}", data)
        manifest = Manifest(FORMAT, made_at, revision, parts)
        archive.writestr(_MANIFEST, json.dumps(asdict(manifest), indent=1))
    return manifest


def _write_table(connection: Connection, archive: zipfile.ZipFile, table: Table) -> Part:
    digest = Digest()
    with archive.open(_member(table.name), "w", force_zip64=True) as lines:
        for rows in contents.read(connection, table):
            digest.add(rows)
            lines.write(b"".join(orjson.dumps(row, default=_encode, option=orjson.OPT_APPEND_NEWLINE) for row in rows))
    return Part(table.name, [(name, kind.value) for name, kind in table.columns], digest.rows, digest.checksum)


def _member(table: str) -> str:
    return f"tables/{table}.jsonl"


def _encode(value: object) -> str:
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    raise TypeError(f"{type(value).__name__} cannot be backed up")


def _sync_directory(directory: Path) -> None:
    handle = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


class Backup:
    """A backup file that is read; use it as a context manager. Raises Damaged, WrongRevision."""

    def __init__(self, path: Path) -> None:
        try:
            self._archive = zipfile.ZipFile(path)
            given = json.loads(self._archive.read(_MANIFEST))
        except (zipfile.BadZipFile, KeyError, ValueError) as error:
            raise Damaged(f"{path} is not a whole backup of Baton: {error}") from error
        if given.get("format") != FORMAT:
            raise WrongRevision(f"{path} was written by another version of Baton (format {given.get('format')}).")
        self.manifest = Manifest(**{**given, "parts": [Part(**part) for part in given["parts"]]})

    def __enter__(self) -> Backup:
        return self

    def __exit__(self, *_: object) -> None:
        self._archive.close()

    def file(self, name: str) -> bytes | None:
        """Return the file that was kept under `name`; None: it is not there."""
        try:
            return self._archive.read(f"{_FILES}{name}")
        except KeyError:
            return None

    def rows(self, part: Part) -> Iterator[list[Row]]:
        """Yield the rows of a table in batches; raises Damaged when they cannot be read."""
        readers = [_READERS.get(kind) for _, kind in part.described().columns]
        batch: list[Row] = []
        try:
            with self._archive.open(_member(part.table)) as lines:
                for line in lines:
                    values = orjson.loads(line)
                    batch.append(
                        tuple(
                            value if reader is None or value is None else reader(value)
                            for value, reader in zip(values, readers, strict=True)
                        )
                    )
                    if len(batch) == contents.BATCH:
                        yield batch
                        batch = []
        except (zipfile.BadZipFile, KeyError, ValueError, EOFError) as error:
            raise Damaged(f"Table {part.table} of the backup cannot be read: {error}") from error
        if batch:
            yield batch

    def verify(self) -> None:
        """Read everything; raises Damaged when something is not what was backed up."""
        for part in self.manifest.parts:
            digest = Digest()
            for rows in self.rows(part):
                digest.add(rows)
            if (digest.rows, digest.checksum) != (part.rows, part.checksum):
                raise Damaged(f"Table {part.table} of the backup is not what was backed up.")

    def restore(self, engine: Engine, *, overwrite: bool, done: Callable[[Part], None]) -> None:
        """Put the backup into the database, then migrate it to this version: all of it or nothing, in one transaction.

        `done` is told of each table that was read back and proved. Raises NotEmpty unless `overwrite` is set, in which
        case what was there before is gone; Damaged, WrongRevision, Unstorable.
        """
        revision = self.manifest.revision
        if revision not in migrations.revisions():
            raise WrongRevision(f"The backup is of a newer version of Baton (revision {revision}).")
        with transaction(Session(engine)) as session:
            connection = session.connection()
            present = contents.tables(connection)
            contents.lock(connection, present)
            filled = contents.first_not_empty(connection, present)
            if filled is not None and not overwrite:
                raise NotEmpty(f"The database is not empty: table {filled} has rows.")
            there = sa.MetaData()
            there.reflect(connection)
            there.drop_all(connection)
            migrations.migrate(connection, revision)
            # In the order in which they refer to each other, which a backup keeps.
            for part in self.manifest.parts:
                for rows in self.rows(part):
                    contents.write(connection, part.described(), rows)
                prove(connection, part.described(), part.rows, part.checksum)
                done(part)
            contents.settle(connection, [part.described() for part in self.manifest.parts])
            migrations.migrate(connection, "head")


def _instant(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


_READERS: dict[Kind, Callable[[Any], Any]] = {
    Kind.BYTES: base64.b64decode,
    Kind.INSTANT: _instant,
    # A whole number is written without a fraction.
    Kind.REAL: float,
}
