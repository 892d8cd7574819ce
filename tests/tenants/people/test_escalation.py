"""The same lattice against the real services and database: what was given never exceeds what the giver held."""

import random

import pytest

from tenants.foundation import time
from tenants.foundation.db import db
from tenants.foundation.errors import Refused
from tenants.foundation.permissions import PERMISSIONS, STAFF_ROLES, MemberRole, Permission
from tenants.foundation.scope import Role, Scope, enter, gate
from tenants.people import queries, staff, tokens
from tenants.people.models import StaffMember
from tenants.people.principals import by_api_token, by_user_id
from tenants.people.rules import Reach

NAMES = ("Owen", "Mia", "Dana", "Nadia", "Leo", "Tina")


class World:
    """Acts as one person upon another, and remembers what every giver held."""

    def __init__(self, cast, rng):
        self.cast, self.rng, self.secrets = cast, rng, []

    def actor(self, name):
        with enter(gate()):
            found = by_user_id(self.cast.users[name])
        return found and found.actor

    def holds(self, name):
        who = self.actor(name)
        return (who.permissions, who.tenants) if who else (frozenset(), frozenset())

    def act(self):
        giver, other = self.rng.choice(NAMES), self.rng.choice(NAMES)
        before, held = self.holds(other), self.holds(giver)
        by = self.actor(giver)
        if by is None:
            return
        try:
            self.rng.choice((self.appoint, self.set_reach, self.mint))(by, other)
        except Refused:
            db.session.remove()
            assert self.holds(other) == before
            return
        after = self.holds(other)
        gained = after[0] - before[0], after[1] - before[1]
        assert gained[0] <= held[0], (giver, other)
        assert gained[1] <= held[1], (giver, other)
        if gained[0]:
            assert after[1] <= held[1], "more rights where the giver sees nothing"

    def member(self, name):
        return db.session.query(StaffMember).filter_by(user_id=self.cast.users[name]).one()

    def appoint(self, by, other):
        with enter(gate()):
            role = MemberRole(self.rng.choice(STAFF_ROLES))
            staff.change_staff_role(self.member(other).id, role, by=by, at=time.now())
            db.session.commit()

    def set_reach(self, by, other):
        with enter(gate()):
            held = queries.find_reach(by.id)
        with enter(Scope(Role.STAFF, by.tenants, by.id)):
            tenants = self.rng.sample(sorted(self.cast.tenants.values()), self.rng.randrange(3))
            staff.set_reach(
                self.member(other),
                all_tenants=self.rng.random() < 0.4,
                effects={one: self.rng.choice(("allow", "deny", "")) for one in tenants},
                held=held,
                by=by,
                at=time.now(),
            )
            db.session.commit()

    def mint(self, by, _other):
        with enter(gate()):
            asked = self.rng.sample(list(Permission), self.rng.randrange(4))
            tenant = self.rng.choice([None, *self.cast.tenants.values()])
            _row, secret = tokens.mint_token(
                name="t", rights=asked, days=9, tenant_id=tenant, by=by, at=time.now()
            )
            db.session.commit()
        self.secrets.append((by.name, secret))

    def check_tokens(self):
        for name, secret in self.secrets:
            with enter(gate()):
                found = by_api_token(secret, time.now())
            permissions, tenants = self.holds(name)
            if found is not None:
                assert found.actor.permissions <= permissions
                assert found.actor.tenants <= tenants


@pytest.mark.parametrize("seed", range(4))
def test_random_histories(app, cast, seed):
    with app.app_context():
        world = World(cast, random.Random(seed))
        for _step in range(40):
            world.act()
        world.check_tokens()
        owners = [name for name in NAMES if (who := world.actor(name)) and who.role == MemberRole.OWNER]
        assert owners


def test_gained_rights_are_really_possible(app, cast):
    """The test above would pass if everything were refused."""
    with app.app_context():
        world = World(cast, random.Random(1))
        with enter(gate()):
            staff.change_staff_role(
                world.member("Tina").id, MemberRole.L3, by=world.actor("Owen"), at=time.now()
            )
            db.session.commit()
        assert world.holds("Tina")[0] == PERMISSIONS[MemberRole.L3]
        with enter(gate()), pytest.raises(Refused):
            staff.change_staff_role(
                world.member("Owen").id, MemberRole.L1, by=world.actor("Mia"), at=time.now()
            )
        assert Reach(True).covers(Reach(False, frozenset({1})))
