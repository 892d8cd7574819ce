"""Ways to reach the desk: telephone numbers, a chat on a client's website, and a visitor who waits there."""

from sqlalchemy import select

from msp.demo.seed.people import CLIENTS, actor_of
from msp.demo.seed.times import Stage
from msp.intake.chats.doors import set_door
from msp.intake.chats.services import Start, begin_chat
from tenants.foundation.db import db
from tenants.foundation.scope import enter
from tenants.people.members import change_member_phone
from tenants.people.models import Membership

SLUG = "kopi-senja"
WEBSITE = "https://www.kopi-senja.example"
QUESTION = "Halo, mesin kartu di Kedai Dago menolak semua kartu. Apakah sedang ada gangguan?"


def open_doors(stage: Stage) -> str:
    """Give people numbers, open the chat of one client and let somebody wait there; returns the door's key."""
    by = actor_of(stage, "bagus")
    with enter(by.scope()):
        for number, person in enumerate(CLIENTS, start=1):
            found = select(Membership).where(Membership.user_id == stage.people[person.key])
            for member in db.session.scalars(found.where(Membership.tenant_id == stage.tenants[person.home])):
                change_member_phone(member, f"+62811000{number:04}", by=by, at=stage.began)
        door = set_door(stage.tenants[SLUG], is_open=True, origins=WEBSITE, by=by, at=stage.now)
        visitor = Start(channel="website", name="Wati Handayani", email="wati@pelanggan.example")
        begin_chat(stage.tenants[SLUG], visitor, QUESTION, at=stage.now)
        db.session.commit()
        return door.public_key
