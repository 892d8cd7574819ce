"""What stands around a ticket: category, assets and site, watchers, links, checklist."""

import pytest
from sqlalchemy import select

from tenants.assets.models import Asset
from tenants.audit.models import AuditEntry
from tenants.foundation.db import db
from tenants.foundation.errors import Conflict, Forbidden, Invalid, NotFound
from tenants.people.models import Membership, StaffMember
from tenants.tenancy.models import Site
from tenants.tickets import categories, checklists, linking, places, queries, services, watching
from tests.tickets import MONDAY, alice, bob, later, leo, open_in_scope, tina


@pytest.fixture
def desk(cast, within):
    with within("Leo"):
        yield cast


@pytest.fixture
def ticket(desk):
    return open_in_scope(desk, bob(desk))


def lines(ticket):
    return [line.kind for line in queries.list_history(ticket.id)]


def member(name):
    return db.session.scalars(select(Membership).where(Membership.name == name)).one()


def category(cast, name="Hardware", parent=None):
    return categories.add_category(
        name_en=name, name_id=f"{name} (id)", parent=parent, by=leo(cast), at=MONDAY
    )


class TestCategories:
    def test_a_path_in_both_languages(self, desk):
        printer = category(desk, "Printer", category(desk))
        tree = categories.read_tree()
        assert tree.path(printer.id) == "Hardware / Printer"
        assert tree.path(printer.id, "id") == "Hardware (id) / Printer (id)"
        assert tree.path(None) == ""

    def test_what_is_below_something_retired_is_not_offered_and_stays_on_tickets(self, desk, ticket):
        top = category(desk)
        printer = category(desk, "Printer", top)
        services.categorise(ticket, printer, by=tina(desk), at=later(minutes=1))
        categories.retire_category(top, by=leo(desk), at=MONDAY)
        tree = categories.read_tree()
        assert tree.offered() == []
        assert tree.path(ticket.category_id) == "Hardware / Printer"
        categories.revive_category(top, by=leo(desk), at=MONDAY)
        assert len(categories.read_tree().offered()) == 2
        assert len(categories.read_tree().offered(top_only=True)) == 1

    def test_the_same_name_twice_and_a_fifth_level_are_refused(self, desk):
        parent = category(desk)
        with pytest.raises(Invalid) as refused:
            category(desk)
        assert refused.value.field == "name_en"
        for name in ("b", "c", "d"):
            parent = category(desk, name, parent)
        with pytest.raises(Invalid) as refused:
            category(desk, "e", parent)
        assert refused.value.field == "parent"

    @pytest.mark.parametrize(
        ("en", "own", "field"), [("", "x", "name_en"), ("x", " ", "name_id"), ("x" * 81, "x", "name_en")]
    )
    def test_names_are_asked_for(self, desk, en, own, field):
        with pytest.raises(Invalid) as refused:
            categories.add_category(name_en=en, name_id=own, parent=None, by=leo(desk), at=MONDAY)
        assert refused.value.field == field

    def test_categorising_is_told_once_and_only_by_staff(self, desk, ticket):
        hardware = category(desk)
        for _again in range(2):
            services.categorise(ticket, hardware, by=tina(desk), at=later(minutes=1))
        assert lines(ticket).count("categorised") == 1
        with pytest.raises(Forbidden):
            services.categorise(ticket, None, by=bob(desk), at=later(minutes=1))

    def test_a_retired_one_is_refused(self, desk, ticket):
        hardware = category(desk)
        categories.retire_category(hardware, by=leo(desk), at=MONDAY)
        with pytest.raises(Invalid):
            services.categorise(ticket, hardware, by=tina(desk), at=later(minutes=1))


