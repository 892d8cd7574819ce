"""Training: passwords that were taught and are asked for less, phishing that is ahead, jams that are proposed."""

from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import select

from msp.demo.seed.companies import CLIENTS
from msp.demo.seed.people import actor_of
from msp.demo.seed.stories import Step, Story, calendar_for, company_of
from msp.demo.seed.times import Stage, after
from msp.training.materials import add_article
from msp.training.models import TrainingClass
from msp.training.seats import answer_invitation, hold_class, invite_people
from msp.training.services import Plan, plan_class
from tenants.foundation.actor import Actor
from tenants.foundation.db import db
from tenants.foundation.scope import enter
from tenants.tickets.category_models import Category

HOME, HELPER, PLANNER = "kopi-senja", "tono", "bagus"
PUPILS = ("sari", "budi", "putri")
HELD_DAYS_AGO, COMING_IN = 40, 6
# Days ago at which the same was asked again.
PASSWORDS = (84, 79, 71, 66, 58, 52, 47, 22, 9)
JAMS = (61, 44, 33, 26, 19, 12, 8)
REPEATED = {
    HOME: (
        PASSWORDS,
        PUPILS,
        "Lupa kata sandi kasir",
        "Saya tidak dapat masuk ke aplikasi kasir.",
        "Kata sandi diatur ulang.",
    ),
    "batik-lestari": (
        JAMS,
        ("joko", "putri", "joko", "ayu"),
        "Printer label macet kertas lagi",
        "Kertas label tersangkut setelah gulungan diganti.",
        "Gulungan dipasang ulang dengan arah yang benar.",
    ),
}


def stories_of(stage: Stage, slug: str) -> list[tuple[datetime, Story]]:
    """What a client's people asked again and again, with the moment of each."""
    if slug not in REPEATED:
        return []
    days, people, subject, body, solution = REPEATED[slug]
    steps = (
        Step("assign", 5, HELPER),
        Step("say", 5, HELPER, "Sedang kami periksa."),
        Step("resolve", 20, HELPER, solution),
        Step("close", 90),
    )
    found = []
    for number, day in enumerate(days):
        requester = people[number % len(people)]
        at = after(calendar_for(slug, "P4"), stage.now - timedelta(days=day), 10 + 13 * number)
        story = Story(slug, "P4", requester, subject, body, steps)
        found.append((at.replace(second=0, microsecond=0), story))
    return found


def teach(stage: Stage) -> None:
    """A class that was held, and one that is ahead."""
    assert HOME in {one.slug for one in CLIENTS}
    by = actor_of(stage, PLANNER)
    people = [stage.people[one] for one in PUPILS]
    with enter(by.scope()):
        held_at = _morning(stage, -HELD_DAYS_AGO)
        held = _plan(
            stage,
            "Password reset",
            "Kata sandi yang kuat dan mudah diingat",
            "Membuat kata sandi yang mudah diingat, memakai pengelola kata sandi, dan mengatur ulang sendiri.",
            held_at,
            by,
            held_at - timedelta(days=10),
        )
        invite_people(held, people, by=by, at=held_at - timedelta(days=10))
        add_article(held, "reset-your-password", by=by, at=held_at - timedelta(days=9))
        hold_class(held, people, by=by, at=held_at + timedelta(hours=2))
        coming = _plan(
            stage,
            "Spam and phishing",
            "Mengenali surel pengelabuan",
            "Memeriksa pengirim dan tautan, serta apa yang harus dilakukan bila telanjur mengeklik.",
            _morning(stage, COMING_IN),
            by,
            stage.now - timedelta(days=1),
        )
        add_article(coming, "a-mail-looks-suspicious", by=by, at=stage.now - timedelta(days=1))
        invite_people(coming, people[:2], by=by, at=stage.now - timedelta(days=1))
        db.session.commit()
        class_id = coming.id
    sari = actor_of(stage, PUPILS[0])
    with enter(sari.scope()):
        row = db.session.scalars(select(TrainingClass).where(TrainingClass.id == class_id)).one()
        answer_invitation(row, yes=True, by=sari, at=stage.now - timedelta(hours=3))
        db.session.commit()


def _plan(
    stage: Stage, category: str, title: str, teaches: str, begins_at: datetime, by: Actor, at: datetime
) -> TrainingClass:
    company = company_of(HOME)
    plan = Plan(
        title=title,
        teaches=teaches,
        language=company.language,
        begins_at=begins_at,
        minutes=90,
        time_zone=company.time_zone,
        place="Ruang rapat, Kantor Pusat Bandung, Jl. Braga 88",
        trainer_user_id=stage.people[HELPER],
    )
    row = db.session.get_one(Category, stage.categories[category])
    return plan_class(stage.tenants[HOME], row, plan, by=by, at=at)


def _morning(stage: Stage, days: int) -> datetime:
    """Ten o'clock of a working day about so many days from now."""
    zone = ZoneInfo(company_of(HOME).time_zone)
    on = stage.now.astimezone(zone).date() + timedelta(days=days)
    while on.weekday() > 4:
        on += timedelta(days=1)
    return datetime.combine(on, time(10), zone)
