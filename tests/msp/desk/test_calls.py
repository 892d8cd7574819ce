"""Calls: a form that is there before the caller is known, and a call that ends once."""

import threading
from datetime import timedelta

import pytest
from sqlalchemy import func, select, update

from msp.intake.calls import queries, services
from msp.intake.calls.models import Call
from tenants.foundation import time
from tenants.foundation.db import db
from tenants.foundation.scope import Role, Scope, enter
from tenants.people.models import Membership
from tenants.tenancy.models import Tenant
from tenants.tickets import queries as tickets
from tenants.tickets.codes import ALPHABET, new_code
from tenants.tickets.models import Message, Ticket
from tenants.tickets.services import merge_tickets
from tests import personas
from tests.tickets import open_in_scope, opened

NUMBER = "0812-3456-7890"
PHONE = "+6281234567890"


@pytest.fixture
def call(sign_in):
    """The address of a call that Tina took."""
    return sign_in("Tina").get("/desk/calls/new").location


@pytest.fixture
def bobs_number(within):
    with within("acme"):
        db.session.execute(update(Membership).where(Membership.name == "Bob").values(phone=PHONE))
        db.session.commit()


@pytest.fixture
def bob(within):
    with within("acme"):
        return str(db.session.scalar(select(Membership.public_id).where(Membership.name == "Bob")))


def row(within, who="provider"):
    with within(who):
        return db.session.scalars(select(Call)).one_or_none()


def heard(**changes):
    return {"number": NUMBER, "caller_name": "Somebody", "company": "", "wrong": "It is broken"} | changes


class TestBeginning:
    def test_it_begins_before_anything_is_known_and_lies_with_the_provider(self, sign_in, call, within):
        assert row(within).state == "open"
        assert sign_in("Tina").get(call).status_code == 200

    def test_an_untouched_call_is_used_again(self, sign_in, call):
        assert sign_in("Tina").get("/desk/calls/new").location == call

    def test_it_survives_a_reload_and_a_second_call(self, sign_in, call):
        tina = sign_in("Tina")
        tina.post(f"{call}/look-up", data=heard(company="Acme"))
        page = tina.get(call).text
        for words in (NUMBER, "Somebody", "It is broken"):
            assert words in page
        assert tina.get("/desk/calls/new").location != call
        assert "Somebody" in tina.get("/desk/calls").text

    def test_another_s_call_that_nobody_placed_is_not_shown(self, sign_in, call):
        leos = sign_in("Leo").get("/desk/calls/new").location
        sign_in("Leo").post(f"{leos}/look-up", data=heard(caller_name="Secret"))
        unknown = call.rsplit("/", 1)[0] + "/00000000-0000-0000-0000-000000000000"
        tina = sign_in("Tina")
        assert tina.get(leos).status_code == tina.get(unknown).status_code == 404
        assert tina.post(f"{leos}/take-up").status_code == 404
        assert "Secret" not in tina.get("/desk/calls").text
        assert sign_in("Alice").get(call).status_code == 403

    def test_yesterday_s_ended_calls_leave_the_list_and_unfinished_ones_stay(self, sign_in, call, within):
        tina = sign_in("Tina")
        tina.post(f"{call}/look-up", data=heard())
        with within("provider"):
            then = time.now() - timedelta(days=3)
            db.session.execute(update(Call).values(started_at=then))
            db.session.commit()
        assert "Somebody" in tina.get("/desk/calls").text
        tina.post(f"{call}/end", data=heard(reason="Sales"))
        assert "Somebody" not in tina.get("/desk/calls").text