class TestPlaces:
    def test_several_assets_and_a_site(self, desk, ticket):
        mine = db.session.scalars(select(Asset).where(Asset.tenant_id == desk.tenant("acme"))).all()
        site = db.session.scalars(select(Site).where(Site.tenant_id == desk.tenant("acme"))).first()
        services.place_ticket(ticket, asset=mine[0], further=mine, site=site, by=tina(desk), at=MONDAY)
        services.place_ticket(ticket, asset=mine[0], further=mine, site=site, by=tina(desk), at=MONDAY)
        assert {one.id for one in places.list_further_assets(ticket)} == {one.id for one in mine[1:]}
        assert lines(ticket).count("placed") == 1
        for one in mine:
            found = queries.list_tickets(
                queries.Filter(state="all", tenant_id=one.tenant_id, asset_id=one.id), by=leo(desk)
            )
            assert ticket in found

    def test_a_foreign_asset_is_refused(self, desk, ticket):
        other = open_in_scope(desk, leo(desk), slug="globex")
        foreign = Asset(tenant_id=other.tenant_id, id=1)
        with pytest.raises(Invalid):
            services.place_ticket(ticket, asset=foreign, site=None, by=tina(desk), at=MONDAY)
        with pytest.raises(Invalid):
            services.place_ticket(ticket, asset=None, further=[foreign], site=None, by=tina(desk), at=MONDAY)


class TestWatchers:
    def test_a_watching_colleague_sees_the_ticket_and_then_not(self, desk, within):
        ticket = open_in_scope(desk, alice(desk), who="Alice")
        with pytest.raises(NotFound):
            queries.find_ticket(ticket.code, by=bob(desk))
        watching.watch_as(ticket, member("Bob"), by=tina(desk), at=MONDAY)
        assert queries.find_ticket(ticket.code, by=bob(desk)) is ticket
        assert ticket in queries.list_tickets(queries.Filter(state="all"), by=bob(desk))
        (watcher,) = watching.list_watchers(ticket)
        watching.unwatch(ticket, watcher, by=bob(desk), at=MONDAY)
        with pytest.raises(NotFound):
            queries.find_ticket(ticket.code, by=bob(desk))

    def test_who_is_not_confirmed_sees_nothing(self, desk):
        ticket = open_in_scope(desk, alice(desk), who="Alice")
        watching.watch_by_mail(ticket, "BOB@example.test", by=tina(desk), at=MONDAY, is_confirmed=False)
        (watcher,) = watching.list_watchers(ticket)
        assert (watcher.side, watcher.user_id, watcher.confirmed_at) == ("client", desk.users["Bob"], None)
        with pytest.raises(NotFound):
            queries.find_ticket(ticket.code, by=bob(desk))
        watching.confirm_watcher(ticket, watcher, by=tina(desk), at=MONDAY)
        assert queries.find_ticket(ticket.code, by=bob(desk))

    def test_a_person_of_another_client_never_watches(self, desk, ticket):
        with pytest.raises(Invalid):
            watching.watch_as(ticket, member("Mallory"), by=leo(desk), at=MONDAY)
        watching.watch_by_mail(ticket, "mallory@example.test", by=leo(desk), at=MONDAY)
        (watcher,) = watching.list_watchers(ticket)
        assert (watcher.side, watcher.user_id) == ("address", None)

    def test_clients_add_and_take_off_only_themselves(self, desk, ticket):
        with pytest.raises(Forbidden):
            watching.watch_as(ticket, member("Alice"), by=bob(desk), at=MONDAY)
        with pytest.raises(Forbidden):
            watching.watch_by_mail(ticket, "x@example.test", by=bob(desk), at=MONDAY)
        watching.watch_as(ticket, member("Alice"), by=alice(desk), at=MONDAY)
        (watcher,) = watching.list_watchers(ticket)
        with pytest.raises(Forbidden):
            watching.unwatch(ticket, watcher, by=bob(desk), at=MONDAY)

    def test_twice_is_once_and_a_wrong_address_is_named(self, desk, ticket):
        for _again in range(2):
            watching.watch_by_mail(ticket, "Boss@Example.test ", by=tina(desk), at=MONDAY)
        assert [one.email for one in watching.list_watchers(ticket)] == ["boss@example.test"]
        with pytest.raises(Invalid) as refused:
            watching.watch_by_mail(ticket, "no address", by=tina(desk), at=MONDAY)
        assert refused.value.field == "email"

    def test_clients_are_not_told_how_many_of_staff_watch(self, desk, ticket):
        staff = db.session.scalars(select(StaffMember).where(StaffMember.name == "Tina")).one()
        watching.watch_as(ticket, staff, by=tina(desk), at=MONDAY)
        assert watching.count_watchers(ticket, by=tina(desk)) == 1
        assert watching.count_watchers(ticket, by=bob(desk)) == 0


