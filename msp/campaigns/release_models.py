"""What there is to install, and its files. Provider-owned: what a client may know is copied into its part."""

from datetime import datetime
from typing import Any, ClassVar

from sqlalchemy import BigInteger, ForeignKey, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from msp.campaigns.rules import RELEASE_KINDS, SEVERITIES
from tenants.foundation.db import Base, ProviderOwned, choice, moment, public_id
from tenants.foundation.scope import Role


class Release(ProviderOwned, Base):
    """Something to install: files for a path below the agent's root, Debian packages, or a script.

    `spec` holds what the kind needs (releases.py), `platform` which assets it is for, the checks what the machine has
    to show before and after.
    """

    __tablename__ = "releases"
    __grants__: ClassVar[dict[Role, str]] = {Role.AGENTS: "SELECT"}
    public_id: Mapped[Any] = public_id()
    kind: Mapped[str] = mapped_column(default="file")
    name: Mapped[str] = mapped_column(String(80))
    version: Mapped[str] = mapped_column(String(80))
    target_path: Mapped[str] = mapped_column(String(400), default="")
    severity: Mapped[str] = mapped_column(default="medium", server_default="medium")
    # CVE numbers and vendors' references, as people know them.
    references: Mapped[list[Any]] = mapped_column(default=list, server_default="[]")
    notes: Mapped[str] = mapped_column(default="", server_default="")
    spec: Mapped[dict[str, Any]] = mapped_column(default=dict, server_default="{}")
    platform: Mapped[dict[str, Any]] = mapped_column(default=dict, server_default="{}")
    checks_before: Mapped[list[Any]] = mapped_column(default=list, server_default="[]")
    checks_after: Mapped[list[Any]] = mapped_column(default=list, server_default="[]")
    created_by: Mapped[str] = mapped_column(String(120))
    created_at: Mapped[datetime] = moment()
    # When its vendor published it, where that is known: promises about patches count from here.
    published_at: Mapped[datetime | None] = moment(nullable=True)
    withdrawn_at: Mapped[datetime | None] = moment(nullable=True)
    withdrawn_by: Mapped[str | None] = mapped_column(String(120))
    withdrawn_reason: Mapped[str | None]
    __table_args__ = (
        choice("kind", RELEASE_KINDS),
        choice("severity", SEVERITIES),
        UniqueConstraint("name", "version"),
    )

    @property
    def label(self) -> str:
        """What an asset reports once it is installed: `name/version`."""
        return f"{self.name}/{self.version}"


class Artifact(ProviderOwned, Base):
    """A file of a release; the bytes lie on disk under their SHA-256. Size in bytes."""

    __tablename__ = "release_artifacts"
    __grants__: ClassVar[dict[Role, str]] = {Role.AGENTS: "SELECT"}
    release_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("releases.id"))
    filename: Mapped[str] = mapped_column(String(120))
    size: Mapped[int] = mapped_column(BigInteger)
    sha256: Mapped[str] = mapped_column(String(64))
    sha1: Mapped[str] = mapped_column(String(40))
    md5: Mapped[str] = mapped_column(String(32))
    __table_args__ = (UniqueConstraint("release_id", "filename"),)
