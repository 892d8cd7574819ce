"""Nobody ever holds a right that its giver lacks: random histories of appointing, granting, minting and demoting."""

from dataclasses import dataclass, field

from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from tenants.foundation.permissions import (
    CLIENT_ROLES,
    MAY_APPOINT,
    PERMISSIONS,
    STAFF_ROLES,
    MemberRole,
    Permission,
)
from tenants.people.rules import Reach, may_appoint, roles_to_give, token_rights

TENANTS = range(4)
roles = st.sampled_from(list(MemberRole))
staff_roles = st.sampled_from(STAFF_ROLES)
some_tenants = st.frozensets(st.sampled_from(list(TENANTS)))
reaches = st.builds(Reach, st.booleans(), some_tenants, some_tenants)


def tenants_of(reach, known=TENANTS):
    """What the reach comes to among the tenants there are."""
    named = set(known) if reach.all_tenants else set(reach.allowed)
    return named - reach.denied


@given(roles, roles)
def test_who_appoints_holds_what_is_given(giver, role):
    if may_appoint(giver, role) and role in STAFF_ROLES:
        assert PERMISSIONS[role] <= PERMISSIONS[giver]
    if may_appoint(giver, role):
        assert role in MAY_APPOINT[giver]
    if giver in CLIENT_ROLES:
        assert not (may_appoint(giver, role) and role in STAFF_ROLES)


def test_nobody_appoints_out_of_nothing():
    assert not any(may_appoint(None, role) for role in MemberRole)
    assert roles_to_give(MemberRole.L3, MemberRole) == []
    assert roles_to_give(MemberRole.CLIENT_ADMIN, MemberRole) == list(CLIENT_ROLES)


@given(reaches, reaches, st.integers(0, 3))
def test_covering_means_seeing_all_of_it_now_and_later(wide, narrow, later):
    if wide.covers(narrow):
        known = [*TENANTS, *range(10, 10 + later)]
        assert tenants_of(narrow, known) <= tenants_of(wide, known)


@given(reaches)
def test_everybody_covers_oneself_and_nothing(reach):
    assert reach.covers(reach)
    assert reach.covers(Reach())


@given(st.lists(st.sampled_from([*map(str, Permission), "no.such.right", ""]), max_size=6), roles)
def test_a_token_never_gets_more_than_is_held(asked, role):
    rights = token_rights(asked, PERMISSIONS[role])
    assert rights is None or set(rights) <= {str(one) for one in PERMISSIONS[role]}
    assert token_rights([], PERMISSIONS[role]) is None


@dataclass
class Person:
    role: MemberRole
    reach: Reach
    # Who gave the present rights, as they stood at that moment.
    giver_rights: frozenset = frozenset()
    giver_reach: Reach = field(default_factory=Reach)
    tokens: list = field(default_factory=list)


class Staff(RuleBasedStateMachine):
    """The rules as the services apply them, over a model of the tables."""

    @initialize()
    def found(self):
        owner = Person(MemberRole.OWNER, Reach(True), PERMISSIONS[MemberRole.OWNER], Reach(True))
        self.people = {0: owner}

    def pick(self, number):
        return list(self.people)[number % len(self.people)]

    @rule(by=st.integers(0, 50), role=staff_roles, reach=reaches)
    def invite(self, by, role, reach):
        giver = self.people[self.pick(by)]
        if may_appoint(giver.role, role) and giver.reach.covers(reach):
            self.people[max(self.people) + 1] = Person(role, reach, PERMISSIONS[giver.role], giver.reach)

    @rule(by=st.integers(0, 50), whom=st.integers(0, 50), role=staff_roles)
    def appoint(self, by, whom, role):
        giver, other = self.pick(by), self.pick(whom)
        one, two = self.people[giver], self.people[other]
        fits = may_appoint(one.role, two.role) and may_appoint(one.role, role)
        if giver != other and fits and one.reach.covers(two.reach):
            two.role, two.giver_rights, two.giver_reach = role, PERMISSIONS[one.role], one.reach

    @rule(by=st.integers(0, 50), whom=st.integers(0, 50), tenant=st.sampled_from(list(TENANTS)))
    def grant(self, by, whom, tenant):
        giver, other = self.pick(by), self.pick(whom)
        one, two = self.people[giver], self.people[other]
        if giver != other and may_appoint(one.role, two.role) and tenant in tenants_of(one.reach):
            allowed, denied = two.reach.allowed | {tenant}, two.reach.denied - {tenant}
            two.reach = Reach(two.reach.all_tenants, allowed, denied)
            two.giver_reach = Reach(
                two.giver_reach.all_tenants or one.reach.all_tenants,
                two.giver_reach.allowed | {tenant},
                two.giver_reach.denied - {tenant},
            )

    @rule(whom=st.integers(0, 50), tenant=st.sampled_from(list(TENANTS)))
    def deny(self, whom, tenant):
        person = self.people[self.pick(whom)]
        person.reach = Reach(person.reach.all_tenants, person.reach.allowed, person.reach.denied | {tenant})

    @rule(whom=st.integers(0, 50), asked=st.sets(st.sampled_from([str(one) for one in Permission])))
    def mint(self, whom, asked):
        person = self.people[self.pick(whom)]
        rights = token_rights(asked, PERMISSIONS[person.role])
        if rights is not None and Permission.MINT_TOKENS in PERMISSIONS[person.role]:
            person.tokens.append(frozenset(rights))

    @rule(whom=st.integers(1, 50))
    def leave(self, whom):
        key = self.pick(whom)
        if key:
            del self.people[key]

    @invariant()
    def nobody_holds_more_than_the_giver_held(self):
        for person in getattr(self, "people", {}).values():
            assert PERMISSIONS[person.role] <= person.giver_rights
            assert tenants_of(person.reach) <= tenants_of(person.giver_reach)

    @invariant()
    def tokens_give_no_more_than_the_maker_holds_now(self):
        for person in getattr(self, "people", {}).values():
            held = {str(one) for one in PERMISSIONS[person.role]}
            for token in person.tokens:
                assert token & held <= held


TestStaff = Staff.TestCase
TestStaff.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