class TestLookUp:
    def found(self, client, call, **changes):
        return client.post(f"{call}/look-up", data=heard(**changes), headers={"HX-Request": "true"})

    def test_a_number_finds_the_person_however_it_is_written(self, sign_in, call, bobs_number):
        for number in (NUMBER, "+62 812 3456 7890", "62-812-34567890".replace("62-", "+62 ")):
            page = self.found(sign_in("Tina"), call, number=number, caller_name="", wrong="").text
            assert "bob@example.test" in page, number
        assert "bob@" not in self.found(sign_in("Tina"), call, number="0812", caller_name="", wrong="").text

    def test_a_name_a_mail_a_machine_a_code_and_a_company(self, app, cast, sign_in, call):
        code = opened(app, cast)
        tina = sign_in("Tina")
        assert "alice@example.test" in self.found(tina, call, caller_name="ali").text
        assert "bob@example.test" in self.found(tina, call, caller_name="bob@example").text
        assert "acme-pc-1" in self.found(tina, call, wrong="acme-pc-1 is dead").text
        page = self.found(tina, call, wrong=f"about {code.lower()}").text
        assert "Printer on fire" in page
        assert 'value="acme"' in self.found(tina, call, company="acme").text

    def test_open_tickets_and_last_calls_are_beside_the_person(
        self, app, cast, sign_in, call, bobs_number, bob
    ):
        code = opened(app, cast)
        tina = sign_in("Tina")
        tina.post(f"{call}/place", data=heard(whose=f"acme/{bob}"))
        tina.post(f"{call}/end", data=heard(reason="Rang off"))
        second = tina.get("/desk/calls/new").location
        page = self.found(tina, second, caller_name="").text
        assert code in page
        assert "Last calls from this number" in page

    def test_nothing_of_clients_that_one_is_not_granted(self, app, cast, sign_in, call):
        code = opened(app, cast, slug="globex")
        asked = {"caller_name": "mallory", "company": "Globex", "wrong": f"{code} globex-pc-1"}
        page = self.found(sign_in("Tina"), call, **asked).text
        assert "mallory@" not in page
        assert "Printer on fire" not in page
        assert 'value="globex' not in page
        leos = sign_in("Leo").get("/desk/calls/new").location
        assert "mallory@" in self.found(sign_in("Leo"), leos, caller_name="mallory").text

    @pytest.mark.parametrize(
        ("changed", "field"),
        [
            ({"number": "1" * 41}, "number"),
            ({"caller_name": "a\x00b"}, "caller_name"),
            ({"company": "x" * 100_000}, "company"),
            ({"wrong": "x" * 100_000}, "wrong"),
            ({"wrong": "a\x00b"}, "wrong"),
        ],
    )
    def test_bad_input_is_named_and_the_rest_kept_on_the_page(self, sign_in, call, changed, field, within):
        answer = sign_in("Tina").post(f"{call}/look-up", data=heard(**changed))
        assert answer.status_code == 422
        assert f'href="#{field}"' in answer.text
        assert row(within).wrong == ""

    def test_it_says_when_nobody_fits(self, sign_in, call):
        tina, nobody = sign_in("Tina"), "Nobody whom we know fits"
        assert nobody not in tina.get(call).text
        assert nobody in self.found(tina, call, caller_name="Gita").text
        assert nobody not in self.found(tina, call, caller_name="bob").text

    def test_words_are_never_markup(self, sign_in, call):
        page = self.found(sign_in("Tina"), call, caller_name="<b>%_\\</b>", wrong="<script>1</script>")
        assert page.status_code == 200
        assert "<script>1" not in sign_in("Tina").get(call).text


class TestPlacing:
    def test_a_placed_call_goes_to_the_client_under_the_same_address(self, sign_in, call, within, bob):
        tina = sign_in("Tina")
        tina.post(f"{call}/place", data=heard(whose=f"acme/{bob}"))
        assert row(within) is None
        placed = row(within, "acme")
        assert (placed.caller_name, placed.is_placed) == ("Bob", True)
        assert call.endswith(str(placed.public_id))
        assert "Call of Bob" in tina.get(call).text

    def test_a_look_up_that_comes_late_finds_the_placed_call(self, app, sign_in, call, within, bob):
        tina, leo = sign_in("Tina"), sign_in("Tina")
        tina.post(f"{call}/place", data=heard(whose=f"acme/{bob}"))
        late = leo.post(f"{call}/look-up", data=heard(caller_name="bo"), headers={"HX-Request": "true"})
        assert late.status_code == 200
        assert row(within, "acme").caller_name == "Bob"

    def test_two_place_it_at_once(self, within, call, cast, app):
        """Whoever waits for the lock finds the row that the first one wrote anew."""
        with app.app_context(), enter(Scope(Role.STAFF, frozenset(cast.tenants.values()), cast.users["Leo"])):
            leo = personas.actor(app, cast, "Leo")
            found = queries.find_call(call.rsplit("/", 1)[1], by=leo, held=True)
            acme = db.session.get_one(Tenant, cast.tenants["acme"])
            waited = []

            def look():
                with app.app_context(), enter(Scope(Role.STAFF, frozenset(cast.tenants.values()))):
                    waited.append(queries.find_call(call.rsplit("/", 1)[1], by=leo, held=True).tenant_id)

            thread = threading.Thread(target=look)
            thread.start()
            services.place_call(found, acme, None, by=leo, at=time.now())
            db.session.commit()
        thread.join()
        assert waited == [cast.tenants["acme"]]

    @pytest.mark.parametrize("whose", ["globex", "provider", "never-was", "acme/not-a-person"])
    def test_what_one_is_not_granted_is_not_there(self, sign_in, call, within, whose):
        assert sign_in("Tina").post(f"{call}/place", data=heard(whose=whose)).status_code == 404
        assert row(within) is not None

    def test_a_person_of_another_client_is_not_taken(self, sign_in, within, cast):
        leo = sign_in("Leo")
        call = leo.get("/desk/calls/new").location
        with within("globex"):
            mallory = db.session.scalar(select(Membership.public_id).where(Membership.name == "Mallory"))
        assert leo.post(f"{call}/place", data=heard(whose=f"acme/{mallory}")).status_code == 404

    def test_an_unknown_caller_needs_a_client_for_a_ticket(self, sign_in, call, within):
        tina = sign_in("Tina")
        refused = tina.post(f"{call}/ticket", data=heard(subject="No light"))
        assert refused.status_code == 422
        assert "Choose the company first" in refused.text
        tina.post(f"{call}/place", data=heard(whose="*", whose_company="acme"))
        made = tina.post(f"{call}/ticket", data=heard(subject="No light"))
        assert "/desk/tickets/ACME-" in made.location

    def test_a_colleague_goes_on_with_it(self, sign_in, call, within):
        sign_in("Tina").post(f"{call}/place", data=heard(whose="acme"))
        leo = sign_in("Leo")
        assert "Go on with this call" in leo.get(call).text
        leo.post(f"{call}/take-up")
        assert row(within, "acme").taken_by_name == "Leo"


