"""Something on every page: tickets in several states, a campaign that stopped at a failure, people and machines."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from datetime import time as hour
from io import BytesIO
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import select

from contracts.statements.services import close_month
from contracts.statements.trials import ask_for_trial
from contracts.terms.document import default_terms
from contracts.terms.models import Contract
from contracts.terms.queries import list_versions
from contracts.terms.services import add_version
from contracts.timers.maintenance import Work, record_maintenance
from msp.agents.shared import add_shared
from msp.campaigns import services as campaigns
from msp.campaigns.models import Action, Campaign, CampaignTenant, Release
from msp.intake.calls import services as calls
from msp.intake.chats import doors
from msp.intake.chats import services as chats
from msp.intake.texts import arriving
from msp.knowledge import services as articles
from msp.knowledge.rules import Step
from msp.knowledge.runbooks import start_runbook, tick_step
from msp.mail.followers import token_of
from msp.mail.models import OutgoingMail
from msp.mail.replies import reply_address
from msp.reports.evidence import gather_evidence
from msp.upkeep import policies
from msp.upkeep import services as upkeep
from msp.windows import services as windows
from msp.windows.rules import Recurring
from tenants.assets.models import Asset
from tenants.files.models import StoredFile
from tenants.files.services import Store, Upload, keep_file
from tenants.foundation import time
from tenants.foundation.db import db
from tenants.foundation.scope import enter, gate
from tenants.people.models import Membership, StaffMember
from tenants.tenancy.models import Site
from tenants.tickets import (
    categories,
    checklists,
    directory,
    queries,
    remote,
    replies,
    services,
    times,
    visits,
)
from tenants.tickets.models import Ticket, TimeEntry
from tenants.tickets.vendors import list_cases
from tests import mails, personas, tickets
from tests.journeys import schooling, staffing
from tests.journeys.served import Portal
from tests.msp.campaigns import fleet

FILE_LIMIT = 1_000_000


@dataclass(frozen=True)
class Scene:
    """What path parameters of pages may be: names of pieces, and the values that stand in addresses."""

    waiting: str
    resolved: str
    passed_on: str
    file: str
    asset: str
    site: str
    contract: str
    statement: str
    trial: str
    campaign: str
    action: str
    part: str
    release: str
    draft: str
    submitted: str
    member: str
    staff: str
    entry: str
    shared: str
    plan: str
    policy: str
    window: str
    freeze: str
    provider_freeze: str
    sent_mail: str
    link: str
    over_link: str
    visit: str
    case: str
    session: str
    vendor: str
    skill: str
    certificate: str
    team: str
    shift: str
    note: str
    article: str
    run: str
    category: str
    reply: str
    checklist: str
    mailbox: str
    mail: str
    strange_mail: str
    chat: str
    own_chat: str
    call: str
    door: str
    coming_class: str
    held_class: str


def build(portal: Portal) -> Scene:
    """Write the scene into the portal's database, as people would have done within the last day."""
    app = portal.app
    with app.app_context():
        cast = personas.load()
        codes = _tickets(app, cast)
        rollout, draft, submitted = _campaigns(app, cast)
        statement = last_months_statement(app, cast)
        trial = _trial(app, cast)
        planned = _upkeep(app, cast)
        staff = staffing.build(app, cast)
        known = _knowledge(app, cast, codes[0])
        brought = _mails(app, cast, codes[0])
        portal.work()
        with personas.within(app, cast, "acme"):
            acme = cast.tenants["acme"]
            part = select(CampaignTenant).where(
                CampaignTenant.campaign_id == rollout.id, CampaignTenant.tenant_id == acme
            )
            return Scene(
                waiting=codes[0],
                resolved=codes[1],
                passed_on=codes[2],
                file=_id(select(StoredFile)),
                asset=_id(select(Asset).where(Asset.name == "acme-pc-1")),
                site=_id(select(Site)),
                contract=_id(select(Contract)),
                statement=statement,
                trial=trial,
                campaign=_campaign_id(rollout),
                action=str(
                    db.session.scalars(select(Action).where(Action.campaign_id == rollout.id)).first().id
                ),
                part=_id(part),
                release=_release_id(rollout),
                draft=_campaign_id(draft),
                submitted=_campaign_id(submitted),
                member=_id(select(Membership).where(Membership.name == "Bob")),
                staff=_staff_id("Tina"),
                entry=_id(select(TimeEntry)),
                shared=_shared(app, cast),
                sent_mail=_id(select(OutgoingMail)),
                link=_guests_link(cast),
                over_link=_guests_link(cast, is_over=True),
                **planned,
                **_tiers(app, cast, codes),
                **staff,
                **known,
                **_kept(app, cast),
                **brought,
                **_channels(app, cast),
                **schooling.build(app, cast),
            )


