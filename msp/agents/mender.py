"""The Mender device API (`ServerURL = PUBLIC_URL`: the client takes no path), on the same actions as DDI.

A device proves itself by a signature with its own key and waits until a person admits it. It is believed when it
names the installed image in its next question, not when it reports success; a wish to stop reaches it as 409.
"""

import base64
import binascii
import json
from typing import Any

from flask import Blueprint, Response, g, jsonify, request
from sqlalchemy import update

from msp.agents import devices, links, offers, rotation, shared
from msp.agents.credentials import Caller, Waiting, caller, find_caller, given, let_in
from msp.agents.ddi import FACTS_EVERY, patient
from msp.agents.images import SUFFIX, Image, image_of
from msp.agents.menderbodies import read_attributes, read_log, read_mender_state, read_provides
from msp.agents.models import AgentCredential
from msp.agents.parsing import Malformed, read_body
from msp.campaigns import actions
from msp.campaigns.actions import Feedback
from msp.campaigns.models import Action, Artifact, Release
from msp.campaigns.phases import Report
from msp.campaigns.releases import artifacts_of, find_release_by_id
from msp.campaigns.sightings import note_sighting
from msp.campaigns.writes import write
from msp.web.access import SignInNeeded, credential
from msp.web.limits import AGENTS, limiter
from tenants.assets.models import Asset
from tenants.assets.services import record_facts
from tenants.foundation import time
from tenants.foundation.db import db
from tenants.foundation.errors import Invalid, NotFound
from tenants.foundation.scope import Scope

mender = Blueprint("mender", __name__, url_prefix="/api/devices")
KEY_BYTES = 64 * 1024
DEPLOYMENTS = "/v1/deployments/device/deployments"
INCONSISTENT = "_INCONSISTENT"
ENDS = {"success": "success", "failure": "failure", "already-installed": "success"}
limited = limiter.shared_limit(AGENTS, scope="agents")


@mender.errorhandler(SignInNeeded)
def _nobody(_error: SignInNeeded) -> Response:
    return Response(status=401, headers={"WWW-Authenticate": "Bearer"})


def resolve_device() -> Scope:
    """The scope of a device that was let in. Raises SignInNeeded."""
    found = find_caller(given("Bearer"), "device")
    if found is None:
        raise SignInNeeded
    return let_in(found)


def resolve_gateway() -> Scope:
    """The scope of a device that asks to be let in: it knows its client's token and holds the key that it shows."""
    content, body = read_body(KEY_BYTES)
    told = [content.get(name) for name in ("id_data", "pubkey", "tenant_token")]
    if not all(isinstance(one, str) for one in told):
        raise Malformed("id_data, pubkey and tenant_token are text")
    identity, pem, token = (str(one) for one in told)
    try:
        signature = base64.b64decode(request.headers.get("X-MEN-Signature", ""), validate=True)
        named = json.loads(identity)
    except (binascii.Error, ValueError, RecursionError) as wrong:
        raise Malformed("the signature is base64, the identity JSON") from wrong
    found = shared.find_sharing("gateway", [token])
    fingerprint = devices.fingerprint_of(pem)
    if not isinstance(named, dict) or not named:
        raise Malformed("the identity is an object")
    if found is None or fingerprint is None or not devices.is_signed(pem, signature, body):
        raise SignInNeeded
    g.sharing, g.budget, g.device = found, f"shared:{found.credential_id}", (named, fingerprint)
    return found.scope()


@mender.post("/v1/authentication/auth_requests")
@credential("gateway")
@limited
@patient
def authenticate() -> Response:
    """A bearer token, or 401 while a person has to admit the device."""
    identity, fingerprint = g.device
    token = devices.admit_device(g.sharing, identity, fingerprint, time.now())
    db.session.commit()
    if token is None:
        raise SignInNeeded
    return Response(token, content_type="text/plain; charset=utf-8")


