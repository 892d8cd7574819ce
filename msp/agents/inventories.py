"""Inventories from agents that only tell what a machine is: FusionInventory, OCS; `server = PUBLIC_URL/inventory`.

The credential is the client's, so it says whose machine this is and not which: the name in the document is matched to
an asset, or becomes a quarantined one. All machines of the client can claim any name, so that nothing is kept of an
asset whose own agent tells what it is.
"""

import base64
import binascii

import structlog
from flask import Blueprint, Response, g, request
from sqlalchemy import select
from werkzeug.exceptions import RequestEntityTooLarge

from msp.agents import arrivals, enrolment, ocs, shared
from msp.agents.ddi import patient
from msp.agents.models import InventoryDevice
from msp.agents.parsing import Malformed
from msp.agents.shared import Sharing
from msp.campaigns import actions
from msp.web.access import SignInNeeded, credential
from msp.web.limits import limiter
from tenants.assets.models import Asset
from tenants.assets.rules import clean
from tenants.assets.services import record_facts, record_software
from tenants.foundation import time
from tenants.foundation.db import db
from tenants.foundation.errors import Invalid
from tenants.foundation.scope import Scope
from tenants.people.limits import source_of
from tenants.people.principals import digest

log = structlog.get_logger()
inventories = Blueprint("inventories", __name__, url_prefix="/inventory")
MOST_BYTES = 4 * 1024 * 1024
HOURS = "24"
# What firmware says that knows no serial number.
NO_SERIAL = frozenset({"", "none", "default string", "to be filled by o.e.m.", "not specified", "0"})
# Reading one costs far more than a poll. The first counts before anything is read, for all machines behind an address.
ONE_PLACE, ONE_MACHINE = "60/minute", "30/minute"


@inventories.errorhandler(SignInNeeded)
def _nobody(_error: SignInNeeded) -> Response:
    return Response(status=401, headers={"WWW-Authenticate": 'Basic realm="inventory"'})


def resolve_inventory() -> Scope:
    """The scope of an inventory: the client whose short name and inventory token these are. Raises SignInNeeded."""
    scheme, _, packed = request.headers.get("Authorization", "").partition(" ")
    try:
        slug, _, token = base64.b64decode(packed.strip(), validate=True).decode().partition(":")
    except (binascii.Error, ValueError) as wrong:
        raise SignInNeeded from wrong
    found = shared.find_sharing("inventory", [token], slug) if scheme.lower() == "basic" and token else None
    if found is None:
        raise SignInNeeded
    g.sharing = found
    g.budget = f"shared:{found.credential_id}:{source_of(request.remote_addr)}"
    return found.scope()


@inventories.post("/")
@inventories.post("", endpoint="take_inventory_without_slash")
@credential("inventory")
@limiter.shared_limit(lambda: ONE_PLACE, scope="inventories")
@patient
def take_inventory() -> Response:
    """A question whether to send an inventory, or the inventory itself."""
    request.max_content_length = MOST_BYTES
    try:
        document = ocs.read_document(request.get_data(cache=True))
    except RequestEntityTooLarge as wrong:
        raise Malformed("too large") from wrong
    if document.query == "PROLOG":
        return _answer({"RESPONSE": "SEND", "PROLOG_FREQ": HOURS})
    if document.query == "INVENTORY":
        g.claimed = _claimed(document)
        if not _keep(g.sharing, document):
            return _answer({"RESPONSE": "OK", "KEPT": "NO"})
    return _answer({"RESPONSE": "OK"})


def _answer(members: dict[str, str]) -> Response:
    return Response(ocs.reply(members), content_type="application/x-compress-zlib")


def _claimed(document: ocs.Document) -> str:
    claimed = clean(document.device_id, 255)
    if not claimed:
        raise Malformed("no device id")
    return claimed


def _machine_key() -> str:
    return f"inventory:{g.sharing.credential_id}:{digest(g.claimed).hex()[:32]}"


@limiter.shared_limit(lambda: ONE_MACHINE, scope="inventories of one", key_func=_machine_key)
def _keep(sharing: Sharing, document: ocs.Document) -> bool:
    """Take the inventory over; False for a machine whose own agent tells what it is."""
    at, facts = time.now(), ocs.facts_of(document)
    asset = _asset(sharing, g.claimed, facts)
    if enrolment.count_live(asset):
        log.info("inventory not kept", tenant=asset.tenant_id, asset=asset.id, because="it has an agent")
        db.session.rollback()
        return False
    try:
        record_software(asset, ocs.packages_of(document), at)
        record_facts(asset, facts, at)
    except Invalid as wrong:
        raise Malformed(wrong.message) from wrong
    actions.facts_arrived(asset.tenant_id, asset.id, at)
    db.session.commit()
    return True


def _asset(sharing: Sharing, claimed: str, facts: dict[str, str]) -> Asset:
    """The asset that this machine is known as, that it must be by id or serial number, or a new one in quarantine."""
    known = select(InventoryDevice.asset_id).where(InventoryDevice.device_id == claimed)
    asset_id = db.session.scalar(known)
    if asset_id is not None:
        return db.session.get_one(Asset, (sharing.tenant_id, asset_id))
    asset = _alike(claimed, facts) or arrivals.turn_up(
        sharing,
        name=clean(facts.get("hostname", ""), 120) or claimed[:120],
        controller_id=None,
        how="inventory",
    )
    db.session.add(
        InventoryDevice(
            tenant_id=sharing.tenant_id, asset_id=asset.id, device_id=claimed, first_seen_at=time.now()
        )
    )
    db.session.flush()
    return asset


def _alike(claimed: str, facts: dict[str, str]) -> Asset | None:
    living = select(Asset).where(Asset.state != "retired")
    found = db.session.scalar(living.where(Asset.controller_id == claimed))
    serial = clean(facts.get("serial", ""), 120)
    if found is None and serial.lower() not in NO_SERIAL:
        found = db.session.scalar(living.where(Asset.serial == serial))
    return found
