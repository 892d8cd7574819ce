"""Calls as staff take them down: begun when the telephone rings, ended as a ticket or without one."""

from datetime import datetime
from typing import Any, ClassVar

from sqlalchemy import BigInteger, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from tenants.foundation.db import Base, TenantOwned, belongs, choice, moment, public_id
from tenants.foundation.scope import Role

STATES = ("open", "ticket", "none")


class Call(TenantOwned, Base):
    """One call. Until somebody knows whose it is, it lies in the provider's own tenant; clients never read it."""

    __tablename__ = "calls"
    __grants__: ClassVar[dict[Role, str]] = {Role.CLIENT: ""}
    public_id: Mapped[Any] = public_id()
    state: Mapped[str] = mapped_column(default="open")
    # As heard, and the same in E.164 form where it can be one.
    number: Mapped[str] = mapped_column(String(40), default="")
    phone: Mapped[str | None] = mapped_column(String(20))
    caller_name: Mapped[str] = mapped_column(String(120), default="")
    company_heard: Mapped[str] = mapped_column(String(120), default="")
    wrong: Mapped[str] = mapped_column(default="")
    requester_user_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("users.id"))
    # Whose it is has been decided, even where that is the provider itself.
    is_placed: Mapped[bool] = mapped_column(default=False)
    taken_by_user_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("users.id"))
    taken_by_name: Mapped[str] = mapped_column(String(120))
    started_at: Mapped[datetime] = moment()
    ended_at: Mapped[datetime | None] = moment(nullable=True)
    reason: Mapped[str] = mapped_column(String(300), default="")
    ticket_id: Mapped[int | None]
    __table_args__ = (
        choice("state", STATES),
        belongs("tickets", "ticket_id"),
        Index("ix_calls_mine", "tenant_id", "taken_by_user_id", "started_at"),
        Index("ix_calls_phone", "tenant_id", "phone", "started_at"),
    )