class TestEnding:
    def test_a_double_click_opens_one_ticket(self, sign_in, call, within, bob):
        tina = sign_in("Tina")
        tina.post(f"{call}/place", data=heard(whose=f"acme/{bob}"))
        answers = [tina.post(f"{call}/ticket", data=heard(subject="No light")) for _ in range(2)]
        assert answers[0].location == answers[1].location
        with within("Leo"):
            ticket = db.session.scalars(select(Ticket).where(Ticket.source == "phone")).one()
            assert (ticket.subject, ticket.requester_name) == ("No light", "Bob")
            first = db.session.scalar(
                select(func.count()).where(Message.ticket_id == ticket.id, Message.spoke_with_caller)
            )
        assert first == 1
        assert row(within, "acme").ticket_id == ticket.id

    def test_a_ticket_needs_a_subject_and_words(self, sign_in, call):
        tina = sign_in("Tina")
        tina.post(f"{call}/place", data=heard(whose="acme"))
        assert 'href="#subject"' in tina.post(f"{call}/ticket", data=heard(subject="")).text
        assert 'href="#wrong"' in tina.post(f"{call}/ticket", data=heard(subject="x", wrong="")).text

    def test_a_caller_without_an_account_leaves_an_address(self, sign_in, call, within):
        tina = sign_in("Tina")
        tina.post(f"{call}/place", data=heard(whose="acme"))
        said = heard(subject="No light")
        refused = tina.post(f"{call}/ticket", data=said | {"email": "gita at example"})
        assert refused.status_code == 422
        assert 'href="#email"' in refused.text
        assert tina.post(f"{call}/look-up", data=said | {"email": "gita@"}).status_code == 302
        tina.post(f"{call}/ticket", data=said | {"email": " Gita@Example.test "})
        with within("Leo"):
            ticket = db.session.scalars(select(Ticket).where(Ticket.source == "phone")).one()
            assert (ticket.requester_name, ticket.requester_email) == ("Somebody", "gita@example.test")
            assert ticket.requester_user_id is None

    def test_whoever_has_an_account_is_not_asked_for_an_address(self, sign_in, call, within, bob):
        tina, asked = sign_in("Tina"), "E-mail address of the caller"
        tina.post(f"{call}/place", data=heard(whose="acme"))
        assert asked in tina.get(call).text
        tina.post(f"{call}/place", data=heard(whose=f"acme/{bob}"))
        assert asked not in tina.get(call).text
        tina.post(f"{call}/ticket", data=heard(subject="No light", email="other@example.test"))
        with within("Leo"):
            ticket = db.session.scalars(select(Ticket).where(Ticket.source == "phone")).one()
            assert ticket.requester_email == "bob@example.test"

    def test_it_is_added_to_a_ticket_by_its_code_once(self, app, cast, sign_in, call, within):
        code = opened(app, cast)
        tina = sign_in("Tina")
        for _ in range(2):
            answer = tina.post(f"{call}/add", data=heard(code=code.lower()))
            assert answer.location.endswith(code)
        assert tina.get(answer.location).text.count("Somebody: It is broken") == 1
        assert row(within, "acme").state == "ticket"

    @pytest.mark.parametrize("is_placed", [False, True])
    def test_a_typing_error_is_told_as_one_and_a_foreign_code_as_none(
        self, app, cast, sign_in, call, within, is_placed
    ):
        """Tina is granted Acme, Leo Globex as well: the words say nothing of whether a code was ever issued."""
        foreign, never = opened(app, cast, slug="globex"), new_code("GLBX")
        wrong = foreign[:-1] + next(one for one in ALPHABET if one != foreign[-1])
        tina, no_such = sign_in("Tina"), "There is no ticket with this code"
        if is_placed:
            tina.post(f"{call}/place", data=heard(whose="acme"))
            no_such = "This client has no ticket with this code"
        told = {}
        for code in (foreign, never, wrong, "", "junk"):
            answer = tina.post(f"{call}/add", data=heard(code=code))
            assert answer.status_code == 422
            told[code] = [
                words
                for words in ("check your typing", "There is no ticket", no_such)
                if words in answer.text
            ]
        assert told[foreign] == told[never]
        assert no_such in told[foreign]
        assert told[wrong] == told[""] == told["junk"] == ["check your typing"]
        assert row(within, "acme" if is_placed else "provider").state == "open"

    def test_a_placed_call_takes_no_code_of_another_client_that_one_is_granted(
        self, app, cast, sign_in, within
    ):
        leo, code = sign_in("Leo"), opened(app, cast, slug="globex")
        call = leo.get("/desk/calls/new").location
        leo.post(f"{call}/place", data=heard(whose="acme"))
        answer = leo.post(f"{call}/add", data=heard(code=code))
        assert answer.status_code == 422
        assert "This client has no ticket with this code" in answer.text

    def test_by_the_code_of_a_merged_ticket_it_goes_to_the_current_one(
        self, app, cast, sign_in, call, within
    ):
        code, current = opened(app, cast), opened(app, cast, who="Alice")
        with within("Leo") as leo:
            source, target = (tickets.find_ticket(one, by=leo) for one in (code, current))
            merge_tickets(source, target, by=leo, at=time.now())
            db.session.commit()
        assert sign_in("Tina").post(f"{call}/add", data=heard(code=code)).location.endswith(current)

    def test_without_a_ticket_it_needs_a_reason_and_then_it_is_over(self, sign_in, call, within):
        tina = sign_in("Tina")
        assert 'href="#reason"' in tina.post(f"{call}/end", data=heard()).text
        assert tina.post(f"{call}/end", data=heard(reason="Wrong number")).status_code == 302
        assert row(within).reason == "Wrong number"
        assert tina.post(f"{call}/end", data=heard(reason="Again")).status_code == 409
        assert "Wrong number" in tina.get(call).text


