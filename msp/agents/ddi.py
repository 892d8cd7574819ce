"""The server side of DDI v1 below /ddi/{tenant}/controller/v1/{controllerId}: machines call, the portal answers.

Whoever has no credential gets the same empty 401 for whatever path. Feedback that can be read always gets 200: a device
that is refused may repeat itself for ever and never poll again.
"""

from collections.abc import Callable
from datetime import timedelta
from functools import wraps
from typing import Any

from flask import Blueprint, Response, jsonify, request
from sqlalchemy import update
from sqlalchemy.exc import OperationalError

from msp.agents import documents, enrolment, offers, rotation
from msp.agents.credentials import Caller, Waiting, caller, enrolling
from msp.agents.models import AgentCredential
from msp.agents.parsing import Malformed, read_facts, read_feedback, read_installed, read_inventory
from msp.campaigns import actions, befores
from msp.campaigns.capabilities import client_of
from msp.campaigns.models import Action
from msp.campaigns.queries import list_events
from msp.campaigns.releases import artifacts_of, find_release_by_id
from msp.campaigns.sightings import note_sighting
from msp.web.access import SignInNeeded, credential
from msp.web.limits import AGENTS, limiter
from tenants.assets.models import Asset
from tenants.assets.services import record_facts, record_software
from tenants.foundation import time
from tenants.foundation.db import db
from tenants.foundation.errors import Invalid, NotFound, TooMany

ddi = Blueprint("ddi", __name__, url_prefix="/ddi")
BASE = "/<tenant>/controller/v1/<controller>"
FACTS_EVERY = timedelta(hours=1)
CONFLICTS = 4
# An agent replaces its credential every 90 days; answers get lost now and then.
RENEWALS = "20/hour"
limited = limiter.shared_limit(lambda: AGENTS, scope="agents")
View = Callable[..., Any]


@ddi.errorhandler(SignInNeeded)
def _nobody(_error: SignInNeeded) -> Response:
    return Response(status=401, headers={"WWW-Authenticate": "TargetToken"})


def patient(view: View) -> View:
    """Try again a few times when two requests got into each other's way, then ask to come back: never a 5xx."""

    @wraps(view)
    def trying(**arguments: Any) -> Any:
        for _ in range(CONFLICTS):
            try:
                return view(**arguments)
            except OperationalError as error:
                if getattr(error.orig, "sqlstate", None) not in ("40001", "40P01", "55P03"):
                    raise
                db.session.rollback()
        raise TooMany("busy", retry_after=2)

    return trying


@ddi.get(BASE)
@credential("agent")
@limited
def poll(tenant: str, controller: str) -> Response:
    """What the asset is to do now. Writes no row unless there is something new to offer."""
    at, asks = time.now(), caller()
    note_sighting(asks.tenant_id, asks.asset_id, at)
    offers.note_client(asks, client_of(request.headers.get("User-Agent", "")))
    rotation.note_use(asks, at)
    waiting, opens_at = asks.waiting, None
    if waiting is not None and waiting.phase == "eligible":
        waiting, opens_at = offers.make_offer(asks, waiting, at)
    else:
        waiting = offers.standing_offer(asks, waiting, at)
    offered, cancelling = _links(waiting)
    is_verifying = waiting is not None and waiting.phase == "verifying"
    asks_facts = is_verifying or asks.facts_due_at is None or asks.facts_due_at <= at
    soon = None if opens_at is None else (opens_at - at).total_seconds()
    return jsonify(
        documents.poll(
            asks,
            offered=offered,
            cancelling=cancelling,
            asks_facts=asks_facts,
            opens_in=soon,
            rotates=rotation.is_wanted(asks, at),
        )
    )


def _links(waiting: Waiting | None) -> tuple[tuple[int, int] | None, int | None]:
    """The offered action with its number of offers, and the one to cancel."""
    if waiting is None:
        return None, None
    if waiting.phase == "cancelling":
        return None, waiting.id
    is_withdrawn = (
        waiting.phase == "offered" and not waiting.is_retrieved and waiting.campaign_state != "running"
    )
    if waiting.phase in ("offered", "running", "rebooting") and not is_withdrawn:
        return (waiting.id, waiting.offers), None
    return None, None


def _number(text: str) -> int:
    """An action's id from a path. Raises NotFound."""
    if not text.isascii() or not text.isdigit() or len(text) > 10:
        raise NotFound
    return int(text)


@ddi.get(BASE + "/deploymentBase/<action>")
@credential("agent")
@limited
@patient
def show_deployment(tenant: str, controller: str, action: str) -> Response:
    """What to install, for the action that is offered or under way."""
    asks = caller()
    found = actions.fetch(asks.asset_id, _number(action), time.now())
    if found is None:
        raise NotFound
    answer = _deployment(asks, found)
    db.session.commit()
    return answer


def _deployment(asks: Caller, action: Action) -> Response:
    release = find_release_by_id(action.release_id)
    wanted = request.args.get("actionHistory", "")
    most = (
        min(int(wanted), documents.MOST_HISTORY)
        if wanted.isascii() and wanted.isdigit() and len(wanted) < 10
        else 0
    )
    history = list_events(action)[-most:] if most > 0 else None
    document = documents.deployment(
        asks,
        action,
        release,
        offers.files_of(asks, artifacts_of(release.id)),
        history,
        begin_until=actions.begin_until(action, time.now()),
        downgrade_from=actions.downgrade_from(action),
    )
    return jsonify(document)