class TestLinks:
    @pytest.fixture
    def other(self, desk, ticket):
        return open_in_scope(desk, bob(desk), subject="Another")

    def link(self, cast, one, two, kind="related"):
        services.link_tickets(one, two, kind=kind, by=tina(cast), at=MONDAY)

    def test_both_tickets_show_it_and_lose_it(self, desk, ticket, other):
        for _again in range(2):
            self.link(desk, ticket, other, "duplicate")
        (mine,), (theirs,) = linking.list_relations(ticket), linking.list_relations(other)
        assert (mine.other, mine.is_first) == (other, True)
        assert (theirs.other, theirs.is_first) == (ticket, False)
        services.unlink_tickets(other, mine.public_id, by=tina(desk), at=MONDAY)
        assert linking.list_relations(ticket) == []
        assert lines(ticket) == lines(other) == ["opened", "linked", "unlinked"]

    def test_related_reads_the_same_both_ways(self, desk, ticket, other):
        self.link(desk, ticket, other)
        self.link(desk, other, ticket)
        assert len(linking.list_relations(ticket)) == 1

    def test_another_client_itself_and_circles_are_refused(self, desk, ticket, other):
        foreign = open_in_scope(desk, leo(desk), slug="globex")
        third = open_in_scope(desk, bob(desk), subject="Third")
        for wrong in (foreign, ticket):
            with pytest.raises(Invalid):
                self.link(desk, ticket, wrong)
        self.link(desk, ticket, other, "parent")
        self.link(desk, other, third, "parent")
        with pytest.raises(Invalid):
            self.link(desk, third, ticket, "parent")
        with pytest.raises(Conflict):
            self.link(desk, ticket, third, "parent")

    @pytest.mark.parametrize("kind", ["problem", "change"])
    def test_problems_and_changes_are_what_they_are_called(self, desk, ticket, other, kind):
        with pytest.raises(Invalid):
            self.link(desk, ticket, other, kind)
        fitting = open_in_scope(desk, leo(desk), kind=kind)
        self.link(desk, ticket, fitting, kind)

    def test_incidents_of_a_problem_that_are_open(self, desk, ticket, other):
        problem = open_in_scope(desk, leo(desk), kind="problem")
        self.link(desk, ticket, problem, "problem")
        self.link(desk, other, problem, "problem")
        services.cancel_ticket(other, reason="", by=tina(desk), at=MONDAY)
        assert linking.open_incidents(problem) == [ticket]

    def test_waiting_for_a_change_names_it(self, desk, ticket, other):
        change = open_in_scope(desk, leo(desk), kind="change")
        services.take_ticket(ticket, by=tina(desk), at=MONDAY)
        with pytest.raises(Invalid) as refused:
            services.wait_for_change(ticket, other, by=tina(desk), at=MONDAY)
        assert refused.value.field == "change"
        services.wait_for_change(ticket, change, by=tina(desk), at=MONDAY)
        assert (ticket.state, ticket.waiting_reason) == ("waiting", "change")
        assert [(one.kind, one.other.code) for one in linking.list_relations(ticket)] == [
            ("change", change.code)
        ]

    def test_clients_link_nothing(self, desk, ticket, other):
        with pytest.raises(Forbidden):
            services.link_tickets(ticket, other, kind="related", by=bob(desk), at=MONDAY)


