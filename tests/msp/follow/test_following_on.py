"""A link after its ticket was merged, and after it was closed for good: who may read what, and how it goes on."""

import re
from datetime import timedelta
from io import BytesIO

import pytest
from sqlalchemy import select

from msp.background.runner import run_all_due
from msp.mail.followers import token_of
from msp.mail.models import OutgoingMail
from tenants.foundation import time
from tenants.foundation.db import db
from tenants.tickets import queries, services, watching
from tenants.tickets.models import Message, Ticket
from tests import tickets


@pytest.fixture
def asked(cast, within):
    """A ticket of somebody without an account: its code and the token of its link."""

    def ask(name, subject, **given):
        with within("Leo") as leo:
            requester = services.Requester(name, given.pop("email", f"{name.lower()}@example.test"))
            ticket = tickets.open_in_scope(
                cast,
                leo,
                at=time.now(),
                requester=requester,
                subject=subject,
                body=f"{subject} kata {name}",
                **given,
            )
            services.add_message(ticket, body=f"Rahasia {subject}", kind="internal", by=leo, at=time.now())
            db.session.commit()
            return ticket.code, token_of(ticket)

    return ask


@pytest.fixture
def act(within):
    """Let Leo do something with a ticket."""

    def do(code, verb, **given):
        with within("Leo") as leo:
            found = verb(queries.find_ticket(code, by=leo), by=leo, at=time.now(), **given)
            db.session.commit()
            return found

    return do


@pytest.fixture
def merge(within):
    def do(source, target):
        with within("Leo") as leo:
            source, target = (queries.find_ticket(code, by=leo) for code in (source, target))
            services.merge_tickets(source, target, by=leo, at=time.now())
            db.session.commit()

    return do


def finish(within, code, days):
    """Close it; it can be reopened for so many days."""
    with within("Leo") as leo:
        ticket = queries.find_ticket(code, by=leo)
        services.change_state(ticket, to="in_progress", by=leo, at=time.now())
        services.resolve_ticket(ticket, solution="Selesai.", by=leo, at=time.now())
        services.close_ticket(ticket, by=leo, at=time.now())
        ticket.reopen_until = time.now() + timedelta(days=days)
        db.session.commit()


def rows(within, model):
    with within("Leo"):
        return db.session.scalars(select(model).order_by(model.id)).all()


def unwatch_all(ticket, *, by, at):
    for one in watching.list_watchers(ticket):
        watching.unwatch(ticket, one, by=by, at=at)


class TestMerged:
    @pytest.fixture
    def merged(self, asked, merge):
        """Gita's ticket became a part of Budi's, and so did Citra's."""
        gita, budi, citra = asked("Gita", "Scanner"), asked("Budi", "Gedung"), asked("Citra", "Gaji")
        merge(gita[0], budi[0])
        merge(citra[0], budi[0])
        return gita, budi, citra

    def test_the_link_shows_where_it_goes_on_to_one_who_watches_it(self, client, merged, act):
        (own, token), (current, _token), _citra = merged
        act(current, services.add_message, body="Kami ganti semua.")
        page = client.get(f"/follow/{token}").text
        assert current in page
        assert f"Your ticket {own} goes on here" in page
        assert "Kami ganti semua." in page
        assert "Scanner kata Gita" in page, "one's own words stay"
        assert "Rahasia" not in page

    def test_of_a_third_one_s_ticket_it_shows_nothing(self, client, asked, merge):
        gita, budi, citra = asked("Gita", "Scanner"), asked("Budi", "Gedung"), asked("Citra", "Gaji")
        sent = client.post(
            f"/follow/{citra[1]}/messages",
            data={"body": "Lihat", "files": (BytesIO(b"rahasia gaji"), "gaji.txt")},
        )
        assert sent.status_code == 302
        link = re.search(r"/files/([0-9a-f-]{36})", client.get(f"/follow/{citra[1]}").text)[1]
        merge(gita[0], budi[0])
        merge(citra[0], budi[0])
        page = client.get(f"/follow/{gita[1]}").text
        assert "Gaji kata Citra" not in page
        assert "gaji.txt" not in page
        assert citra[0] not in page
        assert gita[0] in page
        for who, code in ((gita, 404), (citra, 200)):
            with client.get(f"/follow/{who[1]}/files/{link}") as answer:
                assert answer.status_code == code

    def test_who_watches_answers_and_decides_nothing(self, client, merged, act, within):
        (_own, token), (current, _token), _citra = merged
        assert client.post(f"/follow/{token}/messages", data={"body": "Masih."}).status_code == 302
        said = rows(within, Message)[-1]
        assert (said.body, said.author_name, said.via) == ("Masih.", "Gita", "link")
        act(current, services.change_state, to="in_progress")
        act(current, services.resolve_ticket, solution="Selesai.")
        page = client.get(f"/follow/{token}").text
        assert "Does it work now?" not in page
        assert "satisfied" not in page
        assert client.post(f"/follow/{token}/confirm", data={"rev": "9"}).status_code == 403
        assert client.post(f"/follow/{token}/reopen", data={"because": "x", "rev": "9"}).status_code == 403
        assert client.post(f"/follow/{token}/rating", data={"score": "bad"}).status_code == 403

    def test_who_does_not_watch_reads_the_own_ticket_only_and_is_still_heard(
        self, client, merged, act, within
    ):
        (own, token), (current, _token), _citra = merged
        act(current, unwatch_all)
        act(current, services.add_message, body="Kami ganti semua.")
        page = client.get(f"/follow/{token}").text
        assert own in page
        assert "Gedung" not in page
        assert "Kami ganti semua." not in page
        assert "not yours to read" in page
        sent = client.post(f"/follow/{token}/messages", data={"body": "Dan saya?"}, follow_redirects=True)
        assert "Your words have reached" in sent.text
        said = rows(within, Message)[-1]
        with within("Leo") as leo:
            assert said.ticket_id == queries.find_ticket(current, by=leo).id

    def test_an_unconfirmed_watcher_reads_nothing(self, client, merged, act):
        (_own, token), (current, _token), _citra = merged
        act(current, unwatch_all)
        act(current, watching.watch_by_mail, email="gita@example.test", is_confirmed=False)
        assert "Gedung" not in client.get(f"/follow/{token}").text

    def test_the_same_requester_decides_there_too(self, client, asked, merge, act):
        (own, token), (current, _token) = asked("Gita", "Scanner"), asked("Gita", "Gedung")
        merge(own, current)
        act(current, services.change_state, to="in_progress")
        act(current, services.resolve_ticket, solution="Selesai.")
        page = client.get(f"/follow/{token}").text
        rev = re.search(r'name="rev"[^>]*value="(\d+)"', page)[1]
        assert client.post(f"/follow/{token}/confirm", data={"rev": rev}).status_code == 302

    def test_two_without_an_address_are_not_one(self, client, asked, merge):
        one, other = (asked("Wati", subject, email=None) for subject in ("Scanner", "Gedung"))
        merge(one[0], other[0])
        page = client.get(f"/follow/{one[1]}").text
        assert "Scanner" in page
        assert "Gedung" not in page

    def test_by_a_link_the_address_of_an_account_watches_and_decides_nothing(
        self, app, cast, client, asked, merge
    ):
        own, token = asked("Bob", "Scanner")
        current = tickets.opened(app, cast, subject="Gedung", at=time.now())
        merge(own, current)
        page = client.get(f"/follow/{token}").text
        assert "Gedung" in page
        assert "Does it work now?" not in page


