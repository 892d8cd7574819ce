"""What programs report of our mails: only a failed delivery brings one back, at the same cost for all."""

import pytest

from msp.background.runner import run_all_due
from msp.intake.mail import routing
from msp.intake.mail.parsing import read_one
from tests import mails
from tests.counting import counted
from tests.msp.intake.test_mail import BOUNCE, sent_mail

RECEIPT = """From: bob@example.test
To: portal@portal.test
Subject: Read: [{code}]
MIME-Version: 1.0
Content-Type: multipart/report; report-type=disposition-notification; boundary="b"

--b
Content-Type: text/plain

Your mail was opened.

--b
Content-Type: message/disposition-notification

Final-Recipient: rfc822; bob@example.test
Original-Message-ID: {message_id}
Disposition: manual-action/MDN-sent-manually; displayed

--b
Content-Type: text/rfc822-headers

Message-ID: {message_id}

--b--
"""
COMPLAINT = RECEIPT.replace("disposition-notification", "feedback-report").replace(
    "Disposition: manual-action/MDN-sent-manually; displayed", "Feedback-Type: abuse"
)
FAILED = "Action: failed\nStatus: 5.1.1\nDiagnostic-Code: smtp; 550 no such user"


@pytest.fixture
def ours(app, cast, bobs_ticket):
    """A mail of ours to Bob."""
    with app.app_context():
        run_all_due()
    return next(one for one in sent_mail(app, cast) if one.to_address == "bob@example.test")


@pytest.fixture
def bounced(app, cast, ours):
    """Whether it counts as returned."""
    return lambda: next(one for one in sent_mail(app, cast) if one.id == ours.id).bounced_at is not None


def bounce_of(ours, *, thread="", status=FAILED):
    return BOUNCE.format(message_id=ours.message_id, thread=thread).replace(FAILED, status).encode()


@pytest.mark.parametrize("report", [RECEIPT, COMPLAINT])
def test_a_receipt_and_a_complaint_return_no_mail(app, cast, box, bobs_ticket, ours, bounced, said, report):
    before = said()
    raw = report.format(message_id=ours.message_id, code=bobs_ticket.code)
    (row,) = mails.bring(app, cast, box, raw.encode())
    assert (row.state, row.reason) == ("dropped", "automatic")
    assert not bounced()
    assert said() == before


@pytest.mark.parametrize(
    ("status", "returned"),
    [
        (FAILED, True),
        (f"{FAILED}\n\nFinal-Recipient: rfc822; eve@example.test\nAction: delivered\nStatus: 2.0.0", True),
        ("Action: Failed\nStatus: 5.0.0", True),
        ("Action: delayed\nStatus: 4.0.0", False),
        ("Action: delivered\nStatus: 2.0.0", False),
        ("Action: relayed\nStatus: 2.0.0", False),
        ("Status: 5.0.0", False),
    ],
)
def test_only_a_failed_delivery_returns_a_mail(app, cast, box, ours, bounced, status, returned):
    mails.bring(app, cast, box, bounce_of(ours, status=status))
    assert bounced() == returned


def test_a_report_finds_its_mail_without_a_reference_and_with_a_foreign_one(
    app, cast, box, ours, bobs_ticket
):
    for thread in ("", "<ticket-NONE-2222-2222@portal.test>"):
        (row,) = mails.bring(app, cast, box, bounce_of(ours, thread=thread))
        assert (row.outcome, row.ticket_code) == ("bounce", bobs_ticket.code)


def test_finding_it_costs_the_same_for_however_many_clients(app, cast, box, superuser):
    unknown = read_one(BOUNCE.format(message_id="<nobody@knows.test>", thread="").encode())

    def statements():
        with app.app_context(), counted(app) as count:
            assert routing._bounce(unknown).reason == "unknown_bounce"
            return count()

    few = statements()
    superuser.execute(
        "INSERT INTO tenants SELECT (jsonb_populate_record(t, jsonb_build_object("
        "'id', 9000 + n, 'public_id', gen_random_uuid(), 'slug', 'more-' || n, 'prefix', 'M' || (100 + n),"
        " 'name', 'More ' || n))).* FROM tenants t, generate_series(1, 20) n WHERE t.slug = 'globex'"
    )
    assert statements() == few
