"""The documents of the wire (DDI v1): what the portal says."""

import json
import random
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

from flask import current_app

from msp.agents import links
from msp.agents.credentials import Caller
from msp.campaigns.models import Action, ActionEvent, Artifact, Release

IDLE_SECONDS, BUSY_SECONDS = 300.0, 60.0
POLLS_BEFORE_WINDOW = 3
LEAST_SECONDS, MOST_SECONDS = 30, 86_399
JITTER = 0.15
MOST_HISTORY = 50


def base_url(caller: Caller) -> str:
    """Where this asset's resources begin, as an absolute address."""
    public: str = current_app.extensions["settings"].public_url
    return f"{public}{quote(caller.path, safe='/' + links.SAFE)}"


def sleep(seconds: float, chance: random.Random | None = None) -> str:
    """A polling interval as HH:MM:SS, spread so that a fleet does not call in step."""
    spread = (chance or random).uniform(1 - JITTER, 1 + JITTER)
    whole = round(min(MOST_SECONDS, max(LEAST_SECONDS, seconds * spread)))
    return f"{whole // 3600:02}:{whole // 60 % 60:02}:{whole % 60:02}"


def poll(
    caller: Caller,
    *,
    offered: tuple[int, int] | None,
    cancelling: int | None,
    asks_facts: bool,
    opens_in: float | None = None,
    rotates: bool = False,
) -> dict[str, Any]:
    """The answer to a poll; `offered` is an action and how often it was offered. At most one of the two links.

    `opens_in`: seconds until something may be offered to the asset; `rotates`: it is to replace its credential.
    """
    base = base_url(caller)
    found: dict[str, Any] = {}
    if cancelling is not None:
        found["cancelAction"] = {"href": f"{base}/cancelAction/{cancelling}"}
    elif offered is not None:
        found["deploymentBase"] = {"href": f"{base}/deploymentBase/{offered[0]}?c={offered[1]}"}
    if asks_facts:
        found["configData"] = {"href": f"{base}/configData"}
        if not caller.is_unknown:
            found["inventory"] = {"href": f"{base}/inventory"}
    if rotates:
        found["credential"] = {"href": f"{base}/credential"}
    is_busy = offered is not None or cancelling is not None or asks_facts
    seconds = BUSY_SECONDS if is_busy else IDLE_SECONDS
    if opens_in is not None:
        seconds = min(seconds, opens_in / (POLLS_BEFORE_WINDOW * (1 + JITTER)))
    return {"config": {"polling": {"sleep": sleep(seconds)}}, "_links": found}


def deployment(
    caller: Caller,
    action: Action,
    release: Release,
    artifacts: Sequence[Artifact],
    history: Sequence[ActionEvent] | None = None,
    *,
    begin_until: datetime | None = None,
    downgrade_from: str | None = None,
) -> dict[str, Any]:
    """What to install; a function of the rows, so that asking again gives the same.

    `begin_until`: the device must not begin after it, as its window closes; `downgrade_from`: what a rollback may
    bring it down from.
    """
    begun = action.offered_at or action.retrieved_at or action.closed_at
    assert begun is not None
    files = [
        artifact(
            caller,
            one,
            links.artifact_link(caller.slug, caller.controller_id, release.id, one.filename, begun),
        )
        for one in artifacts
    ]
    chunk = {
        "part": release.kind,
        "name": release.name,
        "version": release.version,
        "artifacts": files,
        "metadata": metadata(release, begin_until=begin_until, downgrade_from=downgrade_from),
    }
    document: dict[str, Any] = {
        "id": str(action.id),
        "deployment": {"download": "forced", "update": "forced", "chunks": [chunk]},
    }
    if history is not None:
        messages = [f"{one.execution}: {one.finished}" for one in history]
        document["actionHistory"] = {"status": action.phase, "messages": messages}
    return document


def metadata(
    release: Release, *, begin_until: datetime | None = None, downgrade_from: str | None = None
) -> list[dict[str, str]]:
    """What the release's kind and its demands add to the files: pairs of text, empty ones left out."""
    found: dict[str, str] = dict(_of_kind(release))
    for name in ("platform", "checks_before", "checks_after"):
        if wanted := getattr(release, name):
            found[name] = _json(wanted)
    if begin_until is not None:
        found["begin_until"] = begin_until.astimezone(UTC).isoformat(timespec="seconds")
    if downgrade_from is not None:
        found["downgrade_from"] = downgrade_from
    return [{"key": key, "value": value} for key, value in found.items()]


def _of_kind(release: Release) -> Iterator[tuple[str, str]]:
    if release.kind == "file":
        yield "path", release.target_path
        return
    if release.kind == "deb":
        yield "packages", _json(release.spec["packages"])
    else:
        yield "interpreter", release.spec["interpreter"]
        yield "timeout_seconds", str(release.spec["timeout_seconds"])
    yield "reboot", release.spec.get("reboot", "never")


def _json(value: Any) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"))


def artifact(caller: Caller, one: Artifact, href: str) -> dict[str, Any]:
    """One file with its digests and its link."""
    found = {"download": {"href": href}}
    if href.startswith("http://"):
        found["download-http"] = {"href": href}
    return {
        "filename": one.filename,
        "size": one.size,
        "hashes": {"sha1": one.sha1, "md5": one.md5, "sha256": one.sha256},
        "_links": found,
    }


def cancellation(action_id: int) -> dict[str, Any]:
    """Which action to stop."""
    return {"id": str(action_id), "cancelAction": {"stopId": str(action_id)}}
