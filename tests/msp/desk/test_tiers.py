"""The tiers' pages: remote sessions and visits that both sides see, vendors and hand-overs that clients never do."""

import re
from datetime import timedelta

import pytest
from sqlalchemy import select

from msp.background.runner import run_all_due
from msp.mail.models import OutgoingMail
from msp.mail.replies import tokens_in
from tenants.assets.models import Asset
from tenants.foundation import time
from tenants.foundation.db import db
from tenants.tickets import directory, services
from tenants.tickets.models import HandOver, Ticket, TimeEntry
from tenants.tickets.remote_models import RemoteSession
from tenants.tickets.vendor_models import VendorCase
from tenants.tickets.visit_models import Visit
from tests import personas
from tests.tickets import opened


def rev(page):
    return re.search(r'name="rev"[^>]*value="(\d+)"', page.text)[1]


def words_of(answer):
    return " ".join(re.sub(r"<[^>]+>", " ", answer.text).split())


@pytest.fixture
def code(app, cast):
    return opened(app, cast, at=time.now())


@pytest.fixture
def rows(within):
    def read(model, slug="acme"):
        with within(slug):
            return list(db.session.scalars(select(model).order_by(model.id)))

    return read


@pytest.fixture
def taken(sign_in, code):
    """The ticket in Leo's hands; his browser, and where it is."""
    leo, page = sign_in("Leo"), f"/desk/tickets/{code}"
    leo.post(f"{page}/take", data={"rev": rev(leo.get(page))})
    return leo, page


class TestRemote:
    def test_begun_by_phone_seen_by_the_requester_ended_with_time(self, taken, sign_in, code, rows):
        leo, page = taken
        form = leo.get(f"{page}/remote")
        assert 'value="Bob"' in form.text
        data = {"consent_by": "Bob", "consent_way": "phone", "rev": rev(form)}
        assert leo.post(f"{page}/remote", data=data).status_code == 302
        bob = sign_in("Bob")
        told = words_of(bob.get(f"/portal/tickets/{code}"))
        assert "Leo works remotely on your machine now." in told
        assert "Bob, on the phone" in told
        (session,) = rows(RemoteSession)
        end = f"{page}/remote/{session.public_id}/end"
        form = leo.get(end)
        done = {"done": "Cleaned the spooler.", "enters_time": "y", "rev": rev(form)}
        assert leo.post(end, data=done).status_code == 302
        assert leo.post(end, data=done).status_code == 409, "a second click ends nothing twice"
        (entry,) = rows(TimeEntry)
        assert (entry.minutes, entry.what, entry.person_name) == (1, "Cleaned the spooler.", "Leo")
        assert "Cleaned the spooler." in words_of(bob.get(f"/portal/tickets/{code}"))

    def test_consent_is_asked_for_by_the_field(self, taken, rows):
        leo, page = taken
        answer = leo.post(f"{page}/remote", data={"consent_by": "", "rev": rev(leo.get(f"{page}/remote"))})
        assert answer.status_code == 422
        assert "Say who at the machine allowed it" in answer.text
        assert "Choose how you heard it" in answer.text
        assert rows(RemoteSession) == []

    def test_the_requester_allows_and_takes_back_in_the_portal(self, app, taken, sign_in, code, rows):
        leo, page = taken
        assert leo.post(f"{page}/remote/ask", data={"rev": rev(leo.get(f"{page}/remote"))}).status_code == 302
        assert leo.post(f"{page}/remote/ask", data={}).status_code == 409
        with app.app_context():
            run_all_due()
        assert [one.to_address for one in rows(OutgoingMail) if one.template == "remote_asked"] == [
            "bob@example.test"
        ]
        (session,) = rows(RemoteSession)
        bob, portal = sign_in("Bob"), f"/portal/tickets/{code}"
        assert "Leo asks for leave to work remotely" in words_of(bob.get(portal))
        act = f"{portal}/remote/{session.public_id}"
        assert bob.post(f"{act}/allow").status_code == 302
        assert bob.post(f"{act}/decline").status_code == 409
        form = leo.get(f"{page}/remote")
        assert "Bob allowed it in the portal." in words_of(form)
        assert leo.post(f"{page}/remote", data={"rev": rev(form)}).status_code == 302
        assert bob.post(f"{act}/withdraw").status_code == 302
        assert rows(RemoteSession)[0].state == "withdrawn"
        assert "took back the consent" in words_of(leo.get(page))

    def test_a_requester_without_an_account_is_asked_on_the_phone_only(self, within, sign_in, code, rows):
        with within("acme"):
            ticket = db.session.scalars(select(Ticket).where(Ticket.code == code)).one()
            ticket.requester_user_id, ticket.requester_name = None, "Gita"
            db.session.commit()
        leo, page = sign_in("Leo"), f"/desk/tickets/{code}"
        form = leo.get(f"{page}/remote")
        assert "Gita has no account" in form.text
        assert "Ask in the portal" not in form.text
        refused = leo.post(f"{page}/remote/ask", data={"rev": rev(form)})
        assert refused.status_code == 409
        assert "Ask on the phone" in refused.text
        assert rows(RemoteSession) == []

    def test_others_find_nothing(self, taken, sign_in, code, rows):
        leo, page = taken
        leo.post(f"{page}/remote/ask", data={"rev": rev(leo.get(f"{page}/remote"))})
        (session,) = rows(RemoteSession)
        act = f"/portal/tickets/{code}/remote/{session.public_id}"
        for who in ("Mallory", "Gus"):
            for verb in ("allow", "decline", "withdraw"):
                assert sign_in(who).post(f"{act}/{verb}").status_code == 404
        assert sign_in("Tina").post(f"{act}/allow").status_code in (403, 404)
        assert rows(RemoteSession)[0].state == "asked"

    def test_the_tool_is_a_link_for_staff_only(self, app, cast, within, sign_in):
        with within("acme"):
            asset = db.session.scalars(select(Asset).where(Asset.name == "acme-pc-1")).one()
            asset.remote_url = "rustdesk://123456789"
            db.session.commit()
        code = opened(app, cast, asset=asset, at=time.now())
        assert 'href="rustdesk://123456789"' in sign_in("Leo").get(f"/desk/tickets/{code}").text
        for who in ("Bob", "Alice"):
            assert "rustdesk" not in sign_in(who).get(f"/portal/tickets/{code}").text
        assert "rustdesk" not in sign_in("Alice").get(f"/portal/assets/{asset.public_id}").text


