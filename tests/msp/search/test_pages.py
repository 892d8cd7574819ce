"""The search box: a code leads to its ticket, words to tickets, names to assets and clients."""

from contextlib import contextmanager
from io import BytesIO

import pytest
from sqlalchemy import event

from msp.search import commands
from tenants.foundation.db import db
from tenants.tickets import services
from tests import personas
from tests.tickets import MONDAY, leo, open_in_scope, opened


@contextmanager
def statements(app):
    """The statements that are sent meanwhile."""
    sent = []

    def note(_connection, _cursor, statement, *_rest):
        sent.append(statement)

    with app.app_context():
        engine = db.engine
    event.listen(engine, "before_cursor_execute", note)
    try:
        yield sent
    finally:
        event.remove(engine, "before_cursor_execute", note)


@pytest.fixture
def code(app, cast):
    """Bob's ticket with a reply that names a cable, and a note."""
    with personas.within(app, cast, "Leo") as by:
        ticket = open_in_scope(cast, by, subject="Layar gelap", body="Sejak pagi tidak ada gambar.")
        services.add_message(ticket, body="Kami <b>mengganti</b> kabel HDMI.", by=leo(cast), at=MONDAY)
        services.add_message(ticket, body="Cheap cables again", kind="internal", by=leo(cast), at=MONDAY)
        db.session.commit()
        return ticket.code


def test_a_code_leads_to_its_ticket(sign_in, code):
    for who, place in (("Nadia", "desk"), ("Bob", "portal")):
        answer = sign_in(who).get(f"/{place}/search?q={code.lower()}")
        assert answer.headers["Location"] == f"/{place}/tickets/{code}"


def test_a_mistyped_code_is_told_as_such(sign_in, code):
    wrong = code[:-1] + ("A" if code[-1] != "A" else "B")
    page = sign_in("Nadia").get(f"/desk/search?q={wrong}").text
    assert "check your typing" in page
    assert code not in page


def test_a_word_of_a_reply_is_shown_where_it_stands(sign_in, code):
    for who, place in (("Nadia", "desk"), ("Bob", "portal")):
        page = sign_in(who).get(f"/{place}/search?q=kabel").text
        assert code in page
        assert "Kami &lt;b&gt;mengganti&lt;/b&gt; <mark>kabel</mark> HDMI." in page


def test_notes_are_for_staff(sign_in, code):
    assert "<mark>Cheap</mark> cables again" in sign_in("Nadia").get("/desk/search?q=cheap").text
    for who in ("Bob", "Alice"):
        assert code not in sign_in(who).get("/portal/search?q=cheap").text


def test_another_client_finds_nothing(sign_in, code):
    page = sign_in("Mallory").get("/portal/search?q=kabel").text
    assert code not in page
    assert "Nothing found" in page


def test_the_name_of_a_file_finds_its_ticket(sign_in):
    bob = sign_in("Bob")
    form = {
        "subject": "Faktur",
        "body": "Terlampir.",
        "impact": "low",
        "urgency": "low",
        "kind": "request",
        "files": (BytesIO(b"abc"), "tagihan_juni-2026.txt"),
    }
    shown = bob.post("/portal/tickets/new", data=form, follow_redirects=True).text
    assert "tagihan_juni-2026.txt" in shown
    for words in ("tagihan", "juni", "tagihan_juni-2026.txt"):
        assert "Faktur" in bob.get(f"/portal/search?q={words}").text


def test_assets_and_clients_by_name(sign_in, app, cast):
    page = sign_in("Nadia").get("/desk/search?q=ACME").text
    assert "acme-pc-1" in page
    assert "/console/tenants/acme" in page
    assert "acme-pc-1" in sign_in("Alice").get("/portal/search?q=acme-pc").text
    assert "acme-pc-1" not in sign_in("Bob").get("/portal/search?q=acme-pc").text
    assert "acme-pc-1" not in sign_in("Mallory").get("/portal/search?q=acme-pc").text


@pytest.mark.parametrize(
    "words", ["", "%00", "a" * 5000, "%27%3B--", "(%26|!", "\\", "%E2%80%AE", ":*", "<->"]
)
def test_any_words_are_answered(sign_in, code, words):
    for who, place in (("Nadia", "desk"), ("Bob", "portal")):
        assert sign_in(who).get(f"/{place}/search?q={words}").status_code == 200


def test_the_box_of_every_page_leads_here(sign_in):
    assert 'action="/desk/search"' in sign_in("Nadia").get("/desk/").text
    assert 'action="/portal/search"' in sign_in("Bob").get("/portal/").text


def test_the_queries_do_not_grow_with_what_is_found(sign_in, app, cast):
    nadia = sign_in("Nadia")
    opened(app, cast, subject="Kopi pertama")
    nadia.get("/desk/search?q=kopi")
    with statements(app) as few:
        nadia.get("/desk/search?q=kopi")
    for number in range(12):
        opened(app, cast, subject=f"Kopi {number}")
    with statements(app) as many:
        nadia.get("/desk/search?q=kopi")
    assert len(many) == len(few) <= 10


def test_words_are_learned_again_by_a_command(app, cast, code, sign_in, superuser):
    superuser.execute("DELETE FROM ticket_texts")
    superuser.commit()
    nadia = sign_in("Nadia")
    assert code not in nadia.get("/desk/search?q=kabel").text
    for _ in range(2):
        done = app.test_cli_runner().invoke(args=["search", "rebuild"])
        assert (done.exit_code, "acme: 1 tickets" in done.output) == (0, True)
    for words in ("kabel", "cheap", "layar", "bob"):
        assert code in nadia.get(f"/desk/search?q={words}").text
    assert code not in sign_in("Alice").get("/portal/search?q=cheap").text


def test_a_story_longer_than_a_vector_holds_is_learned_as_far_as_it_goes(
    app, code, sign_in, superuser, monkeypatch
):
    """One message too many leaves the others to be found, and the command goes on."""
    endless = " ".join(f"word{number}" for number in range(120_000))
    monkeypatch.setattr(commands, "_said", lambda _ticket, _kind: ["Wombat", endless, "Kanguru"])
    superuser.execute("DELETE FROM ticket_texts")
    superuser.commit()
    done = app.test_cli_runner().invoke(args=["search", "rebuild"])
    assert (done.exit_code, "acme: 1 tickets" in done.output) == (0, True)
    nadia = sign_in("Nadia")
    for words in ("wombat", "kanguru"):
        assert code in nadia.get(f"/desk/search?q={words}").text
