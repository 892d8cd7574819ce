"""The pages about what stands around a ticket, as staff use them."""

import re

import pytest
from sqlalchemy import select

from tenants.assets.models import Asset
from tenants.foundation import time
from tenants.foundation.db import db
from tenants.people.models import Membership
from tenants.tickets import categories, checklists, linking, queries, replies, services, watching
from tenants.tickets.models import Ticket
from tests import personas
from tests.counting import counted
from tests.tickets import opened

PATH = "/desk/tickets"


@pytest.fixture
def code(app, cast):
    return opened(app, cast)


@pytest.fixture
def other(app, cast):
    return opened(app, cast, subject="The same again")


@pytest.fixture
def foreign(app, cast):
    return opened(app, cast, slug="globex")


@pytest.fixture
def kept(app, cast, within):
    """A category, a checklist and a reply."""
    with within("Mia") as mia:
        acting = {"by": mia, "at": time.now()}
        top = categories.add_category(name_en="Hardware", name_id="Perangkat keras", parent=None, **acting)
        made = {
            "category": categories.add_category(name_en="Printer", name_id="Pencetak", parent=top, **acting),
            "checklist": checklists.save_template(None, name="New laptop", lines=["Label it"], **acting),
            "reply": replies.save_reply(
                None, name="Hello", language="en", body="Dear $requester, about $code: ${subject}.", **acting
            ),
            "top": top,
        }
        db.session.commit()
        return {name: str(row.public_id) for name, row in made.items()}


@pytest.fixture
def tina(sign_in):
    return sign_in("Tina")


def rev(page):
    return re.search(r'name="rev"[^>]*value="(\d+)"', page.text)[1]


def read(within, code, *columns):
    with within("Leo"):
        return db.session.execute(
            select(*[getattr(Ticket, one) for one in columns]).where(Ticket.code == code)
        ).one()


def test_details_are_chosen_together(tina, within, code, kept):
    with within("Tina"):
        assets = [str(one.public_id) for one in db.session.scalars(select(Asset).limit(2))]
    page = f"{PATH}/{code}/details"
    form = {"category": kept["category"], "asset": assets[0], "further": assets[1:], "site": ""}
    answer = tina.post(page, data={**form, "rev": rev(tina.get(page))})
    assert answer.status_code == 302
    story = tina.get(f"{PATH}/{code}").text
    assert "Hardware / Printer" in story
    assert "said what it concerns" in story
    stale = tina.post(page, data={**form, "category": kept["top"], "rev": "1"})
    assert stale.status_code == 409


def test_an_older_page_of_details_overwrites_no_asset(tina, within, code, kept):
    """The category is as it was: the page is out of date all the same."""
    with within("Tina"):
        assets = [str(one.public_id) for one in db.session.scalars(select(Asset).limit(2))]
    page = f"{PATH}/{code}/details"
    older = rev(tina.get(page))
    first = {"category": "", "asset": assets[0], "site": "", "rev": older}
    assert tina.post(page, data=first).status_code == 302
    placed = read(within, code, "asset_id", "rev")
    assert tina.post(page, data={**first, "asset": ""}).status_code == 409
    assert tina.post(page, data={**first, "asset": "", "category": kept["top"]}).status_code == 409
    assert read(within, code, "asset_id", "rev") == placed


def test_watchers_are_added_confirmed_and_removed(tina, within, app, cast, code):
    page = f"{PATH}/{code}/watchers"
    assert "Nobody watches" in tina.get(page).text
    assert tina.post(page, data={"person": "", "email": ""}).status_code == 422
    assert tina.post(page, data={"person": "", "email": "nobody"}).status_code == 422
    tina.post(page, data={"person": "", "email": "Boss@Example.test"})
    assert "boss@example.test" in tina.get(page).text
    with within("Tina") as by:
        ticket = queries.find_ticket(code, by=by)
        watching.watch_by_mail(ticket, "new@example.test", by=by, at=time.now(), is_confirmed=False)
        db.session.commit()
        one = str(watching.list_watchers(ticket)[-1].public_id)
    assert "gets nothing" in tina.get(page).text
    tina.post(f"{page}/{one}/confirm")
    assert "gets nothing" not in tina.get(page).text
    tina.post(f"{page}/{one}/remove")
    assert tina.post(f"{page}/{one}/remove").status_code == 404


