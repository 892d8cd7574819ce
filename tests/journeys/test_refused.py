"""Another client's people at every door: what is not theirs is not there, whichever way they ask for it."""

import uuid

from tenants.tickets import codes
from tests import personas

PORTAL = (
    "/portal/tickets/{waiting}",
    "/portal/tickets/{resolved}/reopen",
    "/portal/tickets/{waiting}/withdraw",
    "/portal/tickets/{waiting}/files/{file}",
    "/portal/assets/{asset}",
    "/portal/maintenance/{part}",
    "/portal/people/{member}",
    "/portal/people/{member}/remove",
)
STAFF = (
    "/desk/",
    "/desk/tickets/{waiting}",
    "/console/tenants/acme",
    "/console/assets/{asset}",
    "/console/campaigns/{campaign}",
    "/console/campaigns/{campaign}/actions/{action}",
    "/console/campaigns/{campaign}/abort",
)
API = (
    "/api/v1/tickets/{waiting}",
    "/api/v1/tickets/{waiting}/events",
    "/api/v1/tickets/{waiting}/timers",
    "/api/v1/assets/{asset}",
    "/api/v1/contracts/{contract}/versions",
    "/api/v1/tenants/acme",
    "/api/v1/campaigns/{campaign}",
)
WORDS = ("Cash desk 2", "Mailbox of the accounts", "VPN drops", "acme-pc-1", "Acme", "Bob")


def doors(scene, paths):
    return [path.format(**vars(scene)) for path in paths]


def refused(visitor, path, *statuses):
    """The page says no, in the portal's own look, and nothing of what lies behind it."""
    answer = visitor.go(path)
    assert answer.status in statuses, (path, answer.status)
    assert visitor.page.locator("h1").count() == 1
    assert not [word for word in WORDS if word in visitor.text], path


def test_another_client_s_administrator_finds_nothing(portal, visit, scene):
    mallory = visit("Mallory").sign_in()
    for path in doors(scene, PORTAL):
        refused(mallory, path, 404)
    mallory.picture("not-there")
    foreign = mallory.text
    mallory.go(f"/portal/tickets/{codes.new_code('ACME')}")
    assert mallory.text == foreign, "a foreign code and one that never existed look the same"
    for path in doors(scene, STAFF):
        refused(mallory, path, 403)
    mallory.picture("staff-only")
    for path in (
        "/portal/",
        "/portal/tickets?q=Cash",
        "/portal/assets?q=acme",
        "/portal/audit",
        "/portal/maintenance",
    ):
        assert mallory.go(path).status == 200
        assert not [word for word in WORDS if word in mallory.text], path
    mallory.picture("own-lists")


def test_guessed_addresses_lead_nowhere(visit, scene):
    mallory = visit("Mallory").sign_in()
    for guess in (uuid.uuid4(), "1", "..%2F..%2Fetc", "%00", "acme-pc-1", "0" * 400):
        refused(mallory, f"/portal/assets/{guess}", 404)
    refused(mallory, "/portal/tickets/ACME-0000-0000", 404)
    refused(mallory, "/portal/no-such-page", 404)


def test_the_api_refuses_them_too(portal, visit, scene):
    with portal.app.app_context():
        key = personas.mint_token(portal.app, personas.load(), "Mallory")
    asks = visit("Mallory").context.request
    headers = {"Authorization": f"Bearer {key}", "Accept": "application/json"}
    for path in doors(scene, API):
        answer = asks.get(portal.url + path, headers=headers)
        assert answer.status in (403, 404), (path, answer.status)
        assert not [word for word in WORDS if word in answer.text()], path
    for path in ("/api/v1/tickets", "/api/v1/assets", "/api/v1/contracts"):
        answer = asks.get(portal.url + path, headers=headers)
        assert answer.status == 200
        assert not [word for word in WORDS if word in answer.text()], path


def test_staff_see_only_the_clients_that_they_are_granted(visit, scene):
    tina = visit("Tina").sign_in()
    assert tina.go("/console/tenants/acme").status == 200
    for path in ("/console/tenants/globex", "/console/tenants/globex/contract", "/desk/tickets/new/globex"):
        assert tina.go(path).status == 404
    tina.picture("not-granted")
    for path in ("/console/", "/console/tenants", "/console/assets", f"/console/campaigns/{scene.campaign}"):
        assert tina.go(path).status == 200
        assert "Globex" not in tina.text, path
    tina.picture("campaign-of-which-one-client-is-seen")


def test_whoever_is_not_signed_in_is_asked_to(visit, scene):
    stranger = visit("nobody")
    for path in doors(scene, (PORTAL[0], STAFF[1], STAFF[4])):
        stranger.go(path)
        assert stranger.path.startswith("/sign-in"), path
        assert not [word for word in WORDS if word in stranger.text]
    stranger.picture("asked-to-sign-in")
