"""The desk as its people use it: who may open what, what a page says, and how it refuses."""

import re
from io import BytesIO

import pytest
from sqlalchemy import select

from tenants.audit.models import AuditEntry
from tenants.foundation.db import db
from tenants.tickets.models import Message, Ticket
from tests.tickets import opened

STAFF = ("Tina", "Leo", "Nadia", "Dana", "Mia", "Owen")


@pytest.fixture
def code(app, cast):
    """A ticket of Acme."""
    return opened(app, cast)


@pytest.fixture
def foreign(app, cast):
    """A ticket of Globex."""
    return opened(app, cast, slug="globex")


@pytest.fixture
def state(within):
    """The ticket as the database has it now."""

    def read(code, *columns):
        with within("Leo"):
            return db.session.execute(
                select(*[getattr(Ticket, one) for one in columns]).where(Ticket.code == code)
            ).one()

    return read


def rev(page):
    return re.search(r'name="rev"[^>]*value="(\d+)"', page.text)[1]


class TestQueue:
    @pytest.mark.parametrize("name", STAFF)
    def test_staff_see_the_tickets_of_their_clients(self, sign_in, code, foreign, name):
        page = sign_in(name).get("/desk/")
        assert page.status_code == 200
        assert code in page.text
        assert (foreign in page.text) == (name != "Tina")

    @pytest.mark.parametrize("name", ["Alice", "Bob"])
    def test_clients_are_refused(self, sign_in, name):
        assert sign_in(name).get("/desk/").status_code == 403

    def test_a_code_in_the_search_leads_to_the_ticket(self, sign_in, code):
        answer = sign_in("Leo").get("/desk/", query_string={"q": code.lower().replace("-", " ")})
        assert answer.location.endswith(f"/desk/tickets/{code}")

    def test_a_mistyped_code_is_told_from_an_unknown_one(self, sign_in, code):
        wrong = code[:-1] + ("2" if code[-1] != "2" else "3")
        assert "check your typing" in sign_in("Leo").get("/desk/", query_string={"q": wrong}).text

    @pytest.mark.parametrize(
        "query", [{"state": "closed"}, {"tenant": "acme"}, {"tenant": "nobody"}, {"tier": "X"}, {"q": "%_'\\"},
                  {"assignee": "me"}, {"assignee": "none"}, {"state": "all", "tenant": "acme"}, {"q": "\x00"}]
    )  # fmt: skip
    def test_any_filter_answers(self, sign_in, code, query):
        assert sign_in("Leo").get("/desk/", query_string=query).status_code == 200

    @pytest.mark.parametrize(
        "query", [{"after": "rubbish"}, {"limit": "0"}, {"limit": "9" * 30}, {"after": "WzFd"}]
    )
    def test_a_wrong_cursor_is_refused(self, sign_in, query):
        assert sign_in("Leo").get("/desk/", query_string=query).status_code == 422

    def test_a_foreign_client_in_the_filter_finds_nothing(self, sign_in, code, foreign):
        page = sign_in("Tina").get("/desk/?tenant=globex")
        assert foreign not in page.text
        assert code not in page.text


