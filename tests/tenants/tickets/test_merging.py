"""Merging two tickets: what becomes of both, what is refused, and who wins."""

import threading

import pytest
from sqlalchemy import select

from tenants.foundation.db import db
from tenants.foundation.errors import Conflict, Forbidden, Invalid, NotFound
from tenants.people.models import Membership
from tenants.tickets import follow_ups, linking, merging, queries, services, watching
from tenants.tickets.models import Ticket
from tenants.tickets.stories import list_merged_messages, read_story
from tests import personas
from tests.tickets import MONDAY, alice, bob, later, leo, open_in_scope, opened, request, tina


@pytest.fixture
def desk(cast, within):
    with within("Leo"):
        yield cast


@pytest.fixture
def target(desk):
    return open_in_scope(desk, alice(desk), who="Alice", subject="The first")


@pytest.fixture
def source(desk, target):
    return open_in_scope(desk, bob(desk), subject="The same again")


def merge(cast, source, target, **more):
    services.merge_tickets(source, target, by=tina(cast), at=later(minutes=5), **more)


def lines(ticket):
    return [line.kind for line in queries.list_history(ticket.id)]


def test_the_source_ends_and_its_people_watch_the_target(desk, source, target):
    watching.watch_by_mail(source, "boss@example.test", by=tina(desk), at=MONDAY)
    merge(desk, source, target)
    assert (source.state, source.merged_into_id) == ("cancelled", target.id)
    assert lines(source)[-2:] == ["merged", "cancelled"]
    assert lines(target)[-1] == "merged"
    assert [(one.name, one.side) for one in watching.list_watchers(target)] == [
        ("Bob", "client"),
        ("boss@example.test", "address"),
    ]
    assert queries.find_ticket(target.code, by=bob(desk)) is target
    assert merging.current_of(source) is target


def test_the_requester_of_both_does_not_watch_as_well(desk, target):
    source = open_in_scope(desk, alice(desk), who="Alice")
    merge(desk, source, target)
    assert watching.list_watchers(target) == []


def test_what_was_said_is_told_with_the_code_and_notes_stay_with_staff(desk, source, target):
    services.add_message(source, body="A secret", kind="internal", by=tina(desk), at=later(minutes=1))
    merge(desk, source, target)
    told = list_merged_messages(target, read_story(target, by=tina(desk)), by=tina(desk))
    assert [(said.body, code) for _line, said, code in told] == [
        ("It burns since this morning.", source.code),
        ("A secret", source.code),
    ]
    assert len(list_merged_messages(target, read_story(target, by=alice(desk)), by=alice(desk))) == 1


def test_parts_and_earlier_merges_move_on(desk, source, target):
    child, earlier = open_in_scope(desk, bob(desk)), open_in_scope(desk, bob(desk))
    services.link_tickets(child, source, kind="parent", by=tina(desk), at=MONDAY)
    merge(desk, earlier, source)
    assert merging.look_ahead(source, target).children == [child.code]
    merge(desk, source, target)
    db.session.refresh(earlier)
    assert merging.current_of(earlier) is target
    assert {one.code for one in merging.list_merged(target)} == {source.code, earlier.code}
    assert [one.other for one in linking.list_relations(child)] == [target]


def test_a_target_that_was_a_part_of_the_source(desk, source, target):
    services.link_tickets(target, source, kind="parent", by=tina(desk), at=MONDAY)
    merge(desk, source, target)
    assert [one.other for one in linking.list_relations(target)] == [source]


def test_parts_make_no_circle(desk, source, target):
    """The target is a part of a part of the source: that part stays where it is."""
    middle, other = open_in_scope(desk, bob(desk)), open_in_scope(desk, bob(desk))
    for part, whole in ((target, middle), (middle, source), (other, source)):
        services.link_tickets(part, whole, kind="parent", by=tina(desk), at=MONDAY)
    assert merging.look_ahead(source, target).children == [other.code]
    merge(desk, source, target)
    assert linking.list_above(target) == [middle.id, source.id]
    assert linking.list_above(other) == [target.id, middle.id, source.id]


def test_a_part_that_moves_says_so(desk, source, target):
    child = open_in_scope(desk, bob(desk))
    services.link_tickets(child, source, kind="parent", by=tina(desk), at=MONDAY)
    merge(desk, source, target)
    told = queries.list_history(child.id)[-1]
    assert (told.kind, told.data) == ("linked", {"link": "parent", "other": target.code, "is_first": True})


def test_whoever_was_on_copy_unconfirmed_follows_for_certain(desk, source, target):
    """Bob asked the source, and was on copy of a mail to the target."""
    watching.watch_by_mail(target, "bob@example.test", by=tina(desk), at=MONDAY, is_confirmed=False)
    watching.watch_by_mail(target, "boss@example.test", by=tina(desk), at=MONDAY, is_confirmed=False)
    with pytest.raises(NotFound):
        queries.find_ticket(target.code, by=bob(desk))
    assert merging.look_ahead(source, target).watchers == ["Bob"]
    merge(desk, source, target)
    assert queries.find_ticket(target.code, by=bob(desk)) is target
    known = {one.name: one.confirmed_at for one in watching.list_watchers(target)}
    assert known == {"Bob": later(minutes=5), "boss@example.test": None}


