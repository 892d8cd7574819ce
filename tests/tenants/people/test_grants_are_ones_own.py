"""A grant or a denial counts for the person it names and for nobody else."""

from tenants.foundation.scope import enter, gate
from tenants.people import principals


def granted(app, cast, name):
    with app.app_context(), enter(gate()):
        return principals.by_user_id(cast.users[name]).actor.tenants


def test_an_empty_list_of_grants_means_nothing(app, cast, superuser):
    superuser.execute("UPDATE staff_members SET all_tenants = false WHERE user_id = %s", (cast.users["Mia"],))
    assert granted(app, cast, "Mia") == frozenset()
    assert granted(app, cast, "Tina") == {cast.tenant("acme")}


def test_a_denial_of_one_is_no_denial_of_others(app, cast, superuser):
    superuser.execute(
        "INSERT INTO staff_grants (tenant_id, user_id, effect, granted_at) VALUES (%s, %s, 'deny', now())",
        (cast.tenant("globex"), cast.users["Leo"]),
    )
    assert cast.tenant("globex") not in granted(app, cast, "Leo")
    assert cast.tenant("globex") in granted(app, cast, "Owen")
