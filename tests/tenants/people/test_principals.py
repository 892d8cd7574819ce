"""From a credential to an actor: each person's own grants count, and nobody else's."""

import itertools

import pytest

from tenants.foundation.scope import enter, gate
from tenants.people.principals import by_user_id


@pytest.fixture
def reach(app, cast):
    def of(name):
        with app.app_context(), enter(gate()):
            found = by_user_id(cast.users[name])
        return {
            slug for slug, tenant_id in cast.tenants.items() if found and tenant_id in found.actor.tenants
        }

    return of


@pytest.fixture
def grant(superuser, cast):
    def give(name, slug, effect):
        superuser.execute(
            "INSERT INTO staff_grants (tenant_id, user_id, effect, granted_at) VALUES (%s, %s, %s, now())",
            [cast.tenant(slug), cast.users[name], effect],
        )

    return give


def test_grants_of_one_are_not_grants_of_another(superuser, reach, grant):
    superuser.execute("UPDATE staff_members SET all_tenants = false WHERE name IN ('Leo', 'Nadia')")
    assert reach("Tina") == {"acme"}
    assert reach("Leo") == reach("Nadia") == set()
    grant("Leo", "globex", "allow")
    grant("Tina", "globex", "deny")
    assert reach("Leo") == {"globex"}
    assert reach("Nadia") == set()
    assert reach("Owen") == {"acme", "globex", "provider"}
    assert reach("Tina") == {"acme"}


@pytest.mark.parametrize(
    ("everything", "effect"), list(itertools.product((True, False), (None, "allow", "deny"))), ids=str
)
def test_every_combination(superuser, reach, grant, everything, effect):
    superuser.execute("UPDATE staff_members SET all_tenants = %s WHERE name = 'Leo'", [everything])
    if effect:
        grant("Leo", "globex", effect)
    expected = {
        (True, None): {"acme", "globex", "provider"},
        (True, "allow"): {"acme", "globex", "provider"},
        (True, "deny"): {"acme", "provider"},
        (False, None): set(),
        (False, "allow"): {"globex"},
        (False, "deny"): set(),
    }
    assert reach("Leo") == expected[everything, effect]


def test_suspended_clients_stay_visible_and_offboarded_ones_do_not(superuser, reach):
    superuser.execute("UPDATE tenants SET state = 'suspended' WHERE slug = 'acme'")
    assert "acme" in reach("Leo")
    superuser.execute("UPDATE tenants SET state = 'offboarded' WHERE slug = 'acme'")
    assert "acme" not in reach("Leo")


def test_a_client_s_person_reaches_one_company_at_a_time(reach):
    assert reach("Alice") == {"acme"}
    assert reach("Mallory") == {"globex"}
