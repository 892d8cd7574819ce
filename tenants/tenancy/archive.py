"""One client in one zip: JSON lines per table of the registry, the stored files, and a manifest.

The tables come from the registry, so none can be forgotten; columns marked as secret are left out and named. Staff get
every row. The client's own people get what each table says they may take home (`rows_for_client`), and of a table that
says nothing they get nothing. All is read in one snapshot, in pieces, and written as it is read.
"""

import base64
import hashlib
import json
import zipfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import IO, Any, Literal
from uuid import UUID

from sqlalchemy import ColumnElement, inspect, select
from sqlalchemy.orm import ColumnProperty

from tenants.foundation.db import TenantOwned, db
from tenants.foundation.kinds import tenant_column, tenant_models

FORMAT = "client export"
VERSION = 2
PIECE = 1000
CHUNK = 256 * 1024
MANIFEST = "manifest.json"
Tick = Callable[[int], None]
Audience = Literal["client", "staff"]


@dataclass(frozen=True, slots=True)
class StoredCopy:
    """A stored file to take along: its SHA-256 and where its bytes lie."""

    sha256: str
    path: Path


@dataclass(slots=True)
class TableEntry:
    """What the manifest says of a table."""

    table: str
    file: str
    rows: int
    columns: list[str]
    left_out: list[str]
    size: int
    sha256: str


@dataclass(slots=True)
class FileEntry:
    """What the manifest says of a stored file."""

    file: str
    size: int
    sha256: str


@dataclass(slots=True)
class Manifest:
    """The list of all that is in the archive, each with its size in bytes and SHA-256."""

    tenant: dict[str, str]
    made_at: str
    # For whom: "client" leaves out what only staff may read.
    audience: str
    format: str = FORMAT
    version: int = VERSION
    tables: list[TableEntry] = field(default_factory=list)
    files: list[FileEntry] = field(default_factory=list)
    # Digests of stored files whose bytes were not there, or were others.
    missing_files: list[str] = field(default_factory=list)

    @property
    def rows(self) -> int:
        """Rows of all tables together."""
        return sum(one.rows for one in self.tables)


def exported_models(audience: Audience) -> list[type[Any]]:
    """The tables that an archive for this audience holds, parents before children; words of the search are derived."""
    kept = [model for model in tenant_models() if not getattr(model, "__is_searched__", False)]
    return [model for model in kept if audience == "staff" or _is_for_client(model)]


def _is_for_client(model: type[Any]) -> bool:
    default = TenantOwned.rows_for_client.__func__  # type: ignore[attr-defined]
    return bool(model.rows_for_client.__func__ is not default)


def count_steps(audience: Audience) -> int:
    """How many ticks an export takes: one per table, and one for the stored files."""
    return len(exported_models(audience)) + 1


def write_archive(
    path: Path,
    tenant_id: int,
    *,
    audience: Audience,
    tenant: dict[str, str],
    stored: Iterable[StoredCopy],
    made_at: datetime,
    tick: Tick = lambda done: None,
) -> Manifest:
    """Write the archive of the client in scope; `tick` hears how many steps are done, and often.

    Run it in a session whose transaction is one snapshot.
    """
    manifest = Manifest(tenant, _encode(made_at), audience)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, allowZip64=True) as archive:
        writer = _Writer(archive, made_at)
        for done, model in enumerate(exported_models(audience)):
            tick(done)
            manifest.tables.append(
                _write_table(writer, _Table(model, tenant_id, audience), partial(tick, done))
            )
        _write_files(writer, manifest, stored)
        text = json.dumps(asdict(manifest), indent=1, ensure_ascii=False)
        writer.write(MANIFEST, [text.encode() + b"\n"])
    tick(count_steps(audience))
    return manifest


class _Writer:
    """Writes entries and says how large they are and what their digest is."""

    def __init__(self, archive: zipfile.ZipFile, made_at: datetime) -> None:
        self._archive = archive
        self._date = made_at.astimezone(UTC).timetuple()[:6]

    def write(self, name: str, pieces: Iterable[bytes]) -> tuple[int, str]:
        entry = zipfile.ZipInfo(name, self._date)
        entry.compress_type = zipfile.ZIP_DEFLATED
        digest, size = hashlib.sha256(), 0
        with self._archive.open(entry, "w", force_zip64=True) as target:
            for piece in pieces:
                digest.update(piece)
                size += len(piece)
                target.write(piece)
        return size, digest.hexdigest()


