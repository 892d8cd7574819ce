"""Mail in quarantine on its pages: read as text, taken up, put on a ticket, dropped; and mailboxes on theirs."""

import pytest
from sqlalchemy import select

from msp.intake.mail.models import Mailbox
from tenants.audit.models import SystemAuditEntry
from tenants.foundation.db import db
from tenants.foundation.scope import enter, of_tenant
from tests import mails
from tests.msp.intake.conftest import address_for, bobs_ticket, box, change, said

__all__ = ["address_for", "bobs_ticket", "box", "change", "said"]
HTML = "<p onclick=x>Hi <script>alert(1)</script><img src=https://t.test/x.png></p>"


@pytest.fixture
def strange(app, cast, box):
    (row,) = mails.bring(
        app,
        cast,
        box,
        mails.write("eve@elsewhere.test", subject="<b>Help</b>", text="Help me.", html=HTML, dmarc=None),
    )
    return row


def test_a_mail_is_shown_as_text_and_becomes_a_ticket(sign_in, strange, said):
    dana = sign_in("Dana")
    listed = dana.get("/desk/quarantine").text
    assert "&lt;b&gt;Help" in listed
    assert "Its sender is not known" in listed
    shown = dana.get(f"/desk/quarantine/{strange.public_id}").text
    assert "Help me." in shown
    assert "t.test" not in shown
    answer = dana.post(f"/desk/quarantine/{strange.public_id}/accept", data={"tenant": "acme"})
    assert answer.status_code == 302
    assert said()[-1][:4] == ("Help me.", "mail", "public", "requester")
    again = dana.post(f"/desk/quarantine/{strange.public_id}/accept", data={"tenant": "acme"})
    assert again.status_code == 409
    ticket = dana.get(answer.location)
    assert "not verified" in ticket.text
    mail = dana.get(f"{answer.location}/mails/{strange.public_id}").text
    assert "Images from elsewhere are not loaded." in mail
    assert "alert(1)" not in mail
    assert "t.test" not in mail
    assert "onclick" not in mail


def test_a_mail_is_put_on_a_ticket_or_the_field_says_what_is_wrong(sign_in, strange, bobs_ticket, said):
    dana = sign_in("Dana")
    where = f"/desk/quarantine/{strange.public_id}/append"
    assert dana.post(where, data={"code": "ACME-2222-2222"}).status_code == 422
    assert dana.post(where, data={"code": bobs_ticket.code}).status_code == 302
    assert said()[-1] == ("Help me.", "mail", "public", "requester", bobs_ticket.code)


def test_a_dropped_mail_can_be_taken_up_later(sign_in, strange):
    dana = sign_in("Dana")
    assert dana.post(f"/desk/quarantine/{strange.public_id}/drop").status_code == 302
    assert str(strange.public_id) not in dana.get("/desk/quarantine").text
    assert str(strange.public_id) in dana.get("/desk/quarantine?state=dropped").text
    answer = dana.post(f"/desk/quarantine/{strange.public_id}/accept", data={"tenant": "globex"})
    assert answer.status_code == 302


def test_only_managers_take_the_raw_mail_home_and_it_is_written_down(app, cast, sign_in, strange, superuser):
    where = f"/desk/quarantine/{strange.public_id}/raw"
    assert sign_in("Dana").get(where).status_code == 403
    answer = sign_in("Mia").get(where)
    assert answer.headers["Content-Disposition"].startswith("attachment")
    assert answer.headers["Content-Security-Policy"] == "sandbox; default-src 'none'"
    assert b"eve@elsewhere.test" in answer.data
    answer.close()
    found = superuser.execute(f"SELECT action FROM {SystemAuditEntry.__tablename__}").fetchall()
    assert ("mail.download",) in found


def test_mail_of_a_client_is_seen_by_those_who_are_granted_it(app, cast, box, sign_in, within):
    (row,) = mails.bring(app, cast, box, mails.write("mallory@example.test"))
    with app.app_context(), enter(of_tenant(cast.tenants["globex"])):
        from msp.intake.mail.models import IncomingMail

        found = db.session.get(IncomingMail, row.id)
        found.state, found.reason = "quarantined", "refused"
        db.session.commit()
    assert str(row.public_id) in sign_in("Dana").get("/desk/quarantine").text
    assert sign_in("Tina").get("/desk/quarantine").status_code == 403


def test_a_mailbox_s_password_is_sealed_and_never_shown(app, cast, sign_in):
    mia = sign_in("Mia")
    filled = {
        "name": "Desk",
        "address": "desk@portal.test",
        "host": "imap.portal.test",
        "port": "993",
        "security": "tls",
        "user_name": "desk",
        "password": "top secret word",
        "tenant": "",
        "language": "en",
    }
    refused = mia.post("/console/mailboxes/new", data={**filled, "password": "", "address": "no"})
    assert refused.status_code == 422
    assert "Type the password" in refused.text
    assert "Write one mail address" in refused.text
    made = mia.post("/console/mailboxes/new", data=filled)
    assert made.status_code == 302
    assert "top secret word" not in mia.get(made.location).text + mia.get(f"{made.location}/edit").text
    with app.app_context(), enter(of_tenant(cast.tenants["provider"])):
        row = db.session.scalars(select(Mailbox)).one()
    assert b"top secret word" not in row.password
    kept = mia.post(f"{made.location}/edit", data={**filled, "password": "", "name": "Desk 2"})
    assert kept.status_code == 302
    moved = mia.post(f"{made.location}/edit", data={**filled, "password": "", "host": "imap.evil.test"})
    assert moved.status_code == 422
    assert mia.post("/console/mailboxes/new", data=filled).status_code == 422
    assert mia.post(f"{made.location}/pause").status_code == 302
    assert "Paused" in mia.get("/console/mailboxes").text
    assert "Authorization: Bearer" in mia.post(f"{made.location}/key").text
    added = mia.post("/console/mailboxes/domains", data={"domain": "acme.test", "tenant": "acme"})
    assert added.status_code == 302
    assert "acme.test" in mia.get("/console/mailboxes").text
