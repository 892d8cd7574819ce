"""A story of many lines: a page at a time, each line on one page, texts only of the page that is read."""

import re

import pytest

from tenants.foundation.db import db
from tenants.tickets import queries, services, stories
from tenants.tickets.history import note
from tenants.tickets.stories import list_merged_messages, read_story
from tests import personas
from tests.counting import counted
from tests.tickets import bob, later, leo, open_in_scope

SAID = 43


@pytest.fixture(autouse=True)
def short(monkeypatch):
    monkeypatch.setattr(stories, "LINES", 20)


@pytest.fixture
def code(app, cast):
    """A ticket with 43 lines: the first and the last were said, and every fifth among staff."""
    with personas.within(app, cast, "Leo") as by:
        ticket = open_in_scope(cast, bob(cast), body="It began here.")
        while ticket.rev < SAID - 1:
            if ticket.rev % 5 == 0:
                words = f"Note {ticket.rev}."
                services.add_message(ticket, body=words, kind="internal", by=by, at=later(minutes=ticket.rev))
            else:
                note(ticket, "placed", by=by, at=later(minutes=ticket.rev), audited=False)
        services.add_message(ticket, body="It ends here.", kind="internal", by=by, at=later(days=2))
        db.session.commit()
        return ticket.code


def test_each_line_is_on_one_page(app, cast, code):
    with personas.within(app, cast, "Leo") as by:
        ticket, seen, before = queries.find_ticket(code, by=by), [], None
        while True:
            story = read_story(ticket, by=by, before=before)
            seen = [line.seq for line, _message in story.told] + seen
            assert len(story.told) <= 20 and len(story.lines) == ticket.rev
            assert (story.later is None) is (before is None)
            before = story.earlier
            if before is None:
                break
        assert seen == list(range(1, ticket.rev + 1))


def test_texts_of_other_pages_stay_in_the_database(app, cast, code):
    with personas.within(app, cast, "Leo") as by:
        ticket = queries.find_ticket(code, by=by)
        newest = read_story(ticket, by=by)
        notes = [f"Note {one}." for one in (25, 30, 35, 40)]
        assert [one.body for one in newest.said] == [*notes, "It ends here."]
        assert read_story(ticket, by=by, before=21).said[0].body == "It began here."
        assert [one.body for one in read_story(ticket, by=bob(cast), before=21).said] == ["It began here."]
    with personas.within(app, cast, "Leo") as by:
        ticket = queries.find_ticket(code, by=by)
        with counted(app) as statements:
            read_story(ticket, by=by)
        assert statements() == 1


@pytest.mark.parametrize("before", [-5, 0, 1, 2, 10**9, 2**40])
def test_odd_numbers_are_the_first_or_the_last_page(app, cast, code, before):
    with personas.within(app, cast, "Leo") as by:
        story = read_story(queries.find_ticket(code, by=by), by=by, before=before)
        assert story.told[0][0].seq == 1 or story.later is None


def test_what_was_said_elsewhere_stands_on_the_page_of_its_time(app, cast, code):
    with personas.within(app, cast, "Leo") as by:
        ticket, source = (
            queries.find_ticket(code, by=by),
            open_in_scope(cast, bob(cast), body="Merged words."),
        )
        services.merge_tickets(source, ticket, by=leo(cast), at=later(days=3))
        for before, count in ((None, 0), (10, 1)):
            found = list_merged_messages(ticket, read_story(ticket, by=by, before=before), by=by)
            assert len(found) == count


@pytest.mark.parametrize(("who", "path"), [("Leo", "/desk/tickets"), ("Bob", "/portal/tickets")])
def test_the_page_leads_to_what_was_before_and_back(sign_in, code, who, path):
    reader = sign_in(who)
    page = reader.get(f"{path}/{code}").text
    assert "It began here." not in page
    for _page in range(2):
        page = reader.get(f"{path}/{code}?before=" + re.search(r"before=(\d+)#story", page)[1]).text
    assert "It began here." in page and "It ends here." not in page
    assert "#story" in page and re.search(r"before=(\d+)#story", page) is None


@pytest.mark.parametrize("before", ["x", "-1", "", "9" * 40, "²"])
def test_odd_addresses_show_the_newest(sign_in, code, before):
    answer = sign_in("Leo").get(f"/desk/tickets/{code}", query_string={"before": before})
    assert answer.status_code == 200 and "It ends here." in answer.text