@dataclass(frozen=True, slots=True)
class _Table:
    """A table's part of an archive: whose rows, and for whose eyes."""

    model: type[Any]
    tenant_id: int
    audience: Audience

    def rows(self, columns: list[ColumnProperty[Any]]) -> Iterator[Any]:
        owner: ColumnElement[int] = getattr(self.model, tenant_column(self.model.__table__))
        asked = select(*(self._value(one) for one in columns)).where(owner == self.tenant_id)
        if self.audience == "client":
            asked = asked.where(self.model.rows_for_client())
        in_pieces = asked.order_by(self.model.id).execution_options(yield_per=PIECE)
        yield from db.session.execute(in_pieces).partitions()

    def _value(self, column: ColumnProperty[Any]) -> ColumnElement[Any]:
        told: Callable[[], ColumnElement[Any]] | None = column.columns[0].info.get("for_client")
        if told is not None and self.audience == "client":
            return told()
        value: ColumnElement[Any] = getattr(self.model, column.key)
        return value


def _write_table(writer: _Writer, table: _Table, tick: Callable[[], None]) -> TableEntry:
    name = table.model.__table__.name
    columns, left_out = exported_columns(table.model, table.audience)
    entry = TableEntry(name, f"tables/{name}.jsonl", 0, [one.key for one in columns], left_out, 0, "")

    def pieces() -> Iterator[bytes]:
        for rows in table.rows(columns):
            tick()
            entry.rows += len(rows)
            yield b"".join(_line(entry.columns, row) for row in rows)

    entry.size, entry.sha256 = writer.write(entry.file, pieces())
    return entry


def exported_columns(model: type[Any], audience: Audience) -> tuple[list[ColumnProperty[Any]], list[str]]:
    """A table's columns that are exported, and the names of those that are not: secrets, and for clients staff's."""
    properties = sorted(
        inspect(model).column_attrs, key=lambda one: list(model.__table__.columns).index(one.columns[0])
    )
    marks = {"secret"} if audience == "staff" else {"secret", "staff"}
    left_out = [one.key for one in properties if marks & one.columns[0].info.keys()]
    return [one for one in properties if one.key not in left_out], left_out


def _line(columns: list[str], row: Any) -> bytes:
    values = dict(zip(columns, row, strict=True))
    return (
        json.dumps(values, ensure_ascii=False, separators=(",", ":"), default=_encode).encode(
            "utf-8", "replace"
        )
        + b"\n"
    )


def _encode(value: Any) -> str:
    """A value that JSON has no word for: moments in UTC, bytes in base64, the rest as text."""
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    if isinstance(value, bytes | memoryview):
        return base64.b64encode(bytes(value)).decode()
    if isinstance(value, timedelta):
        return f"{value.total_seconds()} s"
    if isinstance(value, date | time | UUID | Decimal):
        return str(value)
    return str(value)


def _write_files(writer: _Writer, manifest: Manifest, stored: Iterable[StoredCopy]) -> None:
    seen: set[str] = set()
    for copy in stored:
        if copy.sha256 in seen:
            continue
        seen.add(copy.sha256)
        if not _is_intact(copy):
            manifest.missing_files.append(copy.sha256)
            continue
        name = f"files/{copy.sha256}"
        with copy.path.open("rb") as source:
            size, digest = writer.write(name, _chunks(source))
        manifest.files.append(FileEntry(name, size, digest))


def _is_intact(copy: StoredCopy) -> bool:
    if not copy.path.is_file():
        return False
    with copy.path.open("rb") as source:
        return hashlib.file_digest(source, "sha256").hexdigest() == copy.sha256


def _chunks(source: IO[bytes]) -> Iterator[bytes]:
    while piece := source.read(CHUNK):
        yield piece
