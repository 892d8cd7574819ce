"""The facts behind a suggestion: duty, skills, load and experience, in a fixed number of statements."""

from datetime import timedelta

import pytest
from sqlalchemy import event, select

from msp.staff.skills import add_skill, needs_of, set_levels, set_needs
from msp.staff.suggesting import gather_candidates, suggest_for
from tenants.assets.models import Asset
from tenants.foundation.db import db
from tenants.foundation.errors import Invalid
from tenants.people.queries import list_staff
from tenants.tickets import services
from tenants.tickets.categories import add_category
from tests import personas
from tests.msp.staff.conftest import MONDAY, member
from tests.tickets import open_in_scope


@pytest.fixture
def dana(app, cast):
    with personas.within(app, cast, "Dana") as person:
        yield person


def names(ticket):
    return [one.candidate.name for one in suggest_for(ticket, at=MONDAY)]


def test_only_who_is_granted_the_client(cast, dana):
    assert "Tina" in names(open_in_scope(cast, dana))
    assert "Tina" not in names(open_in_scope(cast, dana, slug="globex"))


def test_only_who_has_the_tier(cast, dana):
    ticket = open_in_scope(cast, dana)
    ticket.tier = "L2"
    assert {"Tina", "Dana"}.isdisjoint(names(ticket)) and names(ticket)[0] == "Leo"


def test_a_category_s_skills_count(cast, dana):
    skill = add_skill("Networks", "Jaringan", by=dana, at=MONDAY)
    category = add_category(name_en="Network", name_id="Jaringan", parent=None, by=dana, at=MONDAY)
    set_needs(category.id, {skill.id: 2}, by=dana, at=MONDAY)
    set_levels(member("Tina"), {skill.id: 2}, by=dana, at=MONDAY)
    ticket = open_in_scope(cast, dana, category=category)
    best = suggest_for(ticket, at=MONDAY)[0]
    assert best.candidate.name == "Tina"
    assert [one.values["level"] for one in best.reasons if one.kind == "skill"] == [2]


def test_a_retired_skill_is_not_asked_for(cast, dana):
    skill = add_skill("Networks", "Jaringan", by=dana, at=MONDAY)
    asking = add_category(name_en="Network", name_id="Jaringan", parent=None, by=dana, at=MONDAY)
    set_needs(asking.id, {skill.id: 2}, by=dana, at=MONDAY)
    assert needs_of(asking.id) == {skill.id: 2}
    skill.is_active = False
    db.session.flush()
    assert needs_of(asking.id) == {} and needs_of(None) == {}


@pytest.mark.parametrize("level", [4, -1])
def test_a_level_that_is_none_is_named(cast, dana, level):
    skill = add_skill("Networks", "Jaringan", by=dana, at=MONDAY)
    for act, whose in ((set_levels, member("Tina")), (set_needs, 7)):
        with pytest.raises(Invalid) as refused:
            act(whose, {skill.id: level}, by=dana, at=MONDAY)
        assert refused.value.field == "level"


def test_load_and_experience_are_counted(app, cast, dana):
    asset = db.session.scalars(select(Asset).where(Asset.tenant_id == cast.tenants["acme"])).first()
    tina = personas.actor(app, cast, "Tina")
    done = open_in_scope(cast, dana, at=MONDAY - timedelta(days=3), asset=asset)
    services.take_ticket(done, by=tina, at=MONDAY - timedelta(days=3))
    services.resolve_ticket(done, solution="Done.", by=tina, at=MONDAY - timedelta(days=2))
    held = open_in_scope(cast, dana, at=MONDAY - timedelta(days=1))
    services.take_ticket(held, by=tina, at=MONDAY)
    ticket = open_in_scope(cast, dana, asset=asset)
    found = {one.name: one for one in gather_candidates(ticket, list_staff(), MONDAY)}["Tina"]
    assert (found.on_asset, found.for_requester) == (1, 1)
    assert dict(found.load) == {held.priority: 1}
    own = {one.name: one for one in gather_candidates(done, list_staff(), MONDAY)}["Tina"]
    assert own.on_asset == 0


def test_the_number_of_statements_does_not_grow_with_people(app, cast, dana):
    ticket, sent = open_in_scope(cast, dana), []
    people = list_staff()

    def count(few):
        sent.clear()
        gather_candidates(ticket, few, MONDAY)
        return len(sent)

    event.listen(db.engine, "before_cursor_execute", lambda *given: sent.append(given[2]))
    assert count(people) == count(people[:1]) <= 7
