"""A conversation by WhatsApp: asked, solved, not solved after all, and solved; the demo itself sends no texts."""

from collections.abc import Callable
from datetime import datetime, timedelta

from sqlalchemy import select

from msp.demo.seed.people import actor_of
from msp.demo.seed.times import Stage
from msp.intake.reception import own_tenant_id
from msp.intake.texts.arriving import Arrived, receive_text
from tenants.foundation.db import db
from tenants.foundation.scope import enter
from tenants.people.models import Membership
from tenants.tickets import services
from tenants.tickets.models import Ticket

SLUG, ASKS, ANSWERS = "kopi-senja", "budi", "tono"
STAFF: tuple[tuple[timedelta, Callable[[Ticket, Stage, datetime], object]], ...] = (
    (
        timedelta(minutes=6),
        lambda ticket, stage, at: services.take_ticket(ticket, by=actor_of(stage, ANSWERS), at=at),
    ),
    (
        timedelta(minutes=25),
        lambda ticket, stage, at: services.resolve_ticket(
            ticket,
            solution="Aplikasi kasir sudah kami perbarui. Silakan dicoba lagi, Pak.",
            by=actor_of(stage, ANSWERS),
            at=at,
        ),
    ),
)


def talk(stage: Stage) -> None:
    """Let Budi write, Tono solve it, and Budi write again that it is not solved. Needs people's numbers."""
    began = stage.now - timedelta(hours=2)
    _write(stage, 1, "Halo, tablet pesanan di Kedai Braga menampilkan layar putih sejak tadi.", began)
    for later, act in STAFF:
        with enter(actor_of(stage, ANSWERS).scope()):
            asked = select(Ticket).where(Ticket.tenant_id == stage.tenants[SLUG], Ticket.source == "whatsapp")
            act(db.session.scalars(asked).one(), stage, began + later)
            db.session.commit()
    _write(stage, 2, "Terima kasih, Mas.", began + timedelta(minutes=31))
    _write(stage, 3, "Maaf, layarnya putih lagi setelah dinyalakan ulang.", began + timedelta(minutes=58))


def _write(stage: Stage, number: int, words: str, at: datetime) -> None:
    with enter(actor_of(stage, "bagus").scope()):
        asked = select(Membership.phone).where(
            Membership.tenant_id == stage.tenants[SLUG], Membership.user_id == stage.people[ASKS]
        )
        phone = db.session.scalars(asked).one()
    arrived = Arrived(sid=f"SMdemo{number:026d}", channel="whatsapp", number=phone or "", body=words)
    receive_text(own_tenant_id(), arrived, at=at)