def test_no_other_link_is_shown_though_the_row_has_one(app, cast, within, sign_in):
    with within("acme"):
        asset = db.session.scalars(select(Asset).where(Asset.name == "acme-pc-1")).one()
        asset.remote_url = "javascript:alert(1)"
        db.session.commit()
    code = opened(app, cast, asset=asset, at=time.now())
    for page in (f"desk/tickets/{code}", f"desk/tickets/{code}/remote", f"console/assets/{asset.public_id}"):
        answer = sign_in("Leo").get(f"/{page}")
        assert answer.status_code == 200
        assert "javascript:" not in answer.text


@pytest.mark.parametrize(
    ("url", "fits"),
    [
        ("https://mesh.example.test/?node=1", True),
        ("rustdesk://123456789", True),
        ("meshcentral://node/1", True),
        ("teamviewer10://control?device=1", True),
        ("javascript:alert(1)", False),
        ("data:text/html,x", False),
        ("http://mesh.example.test/", False),
        ("https://", False),
        ("https://leo:secret@mesh.example.test/", False),
        ("https://mesh.example.test/ x", False),
        ("//mesh.example.test", False),
        ("https://[", False),
        ("rustdesk://" + "1" * 500, False),
    ],
)
def test_only_links_to_tools_are_kept(within, sign_in, url, fits):
    with within("acme"):
        asset = db.session.scalars(select(Asset).where(Asset.name == "acme-pc-1")).one()
    leo, page = sign_in("Leo"), f"/console/assets/{asset.public_id}/edit"
    answer = leo.post(
        page, data={"name": asset.name, "kind": asset.kind, "remote_url": url, "rev": rev(leo.get(page))}
    )
    assert answer.status_code == (302 if fits else 422)
    with within("acme"):
        asset = db.session.scalars(select(Asset).where(Asset.name == "acme-pc-1")).one()
        assert asset.remote_url == (url if fits else None)


