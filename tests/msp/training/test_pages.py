"""The pages: for those who plan, for trainers, and for the client's people as far as they are in a class."""

import re
from datetime import timedelta
from io import BytesIO

import icalendar
import pytest
from sqlalchemy import select, update

from msp.training import queries, seats, services
from msp.training.models import TrainingClass, TrainingMaterial
from tenants.files.models import StoredFile
from tenants.foundation.db import db
from tenants.people.models import Membership
from tests import personas

TYPED = {
    "title": "Printing without paper jams",
    "teaches": "How to load paper.",
    "language": "en",
    "starts_at": "10:00",
    "minutes": "60",
    "place": "Room 2",
    "request_key": "one-key",
}


@pytest.fixture(autouse=True)
def _no_tokens(app, monkeypatch):
    monkeypatch.setitem(app.config, "WTF_CSRF_ENABLED", False)


@pytest.fixture
def typed(category, now):
    return {**TYPED, "category": str(category.public_id), "on": f"{now + timedelta(days=5):%Y-%m-%d}"}


@pytest.fixture
def began(app, cast):
    """Put a class's beginning into the past."""

    def _began(class_id, days=1):
        with personas.within(app, cast, "acme"):
            found = TrainingClass.public_id == class_id
            earlier = TrainingClass.begins_at - timedelta(days=days)
            db.session.execute(update(TrainingClass).where(found).values(begins_at=earlier))
            db.session.commit()

    return _began


def key_of(app, cast, name):
    with personas.within(app, cast, "acme"):
        return str(db.session.scalars(select(Membership.public_id).where(Membership.name == name)).one())


def words(answer):
    return re.sub(r"\s+", " ", answer.get_data(as_text=True))


def test_from_a_plan_to_attendance(app, cast, sign_in, typed, began):
    mia, bob = sign_in("Mia"), sign_in("Bob")
    answer = mia.post("/training/tenants/acme/plan", data=typed)
    assert answer.status_code == 302
    invite = answer.location
    class_id = invite.split("/")[-2]
    people = [key_of(app, cast, name) for name in ("Alice", "Bob")]
    assert "Bob" in words(mia.get(invite))
    assert mia.post(invite, data={"people": people[1:]}).status_code == 302
    assert "Printing without paper jams" in words(bob.get("/portal/training"))
    answer = bob.post(f"/portal/training/{class_id}/answer", data={"answer": "yes"})
    assert answer.status_code == 302
    assert "Comes" in words(mia.get(f"/training/classes/{class_id}"))
    began(class_id, days=6)
    # Who said yes is ticked already.
    page = words(mia.get(f"/training/classes/{class_id}/attendance"))
    ticked = re.findall(r'<input checked[^>]*value="([^"]*)"', page)
    assert ticked == people[1:]
    assert mia.post(f"/training/classes/{class_id}/attendance", data={"people": people}).status_code == 302
    page = words(mia.get(f"/training/classes/{class_id}"))
    assert "Too few to tell: 2 people came" in page
    assert "Not invited" in page
    alice = sign_in("Alice")
    assert "Too few to tell" in words(alice.get(f"/portal/training/{class_id}"))
    assert "Too few to tell" not in words(bob.get(f"/portal/training/{class_id}"))
    assert "Too few to tell" in words(mia.get("/training/results"))
    for one, path in (
        (mia, "/training/results.csv"),
        (mia, f"/training/classes/{class_id}/figures.csv"),
        (alice, f"/portal/training/{class_id}/figures.csv"),
    ):
        assert "Those who came" in words(one.get(path)), path
    assert bob.get(f"/portal/training/{class_id}/figures.csv").status_code == 403


def test_a_form_keeps_what_was_typed_and_names_the_field(sign_in, typed):
    answer = sign_in("Mia").post(
        "/training/tenants/acme/plan", data=typed | {"link": "javascript:x", "place": "Hall 7"}
    )
    assert answer.status_code == 422
    assert "Enter a link such as https" in words(answer)
    assert "Hall 7" in words(answer)
    for changes in ({"on": "0001-01-01"}, {"on": "9999-12-31"}, {"category": "x"}, {"minutes": ""}):
        assert sign_in("Mia").post("/training/tenants/acme/plan", data=typed | changes).status_code == 422


