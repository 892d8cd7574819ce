"""Two releases and two campaigns that wait for a second person: one that will succeed, one that will stop by itself."""

import io
import json
import uuid
from collections.abc import Collection

from sqlalchemy import select

from msp.campaigns.gates import Gate
from msp.campaigns.models import Campaign, Release
from msp.campaigns.plans import Member, Timing, order_members
from msp.campaigns.releases import add_release
from msp.campaigns.services import add_assets, draft_campaign, submit_campaign, wish
from msp.demo.greeting import READONLY
from msp.demo.seed.machines import HOSTS
from msp.demo.seed.people import actor_of
from msp.demo.seed.times import Stage
from tenants.assets.models import Asset
from tenants.foundation.actor import Actor
from tenants.foundation.db import db
from tenants.foundation.scope import enter

# People watch it: minutes instead of hours, and no soaking, which takes as long as silence takes to show.
GATE = Gate(max_bad=1, min_sample=1, pass_pct=95, soak_seconds=0, lane_seconds=3_600)
TIMES = Timing(
    start_seconds=900,
    step_seconds=300,
    hard_seconds=1_800,
    verify_seconds=120,
    cancel_seconds=300,
    silent_seconds=120,
    grace_seconds=15,
)


def propose(stage: Stage) -> None:
    """Add the releases, and put two campaigns before a second person."""
    author = actor_of(stage, "hendra")
    with enter(author.scope()):
        good = _release("kasir-config", "2.4.0", author, stage)
        next_one = _release("kasir-config", "2.5.0", author, stage)
        machines = [one.name for one in HOSTS if one.name != READONLY]
        _propose("Konfigurasi kasir 2.4.0", good, machines, None, (5, 40, 100), author, stage)
        clients = [one.name for one in HOSTS if one.home in ("kopi-senja", "batik-lestari")]
        _propose("Konfigurasi kasir 2.5.0", next_one, clients, READONLY, (10, 50, 100), author, stage)
        db.session.commit()


def _release(name: str, version: str, author: Actor, stage: Stage) -> Release:
    settings = {"versi": version, "pajak": 11, "pembulatan": 100, "struk": {"lebar": 48, "logo": True}}
    readme = f"Konfigurasi kasir {version}. Contoh fiktif untuk peragaan.\n"
    files = [("kasir.json", json.dumps(settings, indent=2)), ("BACA-SAYA.txt", readme * 40)]
    streams = [(filename, io.BytesIO(text.encode())) for filename, text in files]
    return add_release(
        name=name, version=version, target_path="opt/kasir/", files=streams, by=author, at=stage.now
    )


def _propose(
    title: str,
    release: Release,
    machines: Collection[str],
    first: str | None,
    percents: tuple[int, ...],
    author: Actor,
    stage: Stage,
) -> None:
    campaign = draft_campaign(title=title, release=release, by=author, at=stage.now)
    assets = db.session.scalars(select(Asset).where(Asset.name.in_(list(machines)))).all()
    campaign.public_id = _key_that_begins_with(first, assets, stage)
    db.session.flush()
    add_assets(campaign, by=author, assets=[asset.public_id for asset in assets])
    wish(campaign, by=author, percents=percents, gates=[GATE], timing=TIMES)
    submit_campaign(campaign, by=author, at=stage.now)


def _key_that_begins_with(first: str | None, assets: Collection[Asset], stage: Stage) -> uuid.UUID:
    """A public id under which the wished machine comes first: the order of members follows from it."""
    members = {Member(asset.tenant_id, asset.id): asset.name for asset in assets}
    while True:
        key = uuid.UUID(int=stage.dice.getrandbits(128), version=4)
        ordered = order_members(list(members), own_tenants=(), seed=str(key))
        if first is None or members[ordered[0]] == first:
            return key


__all__ = ["Campaign", "propose"]