def _guests_link(cast: personas.Cast, *, is_over: bool = False) -> str:
    """The link of somebody without an account whose ticket is resolved, or closed for good."""
    leo, guest = tickets.leo(cast), services.Requester("Gita", "gita@example.test")
    ticket = tickets.open_in_scope(cast, leo, at=time.now(), requester=guest, subject="Scanner jams")
    services.take_ticket(ticket, by=leo, at=time.now())
    services.resolve_ticket(ticket, solution="Cleaned the rollers.", by=leo, at=time.now())
    if is_over:
        services.close_ticket(ticket, by=leo, at=time.now())
        ticket.reopen_until = time.now() - timedelta(days=1)
    db.session.commit()
    return token_of(ticket)


def _mails(app: Any, cast: personas.Cast, code: str) -> dict[str, str]:
    """A mail on a ticket, with its HTML, and one of somebody whom nobody knows."""
    box = mails.add_mailbox(
        cast, paused=True, host="imap.example.test", user_name="help", password="sealed away"
    )
    with personas.within(app, cast, "acme"):
        ticket = db.session.scalars(select(Ticket).where(Ticket.code == code)).one()
        where = reply_address(ticket, "bob@example.test") or ""
    styled = "<p>It <b>burns</b> <img src='https://tracker.example.test/x.png'></p>"
    known, strange = mails.bring(
        app,
        cast,
        box,
        mails.write(
            to=where,
            text="It burns.\n\nOn Monday somebody <help@portal.test> wrote:\n> Is it on?",
            html=styled,
        ),
        mails.write("stranger@unknown.test", subject="Invoice"),
    )
    assert known.outcome == "reply"
    return {
        "mailbox": str(box.public_id),
        "mail": str(known.public_id),
        "strange_mail": str(strange.public_id),
    }


def _id(asked: Any) -> str:
    return str(db.session.scalars(asked.limit(1)).one().public_id)


def _campaign_id(rollout: fleet.Rollout) -> str:
    return _id(select(Campaign).where(Campaign.id == rollout.id))


def _release_id(rollout: fleet.Rollout) -> str:
    of_campaign = select(Campaign.release_id).where(Campaign.id == rollout.id)
    return _id(select(Release).where(Release.id == of_campaign.scalar_subquery()))


def _staff_id(name: str) -> str:
    with enter(gate()):
        return _id(select(StaffMember).where(StaffMember.name == name))


def _kept(app: Any, cast: personas.Cast) -> dict[str, str]:
    """What the desk's managers keep, and what stands around the waiting ticket."""
    mia, now = personas.actor(app, cast, "Mia"), time.now()
    with personas.within(app, cast, "Mia"):
        top = categories.add_category(
            name_en="Hardware", name_id="Perangkat keras", parent=None, by=mia, at=now
        )
        categories.add_category(name_en="Printer", name_id="Printer", parent=top, by=mia, at=now)
        reply = replies.save_reply(
            None, name="Greeting", language="en", body="Hello $requester,", by=mia, at=now
        )
        lines = ["Install the agent", "Label it"]
        checklist = checklists.save_template(None, name="New laptop", lines=lines, by=mia, at=now)
        kept = {"category": top, "reply": reply, "checklist": checklist}
        db.session.commit()
        return {name: str(row.public_id) for name, row in kept.items()}


def _shared(app: Any, cast: personas.Cast) -> str:
    """Acme's gateway token."""
    nadia = personas.actor(app, cast, "Nadia")
    with personas.within(app, cast, "Nadia"):
        kept, _token = add_shared(
            cast.tenants["acme"], kind="gateway", name="Branches", by=nadia, at=time.now()
        )
        db.session.commit()
        return str(kept.public_id)


