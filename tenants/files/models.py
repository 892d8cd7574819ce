"""Stored files: content-addressed bytes on disk, a row per use."""

from datetime import datetime
from typing import Any, ClassVar

from sqlalchemy import ColumnElement, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from tenants.files.dangers import DANGERS
from tenants.foundation.db import Base, TenantOwned, choice, moment, public_id
from tenants.foundation.scope import Role

STATES = ("stored", "quarantined")


class StoredFile(TenantOwned, Base):
    """A file of one tenant: name as given, media type as found, size in bytes, SHA-256."""

    __tablename__ = "stored_files"
    __grants__: ClassVar[dict[Role, str]] = {Role.CLIENT: "SELECT, INSERT, UPDATE (is_internal)"}
    public_id: Mapped[Any] = public_id()
    name: Mapped[str] = mapped_column(String(200))
    media_type: Mapped[str] = mapped_column(String(100))
    size: Mapped[int]
    sha256: Mapped[str] = mapped_column(String(64))
    state: Mapped[str] = mapped_column(default="stored")
    # Why it is kept back; it stays when people hand it out all the same.
    danger: Mapped[str | None]
    stored_at: Mapped[datetime] = moment()
    stored_by: Mapped[str]
    # Until it hangs on something that the requester may read, a file is for staff only.
    is_internal: Mapped[bool] = mapped_column(default=True)
    __table_args__ = (
        choice("state", STATES),
        choice("danger", DANGERS),
        Index("ix_stored_files_sha256", "tenant_id", "sha256"),
    )

    @classmethod
    def rows_for_client(cls) -> ColumnElement[bool]:
        """Those that are not for staff only."""
        return cls.is_internal.is_(False)
