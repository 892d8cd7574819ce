"""Large files of releases go to the process that keeps them, by a signed link."""

import io
import re
from html import unescape
from urllib.parse import urlsplit

import pytest

from msp.campaigns import releases
from tenants.foundation.scope import Role, Scope, enter
from tests.msp.campaigns.test_releases import URL, load

SCRIPT = {
    "kind": "script",
    "name": "cleanup",
    "version": "1",
    "interpreter": "/bin/sh",
    "timeout_minutes": "5",
}


def link_for(leo, app):
    """The signed address of a release without files, as the person's page has it."""
    leo.post(URL + "new", data={**SCRIPT, "severity": "low", "reboot": "never", "files_later": "y"})
    page = leo.get(URL + str(load(app, "cleanup").public_id)).text
    return urlsplit(
        unescape(next(one for one in re.findall(r'action="([^"]+)"', page) if "/uploads/" in one))
    )


LEFT = {
    "removed from staff": "UPDATE staff_members SET state = 'left' WHERE user_id = {0}",
    "made somebody who may not": "UPDATE staff_members SET role = 'l1' WHERE user_id = {0}",
    "shut out": "UPDATE users SET state = 'left' WHERE id = {0}",
}


@pytest.mark.parametrize("how", LEFT)
def test_who_may_not_any_more_brings_no_files(app, cast, sign_in, artifacts_app, superuser, how):
    parts = link_for(sign_in("Leo"), app)
    superuser.execute(LEFT[how].format(cast.users["Leo"]))
    sent = {"files": (io.BytesIO(b"#!/bin/sh\n"), "run.sh")}
    answer = artifacts_app.test_client().post(f"{parts.path}?{parts.query}", data=sent)
    assert answer.headers["Location"].endswith("?refused=link")
    with app.app_context(), enter(Scope(Role.STAFF, frozenset())):
        assert releases.artifacts_of(load(app, "cleanup").id) == []


def test_large_files_go_to_the_file_store_by_a_signed_link(app, cast, sign_in, artifacts_app):
    leo = sign_in("Leo")
    leo.post(URL + "new", data={**SCRIPT, "severity": "low", "reboot": "never", "files_later": "y"})
    found = load(app, "cleanup")
    page = leo.get(URL + str(found.public_id))
    assert "It has no files yet" in page.text
    link = page.text.split('action="')[1:]
    address = next(one.split('"')[0] for one in link if "/uploads/" in one).replace("&amp;", "&")
    parts = urlsplit(address)
    store = artifacts_app.test_client()
    bent = f"{parts.path}?{parts.query}".replace("user=", "user=1")
    refused = store.post(bent, data={"files": (io.BytesIO(b"x"), "run.sh")})
    assert refused.headers["Location"].endswith("?refused=link")
    answer = store.post(f"{parts.path}?{parts.query}", data={"files": (io.BytesIO(b"#!/bin/sh\n"), "run.sh")})
    assert answer.status_code == 303
    assert answer.headers["Location"].endswith(f"{URL}{found.public_id}")
    again = store.post(f"{parts.path}?{parts.query}", data={"files": (io.BytesIO(b"x"), "other.sh")})
    assert again.headers["Location"].endswith("?refused=files")
    with app.app_context(), enter(Scope(Role.STAFF, frozenset())):
        assert [one.filename for one in releases.artifacts_of(found.id)] == ["run.sh"]