def _tickets(app: Any, cast: personas.Cast) -> Sequence[str]:
    """Three of Acme's tickets: waiting for its requester, resolved, and handed over; and many of no interest."""
    now = time.now()
    subjects = (
        "Cash desk 2 prints nothing",
        "Mailbox of the accounts department is full",
        "VPN drops every hour",
    )
    opened = [now - timedelta(hours=30), now - timedelta(hours=6), now - timedelta(minutes=50)]
    codes = [
        tickets.opened(
            app, cast, at=at, subject=subject, body="It began this morning.\nNobody can work on it."
        )
        for subject, at in zip(subjects, opened, strict=True)
    ]
    _attach(app, cast, codes[0])
    with personas.within(app, cast, "Tina") as tina:
        waiting, resolved, passed_on = (queries.find_ticket(code, by=tina) for code in codes)
        for ticket, at in zip((waiting, resolved, passed_on), opened, strict=True):
            services.take_ticket(ticket, by=tina, at=at + timedelta(minutes=9))
            services.add_message(ticket, body="I am looking at it.", by=tina, at=at + timedelta(minutes=10))
        note = "The tray may be empty again."
        services.add_message(waiting, body=note, kind="internal", by=tina, at=now - timedelta(hours=29))
        services.change_state(
            waiting, to="waiting", reason="requester", by=tina, at=now - timedelta(hours=28)
        )
        services.resolve_ticket(resolved, solution="The old mails are archived.", by=tina, at=now)
        services.hand_over(passed_on, _briefing(), to_tier="L2", by=tina, at=now - timedelta(minutes=20))
        nadia, today = personas.actor(app, cast, "Nadia"), now.date()
        worked = times.Worked(35, today, "Looked at the spooler")
        times.record_time(waiting, worked, today=today, by=nadia, at=now)
        db.session.commit()
    return codes


def _tiers(app: Any, cast: personas.Cast, codes: Sequence[str]) -> dict[str, str]:
    """A remote session and a visit of the first ticket, a vendor asked about it: by the names of their parameters."""
    now = time.now()
    with personas.within(app, cast, "Nadia") as nadia:
        ticket = queries.find_ticket(codes[0], by=nadia)
        session = remote.begin_session(
            ticket, remote.Consent("Bob", "phone"), by=nadia, at=now - timedelta(minutes=9)
        )
        tomorrow = now + timedelta(days=1)
        going = visits.Plan(
            tomorrow, tomorrow + timedelta(hours=2), nadia.id, ticket.site_id, "Jl. Sudirman 1"
        )
        visit = visits.plan_visit(ticket, going, by=nadia, at=now)
        entry = directory.VendorEntry(name="Printco", email="help@printco.test", promised_minutes=480)
        vendor = directory.add_vendor(entry, by=nadia, at=now)
        other = queries.find_ticket(codes[1], by=nadia)
        services.reopen_ticket(other, because="It is full again.", by=nadia, at=now)
        asked = services.VendorAsk(
            vendor="Printco", reference="PC-7", subject="Full", body="It is full again."
        )
        services.wait_for_vendor(other, asked, by=nadia, at=now - timedelta(minutes=5))
        case = list_cases(other)[0]
        services.answer_vendor(other, case, answer="Archive more.", by=nadia, at=now)
        services.resolve_ticket(other, solution="More is archived.", by=nadia, at=now)
        db.session.commit()
        return {
            "visit": str(visit.public_id),
            "session": str(session.public_id),
            "vendor": str(vendor.public_id),
            "case": str(case.public_id),
        }


def _briefing() -> services.Briefing:
    return services.Briefing(
        symptoms="The tunnel drops and comes back within a minute",
        tried="Another network: the same",
        evidence="",
        suspected_cause="The key exchange",
        told_requester="A specialist looks at it today",
    )


def _attach(app: Any, cast: personas.Cast, code: str) -> None:
    with personas.within(app, cast, "Bob") as bob:
        store = Store(app.extensions["settings"].files_dir, FILE_LIMIT)
        at = time.now() - timedelta(hours=29, minutes=30)
        upload = Upload("receipt.txt", BytesIO(b"an empty receipt\n"))
        file = keep_file(store, upload, tenant_id=cast.tenants["acme"], by=bob, at=at)
        ticket = queries.find_ticket(code, by=bob)
        services.add_message(ticket, body="Here is one.", by=bob, at=at, files=[file])
        db.session.commit()


