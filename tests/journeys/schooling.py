"""Training in the scene: a category that Acme's people ask about, a class that is ahead, and one that was held."""

from datetime import timedelta
from typing import Any

from msp.training import seats, services
from tenants.foundation import time
from tenants.foundation.db import db
from tenants.tickets import categories
from tests import personas, tickets


def build(app: Any, cast: personas.Cast) -> dict[str, str]:
    """The classes by the names of the scene."""
    now, acme = time.now(), cast.tenants["acme"]
    with personas.within(app, cast, "Mia") as mia:
        made = [
            categories.add_category(name_en=english, name_id=indonesian, parent=None, by=mia, at=now)
            for english, indonesian in (("Printing", "Pencetakan"), ("Passwords", "Kata sandi"))
        ]
        for day, who in enumerate(("Bob", "Bob", "Alice", "Bob", "Alice", "Bob"), 2):
            ticket = tickets.open_in_scope(
                cast, mia, at=now - timedelta(days=day), who=who, subject="I forgot my password"
            )
            ticket.category_id = made[1].id
        plan = {
            "teaches": "How to load paper,\nand what to do when it jams.",
            "language": "en",
            "minutes": 60,
            "time_zone": "Asia/Jakarta",
        }
        held = services.plan_class(
            acme,
            made[0],
            services.Plan(
                title="Paper without jams", begins_at=now - timedelta(days=4), place="Room 2", **plan
            ),
            by=mia,
            at=now - timedelta(days=9),
        )
        coming = services.plan_class(
            acme,
            made[0],
            services.Plan(
                title="Paper without jams, again",
                begins_at=now + timedelta(days=4),
                link="https://meet.example.test/paper",
                **plan,
            ),
            by=mia,
            at=now,
        )
        people = [cast.users["Alice"], cast.users["Bob"]]
        seats.invite_people(held, people, by=mia, at=now - timedelta(days=9))
        seats.invite_people(coming, people[:1], by=mia, at=now)
        seats.hold_class(held, people, by=mia, at=now - timedelta(days=3))
        db.session.commit()
        return {"coming_class": str(coming.public_id), "held_class": str(held.public_id)}
