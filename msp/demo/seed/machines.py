"""What the clients run: eight hosts with a real agent each, and things without one."""

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import select

from msp.agents.enrolment import enrol, issue_token
from msp.agents.models import EnrolmentToken
from msp.demo.greeting import READONLY
from msp.demo.seed.companies import OWN
from msp.demo.seed.times import Stage
from tenants.assets.models import Asset
from tenants.assets.rules import Entered
from tenants.assets.services import add_asset
from tenants.foundation import time
from tenants.foundation.db import db
from tenants.foundation.scope import enter, of_tenant
from tenants.tenancy.queries import list_sites

POLL_SECONDS = 5


@dataclass(frozen=True)
class Machine:
    """An asset; `site` counts the client's sites by name. With `has_agent` it is one of the demo's hosts."""

    home: str
    name: str
    kind: str
    site: int = 0
    tags: tuple[str, ...] = ()
    has_agent: bool = False
    serial: str | None = None


HOSTS = (
    Machine(OWN, "nms-noc-1", "server", tags=("noc",), has_agent=True),
    Machine(OWN, "nms-noc-2", "server", tags=("noc",), has_agent=True),
    Machine("kopi-senja", "kopi-server-1", "server", 0, ("server",), has_agent=True),
    Machine("kopi-senja", "kopi-kasir-1", "workstation", 1, ("kasir",), has_agent=True),
    Machine("kopi-senja", "kopi-kasir-2", "workstation", 2, ("kasir",), has_agent=True),
    Machine("batik-lestari", "batik-server-1", "server", 1, ("server",), has_agent=True),
    Machine("batik-lestari", "batik-kasir-1", "workstation", 0, ("kasir",), has_agent=True),
    Machine("batik-lestari", READONLY, "workstation", 0, ("kasir",), has_agent=True),
)
OTHERS = (
    Machine("kopi-senja", "kopi-router-dago", "network", 1, ("jaringan",), serial="RB4011-7F21"),
    Machine("kopi-senja", "kopi-printer-struk-1", "printer", 1, ("kasir",), serial="TMT82-00917"),
    Machine("kopi-senja", "kopi-laptop-keuangan", "workstation", 0, ("keuangan",), serial="NB-KS-0031"),
    Machine("batik-lestari", "batik-nas-desain", "server", 1, ("desain",), serial="NAS-220-4471"),
    Machine("batik-lestari", "batik-printer-label", "printer", 1, ("gudang",), serial="ZD421-5512"),
    Machine("klinik-sehat", "klinik-server-rekam-medis", "server", 0, ("penting",), serial="SRV-KL-0001"),
    Machine("klinik-sehat", "klinik-pendaftaran-1", "workstation", 0, ("loket",), serial="PC-KL-0101"),
    Machine("klinik-sehat", "klinik-pendaftaran-2", "workstation", 1, ("loket",), serial="PC-KL-0102"),
    Machine("klinik-sehat", "klinik-telepon-igd", "phone", 0, ("penting",), serial="T54W-77120"),
    Machine("lentera-timur", "lentera-scanner-gudang", "other", 0, ("warehouse",), serial="TC21-30881"),
    Machine("lentera-timur", "lentera-server-manifest", "server", 0, ("server",), serial="SRV-LT-0007"),
    Machine("lentera-timur", "lentera-sentani-pc-1", "workstation", 1, ("office",), serial="PC-LT-0044"),
)


def install(stage: Stage, hosts: Path, url: str) -> list[dict[str, Any]]:
    """Enter all machines and enrol the hosts, each with a folder of its own; returns the agents' credentials."""
    for slug, tenant_id in stage.tenants.items():
        with enter(of_tenant(tenant_id)):
            sites = [site.id for site in list_sites(tenant_id)]
            for machine in (one for one in (*HOSTS, *OTHERS) if one.home == slug):
                stage.assets[machine.name] = _add(machine, sites, stage).id
            db.session.commit()
    return [_enrol(machine, stage, hosts, url) for machine in HOSTS]


def _add(machine: Machine, sites: list[int], stage: Stage) -> Asset:
    entered = Entered(
        name=machine.name,
        kind=machine.kind,
        site_id=sites[machine.site],
        tags=machine.tags,
        serial=machine.serial,
        controller_id=machine.name if machine.has_agent else None,
    )
    return add_asset(stage.tenants[machine.home], entered, by=stage.by, at=stage.began)


def _enrol(machine: Machine, stage: Stage, hosts: Path, url: str) -> dict[str, Any]:
    """What a person and the machine do together when it is enrolled, at once."""
    tenant_id, at = stage.tenants[machine.home], time.now()
    with enter(of_tenant(tenant_id)):
        asset = db.session.get_one(Asset, (tenant_id, stage.assets[machine.name]))
        issue_token(asset, by=stage.by, at=at)
        issued = select(EnrolmentToken.id).where(
            EnrolmentToken.asset_id == asset.id, EnrolmentToken.used_at.is_(None)
        )
        token = enrol(token_id=db.session.scalars(issued).one(), asset_id=asset.id, at=at)
        db.session.commit()
    _write_folder(hosts / machine.name, machine, token, url)
    return {"tenant": machine.home, "controller_id": machine.name, "token": token}


def _write_folder(folder: Path, machine: Machine, token: str, url: str) -> None:
    (folder / "root").mkdir(mode=0o700, parents=True)
    settings = {
        "url": f"{url}/ddi",
        "tenant": machine.home,
        "controller_id": machine.name,
        "token": token,
        "poll_seconds": POLL_SECONDS,
    }
    with os.fdopen(os.open(folder / "config.json", os.O_WRONLY | os.O_CREAT, 0o600), "w") as file:
        json.dump(settings, file, indent=2)
    if machine.name == READONLY:
        (folder / "root" / ".readonly").touch()