@mender.route("/v1/inventory/device/attributes", methods=["PUT", "PATCH"])
@credential("device")
@limited
@patient
def take_attributes() -> Response:
    """What the device says about itself; which image it runs counts only in its question for work."""
    at, asks = time.now(), caller()
    told = read_attributes()
    asset = _asset(asks)
    try:
        record_facts(asset, told, at)
    except Invalid as wrong:
        raise Malformed(wrong.message) from wrong
    rotation.note_boot(asset, asks.credential_id, at)
    db.session.commit()
    return Response(status=200)


@mender.post("/v2/deployments/device/deployments/next")
@mender.route(DEPLOYMENTS + "/next", methods=["GET", "POST"], endpoint="ask_next_first_version")
@credential("device")
@limited
@patient
def ask_next() -> Response:
    """What to install, or 204."""
    at, asks = time.now(), caller()
    provides = read_provides()
    note_sighting(asks.tenant_id, asks.asset_id, at)
    waiting = asks.waiting
    _tell(asks, provides, waiting)
    found = _work(asks, waiting, provides) if waiting is not None else None
    db.session.commit()
    return jsonify(found) if found else Response(status=204)


def _asset(asks: Caller) -> Asset:
    return db.session.get_one(Asset, (asks.tenant_id, asks.asset_id))


def _tell(asks: Caller, provides: dict[str, str], waiting: Waiting | None) -> None:
    """Take over what the device runs; nothing is written when nothing is new and nothing waits for it."""
    at, asset, name = time.now(), _asset(asks), provides["artifact_name"]
    is_due = asks.facts_due_at is None or asks.facts_due_at <= at
    if asset.facts.get("artifact_name") == name and waiting is None and not is_due:
        return
    if name.endswith(INCONSISTENT):
        rotation.quarantine(asset, "needs_repair", at)
    _refuse_changed(asks, asset, name, waiting)
    label = _label_of(asset, name) or (name if name != asset.facts.get("artifact_name") else None)
    told = {key: provides[key] for key in ("artifact_name", "device_type") if key in provides}
    record_facts(asset, told | ({"installed_release": label} if label else {}), at)
    actions.facts_arrived(asks.tenant_id, asks.asset_id, at)
    write(
        update(AgentCredential)
        .where(AgentCredential.id == asks.credential_id)
        .values(facts_due_at=at + FACTS_EVERY)
    )


def _refuse_changed(asks: Caller, asset: Asset, name: str, waiting: Waiting | None) -> None:
    """An image that is neither the one before nor the one to come, in mid-update: that update has failed."""
    if waiting is None or waiting.phase not in ("running", "rebooting"):
        return
    target = _image(waiting.id, asks)
    if target is None or name in (target.name, asset.facts.get("artifact_name")):
        return
    said = _feedback("closed", "failure", [f"the device runs {name} in mid-update"], str(waiting.id))
    actions.take_feedback(asks.tenant_id, asks.asset_id, waiting.id, said, time.now())


def _label_of(asset: Asset, name: str) -> str | None:
    """The release whose image has this name, among those that the device was given."""
    for release_id in actions.releases_given(asset.id):
        release = find_release_by_id(release_id)
        image = _image_in(artifacts_of(release_id))
        if image is not None and image[0].name == name:
            return release.label
    return None


def _image_in(artifacts: list[Artifact]) -> tuple[Image, Artifact] | None:
    for artifact in artifacts:
        image = image_of(artifact) if artifact.filename.endswith(SUFFIX) else None
        if image is not None:
            return image, artifact
    return None


def _image(action_id: int, asks: Caller) -> Image | None:
    action = actions.find_own(asks.asset_id, action_id)
    found = _image_in(artifacts_of(action.release_id)) if action else None
    return found[0] if found else None