def visit_form(day, **more):
    return {
        "on": str(day),
        "starts_at": "09:00",
        "minutes": "90",
        "address": "Jl. Sudirman 1",
        "technician": "",
        **more,
    }


class TestVisits:
    @pytest.fixture
    def day(self):
        return (time.now() + timedelta(days=2)).date()

    def test_planned_moved_and_reported(self, taken, sign_in, code, rows, day):
        leo, page = taken
        form = leo.get(f"{page}/visits/new")
        nadia = re.search(r'<option value="([^"]+)">Nadia \(L3\)', form.text)[1]
        data = visit_form(day, technician=nadia, rev=rev(form))
        assert leo.post(f"{page}/visits/new", data=data).status_code == 302
        assert leo.post(f"{page}/visits/new", data=data).status_code == 409, "a second click plans nothing"
        (visit,) = rows(Visit)
        assert visit.begins_at.hour == 2, "nine o'clock in Jakarta"
        told = words_of(sign_in("Bob").get(f"/portal/tickets/{code}"))
        assert "Nadia comes on" in told
        assert "The ticket waits until then." in told
        move = f"{page}/visits/{visit.public_id}/move"
        form = leo.get(move)
        assert 'value="09:00"' in form.text
        data = visit_form(day, technician=nadia, starts_at="13:00", rev=rev(form))
        assert leo.post(move, data=data).status_code == 302
        assert rows(Visit)[0].sequence == 1
        done = f"{page}/visits/{visit.public_id}/done"
        report = {"outcome": "solved", "done": "Changed the disk.", "rev": rev(leo.get(done))}
        bad = leo.post(done, data={**report, "new_1": "S2"})
        assert bad.status_code == 422
        assert "Name each part" in bad.text
        assert leo.post(done, data={**report, "what_1": "Disk", "new_1": "S2"}).status_code == 302
        told = words_of(sign_in("Bob").get(f"/portal/tickets/{code}"))
        for words in ("Changed the disk.", "Disk", "S2", "It works again"):
            assert words in told

    def test_mistakes_are_named(self, taken, day):
        leo, page = taken
        form = rev(leo.get(f"{page}/visits/new"))
        for changes, says in (
            ({"on": ""}, "Enter a day."),
            ({"starts_at": "x"}, "Not a valid time"),
            ({"minutes": "0"}, "one minute to seven days"),
            ({"minutes": "9" * 30}, "one minute to seven days"),
            ({"address": ""}, "type one of at most 300"),
            ({"on": "2020-01-01"}, "from today on"),
            ({"technician": "somebody"}, "Not a valid choice"),
        ):
            answer = leo.post(f"{page}/visits/new", data=visit_form(day, rev=form) | changes)
            assert answer.status_code == 422, changes
            assert says in answer.text, changes

    def test_an_overlap_is_told_and_not_refused(self, app, cast, taken, day, rows):
        leo, page = taken
        other = opened(app, cast, slug="globex", at=time.now())
        for address in (page, f"/desk/tickets/{other}"):
            form = leo.get(f"{address}/visits/new")
            nadia = re.search(r'<option value="([^"]+)">Nadia \(L3\)', form.text)[1]
            last = leo.post(
                f"{address}/visits/new",
                data=visit_form(day, technician=nadia, rev=rev(form)),
                follow_redirects=True,
            )
        assert "Nadia has another visit from" in words_of(last)
        week = words_of(leo.get(f"/desk/visits?week={day}"))
        assert week.count("Overlaps another visit") == 2
        assert "Globex" in week

    def test_the_week_shows_only_granted_clients(self, app, cast, sign_in, day):
        other = opened(app, cast, slug="globex", at=time.now())
        leo, page = sign_in("Leo"), f"/desk/tickets/{other}"
        leo.post(f"{page}/visits/new", data=visit_form(day, rev=rev(leo.get(f"{page}/visits/new"))))
        assert other in leo.get(f"/desk/visits?week={day}").text
        for who in ("Tina",):
            shown = sign_in(who).get(f"/desk/visits?week={day}").text
            assert other not in shown
            assert "No visits in this week" in shown
        for week in ("x", "0001-01-01", "9999-12-31"):
            assert leo.get(f"/desk/visits?week={week}").status_code == 200

    def test_cancelled_with_words(self, taken, day, rows, sign_in, code):
        leo, page = taken
        leo.post(f"{page}/visits/new", data=visit_form(day, rev=rev(leo.get(f"{page}/visits/new"))))
        (visit,) = rows(Visit)
        cancel = f"{page}/visits/{visit.public_id}/cancel"
        assert leo.post(cancel, data={"why": " ", "rev": rev(leo.get(cancel))}).status_code == 422
        assert leo.post(cancel, data={"why": "No part.", "rev": rev(leo.get(cancel))}).status_code == 302
        assert "No part." in sign_in("Bob").get(f"/portal/tickets/{code}").text

    def test_it_stands_in_the_clients_calendar(self, taken, day, sign_in, code):
        leo, page = taken
        leo.post(f"{page}/visits/new", data=visit_form(day, rev=rev(leo.get(f"{page}/visits/new"))))
        shown = sign_in("Alice").get(f"/portal/calendar?month={day:%Y-%m}").text
        assert f"/portal/tickets/{code}" in shown


