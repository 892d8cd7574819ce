"""Background entry points of the console: exports of clients."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from flask import current_app
from sqlalchemy import select

from msp.background.jobs import job
from msp.background.progress import ticker
from tenants.files import storage
from tenants.files.models import StoredFile
from tenants.foundation import time
from tenants.foundation.actor import Actor
from tenants.foundation.db import db
from tenants.foundation.scope import enter, of_tenant
from tenants.foundation.work import MOST_ATTEMPTS, Claimed
from tenants.tenancy import exports
from tenants.tenancy.archive import Audience, StoredCopy, write_archive
from tenants.tenancy.models import TenantExport
from tenants.tenancy.queries import find_tenant_by_id

SYSTEM = Actor.system("export")


def files_root() -> Path:
    """The folder of files; archives lie in a part of their own until they expire."""
    root: Path = current_app.extensions["settings"].files_dir
    return root


@job("export_tenant")
def export_tenant(claimed: Claimed) -> None:
    """Make the archive; a repeat after the end does nothing."""
    export_id = int(claimed.arguments["export"])
    if not _begin(claimed.tenant_id, export_id):
        return
    try:
        made = _make(claimed, export_id)
    except Exception:
        if claimed.attempts >= MOST_ATTEMPTS:
            _give_up(claimed.tenant_id, export_id)
        raise
    export = _export(export_id)
    exports.finish_export(
        export,
        file_name=made.path.name,
        size=made.path.stat().st_size,
        sha256=made.sha256,
        rows=made.rows,
        by=SYSTEM,
        at=time.now(),
    )


@job("expire_export")
def expire_export(claimed: Claimed) -> None:
    """Remove an archive whose week is over."""
    export = _export(int(claimed.arguments["export"]))
    if export.state == "done":
        exports.path_of(files_root(), export).unlink(missing_ok=True)
        exports.expire_export(export, by=SYSTEM, at=time.now())


@dataclass(frozen=True, slots=True)
class _Made:
    path: Path
    sha256: str
    rows: int


def _export(export_id: int) -> TenantExport:
    return db.session.scalars(select(TenantExport).where(TenantExport.id == export_id)).one()


def _begin(tenant_id: int, export_id: int) -> bool:
    with enter(of_tenant(tenant_id)):
        export = _export(export_id)
        if export.state not in ("waiting", "running"):
            return False
        exports.begin_export(export)
        db.session.commit()
    return True


def _give_up(tenant_id: int, export_id: int) -> None:
    with enter(of_tenant(tenant_id)):
        exports.fail_export(_export(export_id), by=SYSTEM, at=time.now())
        db.session.commit()


def _make(claimed: Claimed, export_id: int) -> _Made:
    """Write beside and move at the end; the fence in the name keeps two runs apart."""
    folder = files_root() / "exports" / str(claimed.tenant_id)
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    unfinished = folder / f".{export_id}-{claimed.fence}.part"
    try:
        made_at = time.now()
        with enter(of_tenant(claimed.tenant_id)):
            # One snapshot for all tables, in a session apart from the one in which the job is finished.
            db.session.connection(execution_options={"isolation_level": "REPEATABLE READ"})
            tenant = find_tenant_by_id(claimed.tenant_id)
            export = _export(export_id)
            audience: Audience = "client" if export.audience == "client" else "staff"
            facts = {"slug": tenant.slug, "name": tenant.name, "id": str(tenant.public_id)}
            manifest = write_archive(
                unfinished,
                claimed.tenant_id,
                audience=audience,
                tenant=facts,
                stored=_stored(claimed.tenant_id, audience),
                made_at=made_at,
                tick=ticker(claimed, lambda done: exports.note_progress(_export(export_id), done)),
            )
        final = folder / f"{tenant.slug}-{made_at:%Y%m%d}-{export.public_id}-{claimed.fence}.zip"
        digest = _digest(unfinished)
        unfinished.replace(final)
    finally:
        unfinished.unlink(missing_ok=True)
    return _Made(final, digest, manifest.rows)


def _stored(tenant_id: int, audience: Audience) -> Iterator[StoredCopy]:
    asked = select(StoredFile.sha256).where(StoredFile.tenant_id == tenant_id)
    if audience == "client":
        asked = asked.where(StoredFile.rows_for_client())
    for sha256 in db.session.scalars(asked.distinct()):
        yield StoredCopy(sha256, storage.path_of(files_root(), tenant_id, sha256))


def _digest(path: Path) -> str:
    with path.open("rb") as source:
        return hashlib.file_digest(source, "sha256").hexdigest()
