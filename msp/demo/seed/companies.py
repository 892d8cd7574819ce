"""The provider and its clients: fictional companies in three time zones, each with a contract of its own kind."""

from dataclasses import dataclass
from datetime import date
from typing import Any

import holidays

from contracts.terms.document import default_terms
from contracts.terms.services import add_contract
from msp.demo.seed.times import Stage
from tenants.foundation.db import db
from tenants.foundation.scope import Role, Scope, enter, of_tenant
from tenants.tenancy.rules import Onboarding, SitePlan
from tenants.tenancy.services import onboard_tenant

OWN = "nusantara"
YEARS = range(2016, 2031)
WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday")
LEVELS = ("P1", "P2", "P3", "P4")
CREDITS = {
    "table": [
        {"clock": "response", "below_percent": 95, "credit_percent": 5},
        {"clock": "resolution", "below_percent": 95, "credit_percent": 5},
        {"clock": "resolution", "below_percent": 85, "credit_percent": 10},
    ],
    "cap_percent": 15,
}


@dataclass(frozen=True)
class Company:
    """A company with its places and what it was promised. Fee in rupiah a month."""

    slug: str
    prefix: str
    name: str
    time_zone: str
    address: str
    sites: tuple[SitePlan, ...]
    language: str = "id"
    contract: str = ""
    fee: int = 0
    since: date = date(2026, 1, 1)
    opens: str = "08:00"
    closes: str = "17:00"
    saturdays: bool = False
    always: bool = False


COMPANIES = (
    Company(
        OWN,
        "NMS",
        "Nusantara Managed Services",
        "Asia/Jakarta",
        "Jl. Gatot Subroto 27, Jakarta Selatan",
        (SitePlan("Pusat Operasi Jakarta", "Jl. Gatot Subroto 27, Jakarta Selatan"),),
    ),
    Company(
        "kopi-senja",
        "KOPI",
        "PT Kopi Senja Abadi",
        "Asia/Jakarta",
        "Jl. Braga 88, Bandung",
        (
            SitePlan("Kantor Pusat Bandung", "Jl. Braga 88, Bandung"),
            SitePlan("Kedai Dago", "Jl. Ir. H. Juanda 140, Bandung"),
            SitePlan("Kedai Menteng", "Jl. Cikini Raya 12, Jakarta Pusat"),
        ),
        contract="Layanan Terkelola Kedai",
        fee=18_500_000,
        opens="07:00",
        closes="21:00",
        saturdays=True,
    ),
    Company(
        "batik-lestari",
        "BATIK",
        "CV Batik Lestari",
        "Asia/Jakarta",
        "Jl. Tirtodipuran 31, Yogyakarta",
        (
            SitePlan("Rumah Produksi", "Jl. Tirtodipuran 31, Yogyakarta"),
            SitePlan("Galeri Malioboro", "Jl. Malioboro 101, Yogyakarta"),
        ),
        contract="Layanan Terkelola Standar",
        fee=9_750_000,
    ),
    Company(
        "klinik-sehat",
        "KLIN",
        "Klinik Sehat Bersama",
        "Asia/Makassar",
        "Jl. Penghibur 5, Makassar",
        (
            SitePlan("Klinik Losari", "Jl. Penghibur 5, Makassar"),
            SitePlan("Klinik Panakkukang", "Jl. Boulevard 19, Makassar"),
        ),
        contract="Layanan Siaga 24 Jam",
        fee=32_000_000,
        always=True,
    ),
    Company(
        "lentera-timur",
        "LTR",
        "PT Lentera Ekspedisi Timur",
        "Asia/Jayapura",
        "Jl. Raya Abepura 44, Jayapura",
        (
            SitePlan("Gudang Abepura", "Jl. Raya Abepura 44, Jayapura"),
            SitePlan("Kantor Sentani", "Jl. Sosial 7, Sentani"),
        ),
        language="en",
        contract="Standard Managed Service",
        fee=14_000_000,
        since=date(2016, 1, 1),  # old logs can be imported into this one
    ),
)
CLIENTS = tuple(one for one in COMPANIES if one.slug != OWN)


def terms_of(company: Company) -> dict[str, Any]:
    """The company's terms: the default ones with its own hours, Indonesia's holidays and a table of credits."""
    terms = default_terms(company.time_zone) | {"credits": CREDITS}
    days = (*WEEKDAYS, "saturday") if company.saturdays else WEEKDAYS
    terms["calendar"]["hours"] = [
        {"weekday": day, "from": company.opens, "to": company.closes} for day in days
    ]
    terms["calendar"]["holidays"] = indonesian_holidays(company.since.year)
    for name in LEVELS:
        terms["service_levels"][name]["always"] = company.always or name == "P1"
    return terms


def indonesian_holidays(first_year: int) -> list[str]:
    """Public holidays as dates, in order."""
    years = [year for year in YEARS if year >= first_year]
    return [on.isoformat() for on in sorted(holidays.country_holidays("ID", years=years))]


def found(stage: Stage) -> None:
    """Take the provider and its clients on, with their contracts."""
    for company in COMPANIES:
        stage.tenants[company.slug] = _onboard(company, stage)
    for company in CLIENTS:
        _sign(company, stage)


def _onboard(company: Company, stage: Stage) -> int:
    plan = Onboarding(
        name=company.name,
        slug=company.slug,
        prefix=company.prefix,
        time_zone=company.time_zone,
        language=company.language,
        address=company.address,
        sites=company.sites,
        kind="own" if company.slug == OWN else "client",
    )
    with enter(Scope(Role.STAFF, frozenset())):
        tenant_id = onboard_tenant(plan, by=stage.by, at=stage.began).id
        db.session.commit()
    return tenant_id


def _sign(company: Company, stage: Stage) -> None:
    tenant_id = stage.tenants[company.slug]
    with enter(of_tenant(tenant_id)):
        add_contract(
            tenant_id,
            name=company.contract,
            time_zone=company.time_zone,
            starts_on=company.since,
            ends_on=None,
            terms=terms_of(company),
            monthly_fee=company.fee,
            by=stage.by,
            at=stage.began,
        )
        db.session.commit()