def test_who_may_what(sign_in, planned, typed):
    class_id = planned()
    own = ("change", "cancel", "invite")
    for who in ("Tina", "Leo", "Nadia"):
        browser = sign_in(who)
        assert browser.get(f"/training/classes/{class_id}").status_code == 200
        assert browser.post("/training/tenants/acme/plan", data=typed).status_code == 403
        for act in own:
            assert browser.get(f"/training/classes/{class_id}/{act}").status_code == 403
        for path in ("files", "articles"):
            data = {"files": (BytesIO(b"x"), "x.txt"), "article": "any"}
            refused = browser.post(f"/training/classes/{class_id}/{path}", data=data)
            assert refused.status_code in (403, 422), path
    dana = sign_in("Dana")
    for act in own:
        assert dana.get(f"/training/classes/{class_id}/{act}").status_code == 200


def test_outsiders_find_nothing(app, cast, sign_in, planned, act):
    class_id = planned()
    globex = planned(slug="globex")
    for who, one in (("Bob", class_id), ("Mallory", class_id), ("Alice", globex), ("Bob", "never-was")):
        for path in ("", "/calendar.ics"):
            assert sign_in(who).get(f"/portal/training/{one}{path}").status_code == 404
        assert sign_in(who).post(f"/portal/training/{one}/answer", data={"answer": "yes"}).status_code == 404
    assert sign_in("Tina").get(f"/training/classes/{globex}").status_code == 404
    # An administrator sees the company's classes without being invited, and is not asked.
    page = sign_in("Alice").get(f"/portal/training/{class_id}")
    assert page.status_code == 200
    assert "Do you come?" not in words(page)
    assert "Printing" not in words(sign_in("Bob").get("/portal/training"))
    act("Mia", seats.invite_people, class_id, [cast.users["Bob"]])
    assert sign_in("Bob").get(f"/portal/training/{class_id}").status_code == 200


def test_the_calendar_file(cast, sign_in, planned, act):
    class_id = planned()
    act("Mia", seats.invite_people, class_id, [cast.users["Bob"]])
    answer = sign_in("Bob").get(f"/portal/training/{class_id}/calendar.ics")
    calendar = icalendar.Calendar.from_ical(answer.data)
    assert str(calendar["METHOD"]) == "PUBLISH"
    assert str(calendar.walk("VEVENT")[0]["SUMMARY"]) == "Training: Printing without paper jams"


def test_files_for_everybody_in_the_class(app, cast, sign_in, planned, act):
    class_id = planned(trainer_user_id=cast.users["Tina"])
    act("Mia", seats.invite_people, class_id, [cast.users["Bob"]])
    tina = sign_in("Tina")
    sent = {"files": (BytesIO(b"load it so"), "paper.txt")}
    assert tina.post(f"/training/classes/{class_id}/files", data=sent).status_code == 302
    assert tina.post(f"/training/classes/{class_id}/files", data={}).status_code == 422
    with personas.within(app, cast, "acme"):
        file = db.session.scalars(select(StoredFile)).one()
        material = db.session.scalars(select(TrainingMaterial)).one()
        assert file.is_internal is False
    path = f"/portal/training/{class_id}/files/{file.public_id}"
    with sign_in("Bob").get(path) as answer:
        assert answer.data == b"load it so"
    assert sign_in("Mallory").get(path).status_code == 404
    other = planned()
    assert tina.get(f"/training/classes/{other}/files/{file.public_id}").status_code == 404
    with personas.within(app, cast, "acme"):
        db.session.execute(update(StoredFile).values(state="quarantined"))
        db.session.commit()
    assert sign_in("Bob").get(path).status_code == 404
    assert "In quarantine" in words(sign_in("Bob").get(f"/portal/training/{class_id}"))
    gone = f"/training/classes/{class_id}/materials/{material.public_id}/remove"
    assert sign_in("Leo").post(gone).status_code == 403
    assert tina.post(gone).status_code == 302
    assert "paper.txt" not in words(sign_in("Bob").get(f"/portal/training/{class_id}"))


