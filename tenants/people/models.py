"""People, what they belong to, and what proves who they are. Secrets are stored hashed or encrypted, never readable."""

from datetime import datetime
from typing import Any, ClassVar

from sqlalchemy import BigInteger, ForeignKey, Index, LargeBinary, String, false, text
from sqlalchemy.orm import Mapped, mapped_column

from tenants.foundation.db import (
    AllForClient,
    Base,
    Global,
    ProviderOwned,
    TenantOwned,
    choice,
    moment,
    public_id,
)
from tenants.foundation.permissions import CLIENT_ROLES, STAFF_ROLES, MemberRole
from tenants.foundation.scope import Role

MEMBER_STATES = ("active", "left")
EFFECTS = ("allow", "deny")
PURPOSES = ("password_reset", "email_change", "second_factor_reset")
_GATE_ONLY: dict[Role, str] = {Role.GATE: "SELECT, INSERT, UPDATE, DELETE"}


class User(Global, Base):
    """A person who can sign in; reached only through the gate, or by the person."""

    __tablename__ = "users"
    __own_column__: ClassVar[str] = "id"
    __grants__: ClassVar[dict[Role, str]] = {
        Role.GATE: "SELECT, INSERT, UPDATE",
        Role.CLIENT: "SELECT, UPDATE",
        Role.STAFF: "SELECT, UPDATE",
    }
    public_id: Mapped[Any] = public_id()
    email: Mapped[str] = mapped_column(String(254), unique=True)
    name: Mapped[str] = mapped_column(String(120))
    state: Mapped[str] = mapped_column(default="active")
    password_hash: Mapped[str | None] = mapped_column(info={"secret": True})
    language: Mapped[str | None] = mapped_column(String(5))
    time_zone: Mapped[str | None] = mapped_column(String(60))
    totp_secret: Mapped[bytes | None] = mapped_column(LargeBinary, info={"secret": True})
    totp_confirmed_at: Mapped[datetime | None] = moment(nullable=True)
    totp_last_step: Mapped[int | None]
    created_at: Mapped[datetime] = moment()
    __table_args__ = (choice("state", MEMBER_STATES),)

    @property
    def has_second_factor(self) -> bool:
        """Whether a confirmed second factor guards the account."""
        return self.totp_confirmed_at is not None


class StaffMember(ProviderOwned, Base):
    """One of the provider's people: role, tier and how far the grants reach."""

    __tablename__ = "staff_members"
    __grants__: ClassVar[dict[Role, str]] = {Role.GATE: "SELECT, INSERT, UPDATE"}
    user_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("users.id"), unique=True)
    public_id: Mapped[Any] = public_id()
    name: Mapped[str] = mapped_column(String(120))
    email: Mapped[str] = mapped_column(String(254))
    role: Mapped[str]
    state: Mapped[str] = mapped_column(default="active")
    # True: every client, present and to come, less those denied. False: exactly those allowed; none means none.
    all_tenants: Mapped[bool] = mapped_column(default=False)
    joined_at: Mapped[datetime] = moment()
    left_at: Mapped[datetime | None] = moment(nullable=True)
    __table_args__ = (choice("role", STAFF_ROLES), choice("state", MEMBER_STATES))

    @property
    def tier(self) -> str | None:
        """L1, L2 or L3 for the tiers' engineers; managers and owners stand in for L3, dispatchers for L1."""
        return {"l1": "L1", "l2": "L2", "l3": "L3", "manager": "L3", "owner": "L3", "dispatcher": "L1"}[
            self.role
        ]


class StaffGrant(TenantOwned, Base):
    """A staff member's access to one tenant, allowed or denied; a denial beats everything."""

    __tablename__ = "staff_grants"
    # The gate writes them when an invitation is accepted and drops them when somebody leaves; else staff change them,
    # each inside the tenants held.
    __grants__: ClassVar[dict[Role, str]] = {Role.GATE: "SELECT, INSERT, DELETE"}
    __sees_all__ = (Role.GATE,)
    user_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("users.id"))
    effect: Mapped[str] = mapped_column(default="allow")
    granted_at: Mapped[datetime] = moment()
    __table_args__ = (
        choice("effect", EFFECTS),
        Index("uq_staff_grants_user", "tenant_id", "user_id", unique=True),
        Index("ix_staff_grants_by_user", "user_id"),
    )


class Membership(AllForClient, TenantOwned, Base):
    """A person's place in a client company; one person may belong to several."""

    __tablename__ = "memberships"
    __grants__: ClassVar[dict[Role, str]] = {
        Role.GATE: "SELECT, INSERT, UPDATE",
        Role.CLIENT: "SELECT, INSERT, UPDATE",
    }
    __sees_all__ = (Role.GATE,)
    user_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("users.id"))
    public_id: Mapped[Any] = public_id()
    name: Mapped[str] = mapped_column(String(120))
    email: Mapped[str] = mapped_column(String(254))
    role: Mapped[str]
    # In E.164 form (+628123456789): calls and texts are known by it.
    phone: Mapped[str | None] = mapped_column(String(20))
    # The number as staff wrote it down or confirmed it: only by such a one a text finds its company by itself.
    known_phone: Mapped[str | None] = mapped_column(String(20))
    # Chosen to read all tickets of the company, where the company chooses (Tenant.ticket_sharing).
    reads_company: Mapped[bool] = mapped_column(default=False, server_default=false())
    state: Mapped[str] = mapped_column(default="active")
    joined_at: Mapped[datetime] = moment()
    left_at: Mapped[datetime | None] = moment(nullable=True)
    __table_args__ = (
        choice("role", CLIENT_ROLES),
        choice("state", MEMBER_STATES),
        Index("uq_memberships_user", "tenant_id", "user_id", unique=True),
        Index("ix_memberships_by_phone", "phone"),
        Index("ix_memberships_by_known_phone", "known_phone"),
        Index("ix_memberships_by_user", "user_id"),
    )