def last_months_statement(app: Any, cast: personas.Cast) -> str:
    """Acme's last month, closed: one ticket answered and solved in time, one late; with a credit to decide."""
    with personas.within(app, cast, "Mia") as mia:
        contract = db.session.scalars(
            select(Contract).where(Contract.tenant_id == cast.tenants["acme"])
        ).one()
        contract.monthly_fee = 12_000_000
        db.session.commit()
        first = last_month(time.now(), contract.time_zone)
        latest = list_versions(contract)[0]
        begins = datetime.combine(first, datetime.min.time(), UTC)
        promised = {
            "table": [{"clock": "resolution", "below_percent": 95, "credit_percent": 10}],
            "cap_percent": 20,
        }
        add_version(
            contract,
            in_force_on=max(first, latest.in_force_on + timedelta(days=1)),
            terms=latest.terms | {"credits": promised, "included_hours": 2, "patch_promise_days": 14},
            by=mia,
            at=begins,
        )
        tina = personas.actor(app, cast, "Tina")
        for day, hours in ((2, 3), (3, 240)):
            at = begins + timedelta(days=day, hours=2)
            ticket = tickets.open_in_scope(cast, tina, at=at, subject=f"Till {day} does not start")
            services.add_message(ticket, body="On my way.", by=tina, at=at + timedelta(minutes=12))
            services.resolve_ticket(ticket, solution="A new disk.", by=tina, at=at + timedelta(hours=hours))
            worked = times.Worked(90, first + timedelta(days=day), "Changed the disk")
            times.record_time(ticket, worked, today=time.now().date(), by=tina, at=time.now())
        record_maintenance(
            cast.tenants["acme"],
            Work(
                "New switches in the office",
                time.now() + timedelta(days=2),
                time.now() + timedelta(days=2, hours=3),
            ),
            by=mia,
            at=time.now(),
        )
        evidence = gather_evidence(contract, first)
        statement = close_month(contract, first, evidence=evidence, by=mia, at=time.now())
        db.session.commit()
        return str(statement.public_id)


def _trial(app: Any, cast: personas.Cast) -> str:
    """Half of the promised times, tried out on Acme's last month."""
    with personas.within(app, cast, "Mia") as mia:
        acme, now = cast.tenants["acme"], time.now()
        terms = default_terms("Asia/Jakarta")
        for level in terms["service_levels"].values():
            level["resolution_minutes"] //= 2
        month = last_month(now, "Asia/Jakarta")
        trial = ask_for_trial(acme, terms, month, month, tickets=2, by=mia, at=now)
        db.session.commit()
        return str(trial.public_id)


def last_month(now: datetime, zone: str) -> date:
    """The first day of the month before, in a zone."""
    return (now.astimezone(ZoneInfo(zone)).date().replace(day=1) - timedelta(days=1)).replace(day=1)


def _channels(app: Any, cast: personas.Cast) -> dict[str, str]:
    """Somebody who waits on the website, Alice's own chat, a call in progress and a text of an unknown number."""
    now, acme = time.now(), cast.tenants["acme"]
    with personas.within(app, cast, "Mia") as mia:
        door = doors.set_door(acme, is_open=True, origins="https://www.acme.test", by=mia, at=now)
        visitor = chats.Start(channel="website", name="Wati Handayani", email="wati@example.test")
        alice = chats.Start(
            channel="chat", name="Alice", email="alice@example.test", user_id=cast.users["Alice"]
        )
        waiting = chats.begin_chat(
            acme, visitor, "Is the shop in Bandung open on Sunday?", at=now - timedelta(minutes=4)
        )
        own = chats.begin_chat(acme, alice, "Our scanners don't connect.", at=now - timedelta(minutes=9))
        nadia = personas.actor(app, cast, "Nadia")
        chats.answer(own, "Since when, and all of them?", by=nadia, at=now - timedelta(minutes=8))
        db.session.commit()
    with personas.within(app, cast, "Nadia") as nadia:
        call = calls.begin_call(cast.tenants["provider"], by=nadia, at=now - timedelta(minutes=2))
        heard = calls.Heard(number="0812 3456 7890", caller_name="Bob", wrong="The cash desk prints nothing")
        calls.write_down(call, heard, region="ID")
        db.session.commit()
    arrived = arriving.Arrived(sid="SM1", channel="sms", number="+6281999999999", body="Is anybody there?")
    arriving.receive_text(cast.tenants["provider"], arrived, at=now)
    return {
        "chat": str(waiting.public_id),
        "own_chat": str(own.public_id),
        "call": str(call.public_id),
        "door": door.public_key,
    }


