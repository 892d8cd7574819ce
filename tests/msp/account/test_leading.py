"""Leading people: roles, reach, leaving; nobody reaches further than they may."""

import threading

import pytest

from tests.personas import PASSWORD


@pytest.fixture
def staff(superuser):
    return dict(superuser.execute("SELECT name, public_id FROM staff_members").fetchall())


@pytest.fixture
def members(superuser):
    return dict(superuser.execute("SELECT name, public_id FROM memberships").fetchall())


@pytest.mark.parametrize("name", ["Alice", "Bob", "Mallory", "Gus"])
def test_clients_never_see_staff_pages(sign_in, staff, name):
    me = sign_in(name)
    for path in ("/console/staff", "/console/staff/invite", f"/console/staff/{staff['Tina']}"):
        assert me.get(path).status_code == 403
    assert me.post(f"/console/staff/{staff['Tina']}/role", data={"role": "owner"}).status_code == 403


@pytest.mark.parametrize(
    ("name", "status"),
    [("Tina", 403), ("Leo", 403), ("Nadia", 403), ("Dana", 200), ("Mia", 200), ("Owen", 200)],
)
def test_who_sees_staff(sign_in, staff, name, status):
    assert sign_in(name).get("/console/staff").status_code == status
    assert sign_in(name).get(f"/console/staff/{staff['Tina']}").status_code == status


@pytest.mark.parametrize("public_id", ["1", "x", "00000000-0000-0000-0000-000000000000"])
def test_unknown_people_are_not_found(sign_in, public_id):
    owen, alice = sign_in("Owen"), sign_in("Alice")
    assert owen.get(f"/console/staff/{public_id}").status_code == 404
    for act in ("role", "reach", "remove", "let-in"):
        assert owen.post(f"/console/staff/{public_id}/{act}").status_code == 404
    assert alice.get(f"/portal/people/{public_id}").status_code == 404
    for act in ("remove", "let-in"):
        assert alice.post(f"/portal/people/{public_id}/{act}").status_code == 404


def test_a_foreign_person_answers_as_an_unknown_one(sign_in, members):
    alice = sign_in("Alice")
    unknown = "00000000-0000-0000-0000-000000000000"
    for suffix in ("", "/remove"):
        foreign = alice.get(f"/portal/people/{members['Gus']}{suffix}")
        nobody = alice.get(f"/portal/people/{unknown}{suffix}")
        assert foreign.status_code == nobody.status_code == 404
        assert foreign.data == nobody.data


def role_of(superuser, name):
    return superuser.execute(
        "SELECT role FROM staff_members WHERE name = %s UNION ALL SELECT role FROM memberships WHERE name = %s",
        [name] * 2,
    ).fetchone()[0]


@pytest.mark.parametrize(
    ("by", "whom", "role", "status"),
    [
        ("Mia", "Tina", "l3", 302),
        ("Owen", "Mia", "owner", 302),
        ("Owen", "Owen", "manager", 403),
        ("Mia", "Tina", "manager", 422),
        ("Mia", "Tina", "client_admin", 422),
        ("Mia", "Owen", "l1", 403),
        ("Mia", "Mia", "l1", 403),
        ("Dana", "Tina", "l2", 403),
    ],
)
def test_staff_roles_change_within_the_lattice(sign_in, superuser, staff, by, whom, role, status):
    before = role_of(superuser, whom)
    victim = sign_in(whom)
    answer = sign_in(by).post(f"/console/staff/{staff[whom]}/role", data={"role": role})
    assert answer.status_code == status
    assert role_of(superuser, whom) == (role if status == 302 else before)
    assert victim.get("/account").status_code == (302 if status == 302 else 200)