def test_who_follows_the_target_no_more_says_nothing_on_it(app, cast, sign_in):
    """Bob's ticket was merged into Alice's, and he stopped following that one."""
    codes = [opened(app, cast, who="Alice", subject="The first"), opened(app, cast)]
    with personas.within(app, cast, "Leo") as by:
        target, source = (queries.find_ticket(code, by=by) for code in codes)
        services.merge_tickets(source, target, by=by, at=later(minutes=5))
        db.session.commit()
    bob, page = sign_in("Bob"), f"/portal/tickets/{codes[1]}"
    form = {"body": "Any news?", "kind": "public"}
    assert bob.post(f"{page}/messages", data=form).status_code == 302
    with personas.within(app, cast, "Leo") as by:
        target = queries.find_ticket(codes[0], by=by)
        (watcher,) = watching.list_watchers(target)
        watching.unwatch(target, watcher, by=by, at=later(minutes=9))
        db.session.commit()
    assert "/messages" not in bob.get(page).text
    assert bob.post(f"{page}/messages", data=form).status_code == 404
    with personas.within(app, cast, "Leo") as by:
        said = queries.list_messages(queries.find_ticket(codes[0], by=by), by=by)
        assert [one.body for one in said].count("Any news?") == 1


@pytest.mark.parametrize("which", ["itself", "another client"])
def test_itself_and_another_client_are_refused(desk, source, which):
    other = source if which == "itself" else open_in_scope(desk, leo(desk), slug="globex")
    with pytest.raises(Invalid) as refused:
        services.merge_tickets(source, other, by=leo(desk), at=MONDAY)
    assert refused.value.field == "target"
    with pytest.raises(Invalid):
        merging.look_ahead(source, other)


def test_circles_closed_ones_and_clients_are_refused(desk, source, target):
    with pytest.raises(Forbidden):
        services.merge_tickets(source, target, by=bob(desk), at=MONDAY)
    merge(desk, source, target)
    third = open_in_scope(desk, bob(desk))
    for wrong in ((target, source), (source, third), (third, source)):
        assert merging.look_ahead(*wrong).refusal
        with pytest.raises(Conflict, match="merged into"):
            merge(desk, *wrong)
    done = open_in_scope(desk, bob(desk))
    services.cancel_ticket(done, reason="", by=tina(desk), at=MONDAY)
    with pytest.raises(Conflict, match="done"):
        merge(desk, done, third)
    with pytest.raises(Conflict, match="closed"):
        merge(desk, third, done)


def test_a_hand_over_on_its_way_is_in_the_way(desk, source, target):
    briefing = services.Briefing(symptoms="a", tried="b", told_requester="c")
    services.hand_over(source, briefing, to_tier="L2", by=tina(desk), at=MONDAY)
    with pytest.raises(Conflict, match="handed over"):
        merge(desk, source, target)
    assert source.merged_into_id is None


def test_a_stale_page_is_refused(desk, source, target):
    with pytest.raises(Conflict):
        merge(desk, source, target, rev=source.rev + 7)


def test_of_two_people_who_merge_at_once_one_wins(app, cast):
    one, two = opened(app, cast), opened(app, cast)
    won, both = [], threading.Barrier(2)

    def go(source, target):
        with personas.within(app, cast, "Leo") as by:
            pair = [queries.find_ticket(code, by=by) for code in (source, target)]
            both.wait()
            try:
                services.merge_tickets(*pair, by=by, at=later(minutes=1))
                db.session.commit()
                won.append(source)
            except Conflict:
                db.session.rollback()

    people = [threading.Thread(target=go, args=pair) for pair in ((one, two), (two, one))]
    for person in people:
        person.start()
    for person in people:
        person.join()
    assert len(won) == 1
    with personas.within(app, cast, "Leo"):
        merged = db.session.scalars(select(Ticket).where(Ticket.merged_into_id.is_not(None))).all()
        assert [ticket.code for ticket in merged] == won


class TestFollowUps:
    def test_carries_on_what_is_closed_for_good(self, desk, source):
        services.take_ticket(source, by=tina(desk), at=MONDAY)
        services.resolve_ticket(source, solution="", by=tina(desk), at=MONDAY)
        services.close_ticket(source, by=tina(desk), at=MONDAY)
        source.reopen_until = later(days=3)
        assert not follow_ups.may_follow_up(source, later(days=3))
        assert follow_ups.may_follow_up(source, later(days=4))
        asked = follow_ups.follow_up_request(source, body="Again", source="portal")
        tenant = queries.find_ticket_view(source.code, by=leo(desk)).tenant
        second = services.open_ticket(tenant, asked, by=tina(desk), at=later(days=4))
        assert source.code in second.subject
        assert (second.follows_id, second.requester_name) == (source.id, "Bob")
        assert follow_ups.find_family(source).followed == [(second, True)]
        assert follow_ups.find_family(second).followed == [(source, False)]
        again = follow_ups.follow_up_request(second, body="Again", source="portal")
        assert again.subject.endswith(f"({second.code})")

    def test_a_foreign_first_one_is_refused(self, desk, source):
        other = open_in_scope(desk, leo(desk), slug="globex")
        with pytest.raises(Invalid):
            open_in_scope(desk, leo(desk), follows=other)
        assert request(desk).follows is None


def test_a_person_without_the_ticket_reaches_it_only_while_watching(desk, source, target, within):
    member = db.session.scalars(select(Membership).where(Membership.name == "Bob")).one()
    merge(desk, source, target)
    (watcher,) = [one for one in watching.list_watchers(target) if one.user_id == member.user_id]
    watching.unwatch(target, watcher, by=tina(desk), at=MONDAY)
    assert not watching.is_watching(target, member.user_id)