CASE = {
    "vendor": "Printco",
    "contact_email": "help@printco.test",
    "reference": "PC-1",
    "subject": "The drum burns",
    "body": "It burns since Monday.",
    "is_mailed": "y",
    "calendar": "contract",
}


class TestVendors:
    def test_proposed_sent_acknowledged_and_answered(self, app, cast, taken, code, rows, sign_in):
        leo, page = taken
        with personas.within(app, cast, "Leo") as by:
            ticket = db.session.scalars(select(Ticket).where(Ticket.code == code)).one()
            briefing = services.Briefing("It burns", "Water", "Wait", suspected_cause="The fuser")
            services.hand_over(ticket, briefing, to_tier="L3", by=by, at=time.now())
            vendor = directory.add_vendor(
                directory.VendorEntry(name="Printco", email="help@printco.test", promised_minutes=240),
                by=by,
                at=time.now(),
            )
            db.session.commit()
        form = leo.get(f"{page}/vendor-cases/new?vendor={vendor.public_id}")
        for words in ("Water", "The fuser", "help@printco.test", 'value="4.0"'):
            assert words in form.text
        data = {**CASE, "known": str(vendor.public_id), "promised_hours": "4", "rev": rev(form)}
        assert leo.post(f"{page}/vendor-cases/new", data=data).status_code == 302
        assert leo.post(f"{page}/vendor-cases/new", data=data).status_code == 409, "no second case"
        with app.app_context():
            run_all_due()
        (case,) = rows(VendorCase)
        assert (case.vendor_id, case.promised_minutes, case.answered_at) == (vendor.id, 240, None)
        (mail,) = [one for one in rows(OutgoingMail) if one.template == "vendor_case"]
        assert mail.to_address == "help@printco.test"
        with app.app_context():
            (answers_to,) = tokens_in([mail.reply_to])
        assert (answers_to.kind, answers_to.code, answers_to.case_id) == ("case", code, case.id)
        assert "It burns since Monday." in mail.text
        place = f"{page}/vendor-cases/{case.public_id}"
        assert leo.post(f"{place}/acknowledge", data={"reference": "PC-77"}).status_code == 302
        assert leo.post(place, data={"answer": " "}).status_code == 422
        assert leo.post(place, data={"answer": "Send it in."}).status_code == 302
        assert leo.post(place, data={"answer": "Twice"}).status_code == 409
        (case,) = rows(VendorCase)
        assert (case.reference, case.answer) == ("PC-77", "Send it in.")
        assert case.acknowledged_at <= case.answered_at
        assert rows(Ticket)[0].state == "in_progress"
        assert "Send it in." in leo.get(place).text
        story = words_of(leo.get(page))
        assert "asked Printco." in story
        assert "Time at the vendor" in story
        for who in ("Bob", "Alice"):
            shown = sign_in(who).get(f"/portal/tickets/{code}").text
            assert "Printco" not in shown
            assert "The fuser" not in shown

    @pytest.mark.parametrize(
        ("changes", "says"),
        [
            ({"contact_email": ""}, "Type the address to which it is sent."),
            ({"contact_email": "help"}, "This is not an e-mail address."),
            ({"vendor": ""}, "Say which vendor."),
            ({"subject": ""}, "Write one line that names the problem."),
            ({"body": ""}, "Write what the vendor is asked."),
            ({"promised_hours": "0"}, "Give a time between"),
            ({"reference": "x" * 121}, "at most 120"),
        ],
    )
    def test_mistakes_are_named_and_nothing_is_kept(self, taken, rows, changes, says):
        leo, page = taken
        form = rev(leo.get(f"{page}/vendor-cases/new"))
        answer = leo.post(f"{page}/vendor-cases/new", data={**CASE, **changes, "rev": form})
        assert answer.status_code == 422
        assert says in answer.text
        assert rows(VendorCase) == []
        assert rows(Ticket)[0].state == "in_progress"

    def test_others_cases_are_not_found(self, app, cast, taken, rows):
        leo, page = taken
        leo.post(f"{page}/vendor-cases/new", data={**CASE, "rev": rev(leo.get(f"{page}/vendor-cases/new"))})
        (case,) = rows(VendorCase)
        other = opened(app, cast, slug="globex", at=time.now())
        for key in (case.public_id, "x"):
            assert leo.get(f"/desk/tickets/{other}/vendor-cases/{key}").status_code == 404
            assert (
                leo.post(f"/desk/tickets/{other}/vendor-cases/{key}/acknowledge", data={}).status_code == 404
            )