def test_a_manager_of_some_clients_changes_nobody_who_sees_more(sign_in, superuser, staff, cast):
    superuser.execute("UPDATE staff_members SET all_tenants = false WHERE name = 'Mia'")
    superuser.execute(
        "INSERT INTO staff_grants (tenant_id, user_id, effect, granted_at) VALUES (%s, %s, 'allow', now())",
        [cast.tenant("acme"), cast.users["Mia"]],
    )
    mia = sign_in("Mia")
    assert mia.post(f"/console/staff/{staff['Leo']}/role", data={"role": "l3"}).status_code == 403
    assert mia.post(f"/console/staff/{staff['Leo']}/remove").status_code == 403
    assert mia.post(f"/console/staff/{staff['Tina']}/role", data={"role": "l2"}).status_code == 302
    reach = {"reach": "all", "effect-acme": "allow", "effect-globex": "allow"}
    assert mia.post(f"/console/staff/{staff['Tina']}/reach", data=reach).status_code == 422
    assert (
        mia.post(f"/console/staff/{staff['Tina']}/reach", data={**reach, "reach": "named"}).status_code == 302
    )
    granted = superuser.execute(
        "SELECT tenant_id FROM staff_grants WHERE user_id = %s", [cast.users["Tina"]]
    ).fetchall()
    assert granted == [(cast.tenant("acme"),)]


def test_reach_is_allowed_and_denied(app, sign_in, staff, cast):
    from tenants.foundation.scope import enter, gate
    from tenants.people.principals import by_user_id

    def reach(name):
        with app.app_context(), enter(gate()):
            tenants = by_user_id(cast.users[name]).actor.tenants
        return {slug for slug in cast.tenants if cast.tenants[slug] in tenants}

    mia = sign_in("Mia")
    tina, leo = (f"/console/staff/{staff[name]}/reach" for name in ("Tina", "Leo"))
    assert mia.post(leo, data={"reach": "all", "effect-globex": "deny"}).status_code == 302
    assert reach("Leo") == {"acme", "provider"}
    mia.post(leo, data={"reach": "named", "effect-acme": "allow"})
    assert reach("Leo") == {"acme"}
    assert mia.post(leo, data={"reach": "named", "effect-acme": ""}).status_code == 302
    assert reach("Leo") == set()
    mia.post(tina, data={"effect-globex": "allow"})
    assert reach("Tina") == {"acme", "globex"}
    assert mia.get(f"/console/staff/{staff['Tina']}").status_code == 200


def test_a_leaver_is_out_at_once(sign_in, superuser, staff, token, browser):
    tina, secret = sign_in("Tina"), token("Tina")
    assert tina.get("/account").status_code == 200
    assert sign_in("Dana").post(f"/console/staff/{staff['Tina']}/remove").status_code == 403
    assert sign_in("Mia").get(f"/console/staff/{staff['Tina']}/remove").status_code == 200
    assert sign_in("Mia").post(f"/console/staff/{staff['Tina']}/remove").status_code == 302
    assert tina.get("/account").location.startswith("/sign-in")
    live = superuser.execute(
        "SELECT count(*) FROM api_tokens WHERE revoked_at IS NULL UNION ALL"
        " SELECT count(*) FROM sign_in_sessions s JOIN users u ON u.id = s.user_id"
        " WHERE u.name = 'Tina' AND s.revoked_at IS NULL UNION ALL"
        " SELECT count(*) FROM staff_grants g JOIN users u ON u.id = g.user_id WHERE u.name = 'Tina'"
    ).fetchall()
    assert live == [(0,)] * 3
    assert secret
    assert browser().sign_in("Tina", PASSWORD).status_code == 403
    assert sign_in("Mia").get(f"/console/staff/{staff['Tina']}").status_code == 404


def test_the_last_owner_stays(sign_in, superuser, staff):
    superuser.execute("UPDATE staff_members SET role = 'owner' WHERE name = 'Mia'")
    assert sign_in("Mia").post(f"/console/staff/{staff['Owen']}/remove").status_code == 302
    assert sign_in("Mia").post(f"/console/staff/{staff['Mia']}/remove").status_code == 403


