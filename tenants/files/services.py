"""Taking in files and giving them out again."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import IO

from flask_babel import lazy_gettext as _l

from tenants.audit import services as audit
from tenants.files import storage
from tenants.files.dangers import danger_of
from tenants.files.models import StoredFile
from tenants.foundation.actor import Actor
from tenants.foundation.db import db
from tenants.foundation.errors import Conflict, Invalid, NotFound

MOST_FILES = 10


@dataclass(frozen=True, slots=True)
class Upload:
    """A file on its way in: the name that somebody gave it, and its bytes."""

    name: str
    stream: IO[bytes]


@dataclass(frozen=True, slots=True)
class Store:
    """Where files lie and how large one may be, in bytes."""

    root: Path
    limit: int


def keep_file(
    store: Store, upload: Upload, *, tenant_id: int, by: Actor, at: datetime, danger: str | None = None
) -> StoredFile:
    """Store one file of a tenant; a dangerous one in quarantine. Raises Invalid on `files` when too large or empty.

    `danger` is the verdict of who looked at it before, one of `DANGERS` or empty; None has it looked at here.

    Should the transaction fail later, the bytes stay for a day and are swept then (`leftovers`).
    """
    try:
        kept = storage.keep(store.root, tenant_id, upload.stream, limit=store.limit)
    except storage.TooLarge as large:
        raise Invalid("files", _l("This file is too large.")) from large
    if kept.size == 0:
        raise Invalid("files", _l("This file is empty."))
    name = storage.clean_name(upload.name)
    if danger is None:
        danger = danger_of(name, storage.path_of(store.root, tenant_id, kept.sha256).read_bytes())
    row = StoredFile(
        tenant_id=tenant_id,
        name=name,
        state="quarantined" if danger else "stored",
        danger=danger or None,
        media_type=kept.media_type,
        size=kept.size,
        sha256=kept.sha256,
        stored_at=at,
        stored_by=by.name[:120],
    )
    db.session.add(row)
    db.session.flush()
    return row


def keep_files(
    store: Store, uploads: Sequence[Upload], *, tenant_id: int, by: Actor, at: datetime
) -> list[StoredFile]:
    """Store several files. Raises Invalid on `files`."""
    if len(uploads) > MOST_FILES:
        raise Invalid("files", _l("Send at most 10 files at once."))
    return [keep_file(store, upload, tenant_id=tenant_id, by=by, at=at) for upload in uploads]


def release_file(row: StoredFile, *, by: Actor, at: datetime) -> None:
    """Hand a file out although it is dangerous: whoever reads the ticket gets it from now on. Raises Conflict."""
    db.session.refresh(row, with_for_update=True)
    if row.state != "quarantined":
        raise Conflict(_l("This file is handed out already."))
    row.state = "stored"
    db.session.flush()
    detail = {"name": row.name, "danger": row.danger}
    audit.record(
        "file.release", tenant_id=row.tenant_id, by=by, object=f"file:{row.public_id}", at=at, detail=detail
    )


def path_of(store: Store, row: StoredFile) -> Path:
    """Where a file's bytes lie. Raises NotFound when it is in quarantine or its bytes are gone."""
    path = storage.path_of(store.root, row.tenant_id, row.sha256)
    if row.state != "stored" or not path.is_file():
        raise NotFound
    return path