class TestHandOvers:
    def test_evidence_names_files_of_the_ticket(self, taken, sign_in, code, rows):
        from io import BytesIO

        leo, page = taken
        file = (BytesIO(b"a log\n"), "spooler.log")
        sign_in("Bob").post(
            f"/portal/tickets/{code}/messages",
            data={"body": "Here.", "kind": "public", "files": file},
            content_type="multipart/form-data",
        )
        form = leo.get(f"{page}/hand-over")
        key = re.search(r'name="files"[^>]*value="([^"]+)"', form.text)[1]
        data = {"to_tier": "L3", "symptoms": "Smoke", "tried": "Water", "told_requester": "Wait"}
        bad = leo.post(f"{page}/hand-over", data={**data, "files": "elsewhere", "rev": rev(form)})
        assert bad.status_code == 422
        assert leo.post(f"{page}/hand-over", data={**data, "files": key, "rev": rev(form)}).status_code == 302
        assert [one.files for one in rows(HandOver)] == [[{"public_id": key, "name": "spooler.log"}]]
        assert f"/desk/tickets/{code}/files/{key}" in sign_in("Nadia").get(page).text

    def test_to_and_fro_is_counted_on_the_ticket_and_over_all(self, app, cast, taken, code, sign_in):
        leo, page = taken
        briefing = services.Briefing("It burns", "Water", "Wait")
        with personas.within(app, cast, "Leo") as by:
            nadia = personas.actor(app, cast, "Nadia")
            ticket = db.session.scalars(select(Ticket).where(Ticket.code == code)).one()
            start = time.now() - timedelta(hours=3)
            for number in range(2):
                at = start + timedelta(hours=number)
                services.hand_over(ticket, briefing, to_tier="L3", by=by, at=at)
                services.return_hand_over(
                    ticket, reason="No evidence", by=nadia, at=at + timedelta(minutes=20)
                )
            at = start + timedelta(hours=2)
            services.hand_over(ticket, briefing, to_tier="L3", by=by, at=at)
            services.accept_hand_over(ticket, by=nadia, at=at + timedelta(minutes=30))
            db.session.commit()
        shown = words_of(leo.get(page))
        assert "Returned 2 times" in shown
        assert "Passed between the same tiers again 4 times" in shown
        figures = words_of(leo.get("/console/hand-overs"))
        for words in ("L1 → L3", "2 (66", "30 min", "No evidence"):
            assert words in figures, words
        assert "made in these days: 1" in figures
        assert code in figures
        assert code not in leo.get("/console/hand-overs?tenant=globex").text
        assert code not in leo.get("/console/hand-overs?tenant=nowhere").text
        old = leo.get("/console/hand-overs?from=2020-01-01&to=2020-02-01")
        assert "Nothing was handed over in this time" in old.text
        assert "Passed between" not in sign_in("Bob").get(f"/portal/tickets/{code}").text
