"""Two who save the same at once, or one who clicks twice: the second waits for the first, and both end well."""

import threading

import pytest
from sqlalchemy import func, select

from msp.staff import feeds, skills, teams
from msp.staff.models import CategorySkill, StaffSkill, TeamMember
from msp.staff.roster_models import RosterFeed
from msp.upkeep import feeds as calendars
from msp.upkeep.models import CalendarFeed
from tenants.foundation.db import db
from tenants.tickets import categories
from tests import personas
from tests.msp.staff.conftest import MONDAY, member


@pytest.fixture
def kept(app, cast):
    """A skill, a category and a team that are there already, by row id."""
    with personas.within(app, cast, "Mia") as mia:
        acting = {"by": mia, "at": MONDAY}
        skill = skills.add_skill("Printers", "Pencetak", **acting)
        category = categories.add_category(name_en="Printer", name_id="Pencetak", parent=None, **acting)
        team = teams.save_team(
            None, name="Night", members=[member("Tina")], lead=None, default_tier=None, **acting
        )
        db.session.commit()
        return {"skill": skill.id, "category": category.id, "team": team.id}


def _levels(kept, acting):
    skills.set_levels(member("Tina"), {kept["skill"]: 2}, **acting)


def _needs(kept, acting):
    skills.set_needs(kept["category"], {kept["skill"]: 2}, **acting)


def _team(kept, acting):
    team = db.session.get_one(teams.Team, kept["team"])
    people = [member("Leo"), member("Nadia")]
    teams.save_team(team, name="Night", members=people, lead=None, default_tier=None, **acting)


def _roster(_kept, acting):
    feeds.issue_feed(**acting)


def _calendar(_kept, acting):
    calendars.issue_feed(min(acting["by"].tenants), **acting)


@pytest.mark.parametrize(
    ("act", "model", "left"),
    [
        (_levels, StaffSkill, 1),
        (_needs, CategorySkill, 1),
        (_team, TeamMember, 2),
        (_roster, RosterFeed, 1),
        (_calendar, CalendarFeed, 1),
    ],
)
def test_the_second_waits_for_the_first(app, cast, kept, act, model, left):
    begun, failed = threading.Event(), []

    def second():
        with personas.within(app, cast, "Mia") as mia:
            begun.set()
            try:
                act(kept, {"by": mia, "at": MONDAY})
                db.session.commit()
            except Exception as error:
                failed.append(error)

    with personas.within(app, cast, "Mia") as mia:
        act(kept, {"by": mia, "at": MONDAY})
        db.session.flush()
        other = threading.Thread(target=second)
        other.start()
        assert begun.wait(10)
        other.join(0.2)
        assert other.is_alive()
        db.session.commit()
    other.join(10)
    assert failed == []
    with personas.within(app, cast, "Mia"):
        live = select(func.count()).select_from(model)
        if hasattr(model, "revoked_at"):
            live = live.where(model.revoked_at.is_(None))
        assert db.session.scalar(live) == left