class TestNumbers:
    def test_an_administrator_sets_a_colleague_s_number(self, sign_in, bob, within):
        alice, page = sign_in("Alice"), f"/portal/people/{bob}"
        assert alice.post(f"{page}/phone", data={"phone": NUMBER}).status_code == 302
        assert PHONE in alice.get(page).text
        refused = alice.post(f"{page}/phone", data={"phone": "junk"})
        assert refused.status_code == 422
        assert 'href="#phone"' in refused.text
        alice.post(f"{page}/phone", data={"phone": ""})
        with within("acme"):
            assert db.session.scalar(select(Membership.phone).where(Membership.name == "Bob")) is None

    def test_managers_set_it_in_the_console(self, sign_in, bob):
        page = f"/console/tenants/acme/people/{bob}"
        assert sign_in("Mia").post(f"{page}/phone", data={"phone": "+65 6123 4567"}).status_code == 302
        assert "+6561234567" in sign_in("Mia").get(page).text

    @pytest.mark.parametrize("name", ["Bob", "Mallory", "Tina"])
    def test_others_do_not(self, sign_in, bob, name):
        answer = sign_in(name).post(f"/portal/people/{bob}/phone", data={"phone": NUMBER})
        assert answer.status_code in (403, 404)


def test_calls_of_the_own_tenant_open_nothing_else_of_it(cast, sign_in, within, call):
    with within("Leo") as leo:
        code = open_in_scope(cast, leo, slug="provider").code
        db.session.commit()
    answer = sign_in("Tina").post(f"{call}/add", data=heard(code=code))
    assert answer.status_code == 422
    asked = {"data": heard(wrong=code), "headers": {"HX-Request": "true"}}
    assert code not in sign_in("Tina").post(f"{call}/look-up", **asked).text