def test_articles_that_the_client_may_read(app, cast, sign_in, planned, act, write):
    class_id = planned()
    act("Mia", seats.invite_people, class_id, [cast.users["Bob"]])
    mine, others = write(), write(audience="chosen", tenant_ids=[cast.tenants["globex"]])
    staff = write(audience="staff")
    mia = sign_in("Mia")
    for slug, status in ((mine, 302), (mine, 302), (others, 422), (staff, 422), ("never-was", 422)):
        answer = mia.post(f"/training/classes/{class_id}/articles", data={"article": slug})
        assert answer.status_code == status, slug
    page = words(sign_in("Bob").get(f"/portal/training/{class_id}"))
    assert page.count(f"/portal/articles/{mine}") == 1


def test_a_link_is_judged_again_when_it_is_shown(app, cast, sign_in, planned, superuser):
    class_id = planned(link="https://meet.example.test/x")
    assert 'href="https://meet.example.test/x"' in words(sign_in("Mia").get(f"/training/classes/{class_id}"))
    superuser.execute("UPDATE training_classes SET link = 'javascript:alert(1)'")
    assert "javascript" not in words(sign_in("Mia").get(f"/training/classes/{class_id}"))


def test_proposals_on_the_page(app, cast, sign_in, category, now):
    empty = words(sign_in("Mia").get("/training"))
    assert "Nothing comes up again and again" in empty
    assert "No class is planned" in empty
    from tests.tickets import opened

    for who in ("Bob", "Bob", "Bob", "Alice", "Bob"):
        opened(app, cast, at=now - timedelta(days=3), who=who)
    with personas.within(app, cast, "acme"):
        from tenants.tickets.models import Ticket

        db.session.execute(update(Ticket).values(category_id=category.id))
        db.session.commit()
    page = words(sign_in("Mia").get("/training"))
    plan = f"/training/tenants/acme/plan?category={category.public_id}"
    assert plan in page
    assert "2 of 2" in page
    assert "2.50" in page
    assert plan not in words(sign_in("Nadia").get("/training"))
    assert str(category.public_id) in words(sign_in("Mia").get(plan))
    refuse = f"/training/tenants/acme/refuse?category={category.public_id}"
    assert sign_in("Mia").post(refuse, data={"reason": ""}).status_code == 422
    assert sign_in("Mia").post(refuse, data={"reason": "They move house"}).status_code == 302
    page = words(sign_in("Mia").get("/training"))
    assert plan not in page
    assert "They move house" in page


def test_the_history_is_told(cast, sign_in, planned, act, plan):
    class_id = planned()
    act("Mia", seats.invite_people, class_id, [cast.users["Bob"], cast.users["Alice"]])
    act("Bob", seats.answer_invitation, class_id, yes=False)
    act("Mia", services.change_class, class_id, plan(place="Room 3"))
    act("Mia", services.cancel_class, class_id, why="The room burns")
    page = words(sign_in("Mia").get(f"/training/classes/{class_id}"))
    for said in (
        "planned the class",
        "invited 2 people",
        "Does not come",
        "changed the class",
        "The room burns",
    ):
        assert said in page, said
    assert "Cancelled: The room burns" in words(sign_in("Bob").get(f"/portal/training/{class_id}"))


def test_people_are_ticked_by_where_they_asked(app, cast, sign_in, planned, now):
    from tenants.tenancy.models import Site
    from tenants.tickets.models import Ticket
    from tests.tickets import opened

    class_id = planned()
    opened(app, cast, at=now - timedelta(days=3), who="Alice")
    with personas.within(app, cast, "acme"):
        site = db.session.scalars(select(Site)).one()
        db.session.execute(update(Ticket).values(site_id=site.id))
        db.session.commit()
    alice, bob = (key_of(app, cast, name) for name in ("Alice", "Bob"))
    for who, expected in (("asked", []), ("everybody", [alice, bob]), (site.public_id, [alice]), ("x", [])):
        page = words(sign_in("Mia").get(f"/training/classes/{class_id}/invite?who={who}"))
        assert re.findall(r'<input checked[^>]*value="([^"]*)"', page) == expected, who


def test_lists_take_few_statements(app, cast, planned, act, now):
    from tests.counting import counted

    for day in range(3):
        class_id = planned(begins_at=now + timedelta(days=2 + day))
        act("Mia", seats.invite_people, class_id, [cast.users["Bob"]])
    with personas.within(app, cast, "Mia"):
        queries.list_classes("planned")
        with counted(app) as statements:
            assert len(queries.list_classes("planned")) == 3
            assert statements() == 2
