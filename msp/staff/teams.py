"""Teams: who works together, who leads, and in which tier they usually work."""

from collections.abc import Collection
from datetime import datetime

from flask_babel import lazy_gettext as _l
from sqlalchemy import delete, select

from msp.staff.checks import audited, one_line
from msp.staff.models import Team, TeamMember
from msp.staff.rules import TIERS
from tenants.foundation.actor import Actor
from tenants.foundation.db import db, hold_row
from tenants.foundation.errors import Invalid, NotFound
from tenants.people.models import StaffMember
from tenants.tenancy.clashes import naming_clashes
from tenants.tenancy.queries import as_uuid

CLASHES = {"uq_teams_name": ("name", _l("There is a team of this name already."))}


def list_teams() -> list[Team]:
    """All teams by name."""
    return list(db.session.scalars(select(Team).order_by(Team.name)))


def find_team(public_id: str) -> Team:
    """A team. Raises NotFound."""
    found = db.session.scalar(select(Team).where(Team.public_id == as_uuid(public_id)))
    if found is None:
        raise NotFound
    return found


def members_of() -> dict[int, list[int]]:
    """By team, the accounts of its people."""
    found: dict[int, list[int]] = {}
    for team_id, user_id in db.session.execute(select(TeamMember.team_id, TeamMember.user_id)):
        found.setdefault(team_id, []).append(user_id)
    return found


def list_members_of(team: Team) -> list[int]:
    """The accounts of a team's people."""
    return list(db.session.scalars(select(TeamMember.user_id).where(TeamMember.team_id == team.id)))


def teams_of(user_id: int) -> list[Team]:
    """The teams that somebody is in."""
    mine = select(TeamMember.team_id).where(TeamMember.user_id == user_id)
    return list(db.session.scalars(select(Team).where(Team.id.in_(mine)).order_by(Team.name)))


def save_team(
    team: Team | None,
    *,
    name: str,
    members: Collection[StaffMember],
    lead: StaffMember | None,
    default_tier: str | None,
    by: Actor,
    at: datetime,
) -> Team:
    """Make a team or change it; who leads is in it. Raises Invalid naming what is unfit."""
    words = one_line(name, "name", 80, _l("Give it a name of at most 80 characters."))
    if default_tier is not None and default_tier not in TIERS:
        raise Invalid("default_tier", _l("Choose a tier."))
    if not members and lead is None:
        raise Invalid("members", _l("Choose at least one person."))
    row = team or Team()
    if team is not None:
        hold_row(Team, team.id)
    with naming_clashes(CLASHES):
        row.name, row.default_tier = words, default_tier
        row.lead_user_id = lead.user_id if lead else None
        db.session.add(row)
    _put(row, {one.user_id for one in (*members, *((lead,) if lead else ()))})
    what = "team.change" if team else "team.add"
    audited(what, f"team:{row.public_id}", by, at, name=words, members=len(members))
    return row


def _put(row: Team, user_ids: set[int]) -> None:
    db.session.execute(delete(TeamMember).where(TeamMember.team_id == row.id))
    db.session.add_all(TeamMember(team_id=row.id, user_id=one) for one in sorted(user_ids))


def remove_team(row: Team, *, by: Actor, at: datetime) -> None:
    """The team is no more; its people stay."""
    object_, name = f"team:{row.public_id}", row.name
    db.session.delete(row)
    audited("team.remove", object_, by, at, name=name)
