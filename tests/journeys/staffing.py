"""The provider's people in the scene: what they can, when they are on duty, and what they left to the next shift."""

from datetime import timedelta
from typing import Any

from msp.staff import certificates, passing, roster, skills, teams
from tenants.foundation import time
from tenants.foundation.db import db
from tenants.people.queries import list_staff
from tests import personas


def build(app: Any, cast: personas.Cast) -> dict[str, str]:
    """A skill, a certificate that expires soon, a team, shifts, an absence and a note: by their path parameters."""
    now = time.now()
    with personas.within(app, cast, "Mia") as mia:
        people = {one.name: one for one in list_staff()}
        skill = skills.add_skill("Networks", "Jaringan", by=mia, at=now)
        skills.set_levels(people["Tina"], {skill.id: 2}, by=mia, at=now)
        paper = certificates.Paper(
            name="Network basics",
            issuer="An institute",
            number="4711",
            issued_on=(now - timedelta(days=400)).date(),
            expires_on=(now + timedelta(days=20)).date(),
        )
        certificate = certificates.add_certificate(people["Tina"], paper, by=mia, at=now)
        night = {"members": [people["Tina"]], "lead": people["Leo"], "default_tier": "L1"}
        team = teams.save_team(None, name="Night", by=mia, at=now, **night)
        for name, tier, kind in (("Leo", "L2", "shift"), ("Nadia", "L3", "on_call"), ("Tina", "L1", "shift")):
            said = roster.Planned(person=people[name], kind=kind, tier=tier, time_zone="Asia/Jakarta")
            span = (now - timedelta(hours=1), now + timedelta(hours=7))
            shift = roster.add_shift(said, *span, by=mia, at=now)
        away = (now + timedelta(days=1)).date()
        roster.add_absence(people["Dana"], "leave", away, away, "Asia/Jakarta", by=mia, at=now)
        note = passing.leave_shift(
            "Watch the till of Dago.", {}, by=personas.actor(app, cast, "Leo"), at=now
        ).note
        db.session.commit()
        return {
            "skill": str(skill.public_id),
            "certificate": str(certificate.public_id),
            "team": str(team.public_id),
            "shift": str(shift.public_id),
            "note": str(note.public_id),
        }
