"""API tokens: a subset of one's rights, shown once, cut to what the maker holds at the time of use."""

import re
from datetime import timedelta

import pytest

from tenants.foundation import time
from tenants.foundation.permissions import PERMISSIONS, MemberRole, Permission
from tenants.foundation.scope import enter, gate
from tenants.people import principals


@pytest.fixture
def resolve(app):
    def by_token(secret, at=None):
        with app.app_context(), enter(gate()):
            return principals.by_api_token(secret, at or time.now())

    return by_token


def mint(client, **form):
    answer = client.post("/account/tokens", data={"name": "report", "days": "30", "tenant": "", **form})
    found = re.search(r"<code>([\w-]{43})</code>", answer.get_data(as_text=True))
    return answer, found and found[1]


def test_a_token_is_shown_once_and_stored_hashed(sign_in, superuser, resolve):
    me = sign_in("Leo")
    answer, secret = mint(me, rights=["desk.view"])
    assert answer.status_code == 200
    assert secret
    assert secret not in me.get("/account/tokens").get_data(as_text=True)
    stored = superuser.execute("SELECT token_hash FROM api_tokens").fetchone()[0]
    assert secret.encode() not in bytes(stored)
    assert resolve(secret).actor.permissions == {Permission.VIEW_DESK, Permission.USE_API}
    assert superuser.execute(
        "SELECT action FROM system_audit_entries WHERE action LIKE 'token.%'"
    ).fetchall() == [("token.minted",)]


@pytest.mark.parametrize(
    ("name", "form"),
    [
        ("Leo", {"rights": ["console.manage_staff"]}),
        ("Leo", {"rights": ["no.such.right"]}),
        ("Alice", {"tenant": "acme", "rights": ["desk.view"]}),
        ("Alice", {"tenant": "globex", "rights": ["portal.view"]}),
        ("Alice", {"tenant": "", "rights": ["portal.view"]}),
        ("Leo", {"days": "0"}),
        ("Leo", {"days": "366"}),
        ("Leo", {"days": "many"}),
        ("Leo", {"name": ""}),
        ("Leo", {"tenant": "nowhere"}),
    ],
)
def test_nobody_mints_more_than_they_hold(sign_in, superuser, name, form):
    answer, secret = mint(sign_in(name), **form)
    assert answer.status_code == 422
    assert secret is None
    assert superuser.execute("SELECT count(*) FROM api_tokens").fetchone() == (0,)


@pytest.mark.parametrize("name", ["Bob", "Tina", "Dana"])
def test_who_may_not_mint_sees_no_page(sign_in, name):
    assert sign_in(name).get("/account/tokens").status_code == 403
    assert mint(sign_in(name))[0].status_code == 403


def test_a_token_runs_out_and_is_revoked(sign_in, superuser, resolve):
    me = sign_in("Leo")
    secret = mint(me, rights=["desk.view"])[1]
    assert resolve(secret, time.now() + timedelta(days=29))
    assert resolve(secret, time.now() + timedelta(days=31)) is None
    token = superuser.execute("SELECT public_id FROM api_tokens").fetchone()[0]
    assert sign_in("Nadia").post(f"/account/tokens/{token}/revoke").status_code == 404
    assert resolve(secret)
    assert me.post(f"/account/tokens/{token}/revoke").status_code == 302
    assert resolve(secret) is None


def test_a_demoted_maker_s_token_loses_the_rights(sign_in, superuser, resolve):
    secret = mint(sign_in("Nadia"), rights=["campaigns.approve", "desk.view"])[1]
    assert Permission.APPROVE_CAMPAIGNS in resolve(secret).actor.permissions
    superuser.execute("UPDATE staff_members SET role = 'l1' WHERE name = 'Nadia'")
    assert resolve(secret).actor.permissions == {Permission.VIEW_DESK, Permission.USE_API}
    superuser.execute("UPDATE staff_members SET state = 'left' WHERE name = 'Nadia'")
    assert resolve(secret) is None


def test_a_staff_token_may_be_bound_to_one_client(sign_in, cast, superuser, resolve):
    secret = mint(sign_in("Leo"), tenant="acme")[1]
    assert resolve(secret).actor.tenants == {cast.tenant("acme")}
    superuser.execute(
        "INSERT INTO staff_grants (tenant_id, user_id, effect, granted_at) VALUES (%s, %s, 'deny', now())",
        [cast.tenant("acme"), cast.users["Leo"]],
    )
    assert resolve(secret).actor.tenants == frozenset()


def test_a_client_s_token_dies_with_the_membership(sign_in, superuser, resolve):
    secret = mint(sign_in("Alice"), tenant="acme", rights=["portal.view"])[1]
    assert resolve(secret).actor.permissions <= PERMISSIONS[MemberRole.CLIENT_ADMIN]
    superuser.execute("UPDATE tenants SET state = 'suspended' WHERE slug = 'acme'")
    assert resolve(secret) is None
