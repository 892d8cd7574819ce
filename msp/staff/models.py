"""What the provider's people can: skills with levels, certificates that expire, teams, and what categories ask for."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, Date, ForeignKey, Index, Integer, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from msp.staff.rules import TIERS
from tenants.foundation.db import Base, ProviderOwned, choice, moment, public_id

LEVELS = (1, 2, 3)
_LEVEL = "level BETWEEN 1 AND 3"


def person() -> Mapped[int]:
    """One of the provider's people, by the account."""
    return mapped_column(BigInteger, ForeignKey("users.id"))


def part_of(parent: str) -> Mapped[int]:
    """A row that goes with its parent."""
    return mapped_column(BigInteger, ForeignKey(f"{parent}.id", ondelete="CASCADE"))


class Skill(ProviderOwned, Base):
    """Something that people can be good at; named in both languages."""

    __tablename__ = "skills"
    public_id: Mapped[Any] = public_id()
    name_en: Mapped[str] = mapped_column(String(80))
    name_id: Mapped[str] = mapped_column(String(80))
    is_active: Mapped[bool] = mapped_column(default=True)
    __table_args__ = (UniqueConstraint("name_en"), UniqueConstraint("name_id"))


class StaffSkill(ProviderOwned, Base):
    """How well one person can it: 1 knows it, 2 works alone, 3 teaches others."""

    __tablename__ = "staff_skills"
    user_id: Mapped[int] = person()
    skill_id: Mapped[int] = part_of("skills")
    level: Mapped[int] = mapped_column(Integer)
    __table_args__ = (
        CheckConstraint(_LEVEL, name="level_of_three"),
        UniqueConstraint("user_id", "skill_id"),
        Index("ix_staff_skills_skill", "skill_id"),
    )


class CategorySkill(ProviderOwned, Base):
    """A skill that tickets of a category ask for, at least at this level."""

    __tablename__ = "category_skills"
    category_id: Mapped[int] = mapped_column(BigInteger)
    skill_id: Mapped[int] = part_of("skills")
    level: Mapped[int] = mapped_column(Integer)
    __table_args__ = (
        CheckConstraint(_LEVEL, name="level_of_three"),
        UniqueConstraint("category_id", "skill_id"),
    )


class Certificate(ProviderOwned, Base):
    """A paper that proves a skill, until it expires; without a last day it never does."""

    __tablename__ = "certificates"
    public_id: Mapped[Any] = public_id()
    user_id: Mapped[int] = person()
    name: Mapped[str] = mapped_column(String(120))
    issuer: Mapped[str] = mapped_column(String(120))
    number: Mapped[str] = mapped_column(String(80), default="")
    issued_on: Mapped[date] = mapped_column(Date)
    expires_on: Mapped[date | None] = mapped_column(Date)
    # The smallest number of days ahead of which people were reminded.
    reminded_days: Mapped[int | None] = mapped_column(Integer)
    added_by: Mapped[str] = mapped_column(String(120))
    added_at: Mapped[datetime] = moment()
    __table_args__ = (
        CheckConstraint("expires_on IS NULL OR expires_on > issued_on", name="expires_after_issue"),
        Index("ix_certificates_user", "user_id"),
        Index("ix_certificates_expires", "expires_on"),
    )


class Team(ProviderOwned, Base):
    """People who work together; somebody may be in several teams."""

    __tablename__ = "teams"
    public_id: Mapped[Any] = public_id()
    name: Mapped[str] = mapped_column(String(80), unique=True)
    lead_user_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("users.id"))
    default_tier: Mapped[str | None]
    __table_args__ = (choice("default_tier", TIERS),)


class TeamMember(ProviderOwned, Base):
    """Somebody in a team."""

    __tablename__ = "team_members"
    team_id: Mapped[int] = part_of("teams")
    user_id: Mapped[int] = person()
    __table_args__ = (UniqueConstraint("team_id", "user_id"), Index("ix_team_members_user", "user_id"))
