"""The queue: filters, saved views, and one act upon many tickets."""

import pytest
from sqlalchemy import select

from msp.desk.each import try_each
from msp.staff import teams
from tenants.foundation import time
from tenants.foundation.db import db
from tenants.foundation.errors import Conflict
from tenants.people.models import StaffMember
from tenants.tickets import categories, queries, services, views
from tenants.tickets.category_models import QueueView
from tenants.tickets.models import Ticket
from tests import personas
from tests.counting import counted
from tests.tickets import opened


@pytest.fixture
def codes(app, cast):
    return [opened(app, cast, subject=f"Number {number}") for number in range(3)]


@pytest.fixture
def foreign(app, cast):
    return opened(app, cast, slug="globex")


@pytest.fixture
def dana(sign_in):
    return sign_in("Dana")


def states(within, *codes):
    with within("Leo"):
        found = db.session.execute(select(Ticket.code, Ticket.state).where(Ticket.code.in_(codes)))
        return dict(found.all())


def bulk(client, act, codes, **data):
    return client.post("/desk/bulk", data={"act": act, "codes": codes, **data})


KEY = "00000000-0000-4000-8000-000000000001"


class TestFilters:
    def test_a_category_finds_what_is_below_it(self, within, dana, codes):
        with within("Mia") as mia:
            acting = {"by": mia, "at": time.now()}
            top = categories.add_category(name_en="Hardware", name_id="Hardware", parent=None, **acting)
            below = categories.add_category(name_en="Printer", name_id="Printer", parent=top, **acting)
            services.categorise(queries.find_ticket(codes[1], by=mia), below, **acting)
            db.session.commit()
        page = dana.get("/desk/", query_string={"category": str(top.public_id)}).text
        assert [code in page for code in codes] == [False, True, False]

    def test_a_team_finds_what_its_people_hold(self, within, dana, codes):
        with within("Mia") as mia:
            acting = {"by": mia, "at": time.now()}
            leo = db.session.scalars(select(StaffMember).where(StaffMember.name == "Leo")).one()
            named = {"members": [leo], "lead": None, "default_tier": "L2"}
            team = str(teams.save_team(None, name="Networks", **named, **acting).public_id)
            services.assign_ticket(queries.find_ticket(codes[1], by=mia), to_user_id=leo.user_id, **acting)
            db.session.commit()
        page = dana.get("/desk/", query_string={"team": team}).text
        assert [code in page for code in codes] == [False, True, False]
        assert f'value="{team}" selected' in page or f'selected value="{team}"' in page
        assert f"/desk/?team={team}" in dana.get("/console/staff/teams").text
        nothing = dana.get("/desk/", query_string={"team": KEY}).text
        assert not [code for code in codes if code in nothing]

    @pytest.mark.parametrize(
        "query",
        [
            {"category": "nothing"}, {"kind": "problem"}, {"waiting": "vendor"}, {"source": "phone"}, {"asset": "x"},
            {"site": "x"}, {"from": "2030-01-01"}, {"to": "2020-01-01"}, {"assignee": "me"},
        ],
    )  # fmt: skip
    def test_what_fits_nothing_finds_nothing(self, dana, codes, query):
        page = dana.get("/desk/", query_string=query)
        assert page.status_code == 200
        assert not any(code in page.text for code in codes)

    @pytest.mark.parametrize(
        "query",
        [{"kind": "incident"}, {"source": "portal"}, {"from": "2020-01-01", "to": "2030-01-01"}, {"kind": "x"},
         {"from": "rubbish"}, {"to": "9999-12-31"}, {"assignee": "none"}],
    )  # fmt: skip
    def test_what_fits_all_finds_all(self, dana, codes, query):
        page = dana.get("/desk/", query_string=query).text
        assert all(code in page for code in codes)

    def test_the_queue_takes_as_many_statements_however_long_it_is(self, app, cast, dana, codes):
        dana.get("/desk/")
        with counted(app) as few:
            dana.get("/desk/")
        for number in range(15):
            opened(app, cast, subject=f"More {number}")
        with counted(app) as many:
            dana.get("/desk/")
        assert many() == few()


