"""The pages of campaigns: who sees what, and each act behind its confirmation."""

import io

import pytest

from msp.campaigns import services
from tenants.foundation import time
from tests.msp.campaigns import fleet


def public_id(app, rollout):
    with app.app_context(), rollout.seen():
        return str(rollout.load().public_id)


@pytest.fixture
def address(app, cast, machines):
    """A submitted campaign and where its page is."""
    rollout = fleet.draft(app, cast)
    rollout.act("Leo", services.submit_campaign, at=time.now())
    return rollout, f"/console/campaigns/{public_id(app, rollout)}"


def test_from_an_upload_to_the_end(app, cast, machines, sign_in):
    leo, nadia = sign_in("Leo"), sign_in("Nadia")
    sent = {
        "title": "Welcome text",
        "release": "new",
        "name": "motd",
        "version": "1",
        "target_path": "etc/motd",
        "files": (io.BytesIO(b"hello"), "motd"),
    }
    answer = leo.post("/console/campaigns/new", data=sent, content_type="multipart/form-data")
    assert answer.status_code == 302, answer.text
    page = answer.headers["Location"]
    assert "No assets yet" in leo.get(page).text
    added = leo.post(
        f"{page}/assets",
        data={"tenants": ["provider", "acme", "globex"], "kind": "server", "tag": ""},
        follow_redirects=True,
    )
    assert "6 assets added." in added.text
    waves = {"percents": "5, 100", "max_bad": "1", "max_bad_pct": "5", "min_sample": "2", "pass_pct": "100"}
    waves |= {
        "max_gone_pct": "0",
        "soak_minutes": "0",
        "start_hours": "1",
        "step_minutes": "5",
        "verify_minutes": "5",
        "silent_minutes": "10",
        "reserve_minutes": "20",
        "campaign_days": "7",
        "per_service": "1",
    }
    shown = leo.post(f"{page}/waves", data=waves, follow_redirects=True)
    assert "1 → 5 assets" in shown.text
    confirm = leo.get(f"{page}/submit")
    assert "Submit for 3 clients, 6 assets" in confirm.text
    assert (
        "Another person than Leo has to approve it." in leo.post(f"{page}/submit", follow_redirects=True).text
    )
    assert leo.get(f"{page}/approve").status_code == 403
    seen = nadia.get(f"{page}/approve").text
    assert "Approve for 3 clients, 6 assets" in seen
    plan = seen.split('name="seen" value="')[1].split('"')[0]
    assert nadia.post(f"{page}/approve", data={"seen": "0" * 64}).status_code == 409
    assert (
        "Approved by Nadia" in nadia.post(f"{page}/approve", data={"seen": plan}, follow_redirects=True).text
    )
    assert nadia.post(f"{page}/start", data={}).status_code == 302
    assert "Scheduled" in nadia.get(page).text


def test_what_was_typed_is_kept_and_each_field_s_error_named(machines, sign_in):
    leo = sign_in("Leo")
    answer = leo.post(
        "/console/campaigns/new", data={"title": "", "release": "new", "name": "a b", "version": "1"}
    )
    assert answer.status_code == 422
    assert "Give the campaign a title." in answer.text
    answer = leo.post(
        "/console/campaigns/new",
        data={"title": "T", "release": "new", "name": "a b", "version": "1", "target_path": "../x"},
    )
    assert answer.status_code == 422
    for said in ("a b", "../x", "Use letters, digits", "Give a path below", "Choose at least one file."):
        assert said in answer.text, said


def test_the_author_may_not_decide(app, cast, machines, sign_in):
    rollout = fleet.draft(app, cast, author="Nadia")
    rollout.act("Nadia", services.submit_campaign, at=time.now())
    page = f"/console/campaigns/{public_id(app, rollout)}"
    nadia = sign_in("Nadia")
    assert "Approve…" not in nadia.get(page).text
    assert nadia.post(f"{page}/approve", data={"seen": rollout.plan_sha256}).status_code == 409
    assert rollout.state == "submitted"


