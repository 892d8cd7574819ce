"""The reference agent replaces its credential at the real portal; killed at whatever point, it is never locked out."""

import json

import pytest
from sqlalchemy import select, update

from msp.agent.crash import CREDENTIAL_POINTS, EXIT_CODE
from msp.agent.folder import Folder
from msp.agents.models import AgentCredential
from tenants.foundation import time
from tenants.foundation.db import db
from tests.msp.agent.process import run_agent
from tests.msp.campaigns import fleet


@pytest.fixture
def folder(app, cast, served, tmp_path):
    """The folder of an enrolled agent that has called before."""
    machine = fleet.enrol(app, cast.tenants["acme"], "acme", ["acme-pc-1"])[0]
    found = Folder(tmp_path / "agent")
    found.prepare()
    given = {"url": f"{served.portal}/ddi", "tenant": "acme", "controller_id": "acme-pc-1"}
    found.config.write_text(json.dumps(given))
    found.keep_token(machine.token)
    assert run_agent("once", found) == 0
    return found


def configured(folder, *, has_token):
    """The same with its token in config.json, as people write it who enrol no agent."""
    if has_token:
        given = json.loads(folder.config.read_text())
        folder.config.write_text(json.dumps({**given, "token": folder.token}))
        folder.token_file.unlink()


def ask_for_it(within):
    with within("acme"):
        db.session.execute(update(AgentCredential).values(rotate_at=time.now()))
        db.session.commit()


def live(within):
    with within("acme"):
        asked = select(AgentCredential.replaces_id).where(AgentCredential.revoked_at.is_(None))
        return list(db.session.scalars(asked))


@pytest.mark.parametrize("has_token", [False, True], ids=["enrolled", "configured"])
def test_the_agent_replaces_its_credential_when_it_is_asked_to(folder, within, has_token):
    configured(folder, has_token=has_token)
    before = folder.token
    ask_for_it(within)
    assert run_agent("once", folder) == 0
    assert folder.token not in (None, before)
    assert live(within) == [None]
    kept = folder.token
    assert [run_agent("once", folder), run_agent("once", folder)] == [0, 0]
    assert (folder.token, live(within)) == (kept, [None])
    assert folder.token_file.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("has_token", [False, True], ids=["enrolled", "configured"])
@pytest.mark.parametrize("point", CREDENTIAL_POINTS)
def test_killed_at_any_point_it_calls_again(folder, within, point, has_token):
    configured(folder, has_token=has_token)
    before = folder.token
    ask_for_it(within)
    assert run_agent("once", folder, crash_at=point) == EXIT_CODE
    assert (folder.token == before) == (point == "credential-given")
    assert len(live(within)) == (1 if point == "credential-used" else 2)
    assert run_agent("once", folder) == 0
    assert (folder.token != before, live(within)) == (True, [None])


def test_it_is_let_in_after_the_portal_went_back_to_a_backup(folder, within, superuser):
    """Of the two tokens that are kept, the backup knows the former one."""
    backup = superuser.execute("SELECT token_hash FROM agent_credentials").fetchone()[0]
    ask_for_it(within)
    assert run_agent("once", folder) == 0
    superuser.execute("DELETE FROM agent_credentials WHERE revoked_at IS NULL")
    superuser.execute(
        "UPDATE agent_credentials SET revoked_at = NULL, rotate_at = NULL WHERE token_hash = %s", (backup,)
    )
    assert [run_agent("once", folder), run_agent("once", folder)] == [0, 0]
    ask_for_it(within)
    assert run_agent("once", folder) == 0
    assert live(within) == [None]