def test_links_are_made_and_taken_away(tina, within, code, other, foreign):
    page = f"{PATH}/{code}/links"
    for wrong in (foreign, "ACME-2222-2222", "x", code):
        assert tina.post(page, data={"kind": "related", "other": wrong}).status_code == 422
    tina.post(page, data={"kind": "duplicate", "other": other.lower()})
    assert "is a duplicate of" in tina.get(page).text
    assert "has the duplicate" in tina.get(f"{PATH}/{other}").text
    with within("Tina") as by:
        link = linking.list_relations(queries.find_ticket(code, by=by))[0].public_id
    tina.post(f"{PATH}/{other}/links/{link}/remove")
    assert "No links yet" in tina.get(page).text


def test_a_foreign_code_and_an_unknown_one_are_refused_alike(tina, code, foreign):
    page = f"{PATH}/{code}/links"
    told = []
    for typed in (foreign, "GLBX-2222-2222"):
        answer = tina.post(page, data={"kind": "related", "other": typed})
        told.append(answer.text.replace(typed, "CODE"))
    without = [re.sub(r'name="csrf_token"[^>]*>', "", one) for one in told]
    assert without[0] == without[1]


def test_a_resolved_problem_offers_its_incidents_and_resolves_none_by_itself(
    app, cast, sign_in, within, code, other
):
    problem = opened(app, cast, kind="problem", subject="The core switch")
    leo = sign_in("Leo")
    for one in (code, other):
        leo.post(f"{PATH}/{one}/links", data={"kind": "problem", "other": problem})
    leo.post(f"{PATH}/{problem}/take", data={"rev": rev(leo.get(f"{PATH}/{problem}"))})
    leo.post(f"{PATH}/{code}/take", data={"rev": rev(leo.get(f"{PATH}/{code}"))})
    page = f"{PATH}/{problem}/resolve"
    answer = leo.post(page, data={"solution": "New switch.", "rev": rev(leo.get(page))})
    assert answer.location.endswith(f"{PATH}/{problem}/incidents")
    assert read(within, code, "state") == ("in_progress",)
    offered = leo.get(answer.location).text
    assert code in offered
    assert other in offered
    done = leo.post(answer.location, data={"codes": [code, other], "solution": "It works again."})
    # The second one is new: nobody worked on it, so it cannot be resolved.
    assert "1 done, 1 left as they were" in done.text
    assert read(within, code, "state") == ("resolved",)
    assert read(within, other, "state") == ("new",)
    assert leo.post(answer.location, data={"codes": [], "solution": "x"}).status_code == 422


def test_merging_looks_ahead_and_then_carries_on_in_the_target(tina, sign_in, within, code, other, foreign):
    page = f"{PATH}/{other}/merge"
    assert "There is no ticket with this code" in tina.get(page, query_string={"target": foreign}).text
    ahead = tina.get(page, query_string={"target": code})
    assert "1 message appears there" in ahead.text
    assert read(within, other, "state") == ("new",)
    answer = tina.post(page, data={"target": code, "rev": rev(ahead)})
    assert answer.location.endswith(f"{PATH}/{code}")
    story = tina.get(f"{PATH}/{code}").text
    assert f"on {other}" in story
    assert f"merged {other} into it" in story
    assert f"→ {code}" in tina.get(f"{PATH}/{other}").text
    said = tina.post(f"{PATH}/{other}/messages", data={"body": "From the old page", "kind": "public"})
    assert said.location.endswith(f"{PATH}/{code}")
    assert "From the old page" in tina.get(f"{PATH}/{code}").text
    bob = sign_in("Bob")
    bob.post(f"/portal/tickets/{other}/messages", data={"body": "From its requester", "kind": "public"})
    assert "From its requester" in tina.get(f"{PATH}/{code}").text
    again = tina.post(page, data={"target": code, "rev": ""})
    assert again.status_code == 409


