"""Credentials in the course of time, what a client can do, windows ahead, and machines that share one token."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select, update

from msp.agents import ddi, documents, enrolment, offers, rotation
from msp.agents.credentials import ROTATED_AFTER
from msp.agents.models import AgentCredential
from msp.campaigns import capabilities
from msp.campaigns.models import Action, WaveLane
from tenants.assets.models import Asset
from tenants.foundation import time
from tenants.foundation.db import db
from tenants.foundation.scope import enter, of_tenant
from tests.msp.agents.test_arrivals import as_nadia
from tests.msp.campaigns import fleet


def other(machine, token):
    return fleet.Agent(machine.app, machine.slug, machine.name, token, machine.asset_id, machine.tenant_id)


def of(within, machine):
    with within("acme"):
        return db.session.get_one(Asset, (machine.tenant_id, machine.asset_id))


class TestRotation:
    def test_an_agent_takes_a_new_token_and_then_lets_the_old_one_go(self, machine):
        renewed = other(machine, machine.ask("POST", "/credential").json["token"])
        assert machine.ask("GET").status_code == 200
        assert renewed.ask("DELETE", "/credential").json == {"ended": 1}
        assert [one.ask("GET").status_code for one in (machine, renewed)] == [401, 200]

    def test_the_first_use_of_the_new_one_ends_the_old_one(self, machine, within):
        renewed = other(machine, machine.ask("POST", "/credential").json["token"])
        assert [one.ask("GET").status_code for one in (machine, machine, renewed)] == [200] * 3
        assert [one.ask("GET").status_code for one in (machine, renewed, renewed)] == [401, 200, 200]
        with within("acme"):
            live = db.session.scalars(select(AgentCredential).where(AgentCredential.revoked_at.is_(None)))
            assert [(one.replaces_id, one.client) for one in live] == [(None, None)]

    def test_what_tells_machines_apart_goes_over_to_the_new_one(self, machine, within):
        for boot in ("a", "b"):
            machine.tell_facts(boot_id=boot)
        renewed = other(machine, machine.ask("POST", "/credential").json["token"])
        renewed.tell_facts(boot_id="a")
        assert of(within, machine).quarantined_for == "cloned"

    def test_an_answer_that_got_lost_costs_nothing(self, machine):
        tokens = [machine.ask("POST", "/credential").json["token"] for _ in range(3)]
        assert machine.ask("GET").status_code == 200
        assert [other(machine, one).ask("GET").status_code for one in tokens] == [401, 401, 200]

    def test_a_new_token_brings_no_new_budget(self, machine, monkeypatch):
        monkeypatch.setattr(ddi, "AGENTS", "4/hour")
        renewed = machine
        codes = []
        for _ in range(3):
            codes.append(renewed.ask("GET").status_code)
            answer = renewed.ask("POST", "/credential")
            codes.append(answer.status_code)
            renewed = other(machine, answer.json["token"]) if answer.status_code == 201 else renewed
        assert codes == [200, 201, 200, 201, 429, 429]

    def test_new_tokens_are_handed_out_a_few_times_an_hour(self, machine, monkeypatch):
        monkeypatch.setattr(ddi, "RENEWALS", "2/hour")
        codes = [machine.ask("POST", "/credential").status_code for _ in range(3)]
        assert codes == [201, 201, 429]
        assert machine.ask("GET").status_code == 200

    def test_people_hand_out_a_token_beside_the_present_one(self, machine, within, sign_in):
        public_id = of(within, machine).public_id
        page = sign_in("Nadia").post(f"/console/agents/hand-out/{public_id}").text
        token = page.partition("TargetToken ")[2].partition("<")[0].strip().partition("&")[0].split('"')[0]
        assert [one.ask("GET").status_code for one in (machine, other(machine, token))] == [200, 200]

    def test_a_download_goes_on_with_the_new_token(self, app, cast, machine, artifacts_app):
        fleet.start(fleet.draft(app, cast, slugs=("acme",)))
        chunk = machine.take(machine.offered())["deployment"]["chunks"][0]
        path = (
            chunk["artifacts"][0]["_links"]["download"]["href"].partition("portal.test")[2].partition("?")[0]
        )
        renewed = other(machine, machine.ask("POST", "/credential").json["token"])
        renewed.ask("DELETE", "/credential")
        for token, status in ((machine.token, 401), (renewed.token, 206)):
            headers = {"Authorization": f"TargetToken {token}", "Range": "bytes=5-"}
            with artifacts_app.test_client().get(path, headers=headers) as answer:
                assert answer.status_code == status


OURS = {"User-Agent": "msp-agent/1.0"}


def told_to(machine, **headers):
    """Whether the machine is told to replace its credential."""
    machine.ask("GET", headers=headers or OURS)
    return "credential" in machine.ask("GET", headers=headers or OURS).json["_links"]


class TestBeingAsked:
    def test_an_old_credential_is_to_be_replaced(self, machine):
        assert not told_to(machine)
        with time.frozen(time.now() + ROTATED_AFTER):
            assert told_to(machine)
            renewed = other(machine, machine.ask("POST", "/credential").json["token"])
            assert not told_to(renewed)

    def test_a_program_that_cannot_is_not_asked(self, machine):
        with time.frozen(time.now() + ROTATED_AFTER):
            assert not told_to(machine, **{"User-Agent": "swupdate"})
            assert not told_to(machine, **{"User-Agent": "nobody/1.0"})

    def test_people_ask_for_it(self, machine, within, sign_in):
        where = f"/console/agents/rotate/{of(within, machine).public_id}"
        nadia = sign_in("Nadia")
        assert nadia.post(where).status_code == 409
        assert not told_to(machine)
        page = nadia.get(f"/console/agents/enrol/{of(within, machine).public_id}").text
        assert "Replace its credential now" in page
        assert nadia.post(where).status_code == 302
        assert "It has been asked to replace it now" in nadia.get(where.replace("rotate", "enrol")).text
        assert told_to(machine)

    def test_another_program_is_never_locked_out_by_it(self, app, cast, machine, within, sign_in):
        told_to(machine)
        where = f"/console/agents/rotate/{of(within, machine).public_id}"
        sign_in("Nadia").post(where)
        token = as_nadia(
            app,
            cast,
            lambda one, by: rotation.hand_out_token(one, by=by, at=time.now()),
            of(within, machine).public_id,
        )
        assert not told_to(machine)
        other(machine, token).ask("GET", headers={"User-Agent": "swupdate"})
        with time.frozen(time.now() + timedelta(days=8)):
            assert not told_to(machine)
            assert sign_in("Nadia").post(where).status_code == 409

    def test_a_token_that_nobody_ever_used_stands_in_the_way_for_a_week(self, app, cast, machine, within):
        public_id = of(within, machine).public_id
        as_nadia(app, cast, lambda one, by: rotation.hand_out_token(one, by=by, at=time.now()), public_id)
        with time.frozen(time.now() + ROTATED_AFTER):
            assert told_to(machine)

    def test_a_poll_writes_no_row_once_the_old_one_has_ended(self, machine, superuser):
        told_to(machine)
        renewed = other(machine, machine.ask("POST", "/credential").json["token"])
        told_to(renewed)
        rows = "SELECT array_agg(xmin::text ORDER BY id) FROM agent_credentials"
        before = superuser.execute(rows).fetchone()
        assert not told_to(renewed)
        assert superuser.execute(rows).fetchone() == before


class TestClones:
    def test_boots_that_alternate_are_two_machines(self, app, cast, machine, within):
        for boot in ("a", "a", "b"):
            machine.tell_facts(boot_id=boot)
        assert of(within, machine).state == "active"
        fleet.start(fleet.draft(app, cast, slugs=("acme",)))
        machine.tell_facts(boot_id="a")
        found = of(within, machine)
        assert (found.state, found.quarantined_for) == ("quarantined", "cloned")
        assert machine.offered() is None
        as_nadia(app, cast, lambda one, by: enrolment.admit_asset(one, by=by, at=time.now()), found.public_id)
        machine.tell_facts(boot_id="b")
        assert of(within, machine).state == "active"

    def test_boots_that_only_go_on_are_one_machine(self, machine, within):
        for number in range(12):
            machine.tell_facts(boot_id=f"b-{number}")
        assert of(within, machine).state == "active"


class TestCapabilities:
    def test_a_client_is_known_by_how_it_names_itself(self, machine, within):
        machine.ask("GET", headers={"User-Agent": "msp-agent/1.0"})
        machine.ask("GET", headers={"User-Agent": "nobody/1.0"})
        assert of(within, machine).capabilities == {"client": "msp-agent"}

    def test_people_know_better(self, machine, within, sign_in):
        public_id = of(within, machine).public_id
        nadia = sign_in("Nadia")
        for sent in ({"client": "rauc"}, {"client": "rauc", "cancels_install": "y"}):
            assert nadia.post(f"/console/agents/client/{public_id}", data=sent).status_code == 302
        machine.ask("GET", headers={"User-Agent": "swupdate"})
        stored = of(within, machine).capabilities
        found = capabilities.capabilities_of(stored)
        assert (capabilities.client_named(stored), found.cancels_install, found.understands_skip) == (
            "rauc",
            True,
            False,
        )

    @pytest.mark.parametrize(
        ("client", "names"),
        [
            ("swupdate", ["a.swu"]),
            ("mender", ["b.mender"]),
            ("msp-agent", ["c", "d"]),
            ("unknown", ["c", "d"]),
        ],
    )
    def test_each_client_gets_the_files_of_its_own_format(self, client, names):
        assert capabilities.files_for(client, ["a.swu", "b.mender", "c", "d"]) == names
        assert capabilities.files_for("unknown", ["a.swu"]) == ["a.swu"]

    def test_nothing_is_assumed_of_an_unknown_client(self):
        found = capabilities.capabilities_of(
            {"client": "something else", "by_staff": {"understands_skip": "x"}}
        )
        assert found == capabilities.KNOWN["unknown"]


class TestWindows:
    AT = datetime(2026, 11, 2, 3, 0, tzinfo=UTC)

    def room(self, *hours):
        return [[(self.AT + timedelta(hours=one)).isoformat(), (self.AT + timedelta(hours=one + 1)).isoformat()]
                for one in hours]  # fmt: skip

    def test_the_next_opening(self):
        assert offers.next_opening(self.room(2, 5), self.AT) == self.AT + timedelta(hours=2)
        assert offers.next_opening(self.room(-0.5, 5), self.AT) is None
        assert offers.next_opening(self.room(-3), self.AT) is None
        assert offers.next_opening([], self.AT) is None

    def test_at_least_three_polls_fall_before_a_window(self, app, cast, machine):
        fleet.start(fleet.draft(app, cast, slugs=("acme",)))
        at = time.now()
        with app.app_context(), enter(of_tenant(machine.tenant_id)):
            opens = (at + timedelta(seconds=300)).isoformat()
            closes = (at + timedelta(seconds=900)).isoformat()
            db.session.execute(update(WaveLane).values(room=[[opens, closes]]))
            db.session.commit()
            action = db.session.scalars(select(Action)).one()
            assert offers._opening(action.id, at) == datetime.fromisoformat(opens)
        caller = type("Caller", (), {"path": "/p", "is_unknown": False})
        with app.test_request_context():
            for _ in range(50):
                told = documents.poll(caller, offered=None, cancelling=None, asks_facts=False, opens_in=300)
                assert told["config"]["polling"]["sleep"] <= "00:01:40"