@ddi.get(BASE + "/installedBase/<action>")
@credential("agent")
@limited
def show_installed(tenant: str, controller: str, action: str) -> Response:
    """The same for an action that succeeded."""
    asks = caller()
    found = actions.find_own(asks.asset_id, _number(action))
    if found is None or found.outcome != "success":
        raise NotFound
    return _deployment(asks, found)


@ddi.put(BASE + "/installedBase")
@credential("agent")
@limited
@patient
def take_installed(tenant: str, controller: str) -> Response:
    """What the asset holds already, by name and version: 201 when that is new, 200 when it was known."""
    at, asks = time.now(), caller()
    name, version = read_installed()
    if not befores.is_known_release(asks.tenant_id, name, version):
        raise NotFound
    asset, label = _asset(asks), f"{name}/{version}"
    is_known = label == asset.installed_release
    record_facts(asset, {"installed_release": label}, at)
    actions.facts_arrived(asks.tenant_id, asks.asset_id, at)
    db.session.commit()
    return Response(status=200 if is_known else 201)


@ddi.get(BASE + "/cancelAction/<action>")
@credential("agent")
@limited
def show_cancellation(tenant: str, controller: str, action: str) -> Response:
    """Which action to stop."""
    found = actions.find_own(caller().asset_id, _number(action))
    if found is None or found.phase != "cancelling":
        raise NotFound
    return jsonify(documents.cancellation(found.id))


@ddi.post(BASE + "/deploymentBase/<action>/feedback")
@credential("agent")
@limited
@patient
def take_feedback(tenant: str, controller: str, action: str) -> Response:
    """How an action is going."""
    return _take("deployment", action)


@ddi.post(BASE + "/cancelAction/<action>/feedback")
@credential("agent")
@limited
@patient
def take_cancel_feedback(tenant: str, controller: str, action: str) -> Response:
    """Whether an action was stopped."""
    return _take("cancel", action)


def _take(channel: str, action: str) -> Response:
    at, asks = time.now(), caller()
    said = read_feedback(channel, action)
    number = int(action) if action.isascii() and action.isdigit() and len(action) <= 10 else None
    actions.take_feedback(asks.tenant_id, asks.asset_id, number, said, at)
    db.session.commit()
    note_sighting(asks.tenant_id, asks.asset_id, at)
    return Response(status=200)


@ddi.put(BASE + "/configData")
@credential("agent")
@limited
@patient
def take_facts(tenant: str, controller: str) -> Response:
    """Attributes of the asset; they verify what it reported before."""
    at, asks = time.now(), caller()
    data, mode = read_facts()
    asset = _asset(asks)
    boot_before = asset.boot_id
    try:
        record_facts(asset, data, at, mode=mode)
    except Invalid as wrong:
        raise Malformed(wrong.message) from wrong
    rotation.note_boot(asset, asks.credential_id, at)
    return _told(asks, at, boot_before)


@ddi.put(BASE + "/inventory")
@credential("agent")
@limited
@patient
def take_inventory(tenant: str, controller: str) -> Response:
    """The asset's whole list of packages, and its facts."""
    at = time.now()
    packages, facts = read_inventory()
    asset = _asset(caller())
    boot_before = asset.boot_id
    try:
        record_software(asset, packages, at)
        record_facts(asset, facts, at)
    except Invalid as wrong:
        raise Malformed(wrong.message) from wrong
    rotation.note_boot(asset, caller().credential_id, at)
    return _told(caller(), at, boot_before)


def _asset(asks: Caller) -> Asset:
    return db.session.get_one(Asset, (asks.tenant_id, asks.asset_id), with_for_update=True)


def _told(asks: Caller, at: Any, boot_before: str | None) -> Response:
    actions.facts_arrived(asks.tenant_id, asks.asset_id, at, boot_before=boot_before)
    db.session.execute(
        update(AgentCredential)
        .where(AgentCredential.asset_id == asks.asset_id, AgentCredential.revoked_at.is_(None))
        .values(facts_due_at=at + FACTS_EVERY)
        .execution_options(synchronize_session=False)
    )
    db.session.commit()
    return Response(status=200)


@ddi.post(BASE + "/enrolment")
@credential("enrolment")
@limited
def enrol(tenant: str, controller: str) -> Any:
    """Trade the one-use token for the asset's own."""
    asks = enrolling()
    client = client_of(request.headers.get("User-Agent", ""))
    token = enrolment.enrol(token_id=asks.token_id, asset_id=asks.asset_id, at=time.now(), client=client)
    db.session.commit()
    return jsonify({"token": token}), 201


@ddi.post(BASE + "/credential")
@credential("agent")
@limited
@limiter.limit(lambda: RENEWALS)
@patient
def renew_credential(tenant: str, controller: str) -> Any:
    """A new token for the asset, beside the one that it asks with."""
    asks = caller()
    token = rotation.renew_token(asks.tenant_id, asks.asset_id, asks.credential_id or 0, time.now())
    db.session.commit()
    return jsonify({"token": token}), 201


@ddi.delete(BASE + "/credential")
@credential("agent")
@limited
@patient
def drop_credentials(tenant: str, controller: str) -> Any:
    """End the asset's other tokens, once it holds the new one safely."""
    asks = caller()
    ended = rotation.keep_only(asks.tenant_id, asks.asset_id, asks.credential_id or 0, time.now())
    db.session.commit()
    return jsonify({"ended": ended})


@ddi.route("/<path:anything>", methods=["GET", "HEAD", "POST", "PUT", "DELETE", "PATCH"])
@credential("agent")
@limited
def show_nothing(anything: str) -> Response:
    """Everything else: 401, 403 or 404, in this order."""
    raise NotFound