def test_two_owners_do_not_remove_each_other(sign_in, superuser, staff):
    superuser.execute("UPDATE staff_members SET role = 'owner' WHERE name = 'Mia'")
    owners, codes = {"Mia": sign_in("Mia"), "Owen": sign_in("Owen")}, []

    def remove(by, whom):
        codes.append(owners[by].post(f"/console/staff/{staff[whom]}/remove").status_code)

    threads = [threading.Thread(target=remove, args=pair) for pair in (("Mia", "Owen"), ("Owen", "Mia"))]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    left = superuser.execute(
        "SELECT count(*) FROM staff_members WHERE role = 'owner' AND state = 'active'"
    ).fetchone()[0]
    assert left == 1, codes
    assert codes.count(302) == 1


@pytest.mark.parametrize("by", ["Alice", "Mia"])
def test_client_people_are_led(sign_in, superuser, members, by):
    base = "/portal/people" if by == "Alice" else "/console/tenants/acme/people"
    lead, bob = sign_in(by), sign_in("Bob")
    assert lead.get(base).status_code == 200
    assert lead.get(f"{base}/{members['Bob']}").status_code == 200
    assert lead.post(f"{base}/{members['Bob']}", data={"role": "owner"}).status_code == 422
    assert lead.post(f"{base}/{members['Bob']}", data={"role": "client_admin"}).status_code == 302
    assert role_of(superuser, "Bob") == "client_admin"
    assert bob.get("/account").status_code == 302
    bob = sign_in("Bob")
    assert lead.get(f"{base}/{members['Bob']}/remove").status_code == 200
    assert lead.post(f"{base}/{members['Bob']}/remove").status_code == 302
    assert bob.get("/account").status_code == 302
    assert lead.post(f"{base}/{members['Bob']}/remove").status_code == 404
    actions = [
        one
        for (one,) in superuser.execute(
            "SELECT action FROM audit_entries WHERE action LIKE 'member.%' ORDER BY seq"
        ).fetchall()
    ]
    assert actions == ["member.role_changed", "member.left"]


def test_nobody_removes_oneself_or_strangers(sign_in, superuser, members):
    alice = sign_in("Alice")
    assert alice.post(f"/portal/people/{members['Alice']}/remove").status_code == 403
    assert alice.post(f"/portal/people/{members['Alice']}", data={"role": "client_user"}).status_code == 403
    assert alice.post(f"/portal/people/{members['Gus']}/remove").status_code == 404
    assert sign_in("Bob").post(f"/portal/people/{members['Alice']}/remove").status_code == 403
    assert superuser.execute("SELECT count(*) FROM memberships WHERE state = 'active'").fetchone() == (4,)


def test_the_audit_chains_hold(app, sign_in, members, staff, cast):
    sign_in("Alice").post(f"/portal/people/{members['Bob']}/remove")
    sign_in("Mia").post(f"/console/staff/{staff['Tina']}/role", data={"role": "l2"})
    from tenants.audit.queries import verify_system, verify_tenant
    from tenants.foundation.scope import enter, of_tenant

    with app.app_context(), enter(of_tenant(cast.tenant("acme"))):
        assert verify_tenant(cast.tenant("acme")) == []
        assert verify_system() == []


def test_open_tickets_of_a_leaver_go_back_to_the_queue(app, cast, within, sign_in, staff, superuser, mailbox):
    from tenants.foundation import time
    from tenants.foundation.db import db
    from tenants.tickets.assignments import take_ticket
    from tests.tickets import bob, open_in_scope

    with within("Leo") as leo:
        ticket = open_in_scope(cast, bob(cast))
        take_ticket(ticket, by=leo, at=time.now())
        code = ticket.code
        db.session.commit()
    assert sign_in("Mia").post(f"/console/staff/{staff['Leo']}/remove").status_code == 302
    mailbox.collect()
    held = superuser.execute(
        "SELECT assignee_user_id, assignee_name, state FROM tickets WHERE code = %s", [code]
    )
    assert held.fetchone() == (None, None, "in_progress")