def test_files_of_a_merged_ticket_are_handed_out_in_the_target(app, cast, tina, code, other):
    from io import BytesIO

    tina.post(
        f"{PATH}/{other}/messages",
        data={"body": "See", "kind": "internal", "files": (BytesIO(b"evidence"), "log.txt")},
    )
    page = f"{PATH}/{other}/merge"
    tina.post(page, data={"target": code, "rev": rev(tina.get(page, query_string={"target": code}))})
    (address,) = re.findall(rf'href="({PATH}/{code}/files/[^"]+)"', tina.get(f"{PATH}/{code}").text)
    with tina.get(address) as answer:
        assert answer.data == b"evidence"
    alice = personas.sign_in(app, cast, "Alice")
    assert alice.get(address.replace("/desk", "/portal")).status_code == 404


def test_a_checklist_warns_and_does_not_bar(tina, within, code, kept):
    page = f"{PATH}/{code}/checklist"
    assert tina.post(page, data={"what": "", "template": ""}).status_code == 422
    tina.post(page, data={"what": "Order toner", "template": kept["checklist"]})
    with within("Tina") as by:
        first, _second = checklists.list_items(queries.find_ticket(code, by=by))
    tina.post(f"{page}/{first.public_id}/tick")
    tina.post(f"{PATH}/{code}/take", data={"rev": rev(tina.get(f"{PATH}/{code}"))})
    resolve = tina.get(f"{PATH}/{code}/resolve")
    assert "The checklist is not finished" in resolve.text
    assert "Order toner" in resolve.text
    tina.post(f"{PATH}/{code}/resolve", data={"solution": "", "rev": rev(resolve)})
    assert read(within, code, "state") == ("resolved",)


def test_a_canned_reply_comes_into_the_composer_without_script(tina, code, kept):
    filling = f"{PATH}/{code}/messages/fill"
    assert f'formaction="{filling}#composer"' in tina.get(f"{PATH}/{code}").text
    page = tina.post(filling, data={"reply": kept["reply"], "body": "", "kind": "public"})
    assert page.status_code == 200
    assert f">Dear Bob, about {code}: Printer on fire.</textarea>" in page.text
    assert tina.post(filling, data={"reply": "nothing"}).status_code == 404


def test_a_canned_reply_comes_after_what_was_typed(tina, within, code, kept):
    typed = {
        "reply": kept["reply"],
        "body": "I looked at it.\n",
        "kind": "internal",
        "spoke_with_caller": "y",
    }
    page = tina.post(f"{PATH}/{code}/messages/fill", data=typed).text
    assert f">I looked at it.\n\nDear Bob, about {code}: Printer on fire.</textarea>" in page
    assert 'value="internal" checked' in page
    assert re.search(r"<input[^>]*checked[^>]*spoke_with_caller", page)
    assert "I looked at it" not in tina.get(f"{PATH}/{code}").text


def test_staff_say_what_a_ticket_is(tina, sign_in, within, code, other):
    form = tina.get(f"{PATH}/{code}/details")
    data = {"kind": "problem", "rev": rev(form)}
    assert tina.post(f"{PATH}/{code}/details", data=data).status_code == 302
    assert read(within, code, "kind") == ("problem",)
    assert "changed what it is: Problem, not Incident." in tina.get(f"{PATH}/{code}").text
    assert "changed what it is" not in sign_in("Bob").get(f"/portal/tickets/{code}").text
    stale = tina.post(f"{PATH}/{code}/details", data={"kind": "request", "rev": rev(form)})
    assert stale.status_code == 409
    tina.post(f"{PATH}/{other}/links", data={"kind": "problem", "other": code})
    data = {"kind": "request", "rev": rev(tina.get(f"{PATH}/{code}/details"))}
    refused = tina.post(f"{PATH}/{code}/details", data=data)
    assert refused.status_code == 422 and "Take those links away first" in refused.text
    assert read(within, code, "kind") == ("problem",)


