"""Who may turn up without a token of its own: certificates behind our proxy, and machines that nobody knows yet."""

import pytest
from sqlalchemy import func, select

from msp.agents import arrivals, enrolment, rotation, shared
from tenants.assets.models import Asset
from tenants.foundation import time
from tenants.foundation.db import db
from tenants.foundation.errors import Invalid
from tests import personas
from tests.msp.agents.test_inventories import share
from tests.msp.campaigns import fleet

SECRET = "proxy secret of the tests, long enough"
ISSUER = "AB:CD:EF:01:23:45:67:89:AB:CD"
ISSUERS = f"other;{ISSUER.lower()}"
BASE = "/ddi/acme/controller/v1/"


@pytest.fixture
def gateway(app, cast):
    return share(app, cast, "acme", "gateway")


@pytest.fixture
def call(app, gateway):
    def ask(path, method="GET", token=None, **more):
        headers = {"Authorization": f"GatewayToken {token or gateway}"}
        return app.test_client().open(path, method=method, headers=headers, **more)

    return ask


def as_nadia(app, cast, verb, public_id=None):
    nadia = personas.actor(app, cast, "Nadia")
    with personas.within(app, cast, "Nadia"):
        asset = public_id and db.session.scalars(select(Asset).where(Asset.public_id == public_id)).one()
        done = verb(asset, nadia) if asset else verb(nadia)
        db.session.commit()
        return done


class TestGateway:
    def find(self, within, name="box-1"):
        with within("acme"):
            return db.session.scalars(select(Asset).where(Asset.controller_id == name)).one_or_none()

    def test_an_unknown_machine_is_quarantined_and_may_say_who_it_is(self, call, within):
        answer = call(BASE + "box-1")
        assert answer.status_code == 200
        assert set(answer.json["_links"]) == {"configData"}
        asset = self.find(within)
        assert (asset.state, asset.quarantined_for, asset.name) == ("quarantined", "gateway", "box-1")
        assert call(BASE + "box-1/configData", "PUT", json={"data": {"os": "x"}}).status_code == 200
        assert self.find(within).facts == {"os": "x"}
        assert call(BASE + "box-1").json["_links"] == {}

    def test_it_opens_nothing_of_a_machine_that_is_known(self, app, cast, call, machine):
        rollout = fleet.start(fleet.draft(app, cast, slugs=("acme",)))
        action = machine.offered()
        answers = {
            (answer.status_code, answer.data)
            for path, method in (
                ("", "GET"),
                ("/configData", "PUT"),
                ("/inventory", "PUT"),
                (f"/deploymentBase/{action}", "GET"),
                (f"/deploymentBase/{action}/feedback", "POST"),
                (f"/cancelAction/{action}", "GET"),
                ("/credential", "POST"),
                ("/enrolment", "POST"),
            )
            for answer in (call(machine.base + path, method, json={"data": {}}),)
        }
        assert answers == {(401, b"")}
        assert rollout.outcomes() == {"offered": 1}

    def test_it_opens_no_action_of_an_unknown_machine_either(self, call):
        call(BASE + "box-1")
        for path in ("/deploymentBase/1", "/cancelAction/1", "/inventory", "/softwaremodules/1/artifacts"):
            assert call(BASE + "box-1" + path).status_code == 401

    def test_it_ends_for_a_machine_that_people_admitted_or_gave_a_token(self, app, cast, call, within):
        for name, verb in (
            ("box-1", lambda asset, by: enrolment.admit_asset(asset, by=by, at=time.now())),
            ("box-2", lambda asset, by: rotation.hand_out_token(asset, by=by, at=time.now())),
        ):
            assert call(BASE + name).status_code == 200
            as_nadia(app, cast, verb, self.find(within, name).public_id)
            assert call(BASE + name).status_code == 401

    @pytest.mark.parametrize(
        "path",
        ["/ddi/globex/controller/v1/box-1", "/ddi/nobody/controller/v1/box-1", BASE + "a%20b", BASE + ".."],
    )
    def test_other_places_and_unfit_names_are_401(self, call, path, superuser):
        assert call(path).status_code == 401
        assert superuser.execute(
            "SELECT count(*) FROM assets WHERE quarantined_for IS NOT NULL"
        ).fetchone() == (0,)

    def test_a_token_of_another_kind_or_revoked_is_401(self, app, cast, call, gateway):
        assert call(BASE + "box-1", token=share(app, cast, "acme", "inventory")).status_code == 401

        def revoke(by):
            (kept,) = shared.list_shared(cast.tenants["acme"], kind="gateway")
            shared.revoke_shared(kept, by=by, at=time.now())

        as_nadia(app, cast, revoke)
        assert call(BASE + "box-1").status_code == 401

    def test_too_many_unknown_machines_are_put_off(self, call, within, monkeypatch):
        monkeypatch.setattr(arrivals, "MOST_UNKNOWN", 2)
        answers = [call(f"{BASE}box-{number}") for number in range(3)]
        assert [one.status_code for one in answers] == [200, 200, 429]
        assert answers[2].headers["Retry-After"] == "3600"
        with within("acme"):
            assert db.session.scalar(select(func.count()).where(Asset.quarantined_for == "gateway")) == 2


