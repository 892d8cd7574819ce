"""What the API remembers of its own: answers to repeatable requests."""

from datetime import datetime
from typing import ClassVar

from sqlalchemy import BigInteger, ForeignKey, Index, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from tenants.foundation.db import Base, Global, moment
from tenants.foundation.scope import Role

_OWN = "SELECT, INSERT, UPDATE"


class IdempotentAnswer(Global, Base):
    """The answer that an `Idempotency-Key` was given, kept for a day; written with the creation itself.

    It belongs to one token: another token of the same person may reach fewer clients.
    """

    __tablename__ = "idempotent_answers"
    __grants__: ClassVar[dict[Role, str]] = {
        Role.GATE: "SELECT, DELETE",
        Role.CLIENT: _OWN,
        Role.STAFF: _OWN,
    }
    user_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("users.id"))
    token_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("api_tokens.id", ondelete="CASCADE"))
    key: Mapped[str] = mapped_column(String(200))
    # SHA-256 of method, path and body: the same key must bring the same request.
    request_digest: Mapped[bytes] = mapped_column(LargeBinary)
    status: Mapped[int | None]
    body: Mapped[str | None]
    created_at: Mapped[datetime] = moment()
    __table_args__ = (
        Index("uq_idempotent_answers_key", "token_id", "key", unique=True),
        Index("ix_idempotent_answers_created", "created_at"),
    )