def test_a_change_stays_a_change(app, cast, tina, within):
    change = opened(app, cast, kind="change", subject="Replace the switch")
    form = tina.get(f"{PATH}/{change}/details")
    assert 'name="kind"' not in form.text
    assert tina.post(f"{PATH}/{change}/details", data={"rev": rev(form)}).status_code == 302
    assert read(within, change, "kind") == ("change",)


def test_waiting_for_a_change_names_its_code(app, cast, sign_in, within, code, other):
    change = opened(app, cast, kind="change", subject="Replace the switch")
    leo = sign_in("Leo")
    leo.post(f"{PATH}/{code}/take", data={"rev": rev(leo.get(f"{PATH}/{code}"))})
    page = f"{PATH}/{code}/wait"
    form = {"reason": "change", "rev": rev(leo.get(page))}
    assert leo.post(page, data={**form, "change": other}).status_code == 422
    assert read(within, code, "state") == ("in_progress",)
    leo.post(page, data={**form, "change": change})
    assert read(within, code, "state", "waiting_reason") == ("waiting", "change")
    assert f"{PATH}/{change}" in leo.get(f"{PATH}/{code}").text


def test_what_is_closed_for_good_is_followed_up(app, cast, sign_in, within, code, kept):
    page = f"{PATH}/{code}/follow-up"
    tina = sign_in("Tina")
    assert tina.post(page, data={"body": "Again"}).status_code == 409
    with within("Leo") as leo:
        ticket = queries.find_ticket(code, by=leo)
        services.categorise(ticket, categories.find_category(kept["category"]), by=leo, at=time.now())
        services.take_ticket(ticket, by=leo, at=time.now())
        services.resolve_ticket(ticket, solution="", by=leo, at=time.now())
        services.close_ticket(ticket, by=leo, at=time.now())
        ticket.reopen_until = None
        db.session.commit()
    answer = tina.post(page, data={"body": "Again"})
    second = answer.location.rpartition("/")[2]
    assert "Follows up" in tina.get(answer.location).text
    assert "Hardware / Printer" in tina.get(answer.location).text
    assert second in tina.get(f"{PATH}/{code}").text
    bob = sign_in("Bob")
    assert "closed for good" in bob.get(f"/portal/tickets/{code}").text
    third = bob.post(f"/portal/tickets/{code}/follow-up", data={"body": "And again"})
    assert code in bob.get(third.location).text


def test_the_phone_form_takes_every_kind_and_a_category(sign_in, within, kept):
    form = {
        "caller_name": "Wulan", "caller_email": "", "requester": "", "subject": "Toner", "body": "Empty",
        "kind": "problem", "impact": "low", "urgency": "low", "asset": "", "category": kept["category"],
    }  # fmt: skip
    answer = sign_in("Tina").post("/desk/tickets/new/acme", data=form)
    code = answer.location.rpartition("/")[2]
    assert read(within, code, "kind", "source") == ("problem", "phone")
    assert read(within, code, "category_id") != (None,)


def surround(app, cast, within, code, each):
    """Put so many of each thing around a ticket."""
    others = [opened(app, cast, subject=f"Number {number}") for number in range(2 * each)]
    with within("Leo") as by:
        ticket = queries.find_ticket(code, by=by)
        for one in others[:each]:
            services.link_tickets(
                ticket, queries.find_ticket(one, by=by), kind="related", by=by, at=time.now()
            )
            watching.watch_by_mail(ticket, f"{one.lower()}@example.test", by=by, at=time.now())
        for one in others[each:]:
            services.merge_tickets(queries.find_ticket(one, by=by), ticket, by=by, at=time.now())
        checklists.add_items(ticket, [f"Item {number}" for number in range(each)], by=by, at=time.now())
        db.session.commit()


