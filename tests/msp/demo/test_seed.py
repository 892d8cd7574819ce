"""The parts of the seed that decide: contracts that can be read, times that fit, people and stories that exist."""

import random
from datetime import UTC, datetime, timedelta

import pytest

from contracts.clock.calendar import ALWAYS
from contracts.terms.document import read_terms
from msp.demo.seed import history, today
from msp.demo.seed.companies import CLIENTS, COMPANIES, OWN, Company, terms_of
from msp.demo.seed.machines import HOSTS, OTHERS
from msp.demo.seed.people import CLIENTS as PEOPLE
from msp.demo.seed.people import STAFF, accounts
from msp.demo.seed.stories import VERBS, calendar_for
from msp.demo.seed.times import Stage, opened_before
from tenants.foundation.actor import Actor
from tenants.foundation.permissions import MemberRole
from tenants.tenancy.rules import Onboarding, problems

NOW = datetime(2026, 11, 21, 18, 30, tzinfo=UTC)  # a Saturday, in the night of all three zones
MOMENTS = [NOW + timedelta(hours=7 * step) for step in range(24)]


def stage_at(now: datetime) -> Stage:
    return Stage(now, random.Random(1), Actor.system("test"))


@pytest.mark.parametrize("company", CLIENTS, ids=lambda one: one.slug)
def test_every_contract_can_be_read_and_knows_the_holidays(company: Company) -> None:
    terms = terms_of(company)
    read_terms(terms)
    assert f"{max(company.since.year, 2026)}-08-17" in terms["calendar"]["holidays"]


@pytest.mark.parametrize("company", COMPANIES, ids=lambda one: one.slug)
def test_every_company_can_be_taken_on(company: Company) -> None:
    plan = Onboarding(name=company.name, slug=company.slug, prefix=company.prefix, sites=company.sites)
    assert list(problems(plan)) == []


@pytest.mark.parametrize("now", MOMENTS)
def test_tickets_of_today_are_as_old_as_they_should_be_at_any_hour(now: datetime) -> None:
    for minutes, story in today.OPEN:
        calendar = calendar_for(story.home, story.priority)
        used = calendar.elapsed(opened_before(calendar, now, minutes), now)
        assert minutes * 60 <= used < (minutes + 2) * 60


def test_the_past_lies_before_now_and_is_the_same_each_time() -> None:
    stage, again = stage_at(NOW), stage_at(NOW)
    for company in CLIENTS:
        told = history.stories_of(stage, company.slug)
        assert told == history.stories_of(again, company.slug)
        assert all(stage.began < at < NOW for at, _ in told)
    assert history.stories_of(stage, OWN) == []


def test_stories_name_people_machines_and_acts_that_exist() -> None:
    people = {one.key: one for one in (*STAFF, *PEOPLE)}
    machines = {one.name: one.home for one in (*HOSTS, *OTHERS)}
    for _, story in today.OPEN:
        assert people[story.requester].home == story.home
        assert not story.asset or machines[story.asset] == story.home
        for step in story.steps:
            assert step.verb in {*VERBS, "assign"}
            granted = people[step.who].granted
            assert people[step.who].home in ("", story.home)
            assert not granted or story.home in granted


def test_there_is_an_account_for_each_role_and_clients_roles_in_several_clients() -> None:
    found = accounts()
    assert {one["role"] for one in found} == set(MemberRole)
    for role in ("client_admin", "client_user"):
        assert {one["tenant"] for one in found if one["role"] == role} == {one.slug for one in CLIENTS}
    assert len({one["email"] for one in found}) == len(found)


def test_whole_minutes_are_found_around_the_clock() -> None:
    opened = opened_before(ALWAYS, NOW + timedelta(seconds=20), 26)
    assert opened == NOW - timedelta(minutes=26)
