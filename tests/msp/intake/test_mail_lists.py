"""Lists of mails read what they show: no texts, and no more rows than fit."""

import re
from contextlib import contextmanager

import pytest
from sqlalchemy import event

from msp.intake.mail import quarantine
from tenants.foundation.db import db
from tests import mails


@pytest.fixture
def statements(app):
    """The statements on mails that a block sends: what they select, and the rest."""

    @contextmanager
    def listen():
        seen = []

        def note(_connection, _cursor, statement, *_more):
            if re.search(r"FROM incoming_mails\b", statement):
                seen.append(statement.partition("FROM")[::2])

        with app.app_context():
            engine = db.engine
        event.listen(engine, "before_cursor_execute", note)
        try:
            yield seen
        finally:
            event.remove(engine, "before_cursor_execute", note)

    return listen


@pytest.fixture
def three(app, cast, box_of_acme, bobs_ticket, address_for):
    """Three mails on Bob's ticket."""
    to = address_for(bobs_ticket)
    raws = [
        mails.write(to=to, subject=f"Mail {one}", text=f"{one}", html=f"<p>{one}</p>") for one in range(3)
    ]
    return mails.bring(app, cast, box_of_acme, *raws)


def test_a_ticket_s_page_reads_no_mail_s_text(sign_in, bobs_ticket, three, statements):
    leo = sign_in("Leo")
    with statements() as seen:
        page = leo.get(f"/desk/tickets/{bobs_ticket.code}").text
    assert page.index("Mail 0") < page.index("Mail 1") < page.index("Mail 2")
    assert seen
    assert not [what for what, _rest in seen if re.search(r"\.(body|html|inline)\b", what)]
    assert all("LIMIT" in rest for _what, rest in seen)


def test_a_ticket_of_very_many_mails_lists_the_newest(sign_in, bobs_ticket, three, monkeypatch):
    monkeypatch.setattr(quarantine, "MOST_LISTED", 2)
    leo = sign_in("Leo")
    page = leo.get(f"/desk/tickets/{bobs_ticket.code}").text
    assert [f">Mail {one}</a>" in page for one in range(3)] == [False, True, True]
    assert "Only the newest 2 are listed here." in page
    for one in three:
        assert leo.get(f"/desk/tickets/{bobs_ticket.code}/mails/{one.public_id}").status_code == 200


def test_one_mail_is_found_by_its_id_and_on_its_own_ticket_only(
    app, cast, sign_in, box, bobs_ticket, three, statements
):
    from tests.tickets import opened

    leo = sign_in("Leo")
    with statements() as seen:
        assert leo.get(f"/desk/tickets/{bobs_ticket.code}/mails/{three[1].public_id}").status_code == 200
    assert all("public_id =" in rest for _what, rest in seen)
    other = opened(app, cast)
    assert leo.get(f"/desk/tickets/{other}/mails/{three[1].public_id}").status_code == 404
    assert leo.get(f"/desk/tickets/{bobs_ticket.code}/mails/nonsense").status_code == 404


def test_the_quarantine_s_list_reads_no_mail_s_text(app, cast, box, sign_in, statements):
    mails.bring(app, cast, box, mails.write("eve@elsewhere.test", subject="Strange", dmarc=None))
    dana = sign_in("Dana")
    with statements() as seen:
        assert "Strange" in dana.get("/desk/quarantine").text
    assert seen
    assert not [what for what, _rest in seen if re.search(r"\.(body|html|inline)\b", what)]
