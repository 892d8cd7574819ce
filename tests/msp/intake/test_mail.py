"""A mail comes in: it becomes a ticket, a reply, or lies where a person finds it."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from msp.background.runner import run_all_due
from msp.intake.addresses import reply_address_for_case
from msp.intake.mail import mailboxes
from msp.mail.models import OutgoingMail
from tenants.files.models import StoredFile
from tenants.foundation import time
from tenants.foundation.db import db
from tenants.foundation.scope import enter, of_tenant
from tenants.tenancy.queries import find_tenant
from tenants.tickets import services
from tenants.tickets.models import Ticket
from tests import mails, tickets


def tickets_of(app, cast, slug):
    with app.app_context(), enter(of_tenant(cast.tenants[slug])):
        return list(db.session.scalars(select(Ticket).order_by(Ticket.id)))


def sent_mail(app, cast, slug="acme"):
    with app.app_context(), enter(of_tenant(cast.tenants[slug])):
        return list(db.session.scalars(select(OutgoingMail).order_by(OutgoingMail.id)))


def test_a_member_s_mail_is_a_ticket_of_the_own_company(app, cast, box, said):
    (row,) = mails.bring(app, cast, box, mails.write())
    assert (row.state, row.outcome, row.for_tenant_id) == ("done", "ticket", cast.tenants["acme"])
    ticket = tickets_of(app, cast, "acme")[-1]
    assert (ticket.source, ticket.subject, ticket.requester_user_id) == (
        "mail",
        "Printer on fire",
        cast.users["Bob"],
    )
    assert said()[-1] == ("It burns.", "mail", "public", "requester", row.ticket_code)


def test_the_same_bytes_again_are_the_same_mail(app, cast, box, said):
    first, second = mails.bring(app, cast, box, mails.write(), mails.write())
    assert first.id == second.id
    assert [one[1] for one in said()].count("mail") == 1


def test_a_reply_to_the_signed_address_is_a_message(app, cast, box, bobs_ticket, said, address_for):
    raw = mails.write(to=address_for(bobs_ticket), subject="whatever", text="Still burning.", dmarc=None)
    (row,) = mails.bring(app, cast, box, raw)
    assert (row.outcome, row.ticket_code) == ("reply", bobs_ticket.code)
    assert said()[-1] == ("Still burning.", "mail", "public", "requester", bobs_ticket.code)


def test_unknown_senders_go_to_the_mailbox_s_client_or_into_quarantine(app, cast, box):
    with app.app_context():
        for_acme = mails.add_mailbox(cast, default="acme", address="acme@portal.test")
    stranger = mails.write("eve@elsewhere.test")
    (row,) = mails.bring(app, cast, box, stranger)
    assert (row.state, row.reason, row.for_tenant_id) == ("quarantined", "unknown_sender", None)
    (row,) = mails.bring(app, cast, for_acme, stranger)
    assert (row.outcome, row.for_tenant_id) == ("ticket", cast.tenants["acme"])
    assert tickets_of(app, cast, "acme")[-1].requester_email == "eve@elsewhere.test"


def test_a_client_s_domain_brings_its_people_home(app, cast, box, within):
    with within("globex"):
        mailboxes.add_domain(find_tenant("globex"), "globex.test", by=mails.OWNER, at=time.now())
        db.session.commit()
    (row,) = mails.bring(app, cast, box, mails.write("new@globex.test"))
    assert (row.outcome, row.for_tenant_id) == ("ticket", cast.tenants["globex"])


def test_headers_count_only_for_the_verified_recipient_of_our_mail(app, cast, box, bobs_ticket):
    with app.app_context():
        run_all_due()
    ours = next(one for one in sent_mail(app, cast) if one.to_address == "bob@example.test")
    answer = {"In_Reply_To": ours.message_id}
    (row,) = mails.bring(app, cast, box, mails.write(subject="Re", text="Yes.", **answer))
    assert (row.outcome, row.ticket_code) == ("reply", bobs_ticket.code)
    for spoof in (
        mails.write(subject="Re", text="No.", dmarc=None, **answer),
        mails.write("alice@example.test", subject="Re", text="No.", **answer),
        mails.write("mallory@example.test", subject="Re", text="No.", **answer),
    ):
        (row,) = mails.bring(app, cast, box, spoof)
        assert row.ticket_code != bobs_ticket.code


def test_a_code_in_the_subject_counts_for_a_verified_participant(app, cast, box, bobs_ticket):
    subject = f"About {bobs_ticket.code.lower()}"
    (row,) = mails.bring(app, cast, box, mails.write(subject=subject))
    assert (row.outcome, row.ticket_code) == ("reply", bobs_ticket.code)
    (row,) = mails.bring(app, cast, box, mails.write(subject=subject, dmarc=None))
    assert row.outcome == "ticket"
    (row,) = mails.bring(app, cast, box, mails.write("mallory@example.test", subject=subject))
    assert (row.outcome, row.for_tenant_id) == ("ticket", cast.tenants["globex"])


def test_staff_reply_by_mail_only_when_our_edge_vouches(
    app, cast, box, bobs_ticket, said, change, address_for
):
    change(bobs_ticket, services.take_ticket, by=tickets.tina(cast), at=tickets.MONDAY)
    where = address_for(bobs_ticket, "tina@example.test")
    unproven, proven = (
        mails.write("tina@example.test", to=where, text=f"Done ({one}).", dmarc=one) for one in (None, "pass")
    )
    (row,) = mails.bring(app, cast, box, unproven)
    assert (row.state, row.reason) == ("quarantined", "staff_unverified")
    # Only those who serve the client see it, not everybody who sorts mail.
    assert row.for_tenant_id == cast.tenants["acme"]
    (row,) = mails.bring(app, cast, box, proven)
    assert row.outcome == "reply"
    assert said()[-1] == ("Done (pass).", "mail", "public", "staff", bobs_ticket.code)


def test_a_forged_sender_is_refused_whatever_else_it_knows(app, cast, box, bobs_ticket, address_for):
    (row,) = mails.bring(app, cast, box, mails.write(to=address_for(bobs_ticket), dmarc="fail"))
    assert (row.state, row.reason) == ("quarantined", "forged")


def test_a_reply_to_a_closed_ticket_takes_it_up_again_or_follows_it_up(
    app, cast, box, bobs_ticket, said, change, address_for
):
    at = time.now()

    def close(ticket, until):
        by = tickets.tina(cast)
        if ticket.state == "in_progress":
            services.resolve_ticket(ticket, solution="Put out.", by=by, at=at)
        services.close_ticket(ticket, by=mails.OWNER, at=at)
        ticket.reopen_until = until

    change(bobs_ticket, services.take_ticket, by=tickets.tina(cast), at=at)
    change(bobs_ticket, services.change_state, to="in_progress", by=tickets.tina(cast), at=at)
    change(bobs_ticket, close, until=at + timedelta(days=1))
    raw = mails.write(to=address_for(bobs_ticket), text="It burns again.")
    (row,) = mails.bring(app, cast, box, raw)
    assert row.outcome == "reply"
    assert (
        next(one for one in tickets_of(app, cast, "acme") if one.id == bobs_ticket.id).state == "in_progress"
    )
    change(bobs_ticket, close, until=at - timedelta(days=1))
    (row,) = mails.bring(app, cast, box, mails.write(to=address_for(bobs_ticket), text="And again."))
    assert row.outcome == "follow_up"
    assert said()[-1] == ("And again.", "mail", "public", "requester", row.ticket_code)
    follow_up = tickets_of(app, cast, "acme")[-1]
    first = next(one for one in tickets_of(app, cast, "acme") if one.id == bobs_ticket.id)
    assert (follow_up.code, follow_up.follows_id) == (row.ticket_code, first.id)
    assert follow_up.requester_user_id == cast.users["Bob"]
    assert follow_up.subject == f"{first.subject} ({first.code})"


def test_a_vendor_s_answer_is_an_internal_note_and_ends_the_wait(app, cast, box, bobs_ticket, said, change):
    def ask(ticket, **_more):
        services.change_state(ticket, to="in_progress", by=tickets.leo(cast), at=tickets.MONDAY)
        vendor = services.VendorAsk(vendor="Printers Ltd", reference="P-1")
        services.wait_for_vendor(ticket, vendor, by=tickets.leo(cast), at=tickets.MONDAY)
        from tenants.tickets.vendors import pending_case

        return reply_address_for_case(pending_case(ticket))

    where = change(bobs_ticket, ask)
    raw = mails.write("support@printers.test", to=where, text="Change the fuser.")
    (row,) = mails.bring(app, cast, box, raw)
    assert (row.outcome, row.ticket_code) == ("vendor", bobs_ticket.code)
    note = next(one for one in said() if "Change the fuser." in one[0])
    assert note[0].startswith("support@printers.test "), "no brackets around an address without a name"
    assert note[1:4] == ("mail", "internal", "auto")
    assert (
        next(one for one in tickets_of(app, cast, "acme") if one.id == bobs_ticket.id).state == "in_progress"
    )
    (row,) = mails.bring(app, cast, box, mails.write("x@y.test", to=where.replace("case+", "reply+")))
    assert (row.state, row.reason) == ("quarantined", "token")


BOUNCE = """From: MAILER-DAEMON@mx.portal.test
To: portal@portal.test
Subject: Undelivered Mail Returned to Sender
Return-Path: <>
Auto-Submitted: auto-replied
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary="b"

