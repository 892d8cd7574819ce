"""What is written on a ticket finds it, in both languages; nobody learns a word from beyond what they may read."""

import psycopg
import pytest
from sqlalchemy import select, text

from tenants.foundation.db import db
from tenants.foundation.scope import Role, Scope, enter
from tenants.tickets import services
from tenants.tickets.models import Ticket
from tenants.tickets.texts import learn_words, search_tickets, spread
from tests import cluster, personas
from tests.tickets import MONDAY, alice, bob, leo, open_in_scope, tina


def found(words, by, most=50):
    return list(search_tickets(words, by=by, most=most))


@pytest.fixture
def ticket(app, cast):
    """Bob's ticket, committed, with a reply and a note among staff."""
    with personas.within(app, cast, "Leo"):
        opened = open_in_scope(
            cast, bob(cast), subject="Pencetakan laporan gagal", body="The printers are printing blank pages."
        )
        services.add_message(
            opened, body="Kami mengganti kabel switch di lantai dua.", by=leo(cast), at=MONDAY
        )
        services.add_message(
            opened, body="Root password rotated by Zulkifli", kind="internal", by=leo(cast), at=MONDAY
        )
        db.session.commit()
        return opened


@pytest.mark.parametrize(
    "words",
    [
        "laporan",
        "pencetakan",
        "LAPORAN gagal",
        "print",
        "page",
        "kabel mengganti",
        "lantai lap",
        "bob@example.test",
        "laporan -zebra",
    ],
)
def test_words_of_both_languages_find_it(app, cast, ticket, words):
    with personas.within(app, cast, "Leo"):
        assert found(words, leo(cast)) == [ticket.id]


@pytest.mark.parametrize(
    "words", ["", "   ", "!!!", "zebra", "laporan zebra", "laporan -gagal", "la", "\x00"]
)
def test_other_words_do_not(app, cast, ticket, words):
    with personas.within(app, cast, "Leo"):
        assert found(words, leo(cast)) == []


def test_its_code_and_each_half_of_it_find_it(app, cast, ticket):
    with personas.within(app, cast, "Leo"):
        for words in (ticket.code, ticket.code.split("-")[1], ticket.code.lower()):
            assert ticket.id in found(words, leo(cast))


def test_clients_do_not_learn_what_staff_noted(app, cast, ticket):
    with personas.within(app, cast, "Leo"):
        assert found("zulkifli", leo(cast)) == [ticket.id]
    for name, who in (("Bob", bob(cast)), ("Alice", alice(cast))):
        with personas.within(app, cast, name):
            assert found("kabel", who) == [ticket.id]
            assert found("zulkifli", who) == found("laporan zulkifli", who) == []


def test_a_word_of_a_note_left_out_tells_a_client_nothing(app, cast, ticket):
    with personas.within(app, cast, "Bob"):
        assert found("laporan -zulkifli", bob(cast)) == found("laporan", bob(cast)) == [ticket.id]


def test_another_client_finds_nothing(app, cast, ticket):
    with personas.within(app, cast, "Mallory"):
        assert found("laporan", personas.actor(app, cast, "Mallory")) == []


def test_staff_find_only_where_they_are_granted(app, cast, ticket):
    with personas.within(app, cast, "Leo"):
        open_in_scope(cast, bob(cast), slug="globex", subject="Laporan Globex")
        db.session.commit()
    with personas.within(app, cast, "Tina"):
        assert found("laporan", tina(cast)) == [ticket.id]


def test_a_user_finds_own_tickets_only(app, cast):
    with personas.within(app, cast, "Leo"):
        own = open_in_scope(cast, bob(cast), subject="Own mango")
        hers = {"requester": services.Requester("Alice", "alice@example.test", cast.users["Alice"])}
        other = open_in_scope(cast, alice(cast), subject="Her mango", **hers)
        db.session.commit()
    with personas.within(app, cast, "Bob"):
        assert found("mango", bob(cast)) == [own.id]
    with personas.within(app, cast, "Alice"):
        assert set(found("mango", alice(cast))) == {own.id, other.id}


def test_names_of_files_are_found_by_their_parts(app, cast, ticket):
    assert spread(["faktur_mei-2026.pdf", None]).split() == [
        "faktur_mei-2026.pdf",
        "faktur",
        "mei",
        "2026",
        "pdf",
    ]


MANY_TICKETS = """
INSERT INTO tickets (tenant_id, code, kind, subject, state, impact, urgency, priority, priority_overridden, tier, rev,
  requester_name, source, opened_at)
SELECT %(tenant)s, 'K' || n, 'incident', 'Kopi', 'closed', 'low', 'low', 'P4', false, 'L1', 1, 'Bob', 'portal',
  %(at)s::timestamptz - n * interval '17 hours' FROM generate_series(1, 2100) n
"""
MANY_TEXTS = """
INSERT INTO ticket_texts (tenant_id, ticket_id, opened_at, marks, words, notes)
SELECT tenant_id, id, opened_at,
  ARRAY['t:' || tenant_id, 'd:' || floor(extract(epoch FROM opened_at) / 86400)::bigint],
  lexemes_of('Kopi'), lexemes_of('Kopi') FROM tickets WHERE code LIKE 'K%%'
"""


@pytest.fixture
def many(app, cast, database_name):
    """2,100 tickets with the same word, of four years."""
    with psycopg.connect(cluster.dsn("postgres", database_name)) as connection:
        connection.execute(MANY_TICKETS, {"tenant": cast.tenants["acme"], "at": MONDAY})
        connection.execute(MANY_TEXTS)
    cluster.mark_dirty(database_name)


def test_of_a_common_word_the_newest_come_first(app, cast, many):
    with personas.within(app, cast, "Leo"):
        ids = found("kopi", leo(cast), most=30)
        opened = dict(db.session.execute(select(Ticket.id, Ticket.opened_at).where(Ticket.id.in_(ids))).all())
        newest = db.session.scalars(
            select(Ticket.opened_at).order_by(Ticket.opened_at.desc()).limit(30)
        ).all()
    assert [opened[one] for one in ids] == newest


def test_nobody_writes_words_for_a_foreign_ticket(app, cast, ticket):
    with app.app_context(), enter(Scope(Role.CLIENT, frozenset({cast.tenants["globex"]}))):
        with pytest.raises(Exception, match="outside the scope"):
            learn_words(ticket, "planted")
        db.session.rollback()


def test_the_table_is_closed_to_every_role(app, cast, ticket):
    for role in (Role.CLIENT, Role.STAFF, Role.WORKER, Role.AGENTS):
        with app.app_context(), enter(Scope(role, frozenset({cast.tenants["acme"]}))):
            with pytest.raises(Exception, match="permission denied"):
                db.session.execute(text("SELECT words FROM ticket_texts"))
            db.session.rollback()


def test_a_flood_of_words_does_not_stop_a_message(app, cast, ticket):
    with personas.within(app, cast, "Leo"):
        for part in range(8):
            flood = " ".join(f"{part}x{number}{'y' * 1500}" for number in range(12))
            services.add_message(ticket, body=flood, by=leo(cast), at=MONDAY)
        assert found("laporan", leo(cast)) == [ticket.id]


def test_more_words_than_a_vector_holds_stop_nothing(app, cast, ticket):
    """The ticket keeps the words that it had, and its tenant's next ticket learns its own."""
    endless = " ".join(f"word{number}" for number in range(120_000))
    with personas.within(app, cast, "Leo"):
        learn_words(ticket, endless)
        learn_words(ticket, "Wombat")
        db.session.commit()
        assert found("wombat", leo(cast)) == found("laporan", leo(cast)) == [ticket.id]
