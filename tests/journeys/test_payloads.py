"""Hostile words in every field of every row, on every page: nothing runs, loads, or is stopped at the last moment."""

from collections.abc import Sequence
from dataclasses import replace
from zlib import crc32

import psycopg
import pytest
from sqlalchemy import select

from msp.mail.followers import read_token, token_of
from tenants.foundation.db import db
from tenants.tickets.models import Ticket
from tests import cluster, personas
from tests.guarantees.payloads import COMBINED, CORPUS, FAMILIES, OUTCOME, SHORT, TEMPLATES
from tests.journeys import pages
from tests.journeys.pages import NOBODY
from tests.journeys.poison import Poison
from tests.journeys.test_look import OVERFLOW, SLICE
from tests.journeys.watching import Watch

# Payloads in one field at a time, where there is room.
BATCH = 12


@pytest.fixture
def poison(portal, scene):
    """A hand at the database of the scene, with a row in every table."""
    with psycopg.connect(cluster.dsn("postgres", portal.database), autocommit=True) as connection:
        found = Poison(connection)
        found.fill_gaps(personas.load().tenants["acme"])
        yield found


@pytest.fixture
def watches(portal, visit, scene):
    """Who watches, by name: everybody signed in before the words turn hostile."""
    settings = portal.app.extensions["settings"]
    hosts = {portal.url, settings.artifacts_url, settings.live_url}
    found = {}
    for name in sorted({look.viewer for look in pages.all_looks(portal.app, scene)}):
        visitor = visit(name)
        if name != NOBODY:
            visitor.sign_in()
        found[name] = Watch(visitor, hosts)
    return found


def looks_of(portal, scene):
    """Every page; the links to follow tickets name their requesters' addresses, so they are made anew."""
    with personas.within(portal.app, personas.load(), "acme"):
        links = {name: anew(getattr(scene, name)) for name in ("link", "over_link")}
    return pages.all_looks(portal.app, replace(scene, **links))


def anew(link):
    ticket = db.session.scalars(select(Ticket).where(Ticket.id == read_token(link).ticket_id)).one()
    return token_of(ticket)


class Batch:
    """Some payloads, of which each place gets as many as it has room for, another one first in each."""

    def __init__(self, payloads: Sequence[str]) -> None:
        self.payloads = payloads
        self.placed: set[tuple[str, str]] = set()

    def choose(self, room: int, seed: str) -> str:
        """The words for a place; what is longer than the place is left to longer ones."""
        first, words = crc32(seed.encode()) % len(self.payloads), ""
        for payload in (*self.payloads[first:], *self.payloads[:first]):
            if len(words) + len(payload) + 1 <= room:
                words += payload + " "
                self.placed.add((seed.split("=", 1)[0], payload))
        return words.strip(" ") or SHORT[:room]


def combined(room: int, _seed: str) -> str:
    """The combined payload as far as the place has room."""
    return COMBINED if room >= len(COMBINED) else SHORT


def test_nothing_runs_on_a_sixth_of_the_pages(portal, scene, watches, poison):
    """The proof below looks at all of them."""
    poison.write(combined)
    looks = [look for look in looks_of(portal, scene) if crc32(look.name.encode()) % 6 == 0]
    wrong = {}
    with_words = 0
    for look in looks:
        watch = watches[look.viewer]
        wrong[look.name] = watch.look(look.path)
        with_words += SHORT in watch.seen()
    assert not {name: found for name, found in wrong.items() if found}
    # Else the words would not have come to the pages, and nothing would be shown.
    assert with_words > len(looks) * 3 // 4


@pytest.mark.prove
def test_nothing_of_the_corpus_runs_on_any_page(portal, scene, watches, poison):
    wrong, typed, placed, used, texts, loads = {}, set(), set(), set(), 0, 0
    for number in range(0, len(CORPUS), BATCH * 3 if SLICE else BATCH):
        batch = Batch(CORPUS[number : number + BATCH])
        used |= set(batch.payloads)
        texts += poison.write(batch.choose)
        placed |= batch.placed
        for look in looks_of(portal, scene):
            watch, loads = watches[look.viewer], loads + 1
            found, seen = watch.look(look.path), watch.seen()
            typed |= {probe for probe in TEMPLATES if probe in seen}
            found += ["worked out"] if OUTCOME in seen else []
            if found:
                wrong[f"{look.name} {number}"] = list(dict.fromkeys(found))
    print(
        f"{len(used)} payloads of {len(FAMILIES)} families in {len(poison.columns)} columns ({len(placed)} pairs),"
        f" {texts} texts written over, {loads} pages opened; executed: 0, policy reports: 0"
        if not wrong
        else f"{len(wrong)} of {loads} pages are wrong"
    )
    assert not wrong
    assert typed == used & set(TEMPLATES)
    assert {payload for _place, payload in placed} == used


@pytest.mark.prove
def test_no_long_word_makes_a_page_scroll_sideways(portal, scene, watches, poison):
    poison.write(lambda room, _seed: "W" * min(room, 200))
    wrong = {}
    for watch in watches.values():
        watch.visitor.page.set_viewport_size({"width": 360, "height": 900})
    for look in looks_of(portal, scene):
        watches[look.viewer].visitor.go(look.path)
        wide = watches[look.viewer].visitor.page.evaluate(OVERFLOW)
        if wide:
            wrong[look.name] = wide
    assert not wrong