@pytest.mark.parametrize(
    ("name", "verbs"),
    [
        ("Tina", {"pause"}),
        ("Leo", {"pause"}),
        ("Dana", {"pause"}),
        ("Nadia", {"pause", "abort"}),
        ("Owen", {"pause", "abort"}),
    ],
)
def test_every_staff_role_can_stop_a_running_campaign(app, cast, address, sign_in, name, verbs):
    rollout, page = address
    rollout.act("Nadia", services.approve_campaign, seen=rollout.plan_sha256, at=time.now())
    rollout.act("Nadia", services.start_campaign, at=time.now())
    rollout.tick()
    client = sign_in(name)
    shown = client.get(page).text
    for verb in ("pause", "abort"):
        assert (f"{page}/{verb}" in shown) == (verb in verbs)
    assert "Pause for 3 clients," in client.get(f"{page}/pause").text
    assert client.post(f"{page}/pause", data={"reason": "stop"}).status_code == 302
    assert rollout.state == "paused"


def test_one_sees_the_clients_that_one_is_granted(address, sign_in):
    _rollout, page = address
    tina = sign_in("Tina").get(page).text
    assert "Acme" in tina
    assert "Globex" not in tina
    assert "2 more clients take part that you are not granted." in tina
    assert "Globex" in sign_in("Nadia").get(page).text


def test_campaigns_of_others_are_not_there(app, cast, machines, sign_in):
    rollout = fleet.draft(app, cast, slugs=("globex",))
    rollout.act("Leo", services.submit_campaign, at=time.now())
    page = f"/console/campaigns/{public_id(app, rollout)}"
    tina = sign_in("Tina")
    assert tina.get(page).status_code == 404
    assert "Welcome" not in tina.get("/console/campaigns/").text
    assert tina.post(f"{page}/pause", data={}).status_code == 404


@pytest.mark.parametrize("name", ["Alice", "Bob", "Mallory"])
def test_clients_have_no_such_pages(address, sign_in, name):
    _rollout, page = address
    client = sign_in(name)
    for path in ("/console/campaigns/", page, f"{page}/actions", f"{page}/decisions", f"{page}/pause"):
        assert client.get(path).status_code == 403


def test_assets_one_by_one_with_their_log(app, cast, machines, address, sign_in):
    rollout, page = address
    rollout.act("Nadia", services.approve_campaign, seen=rollout.plan_sha256, at=time.now())
    rollout.act("Nadia", services.start_campaign, at=time.now())
    rollout.tick()
    machines[0].fails = True
    machines[0].cycle()
    rollout.tick()
    nadia = sign_in("Nadia")
    shown = nadia.get(page).text
    assert "It stopped itself: too much failed." in shown
    assert "0 good, 1 bad, 0 out of reach, 0 open, of 1" in shown
    listed = nadia.get(f"{page}/actions?outcome=failed").text
    assert "provider-0" in listed
    assert "acme-0" not in listed
    action = rollout.actions()[0].id
    log = nadia.get(f"{page}/actions/{action}").text
    assert "closed / failure" in log
    assert nadia.get(f"{page}/actions?limit=2").text.count("acme-") < 3
    assert nadia.get(f"{page}/decisions").status_code == 200
    assert nadia.get(f"{page}/actions/99999").status_code == 404
    assert nadia.get(f"{page}/actions?lane=junk").status_code == 404
    assert "Say why." in nadia.post(f"{page}/resume", data={"reason": ""}).text
    asked = nadia.post(f"{page}/resume", data={"reason": "disk was full"}, follow_redirects=True).text
    assert "Another person has to agree before it goes on." in asked
    assert "Nadia asks to resume it" in asked
    done = sign_in("Owen").post(f"{page}/resume", data={"reason": "agreed"}, follow_redirects=True).text
    assert "It goes on." in done


def test_starting_before_any_client_consented_says_so_on_the_page(app, cast, sign_in):
    fleet.enrol(app, cast.tenants["acme"], "acme", ["acme-1", "acme-2"])
    rollout = fleet.draft(app, cast, slugs=("acme",))
    fleet.approve(rollout)
    with app.app_context(), rollout.seen():
        url = f"/console/campaigns/{rollout.load().public_id}/start"
    said = sign_in("Nadia").post(url, data={"start_at": ""})
    assert said.status_code == 409
    assert "No client has consented yet." in said.text
    assert "Start this campaign?" in said.text