class TestChecklists:
    def test_items_are_done_and_reopened(self, desk, ticket):
        checklists.add_items(ticket, ["First ", "", "Second"], by=tina(desk), at=MONDAY)
        first, second = checklists.list_items(ticket)
        for _again in range(2):
            checklists.tick_item(ticket, first, by=tina(desk), at=later(minutes=1))
        assert (first.done_by_name, first.done_at) == ("Tina", later(minutes=1))
        assert checklists.list_unfinished(ticket) == ["Second"]
        checklists.reopen_item(ticket, first, by=leo(desk), at=later(minutes=2))
        assert checklists.list_unfinished(ticket) == ["First", "Second"]
        assert lines(ticket).count("checklist_changed") == 3
        assert second.done_at is None

    @pytest.mark.parametrize("wrong", [[], ["  "], ["x" * 301], ["x"] * 101, ["a\x07"]])
    def test_bad_lines_are_refused(self, desk, ticket, wrong):
        with pytest.raises(Invalid) as refused:
            checklists.add_items(ticket, wrong, by=tina(desk), at=MONDAY)
        assert refused.value.field == "what"

    def test_clients_and_finished_tickets_are_refused(self, desk, ticket):
        with pytest.raises(Forbidden):
            checklists.add_items(ticket, ["x"], by=bob(desk), at=MONDAY)
        services.cancel_ticket(ticket, reason="", by=tina(desk), at=MONDAY)
        with pytest.raises(Conflict):
            checklists.add_items(ticket, ["x"], by=tina(desk), at=MONDAY)

    def test_an_item_of_another_ticket_is_not_found(self, desk, ticket):
        other = open_in_scope(desk, bob(desk))
        checklists.add_items(other, ["x"], by=tina(desk), at=MONDAY)
        with pytest.raises(NotFound):
            checklists.find_item(ticket, str(checklists.list_items(other)[0].public_id))


class TestKinds:
    """What sort of matter a ticket is."""

    def test_another_kind_is_a_line_of_the_history_and_of_the_audit(self, desk, ticket):
        for _again in range(2):
            services.change_kind(ticket, "problem", by=tina(desk), at=later(minutes=1))
        assert (ticket.kind, lines(ticket).count("kind_changed")) == ("problem", 1)
        line = queries.list_history(ticket.id)[-1]
        assert line.data == {"from_kind": "incident", "to_kind": "problem"}
        db.session.commit()
        actions = select(AuditEntry.action).where(AuditEntry.object == f"ticket {ticket.code}")
        assert "ticket.kind_changed" in db.session.scalars(actions).all()

    def test_it_is_for_staff_to_say(self, desk, ticket):
        with pytest.raises(Forbidden):
            services.change_kind(ticket, "problem", by=bob(desk), at=later(minutes=1))

    @pytest.mark.parametrize("kind", ["change", "", "riddle"])
    def test_nothing_becomes_a_change_or_something_unheard_of(self, desk, ticket, kind):
        with pytest.raises(Invalid) as refused:
            services.change_kind(ticket, kind, by=tina(desk), at=later(minutes=1))
        assert refused.value.field == "kind"

    def test_a_change_becomes_nothing_else(self, desk):
        change = open_in_scope(desk, leo(desk), kind="change")
        with pytest.raises(Invalid):
            services.change_kind(change, "incident", by=leo(desk), at=later(minutes=1))

    def test_a_problem_behind_others_stays_one(self, desk, ticket):
        problem = open_in_scope(desk, leo(desk), kind="problem")
        linking.link_tickets(ticket, problem, kind="problem", by=leo(desk), at=MONDAY)
        with pytest.raises(Invalid):
            services.change_kind(problem, "incident", by=leo(desk), at=later(minutes=1))

    def test_a_merged_ticket_is_left_alone(self, desk, ticket):
        services.merge_tickets(ticket, open_in_scope(desk, bob(desk)), by=leo(desk), at=later(minutes=1))
        with pytest.raises(Conflict):
            services.change_kind(ticket, "request", by=leo(desk), at=later(minutes=2))

    def test_a_stale_page_is_refused(self, desk, ticket):
        with pytest.raises(Conflict):
            services.change_kind(ticket, "request", by=leo(desk), at=later(minutes=2), rev=99)