def test_a_ticket_takes_as_many_statements_however_much_stands_around_it(app, cast, sign_in, within, code):
    leo, counts = sign_in("Leo"), []
    for each in (1, 4):
        surround(app, cast, within, code, each)
        leo.get(f"{PATH}/{code}")
        with counted(app) as seen:
            leo.get(f"{PATH}/{code}")
        counts.append(seen())
    assert counts[0] == counts[1] <= 14


def test_clients_of_another_company_cannot_act(sign_in, code):
    mallory = sign_in("Mallory")
    for act in ("watch", "unwatch", "follow-up"):
        assert mallory.post(f"/portal/tickets/{code}/{act}").status_code == 404
    for act in ("details", "watchers", "links", "merge", "checklist", "incidents", "follow-up"):
        assert mallory.get(f"{PATH}/{code}/{act}").status_code == 403


def test_a_client_watches_and_stops(app, cast, sign_in, within):
    code = opened(app, cast, who="Bob")
    alice, bob = sign_in("Alice"), sign_in("Bob")
    page = f"/portal/tickets/{code}"
    assert "Watch this ticket" in alice.get(page).text
    assert "Watch this ticket" not in bob.get(page).text
    alice.post(f"{page}/watch")
    assert "Stop watching" in alice.get(page).text
    alice.post(f"{page}/unwatch")
    with within("Leo") as leo:
        assert watching.list_watchers(queries.find_ticket(code, by=leo)) == []


def test_a_watching_colleague_reads_the_ticket_in_the_portal_but_no_notes(app, cast, sign_in, within):
    code = opened(app, cast, who="Alice")
    bob = sign_in("Bob")
    assert bob.get(f"/portal/tickets/{code}").status_code == 404
    with within("Tina") as tina:
        ticket = queries.find_ticket(code, by=tina)
        person = db.session.scalars(select(Membership).where(Membership.name == "Bob")).one()
        watching.watch_as(ticket, person, by=tina, at=time.now())
        services.add_message(ticket, body="A secret note", kind="internal", by=tina, at=time.now())
        db.session.commit()
    page = bob.get(f"/portal/tickets/{code}")
    assert page.status_code == 200
    assert "A secret note" not in page.text
    assert code in bob.get("/portal/tickets").text


def test_clients_choose_from_the_top_level_in_their_language(sign_in, kept):
    page = sign_in("Bob").get("/portal/tickets/new").text
    assert kept["top"] in page
    assert kept["category"] not in page


def test_the_api_tells_category_links_and_merges(app, cast, tina, token, within, code, other, kept):
    tina.post(f"{PATH}/{code}/links", data={"kind": "related", "other": other})
    page = f"{PATH}/{other}/merge"
    tina.post(page, data={"target": code, "rev": rev(tina.get(page, query_string={"target": code}))})
    with within("Tina") as by:
        ticket = queries.find_ticket(code, by=by)
        services.categorise(ticket, categories.find_category(kept["category"]), by=by, at=time.now())
        watching.watch_by_mail(ticket, "w@example.test", by=by, at=time.now())
        db.session.commit()

    def ask(name, one):
        headers = {"Authorization": f"Bearer {token(name)}"}
        return app.test_client().get(f"/api/v1/tickets/{one}", headers=headers).json

    mine = ask("Tina", code)
    assert (mine["category"], mine["watchers"], mine["merged_into"]) == ("Hardware / Printer", 1, None)
    assert mine["links"] == [{"kind": "related", "ticket": other, "is_first": True}]
    assert ask("Tina", other)["merged_into"] == code
    assert ask("Alice", code)["links"] == []