class TestViews:
    def save(self, client, query="tier=L2", **data):
        return client.post(f"/desk/views?{query}", data={"name": "Second tier", **data})

    def test_a_view_is_kept_shown_first_and_removed(self, within, sign_in):
        tina = sign_in("Tina")
        assert self.save(tina, is_home="y").status_code == 302
        answer = tina.get("/desk/")
        assert "tier=L2" in answer.location
        assert "Second tier" in tina.get(answer.location).text
        assert tina.get("/desk/?view=all").status_code == 200
        with within("Leo"):
            view = db.session.scalars(select(QueueView)).one()
        tina.post(f"/desk/views/{view.public_id}/home")
        assert tina.get("/desk/").status_code == 200
        tina.post(f"/desk/views/{view.public_id}/remove")
        assert "No saved views yet" in tina.get("/desk/views").text

    def test_views_of_others_are_not_found(self, within, sign_in):
        self.save(sign_in("Tina"))
        with within("Leo"):
            view = db.session.scalars(select(QueueView)).one()
        leo = sign_in("Leo")
        assert "Second tier" not in leo.get("/desk/views").text
        for act in ("home", "remove"):
            assert leo.post(f"/desk/views/{view.public_id}/{act}").status_code == 404

    def test_only_managers_share_and_nobody_reads_of_clients_that_are_not_theirs(self, within, sign_in):
        assert self.save(sign_in("Tina"), is_shared="y").status_code == 403
        mia = sign_in("Mia")
        self.save(mia, is_shared="y")
        self.save(mia, query="tenant=globex", is_shared="y", name="Globex only")
        tina = sign_in("Tina")
        page = tina.get("/desk/views").text
        assert "Second tier" in page
        assert "Globex only" not in page
        with within("Leo"):
            view = db.session.scalars(select(QueueView).where(QueueView.name == "Second tier")).one()
        assert tina.post(f"/desk/views/{view.public_id}/remove").status_code == 403

    def test_the_same_name_again_replaces_and_unknown_words_are_not_kept(self, app, cast, within):
        with within("Tina") as tina:
            acting = {"is_shared": False, "is_home": False, "by": tina, "at": time.now()}
            for tier in ("L1", "L2"):
                views.save_view(name="Mine", filters={"tier": tier, "evil": "x"}, **acting)
            (view,) = views.list_views(by=tina)
            assert view.filters == {"tier": "L2"}