class TestFollowUp:
    def test_what_is_closed_for_good_is_carried_on_without_an_account(self, app, client, asked, within):
        code, token = asked("Gita", "Scanner")
        place = f"/follow/{token}/follow-up"
        assert client.get(place).status_code == 409
        finish(within, code, days=3)
        assert "follow-up" not in client.get(f"/follow/{token}").text
        assert client.post(place, data={"body": "Macet lagi"}).status_code == 409
        with within("Leo") as leo:
            queries.find_ticket(code, by=leo).reopen_until = time.now() - timedelta(days=1)
            db.session.commit()
        assert place in client.get(f"/follow/{token}").text
        assert client.post(place, data={"body": ""}).status_code == 422
        key = re.search(r'request_key"[^>]*value="([^"]+)', client.get(place).text)[1]
        form = {"body": "Macet lagi", "request_key": key}
        sent = client.post(place, data=form)
        assert sent.status_code == 302
        first, second = rows(within, Ticket)
        assert (second.follows_id, second.requester_email) == (first.id, "gita@example.test")
        assert client.post(place, data=form).status_code == 302
        assert len(rows(within, Ticket)) == 2, "the same form again is the same ticket"
        page = client.get(sent.location).text
        assert second.code in page
        assert "Macet lagi" in page
        with app.app_context():
            run_all_due()
        told = [one for one in rows(within, OutgoingMail) if second.code in one.subject]
        assert [one.to_address for one in told] == ["gita@example.test"]

    def test_one_who_may_not_read_where_it_went_carries_on_the_own_one(
        self, client, asked, merge, act, within
    ):
        (own, token), (current, _token) = asked("Gita", "Scanner"), asked("Budi", "Gedung")
        merge(own, current)
        act(current, unwatch_all)
        finish(within, current, days=-1)
        sent = client.post(f"/follow/{token}/follow-up", data={"body": "Macet lagi"})
        assert sent.status_code == 302
        tickets_ = rows(within, Ticket)
        assert tickets_[-1].follows_id == tickets_[0].id
        assert "Gedung" not in tickets_[-1].subject
        assert "Gedung" not in client.get(sent.location).text

    def test_a_few_an_hour_are_enough(self, client, asked, within):
        code, token = asked("Gita", "Scanner")
        finish(within, code, days=-1)
        place = f"/follow/{token}/follow-up"
        codes = [client.post(place, data={"body": f"Lagi {number}"}).status_code for number in range(6)]
        assert codes == [302] * 5 + [429]


@pytest.mark.parametrize("page", ["/sign-in", "/help/articles"])
def test_the_way_to_follow_a_ticket_is_shown_to_those_who_are_not_signed_in(client, page):
    found = client.get(page).text
    assert 'href="/follow/"' in found
    assert "Follow a ticket by its code" in found