def _work(asks: Caller, waiting: Waiting, provides: dict[str, str]) -> dict[str, Any] | None:
    """Instructions for the action that waits; a device that asks for work has nothing under way to be stopped."""
    at = time.now()
    if waiting.phase == "cancelling":
        said = _feedback("closed", "success", ["asked for work again"], str(waiting.id), channel="cancel")
        actions.take_feedback(asks.tenant_id, asks.asset_id, waiting.id, said, at)
        return None
    action = actions.find_own(asks.asset_id, waiting.id)
    found = _image_in(artifacts_of(action.release_id)) if action else None
    if action is None or found is None:
        return None
    if waiting.phase == "eligible" and offers.make_offer(asks, waiting, at)[0] is None:
        return None
    # The offer changed the row behind the session's back.
    db.session.expire(action)
    taken = actions.fetch(asks.asset_id, waiting.id, at)
    return _instructions(asks, taken, found) if taken else None


def _instructions(asks: Caller, action: Action, found: tuple[Image, Artifact]) -> dict[str, Any]:
    image, artifact = found
    release: Release = find_release_by_id(action.release_id)
    begun = action.offered_at or action.retrieved_at or time.now()
    uri = links.artifact_link(asks.slug, asks.controller_id, release.id, artifact.filename, begun)
    return {
        "id": str(action.id),
        "artifact": {
            "id": str(release.public_id),
            "artifact_name": image.name,
            "device_types_compatible": list(image.device_types),
            "source": {"uri": uri, "expire": (begun + links.LIFE).isoformat()},
        },
    }


@mender.put(DEPLOYMENTS + "/<action>/status")
@credential("device")
@limited
@patient
def take_state(action: str) -> Response:
    """How an action is going: 204, or 409 for one that is to stop or is over."""
    at, asks = time.now(), caller()
    word, detail = read_mender_state()
    number = _number(action)
    known = actions.find_own(asks.asset_id, number, lock=True) if number is not None else None
    before = known.phase if known is not None else None
    said = _said(word, detail, action, before)
    if known is not None and word == "already-installed" and known.started_at is None:
        actions.take_noop(known, said, at)
    else:
        actions.take_feedback(asks.tenant_id, asks.asset_id, number, said, at)
    if known is not None and word == "rebooting":
        actions.note_reboot(known)
    db.session.commit()
    note_sighting(asks.tenant_id, asks.asset_id, at)
    if known is None:
        raise NotFound
    is_over = word not in ENDS and before in ("cancelling", "closed", "verifying")
    return Response(status=409 if is_over else 204)


def _number(action: str) -> int | None:
    return int(action) if action.isascii() and action.isdigit() and len(action) <= 10 else None


def _said(word: str, detail: str, claimed: str, phase: str | None) -> Feedback:
    details = [one for one in (detail, word) if one]
    if word not in ENDS:
        return _feedback("proceeding", "none", details, claimed)
    if word == "failure" and phase == "cancelling":
        # What was asked to stop ends as a failure on the device.
        return _feedback("closed", "success", details, claimed, channel="cancel")
    return _feedback("closed", ENDS[word], details, claimed)


def _feedback(
    execution: str, finished: str, details: list[str], claimed: str, *, channel: str = "deployment"
) -> Feedback:
    return Feedback(
        claimed, Report(channel, execution, finished), tuple(details), None, {"details": list(details)}
    )


@mender.put(DEPLOYMENTS + "/<action>/log")
@credential("device")
@limited
@patient
def take_log(action: str) -> Response:
    """The device's log of an action, kept beside its events."""
    asks, lines, number = caller(), read_log(), _number(action)
    known = actions.find_own(asks.asset_id, number, lock=True) if number is not None else None
    if known is None:
        raise NotFound
    actions.keep_log(known, lines, time.now())
    db.session.commit()
    return Response(status=204)


@mender.route("/<path:anything>", methods=["GET", "HEAD", "POST", "PUT", "DELETE", "PATCH"])
@credential("device")
@limited
def show_nothing(anything: str) -> Response:
    """Everything else: 401 or 404, in this order."""
    raise NotFound
