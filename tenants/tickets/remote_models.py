"""Working on a client's machine from afar: who allowed it, who did it, when, and what was done."""

from datetime import datetime
from typing import Any, ClassVar

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column

from tenants.foundation.db import AllForClient, Base, TenantOwned, belongs, choice, moment, public_id
from tenants.foundation.scope import Role

STATES = ("asked", "allowed", "running", "ended", "withdrawn", "declined")
# What stands in the way of another one.
OPEN = ("asked", "allowed", "running")
CONSENT_WAYS = ("phone", "chat", "portal")
_OPEN = "state IN ('asked', 'allowed', 'running')"


class RemoteSession(AllForClient, TenantOwned, Base):
    """One remote session; it never runs without the consent of somebody at the machine.

    The requester's side answers when it is asked, and may end it by taking the consent back.
    """

    __tablename__ = "remote_sessions"
    __grants__: ClassVar[dict[Role, str]] = {
        Role.CLIENT: "SELECT, UPDATE (state, consent_by, consent_way, consent_at, ended_at, ended_by)"
    }
    public_id: Mapped[Any] = public_id()
    ticket_id: Mapped[int]
    asset_id: Mapped[int | None]
    asset_name: Mapped[str] = mapped_column(String(120), default="")
    state: Mapped[str]
    staff_user_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("users.id"))
    staff_name: Mapped[str] = mapped_column(String(120))
    asked_at: Mapped[datetime] = moment()
    consent_by: Mapped[str] = mapped_column(String(120), default="")
    consent_way: Mapped[str | None]
    consent_at: Mapped[datetime | None] = moment(nullable=True)
    begun_at: Mapped[datetime | None] = moment(nullable=True)
    ended_at: Mapped[datetime | None] = moment(nullable=True)
    ended_by: Mapped[str] = mapped_column(String(120), default="")
    # As the client reads it.
    done: Mapped[str] = mapped_column(default="")
    __table_args__ = (
        choice("state", STATES),
        choice("consent_way", CONSENT_WAYS),
        CheckConstraint("begun_at IS NULL OR consent_at IS NOT NULL", name="begins_with_consent"),
        belongs("tickets", "ticket_id"),
        belongs("assets", "asset_id"),
        Index("ix_remote_sessions_ticket", "tenant_id", "ticket_id", "id"),
        Index("uq_remote_sessions_open", "tenant_id", "ticket_id", unique=True, postgresql_where=text(_OPEN)),
    )

    @property
    def minutes(self) -> int:
        """How long it ran, begun minutes counted whole; 0 while it runs and where it never began."""
        if self.begun_at is None or self.ended_at is None:
            return 0
        return max(1, -int(-(self.ended_at - self.begun_at).total_seconds() // 60))
