"""The life of an export: asked for, running, done and kept for a week, or failed."""

from datetime import datetime, timedelta
from pathlib import Path

from flask_babel import lazy_gettext as _l
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from tenants.audit import services as audit
from tenants.foundation.actor import Actor
from tenants.foundation.db import db
from tenants.foundation.errors import NotFound
from tenants.foundation.work import request_work
from tenants.tenancy.archive import Audience, count_steps
from tenants.tenancy.models import TenantExport

KEPT_FOR = timedelta(days=7)
PROBLEM = _l(
    "The export could not be made. Ask for it again; if it fails again, tell the people who run the portal."
)


def request_export(tenant_id: int, *, by: Actor, at: datetime) -> TenantExport:
    """Ask for an export for one's own side; while one is under way, that one is meant."""
    audience: Audience = "staff" if by.is_staff else "client"
    export = TenantExport(
        tenant_id=tenant_id,
        audience=audience,
        asked_by=by.name[:120],
        asked_at=at,
        tables_total=count_steps(audience),
    )
    try:
        with db.session.begin_nested():
            db.session.add(export)
            db.session.flush()
    except IntegrityError:
        return _under_way(tenant_id, audience)
    request_work("export_tenant", tenant_id=tenant_id, arguments={"export": export.id}, key=str(export.id))
    _audit(export, "tenant.export_requested", by=by, at=at)
    return export


def _under_way(tenant_id: int, audience: Audience) -> TenantExport:
    asked = select(TenantExport).where(
        TenantExport.tenant_id == tenant_id,
        TenantExport.audience == audience,
        TenantExport.state.in_(("waiting", "running")),
    )
    export = db.session.scalar(asked)
    if export is None:
        raise NotFound
    return export


def begin_export(export: TenantExport) -> None:
    """Say that the job is at it."""
    export.state, export.tables_done = "running", 0


def note_progress(export: TenantExport, done: int) -> None:
    """Say how many tables are done."""
    export.tables_done = done


def finish_export(
    export: TenantExport, *, file_name: str, size: int, sha256: str, rows: int, by: Actor, at: datetime
) -> None:
    """The archive is there; it is removed after a week."""
    export.state, export.tables_done = "done", export.tables_total
    export.file_name, export.size, export.sha256, export.rows = file_name, size, sha256, rows
    export.finished_at, export.expires_at = at, at + KEPT_FOR
    request_work(
        "expire_export",
        tenant_id=export.tenant_id,
        arguments={"export": export.id},
        due_at=export.expires_at,
        key=str(export.id),
    )
    _audit(export, "tenant.exported", by=by, at=at, sha256=sha256, rows=rows)


def fail_export(export: TenantExport, *, by: Actor, at: datetime) -> None:
    """No archive came of it."""
    export.state, export.problem, export.finished_at = "failed", str(PROBLEM), at
    _audit(export, "tenant.export_failed", by=by, at=at)


def expire_export(export: TenantExport, *, by: Actor, at: datetime) -> None:
    """The archive was removed."""
    if export.state == "done":
        export.state = "expired"
        _audit(export, "tenant.export_expired", by=by, at=at)


def path_of(root: Path, export: TenantExport) -> Path:
    """Where an export's archive lies below the folder of files."""
    return root / "exports" / str(export.tenant_id) / (export.file_name or "none")


def take_export(export: TenantExport, root: Path, *, by: Actor, at: datetime) -> Path:
    """The archive for somebody who takes it home, audited. Raises NotFound when it is not there, or no longer."""
    path = path_of(root, export)
    if export.state != "done" or not path.is_file():
        raise NotFound
    _audit(export, "tenant.export_downloaded", by=by, at=at)
    return path


def _audit(export: TenantExport, action: str, *, by: Actor, at: datetime, **detail: object) -> None:
    audit.record(
        action, tenant_id=export.tenant_id, by=by, object=f"export:{export.public_id}", at=at, detail=detail
    )
