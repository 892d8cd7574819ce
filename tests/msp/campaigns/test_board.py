"""The board: consent and windows per client, retries and rollbacks behind their pages, and the ledger in words."""

from datetime import time as wall
from datetime import timedelta
from io import BytesIO
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import select

from msp.campaigns import consents, releases, services
from msp.campaigns.models import Campaign, CampaignTenant, Decision
from msp.campaigns.words import decision_look, decision_numbers
from msp.windows import services as windows
from tenants.assets.models import Asset, InstalledSoftware
from tenants.foundation import time
from tenants.foundation.db import db
from tenants.foundation.scope import enter, of_tenant
from tests.msp.campaigns import fleet

WAVES = {
    "percents": "5, 100",
    "max_bad": "1",
    "max_bad_pct": "5",
    "min_sample": "2",
    "pass_pct": "100",
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


def address(app, rollout):
    with app.app_context(), rollout.seen():
        return f"/console/campaigns/{rollout.load().public_id}"


def go_on(rollout, machines):
    for _ in range(2):
        for machine in machines:
            machine.cycle()
        rollout.tick()


class TestConsentOnTheBoard:
    def test_each_client_s_word_is_shown_with_who_when_and_why(self, app, cast, machines, sign_in):
        rollout = fleet.approved(app, cast)
        rollout.let_in("acme")
        until = time.now() + timedelta(days=3)
        rollout.say("globex", consents.postpone, until=until, reason="Stock taking")
        shown = sign_in("Nadia").get(address(app, rollout)).text
        for said in ("No consent needed", "Consent given", "Postponed", "“Stock taking”", "WIB"):
            assert said in shown, said
        assert "1 client has not consented yet." in shown
        assert "Globex" not in sign_in("Tina").get(address(app, rollout)).text

    def test_the_next_window_is_told_in_the_client_s_zone(self, app, cast, machines, sign_in, as_actor):
        day = time.now().astimezone(ZoneInfo("Asia/Jakarta")).date() + timedelta(days=2)
        with app.app_context(), enter(of_tenant(cast.tenants["acme"])):
            windows.add_window(
                tenant_id=cast.tenants["acme"],
                name="Nights",
                rule="FREQ=WEEKLY",
                first_on=day,
                starts_at=wall(22),
                minutes=120,
                time_zone="Asia/Jakarta",
                by=as_actor("Nadia"),
                at=time.now(),
            )
            db.session.commit()
        rollout = fleet.started(app, cast)
        shown = sign_in("Nadia").get(address(app, rollout)).text
        assert "next window" in shown
        assert "22:00 WIB" in shown


class TestTryingAgain:
    @pytest.fixture
    def rollout(self, app, cast, machines):
        """Stopped: one of Acme's machines failed."""
        rollout = fleet.started(app, cast, "acme")
        for machine in machines:
            machine.fails = machine.name == "acme-1"
        go_on(rollout, machines)
        assert rollout.state == "paused"
        return rollout

    def test_failed_assets_try_again_with_a_reason(self, app, cast, machines, rollout, sign_in):
        nadia, page = sign_in("Nadia"), address(app, rollout)
        assert "Retry failed…" in nadia.get(page).text
        assert "Try again on 1 asset" in nadia.get(f"{page}/retry").text
        assert "Say why." in nadia.post(f"{page}/retry", data={"reason": ""}).text
        shown = nadia.post(f"{page}/retry", data={"reason": "Disk mended"}, follow_redirects=True).text
        assert "1 asset tries again." in shown
        assert "Tried again" in shown
        assert "1 at another attempt" in shown
        listed = nadia.get(f"{page}/actions").text
        assert listed.count("acme-1") == 1, "one row for each asset"
        again = next(one for one in rollout.actions() if one.attempt == 2)
        log = nadia.get(f"{page}/actions/{again.id}").text
        assert "2 of 2" in log
        assert "closed / failure" in log, "what the first attempt said is there too"
        first = next(one for one in rollout.actions() if one.asset_id == again.asset_id and one.attempt == 1)
        assert "A later attempt stands for this asset." in nadia.get(f"{page}/actions/{first.id}").text

    @pytest.mark.parametrize("name", ["Tina", "Leo", "Dana"])
    def test_only_who_runs_campaigns_may(self, app, rollout, sign_in, name):
        page = address(app, rollout)
        person = sign_in(name)
        assert "Retry failed…" not in person.get(page).text
        assert person.post(f"{page}/retry", data={"reason": "x"}).status_code == 403

    def test_without_failures_there_is_nothing_to_try_again(self, app, cast, machines, sign_in):
        rollout = fleet.started(app, cast)
        page = address(app, rollout)
        nadia = sign_in("Nadia")
        assert "Retry failed…" not in nadia.get(page).text
        assert nadia.post(f"{page}/retry", data={"reason": "x"}).status_code == 409


class TestRollingBack:
    def earlier(self, app, within):
        with within("Leo") as leo:
            files = [("motd", BytesIO(b"the old one\n"))]
            made = releases.add_release(
                name="motd", version="0.9", target_path="etc/motd", files=files, by=leo, at=time.now()
            )
            db.session.commit()
            return str(made.public_id)

    def test_a_rollback_is_drafted_for_what_was_touched(self, app, cast, machines, sign_in, within):
        rollout = fleet.started(app, cast, "acme")
        go_on(rollout, machines)
        leo, page = sign_in("Leo"), address(app, rollout)
        refused = leo.get(f"{page}/rollback")
        assert refused.status_code == 409
        assert "There is no other version of motd" in refused.text
        old = self.earlier(app, within)
        assert "motd/0.9" in leo.get(f"{page}/rollback").text
        answer = leo.post(f"{page}/rollback", data={"release": old})
        back = answer.headers["Location"]
        draft = leo.get(back).text
        assert "Rolls back" in draft
        assert "4 assets" in draft, "the provider's machine and Acme's three; Globex had not consented"
        leo.post(f"{back}/waves", data=WAVES)
        assert leo.post(f"{back}/submit").status_code == 302
        with within("acme"):
            part = db.session.scalars(select(CampaignTenant).where(CampaignTenant.kind == "rollback")).one()
            assert part.downgrade_from, "what the waves become does not touch what is undone"
        assert leo.get(f"{back}/rollback").status_code == 409, "a rollback is not rolled back"

    def test_a_release_of_another_name_is_refused(self, app, cast, machines, sign_in, within):
        rollout = fleet.started(app, cast)
        self.earlier(app, within)
        answer = sign_in("Leo").post(f"{address(app, rollout)}/rollback", data={"release": "junk"})
        assert answer.status_code == 422

    def test_before_it_began_there_is_nothing_to_roll_back(self, app, cast, machines, sign_in, within):
        rollout = fleet.approved(app, cast)
        self.earlier(app, within)
        assert "Roll back…" not in sign_in("Leo").get(address(app, rollout)).text
        assert sign_in("Leo").get(f"{address(app, rollout)}/rollback").status_code == 409


class TestTheDraft:
    def test_limits_times_and_catching_up_are_kept_and_shown(self, app, cast, machines, sign_in):
        rollout = fleet.draft(app, cast)
        leo, page = sign_in("Leo"), address(app, rollout)
        sent = WAVES | {
            "at_once": "7",
            "per_tenant": "3",
            "ramp_from": "2",
            "catches_up": "y",
            "per_site": "",
        }
        assert leo.post(f"{page}/waves", data=sent).status_code == 302
        shown = leo.get(page).text
        for said in ('name="at_once" type="number" value="7"', 'value="20"'):
            assert said in shown, said
        with app.app_context(), enter(of_tenant(cast.tenants["acme"])):
            wishes = db.session.scalars(select(Campaign).where(Campaign.id == rollout.id)).one().wishes
        assert wishes["limits"] == {
            "at_once": 7,
            "per_tenant": 3,
            "per_site": None,
            "ramp_from": 2,
            "per_service": 1,
        }
        times = {
            name: wishes["timing"][name] for name in ("reserve_seconds", "campaign_seconds", "catches_up")
        }
        assert times == {"reserve_seconds": 1200, "campaign_seconds": 7 * 86_400, "catches_up": True}
        rollout.act("Leo", services.submit_campaign, at=time.now())
        plan = leo.get(page).text
        assert "in the campaign 7, at a client 3, at a site any" in plan
        assert "may follow in a catch-up wave" in plan

    @pytest.mark.parametrize("name", ["at_once", "campaign_days", "reserve_minutes", "per_service"])
    def test_a_number_that_is_none_is_named(self, app, cast, machines, sign_in, name):
        rollout = fleet.draft(app, cast)
        answer = sign_in("Leo").post(f"{address(app, rollout)}/waves", data=WAVES | {name: "-1"})
        assert answer.status_code == 422
        assert f'id="{name}-error"' in answer.text

    def test_assets_are_chosen_by_what_is_installed(self, app, cast, machines, sign_in):
        with app.app_context(), enter(of_tenant(cast.tenants["acme"])):
            for asset, version in zip(
                db.session.scalars(select(Asset).where(Asset.name.like("acme-_"))),
                ("3.0.1", "1.1"),
                strict=False,
            ):
                row = InstalledSoftware(
                    tenant_id=asset.tenant_id,
                    asset_id=asset.id,
                    name="openssl",
                    version=version,
                    architecture="amd64",
                    seen_at=time.now(),
                )
                db.session.add(row)
            db.session.commit()
        rollout = fleet.draft(app, cast, slugs=())
        leo, page = sign_in("Leo"), address(app, rollout)
        sent = {"tenants": ["acme", "globex"], "kind": "", "tag": "", "software": "openssl"}
        one = leo.post(f"{page}/assets", data=sent | {"version": "3.0"}, follow_redirects=True)
        assert "1 asset added." in one.text
        assert "1 asset added." in leo.post(f"{page}/assets", data=sent, follow_redirects=True).text


class TestTheLedger:
    @pytest.mark.parametrize(
        ("kind", "inputs", "result", "word", "numbers"),
        [
            ("consent", {"reason": "Year end"}, "postponed", "Postponed", "Year end"),
            ("consent", {}, "consented", "Consent given", "–"),
            ("retry", {"actions": 3, "reason": "Mended"}, "retried", "Tried again", "3 assets · Mended"),
            ("skip", {"actions": 1, "because": "asset retired"}, "skipped", "Skipped",
             "1 asset · the asset was retired"),
            ("amend", {"outcome": "success", "actions": 2}, "amended", "Amended", "2 assets · Success"),
            ("expired", {}, "expired", "Expired", "–"),
            ("lane", {"reason": "consent"}, "skipped", "Skipped", "no consent"),
            ("paused", {"reason": "nobody took part"}, "paused", "Paused",
             "nobody took part in a wave, so it proves nothing"),
            ("paused", {"reason": "same reason at several clients: no_space"}, "paused", "Paused",
             "the same failure at several clients: no space"),
            ("paused", {"reason": "wave 2 failed after it had passed"}, "paused", "Paused",
             "wave 2 failed after it had passed"),
            ("running", {"superseded": 2}, "running", "Running",
             "takes the place of 2 planned updates of older campaigns"),
            ("completing", {"outcomes": {"success": 4, "skipped": 2}}, "completed_with_failures",
             "Completed with failures", "4 × Success, 2 × Skipped"),
        ],
    )  # fmt: skip
    def test_every_kind_of_decision_is_said_in_words(self, app, kind, inputs, result, word, numbers):
        one = Decision(kind=kind, inputs=inputs, result=result)
        with app.test_request_context():
            assert str(decision_look(one).word) == word
            assert decision_numbers(one) == numbers

    def test_a_consent_is_in_the_ledger_with_its_client(self, app, cast, machines, sign_in):
        rollout = fleet.started(app, cast)
        listed = sign_in("Nadia").get(f"{address(app, rollout)}/decisions").text
        assert listed.count("Consent given") == 2
