"""Pages of releases: adding, bringing large files, withdrawing."""

import pytest
from sqlalchemy import select

from msp.campaigns import releases
from msp.campaigns.models import Campaign, Release
from tenants.foundation.db import db
from tenants.foundation.scope import Role, Scope, enter
from tests import personas
from tests.msp.campaigns import fleet

URL = "/console/campaigns/releases/"


def load(app, name):
    with app.app_context(), enter(Scope(Role.STAFF, frozenset())):
        return db.session.scalars(select(Release).where(Release.name == name)).one_or_none()


def test_a_release_of_packages(app, cast, sign_in):
    leo = sign_in("Leo")
    said = leo.post(
        URL + "new",
        data={
            "kind": "deb",
            "name": "openssl-fix",
            "version": "2026.11",
            "severity": "critical",
            "published_on": "2026-11-01",
            "references": "CVE-2026-1234\n",
            "packages": "openssl 3.0.15-1",
            "interpreter": "/bin/sh",
            "reboot": "if_needed",
            "systems": "debian",
            "checks_after": "service_active nginx",
        },
    )
    found = load(app, "openssl-fix")
    assert said.status_code in (200, 302), said.text
    assert (found.kind, found.severity, found.references) == ("deb", "critical", ["CVE-2026-1234"])
    assert found.spec == {"packages": [{"name": "openssl", "version": "3.0.15-1"}], "reboot": "if_needed"}
    page = leo.get(URL + str(found.public_id)).text
    assert "CVE-2026-1234" in page
    assert "service_active nginx" in page


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"kind": "deb", "packages": "openssl"}, "Not understood: openssl"),
        ({"kind": "deb", "packages": ""}, "Name at least one package"),
        ({"kind": "file", "target_path": "../etc"}, "no leading slash"),
        ({"kind": "script"}, "A script is exactly one file."),
        (
            {"kind": "deb", "packages": "tzdata 1", "checks_before": "run me"},
            "This check is not known: run me",
        ),
        ({"kind": "deb", "packages": "tzdata 1", "name": "no spaces"}, "Use letters, digits"),
    ],
)
def test_what_is_unfit_is_named_and_nothing_is_kept(app, sign_in, changes, message):
    fields = {"name": "fix", "version": "1", "severity": "low", "interpreter": "/bin/sh", "reboot": "never"}
    said = sign_in("Leo").post(URL + "new", data={**fields, **changes})
    assert said.status_code == 422
    assert message in said.text
    assert load(app, "fix") is None


def test_withdrawing_pauses_what_runs_and_nothing_new_begins(app, cast, sign_in):
    fleet.enrol(app, cast.tenants["provider"], "provider", ["provider-1"])
    fleet.enrol(app, cast.tenants["acme"], "acme", ["acme-1", "acme-2"])
    rollout = fleet.start(fleet.draft(app, cast))
    with app.app_context(), rollout.seen():
        release = db.session.get_one(Release, rollout.load().release_id)
    nadia = sign_in("Nadia")
    assert nadia.post(f"{URL}{release.public_id}/withdraw", data={"reason": ""}).status_code == 422
    nadia.post(f"{URL}{release.public_id}/withdraw", data={"reason": "It breaks printing."})
    assert rollout.state == "paused"
    by = personas.actor(app, cast, "Leo")
    with app.app_context(), enter(by.scope()), pytest.raises(Exception, match="withdrawn"):
        releases.usable_release(str(release.public_id))
    with app.app_context(), rollout.seen():
        assert db.session.scalars(select(Campaign.pause_reason)).all() == ["It breaks printing."]


def test_only_who_proposes_adds_and_only_who_approves_withdraws(app, cast, sign_in):
    tina = sign_in("Tina")
    assert tina.get(URL).status_code == 403
    assert tina.get(URL + "new").status_code == 403