class TestBulk:
    def test_a_page_says_to_how_many_before_anything_happens(self, within, dana, codes):
        page = dana.get("/desk/bulk", query_string={"act": "cancel", "codes": codes})
        assert "For 3 tickets" in page.text
        assert set(states(within, *codes).values()) == {"new"}

    def test_each_by_itself_and_one_summary(self, within, dana, codes):
        bulk(dana, "cancel", codes[:1], reason="Twice", key=KEY)
        answer = bulk(dana, "cancel", [*codes, "ACME-2222-2222"], reason="Not needed", key=KEY)
        # One is cancelled already, which is no change and no refusal.
        assert "3 done, 1 left as they were" in answer.text
        assert set(states(within, *codes).values()) == {"cancelled"}
        refused = bulk(dana, "resolve", codes, solution="x", key=KEY)
        assert "0 done, 3 left as they were" in refused.text

    def test_a_refusal_leaves_the_others_done(self, within, dana, codes):
        bulk(dana, "cancel", codes[:1], reason="Twice", key=KEY)
        answer = bulk(dana, "priority", codes, priority="P1", reason="The fair opens", key=KEY)
        assert "2 done, 1 left as they were" in answer.text
        assert "Only open tickets have a priority to change." in answer.text
        with within("Leo"):
            found = dict(db.session.execute(select(Ticket.code, Ticket.priority)).all())
        assert [found[code] for code in codes] == ["P2", "P1", "P1"]

    def test_assigning_category_watcher_and_note(self, within, dana, codes):
        with within("Mia") as mia:
            acting = {"by": mia, "at": time.now()}
            top = categories.add_category(name_en="Hardware", name_id="Hardware", parent=None, **acting)
            leo = str(
                db.session.scalars(select(StaffMember).where(StaffMember.name == "Leo")).one().public_id
            )
            db.session.commit()
        for act, data in (
            ("assign", {"to": leo}),
            ("category", {"category": str(top.public_id)}),
            ("watch", {"email": "boss@example.test"}),
            ("note", {"note": "Belongs together"}),
            ("note", {"note": "Belongs together"}),
        ):
            answer = bulk(dana, act, codes, key=KEY, **data)
            assert "3 done, 0 left" in answer.text, act
        page = dana.get(f"/desk/tickets/{codes[0]}").text
        for words in ("Leo", "Hardware", "boss@example.test"):
            assert words in page
        # The same form sent twice notes once.
        assert page.count("Belongs together") == 1

    def test_somebody_without_the_grant_gets_nothing(self, within, dana, codes, foreign):
        with within("Mia"):
            tina = str(
                db.session.scalars(select(StaffMember).where(StaffMember.name == "Tina")).one().public_id
            )
        answer = bulk(dana, "assign", [codes[0], foreign], to=tina, key=KEY)
        assert "1 done, 1 left" in answer.text
        assert "does not work for this client" in answer.text

    def test_rights_are_those_of_the_single_verb(self, within, sign_in, codes, foreign):
        tina = sign_in("Tina")
        assert tina.get("/desk/bulk", query_string={"act": "assign", "codes": codes}).status_code == 403
        assert bulk(tina, "assign", codes, to="", key=KEY).status_code == 403
        answer = bulk(tina, "cancel", [foreign, codes[0]], reason="x", key=KEY)
        assert "1 done, 1 left" in answer.text
        assert "There is no such ticket" in answer.text
        assert states(within, foreign) == {foreign: "new"}
        assert sign_in("Bob").get("/desk/bulk").status_code == 403

    @pytest.mark.parametrize(
        ("query", "field"),
        [({"act": "cancel"}, "codes"), ({"act": "explode", "codes": "x"}, "act"),
         ({"act": "note", "codes": [str(number) for number in range(101)]}, "codes")],
    )  # fmt: skip
    def test_wrong_questions_are_refused(self, dana, query, field):
        assert dana.get("/desk/bulk", query_string=query).status_code == 422

    @pytest.mark.parametrize("act", ["cancel", "priority", "watch", "note", "resolve"])
    def test_what_an_act_needs_is_asked_for(self, dana, codes, act):
        answer = bulk(dana, act, codes, key=KEY, priority="P1")
        assert answer.status_code == 422
        assert "This is needed." in answer.text


def test_what_is_refused_halfway_leaves_nothing_behind(app, cast, codes):
    def act(ticket):
        services.set_priority(ticket, priority="P1", reason="So", by=leo, at=time.now())
        if ticket.code == codes[1]:
            raise Conflict("not this one")

    with personas.within(app, cast, "Leo") as leo:
        tried = try_each(queries.list_by_codes(codes, by=leo), act)
        db.session.commit()
    assert {one.code: one.refusal for one in tried} == {
        codes[0]: None,
        codes[1]: "not this one",
        codes[2]: None,
    }
    with personas.within(app, cast, "Leo") as leo:
        found = {one.code: (one.priority, one.rev) for one in queries.list_by_codes(codes, by=leo)}
    assert found == {codes[0]: ("P1", 2), codes[1]: ("P2", 1), codes[2]: ("P1", 2)}


def test_a_look_ahead_changes_nothing(app, cast, codes):
    with personas.within(app, cast, "Leo") as leo:
        before = [queries.find_ticket(code, by=leo).rev for code in codes]
    personas.sign_in(app, cast, "Dana").get("/desk/bulk", query_string={"act": "note", "codes": codes})
    with personas.within(app, cast, "Leo") as leo:
        assert [queries.find_ticket(code, by=leo).rev for code in codes] == before