class TestTicket:
    def test_shows_words_as_words(self, app, cast, sign_in):
        code = opened(app, cast, subject="<script>alert(1)</script>", body="<img src=x onerror=alert(2)>")
        for name, path in (("Leo", "desk"), ("Bob", "portal")):
            page = sign_in(name).get(f"/{path}/tickets/{code}").text
            assert "<script>alert" not in page
            assert "<img src=x" not in page
            assert "&lt;img src=x onerror=alert(2)&gt;" in page

    def test_foreign_and_unknown_tickets_are_the_same(self, sign_in, foreign):
        tina = sign_in("Tina")
        unknown = tina.get("/desk/tickets/ACME-2222-2222")
        for path in (foreign, "x", "%00", foreign.lower()):
            answer = tina.get(f"/desk/tickets/{path}")
            assert (answer.status_code, answer.data) == (404, unknown.data)

    def test_foreign_tickets_can_not_be_acted_on(self, sign_in, foreign, state):
        tina = sign_in("Tina")
        for act in ("take", "resume", "close", "wait", "resolve", "reopen", "cancel", "priority", "messages",
                    "hand-over", "hand-over/accept", "hand-over/return"):  # fmt: skip
            assert tina.post(f"/desk/tickets/{foreign}/{act}", data={"body": "x"}).status_code == 404
        assert state(foreign, "state", "rev") == ("new", 1)

    def test_assigning_needs_the_right(self, sign_in, code):
        assert sign_in("Tina").get(f"/desk/tickets/{code}/assign").status_code == 403
        assert sign_in("Dana").get(f"/desk/tickets/{code}/assign").status_code == 200

    def test_a_day_at_the_desk(self, sign_in, cast, code, state):
        tina = sign_in("Tina")
        page = f"/desk/tickets/{code}"
        tina.post(f"{page}/take", data={"rev": rev(tina.get(page))})
        assert state(code, "state", "assignee_name") == ("in_progress", "Tina")
        tina.post(f"{page}/messages", data={"body": "Looking.", "kind": "public"})
        tina.post(f"{page}/messages", data={"body": "Smells odd.", "kind": "internal"})
        tina.post(f"{page}/wait", data={"reason": "requester", "rev": rev(tina.get(f"{page}/wait"))})
        assert state(code, "state", "waiting_reason") == ("waiting", "requester")
        tina.post(f"{page}/resume", data={"rev": rev(tina.get(page))})
        briefing = {"to_tier": "L2", "symptoms": "Smoke", "tried": "Water", "told_requester": "Wait"}
        tina.post(f"{page}/hand-over", data={**briefing, "rev": rev(tina.get(f"{page}/hand-over"))})
        assert state(code, "tier", "assignee_name") == ("L2", None)
        leo = sign_in("Leo")
        assert "Smoke" in leo.get(page).text
        leo.post(f"{page}/hand-over/accept", data={"rev": rev(leo.get(page))})
        leo.post(
            f"{page}/priority",
            data={"impact": "high", "urgency": "high", "rev": rev(leo.get(f"{page}/priority"))},
        )
        assert state(code, "assignee_name", "priority") == ("Leo", "P1")
        leo.post(f"{page}/resolve", data={"solution": "New toner.", "rev": rev(leo.get(f"{page}/resolve"))})
        assert state(code, "state") == ("resolved",)
        story = leo.get(page).text
        for words in ("Smells odd.", "New toner.", "handed it over from L1 to L2", "changed the priority"):
            assert words in story

    def test_stale_page_is_refused_in_words_and_keeps_what_was_typed(self, sign_in, code):
        leo = sign_in("Leo")
        old = rev(leo.get(f"/desk/tickets/{code}/cancel"))
        sign_in("Bob").post(f"/portal/tickets/{code}/messages", data={"body": "It is out!", "kind": "public"})
        answer = leo.post(f"/desk/tickets/{code}/cancel", data={"reason": "No answer from Bob", "rev": old})
        assert answer.status_code == 409
        assert "No answer from Bob" in answer.text
        assert "while you were reading it" in answer.text
        assert leo.post(f"/desk/tickets/{code}/take", data={"rev": old}).status_code == 409

    def test_an_impossible_step_is_a_conflict(self, sign_in, code):
        answer = sign_in("Leo").post(f"/desk/tickets/{code}/close", data={})
        assert answer.status_code == 409
        assert "not possible from here" in answer.text

    @pytest.mark.parametrize(
        ("act", "data", "words"),
        [
            ("messages", {"body": " ", "kind": "public"}, "Write something first."),
            ("messages", {"body": "x", "kind": "shouted"}, ""),
            ("wait", {"reason": "lunch"}, ""),
            ("cancel", {"reason": ""}, "Say why it is cancelled."),
            ("hand-over", {"to_tier": "L2", "symptoms": "typed"}, "typed"),
            ("priority", {"impact": "low", "urgency": "low", "priority": "P1"}, "Say why"),
            ("assign", {"to": "00000000-0000-0000-0000-000000000000"}, ""),
        ],
    )
    def test_mistakes_are_named_and_change_nothing(self, sign_in, code, state, act, data, words):
        leo = sign_in("Nadia")
        page = leo.post(f"/desk/tickets/{code}/{act}", data=data)
        assert page.status_code == 422
        assert words in page.text
        assert state(code, "rev") == (1,)

    def test_double_click_sends_one_message(self, sign_in, code, within):
        leo = sign_in("Leo")
        key = re.search(r'name="request_key"[^>]*value="([^"]+)"', leo.get(f"/desk/tickets/{code}").text)[1]
        for _ in range(2):
            sent = {"body": "Once", "kind": "public", "request_key": key}
            assert leo.post(f"/desk/tickets/{code}/messages", data=sent).status_code == 302
        with within("Leo"):
            assert len(db.session.scalars(select(Message).where(Message.body == "Once")).all()) == 1


