"""What the provider's people can, their teams, and this month's roster."""

from dataclasses import dataclass
from datetime import date, time, timedelta
from zoneinfo import ZoneInfo

from msp.demo.seed.people import actor_of
from msp.demo.seed.times import Stage
from msp.staff import certificates, roster, skills, teams
from msp.staff.patterns import Pattern, weekly
from tenants.foundation.actor import Actor
from tenants.foundation.db import db
from tenants.foundation.scope import enter
from tenants.people.models import StaffMember
from tenants.people.queries import list_staff

JAKARTA, MAKASSAR = "Asia/Jakarta", "Asia/Makassar"
WORKDAYS = ("MO", "TU", "WE", "TH", "FR")
WEEKEND = ("SA", "SU")
SKILLS = (
    ("Networks", "Jaringan", {"tono": 2, "wulan": 1, "hendra": 3, "nyoman": 3}),
    ("Windows", "Windows", {"tono": 2, "wulan": 2, "hendra": 2}),
    ("Linux servers", "Server Linux", {"hendra": 2, "nyoman": 3}),
    ("Printers", "Printer", {"tono": 3, "wulan": 2}),
    ("Telephony", "Telepon", {"wulan": 2, "nyoman": 2}),
)
# Who, what, by whom, number, days since it was issued, days until it expires (none: never).
PAPERS = (
    ("hendra", "Ahli Jaringan Tingkat Menengah", "Lembaga Sertifikasi Nusantara", "LSN-2041", 1_075, 20),
    ("nyoman", "Administrator Server Linux", "Lembaga Sertifikasi Nusantara", "LSN-3320", 500, 590),
    ("tono", "Dasar Layanan TI", "Institut Layanan TI", "ILT-118", 300, None),
    ("wulan", "Keselamatan Kerja Kelistrikan", "Balai Pelatihan Kerja", "BPK-77", 690, 40),
)
TEAMS = (
    ("Meja Layanan", "L1", "dewi", ("dewi", "tono", "wulan")),
    ("Lapangan dan Infrastruktur", "L2", "hendra", ("hendra", "nyoman", "tono")),
)


@dataclass(frozen=True)
class Turn:
    """A weekly pattern of one person."""

    key: str
    kind: str
    tier: str
    days: tuple[str, ...]
    starts: time
    ends: time
    zone: str = JAKARTA


TURNS = (
    Turn("tono", "shift", "L1", WORKDAYS, time(7), time(15)),
    Turn("wulan", "shift", "L1", WORKDAYS, time(14), time(22), MAKASSAR),
    Turn("dewi", "shift", "L1", ("SA",), time(7), time(15)),
    Turn("hendra", "shift", "L2", WORKDAYS, time(8), time(17)),
    Turn("hendra", "on_call", "L2", WEEKEND, time(8), time(20)),
    Turn("nyoman", "shift", "L3", WORKDAYS, time(9), time(17), MAKASSAR),
    Turn("nyoman", "on_call", "L3", WORKDAYS, time(20), time(6), MAKASSAR),
)


def plan(stage: Stage) -> None:
    """Plan it as the manager would."""
    by = actor_of(stage, "bagus")
    with enter(by.scope()):
        ids = {user_id: key for key, user_id in stage.people.items()}
        people = {ids[one.user_id]: one for one in list_staff() if one.user_id in ids}
        today = stage.now.astimezone(ZoneInfo(JAKARTA)).date()
        _skills(people, stage, by)
        _papers(people, stage, by, today)
        for name, tier, lead, members in TEAMS:
            inside = [people[key] for key in members]
            teams.save_team(
                None,
                name=name,
                members=inside,
                lead=people[lead],
                default_tier=tier,
                by=by,
                at=stage.now,
            )
        _roster(people, stage, by, today)
        db.session.commit()


def _skills(people: dict[str, StaffMember], stage: Stage, by: Actor) -> None:
    rows = [(skills.add_skill(en, id_, by=by, at=stage.now).id, held) for en, id_, held in SKILLS]
    for key, person in people.items():
        levels = {skill: held[key] for skill, held in rows if key in held}
        if levels:
            skills.set_levels(person, levels, by=by, at=stage.now)


def _papers(people: dict[str, StaffMember], stage: Stage, by: Actor, today: date) -> None:
    for key, name, issuer, number, since, left in PAPERS:
        said = certificates.Paper(
            name=name,
            issuer=issuer,
            number=number,
            issued_on=today - timedelta(days=since),
            expires_on=None if left is None else today + timedelta(days=left),
        )
        certificates.add_certificate(people[key], said, by=by, at=stage.now)


def _roster(people: dict[str, StaffMember], stage: Stage, by: Actor, today: date) -> None:
    """From three months ago until a month from now; somebody is on leave in the week after next."""
    first = today - timedelta(days=91 + today.weekday())
    last = today + timedelta(days=34 - today.weekday())
    away = today + timedelta(days=14 - today.weekday())
    leave = (away, away + timedelta(days=4), MAKASSAR)
    roster.add_absence(people["wulan"], "leave", *leave, note="Cuti tahunan", by=by, at=stage.now)
    for turn in TURNS:
        pattern = Pattern(weekly(turn.days), first, last, turn.starts, turn.ends, turn.zone)
        said = roster.Planned(person=people[turn.key], kind=turn.kind, tier=turn.tier, time_zone=turn.zone)
        roster.add_pattern(said, pattern, country="ID", by=by, at=stage.now)