class TestCertificate:
    @pytest.fixture(autouse=True)
    def authority(self, app, cast):
        return self.add(app, cast, "acme")

    def add(self, app, cast, slug, issuer=ISSUER):
        def add(by):
            kept, token = shared.add_shared(
                cast.tenants[slug], kind="authority", name="CA", issuer=issuer, by=by, at=time.now()
            )
            assert token == ""
            return kept.id

        return as_nadia(app, cast, add)

    def call(self, app, path, *, name="acme-pc-1", issuer=ISSUERS, secret=SECRET, **more):
        headers = {"X-Controller-Id": name, "X-Authority": issuer, "X-Proxy-Secret": secret}
        return app.test_client().get(
            path, headers={key: value for key, value in headers.items() if value}, **more
        )

    def test_a_certificate_that_the_proxy_checked_is_enough(self, app, machine):
        for _ in range(2):
            assert self.call(app, machine.base).status_code == 200
        assert self.call(app, machine.base + "/deploymentBase/1").status_code == 404
        assert self.call(app, BASE + "acme-pc-2").status_code == 403

    @pytest.mark.parametrize("secret", ["", "wrong", SECRET + "x"])
    def test_spoofed_headers_are_ignored(self, app, machine, secret):
        assert self.call(app, machine.base, secret=secret).status_code == 401
        headers = {
            "X-Controller-Id": "acme-pc-9", "X-Authority": ISSUER, "X-Proxy-Secret": secret,
            "Authorization": f"TargetToken {machine.token}",
        }  # fmt: skip
        assert app.test_client().get(machine.base, headers=headers).status_code == 200

    def test_without_a_secret_in_the_settings_none_counts(self, app, machine):
        from dataclasses import replace

        settings = app.extensions["settings"]
        app.extensions["settings"] = replace(settings, proxy_secret="")
        try:
            assert self.call(app, machine.base, secret="").status_code == 401
        finally:
            app.extensions["settings"] = settings

    @pytest.mark.parametrize(
        ("path", "name", "issuer"),
        [
            ("/ddi/globex/controller/v1/globex-pc-1", "globex-pc-1", ISSUER),
            (BASE + "acme-pc-1", "acme-pc-1", "another-issuer-digest"),
            (BASE + "never-was", "never-was", ISSUER),
        ],
    )
    def test_another_client_another_issuer_or_an_unknown_name_is_401(
        self, app, machine, stranger, path, name, issuer
    ):
        assert self.call(app, path, name=name, issuer=issuer).status_code == 401

    @pytest.mark.parametrize("state", ["active", "suspended"])
    def test_an_issuer_of_two_clients_opens_neither_s_machines(
        self, app, cast, machine, stranger, superuser, state
    ):
        self.add(app, cast, "globex", "an-issuer-of-globex")
        superuser.execute(
            "UPDATE shared_credentials SET token_hash = (SELECT token_hash FROM shared_credentials"
            f" WHERE tenant_id = {cast.tenants['acme']}) WHERE tenant_id = {cast.tenants['globex']}"
        )
        superuser.execute(f"UPDATE tenants SET state = '{state}' WHERE id = {cast.tenants['globex']}")
        assert self.call(app, machine.base).status_code == 401
        assert self.call(app, stranger.base, name="globex-pc-1").status_code == 401

    def test_another_client_s_issuer_is_refused_without_a_word_on_whose_it_is(self, app, cast):
        with pytest.raises(Invalid) as refused:
            self.add(app, cast, "globex", f" {ISSUER.lower()} ")
        assert refused.value.field == "issuer"
        assert "acme" not in str(refused.value.message).lower()
        self.add(app, cast, "acme", ISSUER)

    def test_an_issuer_that_another_client_gave_up_may_be_added(self, app, cast):
        def give_up(by):
            (kept,) = shared.list_shared(cast.tenants["acme"], kind="authority")
            shared.revoke_shared(kept, by=by, at=time.now())

        as_nadia(app, cast, give_up)
        self.add(app, cast, "globex")

    def test_people_end_it_with_the_agent_s_other_credentials(self, app, cast, machine, within):
        assert self.call(app, machine.base).status_code == 200
        with within("acme"):
            public_id = db.session.get_one(Asset, (machine.tenant_id, machine.asset_id)).public_id
        refuse = lambda asset, by: enrolment.revoke_credentials(asset, by=by, at=time.now())  # noqa: E731
        as_nadia(app, cast, refuse, public_id)
        assert self.call(app, machine.base).status_code == 401
        assert machine.ask("GET").status_code == 401