class Invitation(AllForClient, TenantOwned, Base):
    """An offer to join a client, or (in the provider's own tenant) the staff; its link's token is an HMAC."""

    __tablename__ = "invitations"
    __grants__: ClassVar[dict[Role, str]] = {
        Role.GATE: "SELECT, INSERT, UPDATE",
        Role.CLIENT: "SELECT, INSERT, UPDATE",
    }
    __sees_all__ = (Role.GATE,)
    public_id: Mapped[Any] = public_id()
    email: Mapped[str] = mapped_column(String(254))
    name: Mapped[str] = mapped_column(String(120))
    role: Mapped[str]
    all_tenants: Mapped[bool] = mapped_column(default=False)
    granted_tenants: Mapped[list[Any]] = mapped_column(default=list)
    nonce: Mapped[bytes] = mapped_column(LargeBinary, info={"secret": True})
    invited_by: Mapped[str]
    # Whether the inviter may still give the role is asked again when the invitation is accepted.
    invited_by_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("users.id"))
    invited_at: Mapped[datetime] = moment()
    expires_at: Mapped[datetime] = moment()
    accepted_at: Mapped[datetime | None] = moment(nullable=True)
    revoked_at: Mapped[datetime | None] = moment(nullable=True)
    __table_args__ = (
        choice("role", tuple(MemberRole)),
        Index(
            "uq_invitations_open_email",
            "tenant_id",
            "email",
            unique=True,
            postgresql_where=text("accepted_at IS NULL AND revoked_at IS NULL"),
        ),
    )


class SignInSession(Global, Base):
    """A server-side session, revocable at once; the cookie holds the token, the row its SHA-256."""

    __tablename__ = "sign_in_sessions"
    __grants__: ClassVar[dict[Role, str]] = _GATE_ONLY
    public_id: Mapped[Any] = public_id()
    token_hash: Mapped[bytes] = mapped_column(LargeBinary, unique=True, info={"secret": True})
    user_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("users.id"), index=True)
    # The client company in view, for people who belong to several.
    tenant_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("tenants.id"))
    second_factor_at: Mapped[datetime | None] = moment(nullable=True)
    created_at: Mapped[datetime] = moment()
    last_seen_at: Mapped[datetime] = moment()
    expires_at: Mapped[datetime] = moment()
    revoked_at: Mapped[datetime | None] = moment(nullable=True)
    address: Mapped[str] = mapped_column(default="")
    agent: Mapped[str] = mapped_column(default="")


class ApiToken(Global, Base):
    """A bearer token of one person with a subset of that person's rights, checked again at each use."""

    __tablename__ = "api_tokens"
    __grants__: ClassVar[dict[Role, str]] = {**_GATE_ONLY, Role.CLIENT: "SELECT", Role.STAFF: "SELECT"}
    public_id: Mapped[Any] = public_id()
    token_hash: Mapped[bytes] = mapped_column(LargeBinary, unique=True, info={"secret": True})
    user_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("users.id"), index=True)
    # A client's token is bound to one company; a staff token to one client, or (null) to what its maker reaches.
    tenant_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("tenants.id"))
    name: Mapped[str] = mapped_column(String(80))
    permissions: Mapped[list[Any]]
    created_at: Mapped[datetime] = moment()
    expires_at: Mapped[datetime] = moment()
    last_used_on: Mapped[datetime | None] = moment(nullable=True)
    revoked_at: Mapped[datetime | None] = moment(nullable=True)


class RecoveryCode(Global, Base):
    """A one-use code for a lost second factor, stored hashed."""

    __tablename__ = "recovery_codes"
    __grants__: ClassVar[dict[Role, str]] = _GATE_ONLY
    user_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("users.id"), index=True)
    code_hash: Mapped[bytes] = mapped_column(LargeBinary, info={"secret": True})
    used_at: Mapped[datetime | None] = moment(nullable=True)


class OneTimeLink(Global, Base):
    """A link mailed to a person for one purpose, used once; its token is an HMAC over purpose, id and nonce."""

    __tablename__ = "one_time_links"
    __grants__: ClassVar[dict[Role, str]] = _GATE_ONLY
    public_id: Mapped[Any] = public_id()
    purpose: Mapped[str]
    user_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("users.id"), index=True)
    nonce: Mapped[bytes] = mapped_column(LargeBinary, info={"secret": True})
    new_email: Mapped[str | None] = mapped_column(String(254))
    approved_by: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("users.id"))
    created_at: Mapped[datetime] = moment()
    expires_at: Mapped[datetime] = moment()
    used_at: Mapped[datetime | None] = moment(nullable=True)
    __table_args__ = (choice("purpose", PURPOSES),)


class Attempt(Global, Base):
    """Counted tries per subject and window: limits that hold with Redis down."""

    __tablename__ = "attempts"
    __grants__: ClassVar[dict[Role, str]] = _GATE_ONLY
    subject: Mapped[str] = mapped_column(String(200))
    window_start: Mapped[datetime] = moment()
    count: Mapped[int] = mapped_column(default=0)
    __table_args__ = (Index("uq_attempts_subject", "subject", "window_start", unique=True),)
