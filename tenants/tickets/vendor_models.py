"""Vendors, and what they are asked about tickets."""

from datetime import datetime
from typing import Any, ClassVar

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column

from tenants.foundation.db import Base, ProviderOwned, TenantOwned, belongs, choice, moment, public_id
from tenants.foundation.scope import Role

VENDOR_CALENDARS = ("contract", "always")


class Vendor(ProviderOwned, Base):
    """A vendor whom the provider asks for help: whom to ask there, when, and what they promise."""

    __tablename__ = "vendors"
    public_id: Mapped[Any] = public_id()
    name: Mapped[str] = mapped_column(String(120), unique=True)
    contact_name: Mapped[str] = mapped_column(String(120), default="")
    email: Mapped[str] = mapped_column(String(254), default="")
    phone: Mapped[str] = mapped_column(String(40), default="")
    support_hours: Mapped[str] = mapped_column(String(300), default="")
    promised_minutes: Mapped[int | None]
    calendar: Mapped[str] = mapped_column(default="contract")
    is_active: Mapped[bool] = mapped_column(default=True)
    rev: Mapped[int] = mapped_column(default=1)
    __table_args__ = (
        choice("calendar", VENDOR_CALENDARS),
        CheckConstraint("promised_minutes > 0", name="promise_positive"),
    )


class VendorCase(TenantOwned, Base):
    """What a vendor was asked about a ticket, and what they promised the provider; clients never read it."""

    __tablename__ = "vendor_cases"
    __grants__: ClassVar[dict[Role, str]] = {Role.CLIENT: ""}
    public_id: Mapped[Any] = public_id()
    ticket_id: Mapped[int]
    vendor_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("vendors.id"))
    vendor: Mapped[str] = mapped_column(String(120), default="")
    reference: Mapped[str] = mapped_column(String(120), default="")
    promised_minutes: Mapped[int | None]
    calendar: Mapped[str] = mapped_column(default="contract")
    opened_by_name: Mapped[str] = mapped_column(String(120))
    contact_name: Mapped[str] = mapped_column(String(120), default="")
    contact_email: Mapped[str] = mapped_column(String(254), default="")
    contact_phone: Mapped[str] = mapped_column(String(40), default="")
    # What was sent; `is_mailed` where the portal sent it.
    subject: Mapped[str] = mapped_column(String(200), default="")
    body: Mapped[str] = mapped_column(default="")
    is_mailed: Mapped[bool] = mapped_column(default=False)
    sent_at: Mapped[datetime] = moment()
    acknowledged_at: Mapped[datetime | None] = moment(nullable=True)
    answered_at: Mapped[datetime | None] = moment(nullable=True)
    answer: Mapped[str] = mapped_column(default="")
    __table_args__ = (
        choice("calendar", VENDOR_CALENDARS),
        CheckConstraint("promised_minutes > 0", name="promise_positive"),
        belongs("tickets", "ticket_id"),
        Index("ix_vendor_cases_sent", "tenant_id", "sent_at"),
        Index("ix_vendor_cases_ticket", "tenant_id", "ticket_id", "id"),
        Index(
            "uq_vendor_cases_pending",
            "tenant_id",
            "ticket_id",
            unique=True,
            postgresql_where=text("answered_at IS NULL"),
        ),
    )