class TestOpening:
    FORM = {"subject": "Phone is dead", "body": "No tone.", "impact": "low", "urgency": "medium",
            "kind": "incident", "caller_name": "Joko", "caller_email": "joko@example.test"}  # fmt: skip

    def test_by_phone_for_somebody_without_an_account(self, sign_in, state):
        answer = sign_in("Tina").post("/desk/tickets/new/acme", data={**self.FORM, "spoke_with_caller": "y"})
        code = answer.location.rpartition("/")[2]
        assert state(code, "source", "requester_name", "state") == ("phone", "Joko", "in_progress")

    def test_for_a_member(self, sign_in, within, state):
        tina = sign_in("Tina")
        member = re.search(r'<option value="([0-9a-f-]{36})">Bob ', tina.get("/desk/tickets/new/acme").text)[
            1
        ]
        answer = tina.post("/desk/tickets/new/acme", data={**self.FORM, "requester": member})
        assert state(answer.location.rpartition("/")[2], "requester_email") == ("bob@example.test",)

    def test_a_foreign_client_is_not_found(self, sign_in):
        tina = sign_in("Tina")
        assert tina.get("/desk/tickets/new/globex").status_code == 404
        assert tina.post("/desk/tickets/new/globex", data=self.FORM).status_code == 404
        assert "Globex" not in tina.get("/desk/tickets/new").text

    def test_nothing_is_lost_that_was_typed(self, sign_in):
        answer = sign_in("Tina").post(
            "/desk/tickets/new/acme", data={**self.FORM, "subject": "", "caller_name": ""}
        )
        assert answer.status_code == 422
        assert "No tone." in answer.text


class TestFiles:
    def test_attached_seen_and_fetched(self, sign_in, code):
        leo = sign_in("Leo")
        sent = {"body": "Look", "kind": "internal", "files": (BytesIO(b"secret"), '../../<b>"x".txt')}
        assert leo.post(f"/desk/tickets/{code}/messages", data=sent).status_code == 302
        url = re.search(rf"/desk/tickets/{code}/files/[0-9a-f-]+", leo.get(f"/desk/tickets/{code}").text)[0]
        with leo.get(url) as file:
            assert file.data == b"secret"
        assert file.headers["Content-Disposition"].startswith("attachment; filename=")
        assert file.headers["X-Content-Type-Options"] == "nosniff"
        assert "sandbox" in file.headers["Content-Security-Policy"]
        assert sign_in("Bob").get(url.replace("/desk/", "/portal/")).status_code == 404
        assert sign_in("Mallory").get(url.replace("/desk/", "/portal/")).status_code == 404

    def test_a_program_is_kept_back_until_somebody_hands_it_out(self, within, sign_in, code):
        bob, leo = sign_in("Bob"), sign_in("Leo")
        sent = {"body": "Please run this", "files": (BytesIO(b"MZ\x90"), "setup.exe")}
        assert bob.post(f"/portal/tickets/{code}/messages", data=sent).status_code == 302
        read = bob.get(f"/portal/tickets/{code}").text
        assert "Kept back: it is a program" in read
        assert "/release" not in read
        path = re.search(
            rf"/desk/tickets/{code}/files/[0-9a-f-]+/release", leo.get(f"/desk/tickets/{code}").text
        )[0]
        file = path.removesuffix("/release").replace("/desk/", "/portal/")
        assert bob.get(file).status_code == 404
        assert "setup.exe is kept back" in leo.get(path).text
        assert "is handed out now" in leo.post(path, follow_redirects=True).text
        with bob.get(file) as handed_out:
            assert handed_out.data == b"MZ\x90"
        assert leo.post(path).status_code == 409
        assert "is not kept back" in leo.get(path).text
        with within("Owen"):
            (entry,) = db.session.scalars(select(AuditEntry).where(AuditEntry.action == "file.release"))
            assert '"danger":"program"' in entry.body.replace(" ", "")

    def test_oversized_upload(self, sign_in, code):
        part = b'--b\r\nContent-Disposition: form-data; name="files"; filename="big.bin"\r\n\r\n'
        sent = part + b"x" * (2 * 1024 * 1024 + 1) + b"\r\n--b--\r\n"
        answer = sign_in("Leo").post(
            f"/desk/tickets/{code}/messages", data=sent, content_type="multipart/form-data; boundary=b"
        )
        assert answer.status_code == 413

    def test_an_empty_file_is_named(self, sign_in, code, state):
        sent = {"body": "Look", "kind": "public", "files": (BytesIO(b""), "empty.txt")}
        answer = sign_in("Leo").post(f"/desk/tickets/{code}/messages", data=sent)
        assert answer.status_code == 422
        assert "This file is empty." in answer.text
        assert state(code, "rev") == (1,)