--b
Content-Type: text/plain

It could not be delivered.

--b
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.portal.test

Final-Recipient: rfc822; bob@example.test
Action: failed
Status: 5.1.1
Diagnostic-Code: smtp; 550 no such user

--b
Content-Type: text/rfc822-headers

Message-ID: {message_id}
References: {thread}

--b--
"""


def test_a_bounce_hangs_on_the_mail_and_the_ticket_it_is_about(app, cast, box, bobs_ticket, said):
    with app.app_context():
        run_all_due()
    ours = next(one for one in sent_mail(app, cast) if one.to_address == "bob@example.test")
    before = len(tickets_of(app, cast, "acme"))
    raw = BOUNCE.format(message_id=ours.message_id, thread="")
    (row,) = mails.bring(app, cast, box, raw.encode())
    assert (row.state, row.outcome, row.ticket_code) == ("done", "bounce", bobs_ticket.code)
    ours = next(one for one in sent_mail(app, cast) if one.id == ours.id)
    assert ours.bounced_at is not None
    assert "550 no such user" in ours.bounce
    assert "550 no such user" in said()[-1][0]
    assert said()[-1][2] == "internal"
    (row,) = mails.bring(app, cast, box, BOUNCE.format(message_id="<a@b>", thread="").encode())
    assert (row.state, row.reason) == ("dropped", "unknown_bounce")
    assert len(tickets_of(app, cast, "acme")) == before


@pytest.mark.parametrize(
    "headers",
    [
        {"Auto_Submitted": "auto-replied"},
        {"Return_Path": "<>"},
        {"Precedence": "auto_reply"},
        {"X_Autoreply": "yes"},
    ],
)
def test_answers_of_programs_are_dropped_also_at_a_signed_address(
    app, cast, box, bobs_ticket, headers, address_for
):
    (row,) = mails.bring(app, cast, box, mails.write(to=address_for(bobs_ticket), **headers))
    assert (row.state, row.reason) == ("dropped", "automatic")
    (row,) = mails.bring(app, cast, box, mails.write(**headers))
    assert (row.state, row.reason) == ("dropped", "automatic")


@pytest.mark.parametrize(
    "headers",
    [
        {"Auto_Submitted": "auto-generated"},
        {"List_Id": "<all.example.test>"},
        {"Precedence": "bulk"},
        {"X_Auto_Response_Suppress": "All"},
    ],
)
def test_what_programs_and_lists_send_is_a_ticket_that_nobody_acknowledges(app, cast, box, headers):
    (row,) = mails.bring(app, cast, box, mails.write(**headers))
    assert row.outcome == "ticket"
    with app.app_context():
        run_all_due()
    assert not [one for one in sent_mail(app, cast) if row.ticket_code in one.subject]


def test_what_we_sent_ourselves_is_dropped(app, cast, box):
    rows = mails.bring(
        app,
        cast,
        box,
        mails.write("portal@portal.test"),
        mails.write("help@portal.test"),
        mails.write(Message_ID="<1@portal.test>"),
    )
    assert [(one.state, one.reason) for one in rows] == [("dropped", "own")] * 3


def test_a_stranger_hears_little_and_seldom(app, cast):
    with app.app_context():
        box = mails.add_mailbox(cast, default="acme", address="acme@portal.test")
    for number in range(3):
        raw = mails.write("eve@elsewhere.test", subject=f"Buy pills {number}", text="spam", dmarc=None)
        mails.bring(app, cast, box, raw)
    with app.app_context():
        run_all_due()
    (only,) = [one for one in sent_mail(app, cast) if one.to_address == "eve@elsewhere.test"]
    assert only.template == "ticket_received"
    assert "pills" not in only.subject + only.text + only.html
    assert "spam" not in only.text + only.html


def test_a_flood_is_put_off_and_not_lost(app, cast, box):
    at = time.now()
    raws = [mails.write(text=f"Number {one}") for one in range(55)]
    rows = mails.bring(app, cast, box, *raws, at=at)
    assert [one.state for one in rows].count("received") == 5
    rows = mails.bring(app, cast, box, *raws, at=at + timedelta(minutes=2))
    assert {one.state for one in rows} == {"done"}


def test_files_are_kept_and_dangerous_ones_are_locked_away(app, cast, box):
    png = b"\x89PNG\r\n\x1a\n" + b"\x00" * 50
    raw = mails.write(files=[("../photo.png", png), ("invoice.pdf.exe", b"MZ..."), ("x.png", b"<script>")])
    (row,) = mails.bring(app, cast, box, raw)
    assert row.outcome == "ticket"
    with app.app_context(), enter(of_tenant(cast.tenants["acme"])):
        files = db.session.scalars(select(StoredFile).order_by(StoredFile.id.desc()).limit(3)).all()
    assert {(one.name, one.state) for one in files} == {
        ("photo.png", "stored"),
        ("invoice.pdf.exe", "quarantined"),
        ("x.png", "quarantined"),
    }


@pytest.mark.parametrize(
    ("raw", "detail"),
    [
        (b"From: a@b.test\nContent-Type: multipart/mixed; boundary=x\n\n" + b"--x\n\nhi\n" * 10_000, "parts"),
        (b"From: bob@example.test\n\n" + b"x" * 50_000_000, "larger"),
    ],
)
def test_monsters_are_kept_in_quarantine(app, cast, box, raw, detail):
    (row,) = mails.bring(app, cast, box, raw)
    assert (row.state, row.reason, row.size) == ("quarantined", "unreadable", len(raw))
    assert detail in row.detail


def test_unknown_character_sets_and_broken_headers_are_read_as_well_as_can_be(app, cast, box, said):
    raw = (
        b"From: =?x-none?q?B=F6b?= <bob@example.test>\nSubject: =?utf-8?q?caf=C3?= \xff\n"
        b'Content-Type: text/plain; charset="x-klingon"\nContent-Transfer-Encoding: base64\n\nSXQgYnVybnM\n'
    )
    (row,) = mails.bring(app, cast, box, raw)
    assert row.outcome == "ticket"
    assert "It burns" in said()[-1][0]


def test_a_pipe_brings_a_mail(app, cast, box):
    run = app.test_cli_runner()
    known = run.invoke(args=["mail", "receive", "--mailbox", "help@portal.test"], input=mails.write())
    assert (known.exit_code, known.output.strip()) == (0, "kept")
    unknown = run.invoke(args=["mail", "receive", "--mailbox", "x@portal.test"], input=mails.write())
    assert unknown.exit_code == 1


def test_what_is_sent_about_a_ticket_is_answered_to_its_signed_address(app, cast, bobs_ticket, address_for):
    from msp.mail.jobs import compose
    from msp.mail.replies import reply_address_of_mail

    with app.app_context():
        run_all_due()
    ours = next(one for one in sent_mail(app, cast) if one.to_address == "bob@example.test")
    with app.app_context(), enter(of_tenant(cast.tenants["acme"])):
        sent = compose(ours, None, reply_address_of_mail(ours))
    assert sent["Reply-To"] == address_for(bobs_ticket)