def _upkeep(app: Any, cast: personas.Cast) -> dict[str, str]:
    """A window and freezes, upkeep that has become a ticket, and a policy: by the names of their path parameters."""
    now, acme = time.now(), cast.tenants["acme"]
    month_ago = now - timedelta(days=31)
    night = Recurring("FREQ=WEEKLY;BYDAY=SA,SU", month_ago.date(), hour(22), 240, "Asia/Jakarta")
    frozen = {"begins_at": now + timedelta(days=5), "ends_at": now + timedelta(days=8)}
    with personas.within(app, cast, "Mia") as mia:
        window = windows.add_window(
            tenant_id=acme,
            name="Weekend nights",
            rule=night.rule,
            first_on=night.first_on,
            starts_at=night.starts_at,
            minutes=night.minutes,
            time_zone=night.time_zone,
            by=mia,
            at=month_ago,
        )
        freeze = windows.add_freeze(tenant_id=acme, name="Closing of the books", by=mia, at=now, **frozen)
        everywhere = windows.add_provider_freeze(name="Public holidays", by=mia, at=now, **frozen)
        said = upkeep.Plan(
            title="Clean the cash desks",
            rule=replace(night, rule="FREQ=MONTHLY;BYDAY=2TU"),
            checklist=["Take the covers off", "Clean the fans", "Write down the counters"],
            lead_days=7,
        )
        plan = upkeep.add_plan(acme, said, by=mia, at=month_ago)
        policy = policies.add_policy(
            policies.Policy(name="Second Tuesday", tenant_ids=[acme], rule=said.rule), by=mia, at=month_ago
        )
        db.session.commit()
        return {
            "plan": str(plan.public_id),
            "policy": str(policy.public_id),
            "window": str(window.public_id),
            "freeze": str(freeze.public_id),
            "provider_freeze": str(everywhere.public_id),
        }


def _knowledge(app: Any, cast: personas.Cast, code: str) -> dict[str, str]:
    """A public article of two versions, a known error, and a runbook under way on a ticket."""
    now, nadia = time.now(), personas.actor(app, cast, "Nadia")
    said = {
        "title": "The printer prints nothing",
        "body": "## First\n\nSwitch it **off**, wait, switch it on.",
    }
    with personas.within(app, cast, "Nadia"):
        texts = {"en": said, "id": {"title": "Printer tidak mencetak", "body": "Matikan, tunggu, nyalakan."}}
        first = articles.Draft(texts=texts, audience="public")
        article = articles.add_article(first, by=nadia, at=now - timedelta(days=3))
        later = articles.Draft(
            texts={**texts, "en": {**said, "body": f"{said['body']}\n\nThen ask us."}}, audience="public"
        )
        articles.change_article(article, later, by=nadia, at=now)
        steps = [Step("Buat akun", "Make the account"), Step("", "Resolve the ticket", "state:resolved")]
        book = articles.Draft(kind="runbook", texts={"en": {"title": "New employee"}}, steps=steps)
        runbook = articles.add_article(book, by=nadia, at=now)
        for one in (article, runbook):
            articles.publish_article(one, by=nadia, at=now)
        ticket = queries.find_ticket(code, by=nadia)
        run = start_runbook(ticket, runbook, language="en", by=nadia, at=now)
        tick_step(run, ticket, 1, note="By the rule", by=nadia, at=now)
        db.session.commit()
        return {"article": article.slug, "run": str(run.public_id)}


def _campaigns(app: Any, cast: personas.Cast) -> tuple[fleet.Rollout, fleet.Rollout, fleet.Rollout]:
    """One that stopped at a failing wave, a draft of Nadia's, and one of Leo's that waits for approval."""
    names = {"provider": ["nms-pc-1"], "acme": ["acme-pc-1", "acme-pc-2"], "globex": ["globex-pc-1"]}
    agents = [
        agent for slug, each in names.items() for agent in fleet.enrol(app, cast.tenants[slug], slug, each)
    ]
    rollout = fleet.start(fleet.draft(app, cast))
    for agent in agents:
        agent.fails = agent.slug == "globex"
    for _round in range(2):
        for agent in agents:
            agent.tell_facts(os="Debian GNU/Linux 12", kernel="6.1.0", hostname=agent.name)
            agent.cycle()
        rollout.tick()
        rollout.tick(at=time.now() + timedelta(seconds=30))
    draft = fleet.draft(app, cast, author="Nadia", version="2026.12")
    submitted = fleet.draft(app, cast, version="2027.1")
    submitted.act("Leo", campaigns.submit_campaign, at=time.now())
    return rollout, draft, submitted
