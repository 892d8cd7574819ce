"""A call becomes a ticket that goes through three tiers, to a vendor and back; the caller follows it by its code."""

import re
from datetime import datetime
from email.utils import parseaddr
from zoneinfo import ZoneInfo

from msp.intake.mail import mailboxes
from tests import mails, personas
from tests.journeys.outsiders import Outsider

# A Tuesday morning without holidays, in hours of every default contract.
MORNING = datetime(2026, 2, 10, 9, 0, tzinfo=ZoneInfo("Asia/Jakarta"))
SUBJECT = "Weighing scale loses its price list"
WRONG = "The scale at counter 3 forgets all prices whenever it is switched off."
SUSPECTED = "Its settings memory is worn out"
MISSING = "Which model and which firmware? Send what its self-test prints."
SELF_TEST = "Self-test: checksum 0x3f instead of 0x7c, firmware 4.1"
REMOTELY = "Loaded the price list again and switched it off: it is lost."
ANSWER = "A known fault of firmware 4.1. Install 4.2, it is on our site."
SOLUTION = "Firmware 4.2 is installed; it keeps its prices now."
VENDOR = "Timbang Jaya"
GITA = "gita@example.test"
FOR_STAFF = (SUSPECTED, MISSING, SELF_TEST, ANSWER, VENDOR, "L1", "L2", "L3")


def links_in(mail):
    return re.findall(r"http://\S+/follow/\S+", mail.get_body(("plain",)).get_content())


def facts(person):
    """The line beneath a ticket's subject."""
    return person.page.locator(".ticket-line").inner_text()


class Caller:
    """Gita has no account: what she knows is a code, and what comes into her mailbox."""

    def __init__(self, portal, visitor):
        self.portal, self.visitor, self.link = portal, visitor, ""

    def ask_for_the_link(self, code):
        """A typing error is told as one; the right code brings a mail."""
        gita = self.visitor
        gita.go("/follow/")
        wrong = code[:-1] + ("2" if code[-1] != "2" else "3")
        for typed in (wrong, code.lower()):
            gita.fill("Code of the ticket", typed)
            gita.fill("Your e-mail address", GITA)
            gita.press("Send me the link")
            if typed == wrong:
                assert "check your typing" in gita.text
                gita.picture("mistyped")
        assert gita.heading == "Look into your mailbox"
        self.portal.work()
        (self.link,) = links_in(self.portal.mails_to(GITA)[-1])

    def reads(self, *words, picture):
        """What the page behind the link says, and that it says nothing of what staff say among themselves."""
        self.visitor.go(self.link)
        assert SUBJECT in self.visitor.heading
        for word in words:
            assert word in self.visitor.text, (word, self.visitor.text)
        content = self.visitor.page.content()
        assert not [word for word in FOR_STAFF if re.search(rf"\b{re.escape(word)}\b", content)]
        self.visitor.picture(picture)


def take_the_call(tina):
    """Nobody fits; the caller says that she is Acme's."""
    tina.go("/desk/calls/new")
    tina.fill("Telephone number", "0811 2233 445")
    tina.page.get_by_label("Caller's name").press_sequentially("gita")
    tina.fill("Company, as heard", "akme or so")
    tina.fill("What is wrong?", WRONG)
    tina.press("Keep and look up")
    assert "Nobody whom we know fits" in tina.part("Who calls?")
    tina.picture("unknown-caller")
    tina.choose("Client of the unknown caller", "Acme")
    tina.press("An unknown caller of this client")
    assert "Acme" in facts(tina)
    tina.fill("Caller's name", "Gita Larasati")
    tina.fill("Subject", SUBJECT)
    tina.fill("E-mail address of the caller", GITA)
    tina.choose("How urgent is it?", "Work stands still")
    tina.picture("placed-at-acme")
    tina.press("Open the ticket")
    code = tina.path.rsplit("/", 1)[1]
    assert re.fullmatch(r"ACME-\w{4}-\w{4}", code)
    assert f"The call is in ticket {code}" in tina.text
    assert "spoke with the requester on the phone" in tina.text
    tina.picture("ticket-of-the-call")
    return code


def hand_over(person, tier, **said):
    """Fill in the hand-over that the page of the ticket leads to."""
    person.follow("Hand over")
    person.control("To").select_option(value=tier)
    for label, words in {
        "What does the requester see?": WRONG,
        "What was tried, and what came of it?": said["tried"],
        "Evidence: logs, times, pictures": said.get("evidence", ""),
        "Suspected cause": said.get("cause", ""),
        "What was the requester told?": "A specialist looks at it today",
    }.items():
        person.fill(label, words)
    person.picture(f"hand-over-to-{tier}")
    person.press("Hand over")
    assert "It waits there to be accepted" in person.text


def complete_hand_over(tina):
    """What was said is still there; what was missing is named beside it."""
    tina.follow("Hand over")
    assert MISSING in tina.text
    assert tina.control("What does the requester see?").input_value() == WRONG
    tina.fill("Evidence: logs, times, pictures", SELF_TEST)
    tina.fill("Suspected cause", SUSPECTED)
    tina.picture("completes")
    tina.press("Hand over")
    assert "It waits there to be accepted" in tina.text


def return_for_evidence(leo):
    leo.sign_in().go("/desk/?tier=L2")
    leo.follow(SUBJECT)
    leo.picture("lacks-evidence")
    assert "Evidence" not in leo.part("Handed over from L1 to L2, not accepted yet")
    leo.follow("Return")
    leo.fill("What is missing?", MISSING)
    leo.picture("returns")
    leo.press("Return")
    assert "Returned." in leo.text


def work_remotely(leo):
    leo.follow("Work remotely")
    assert "Gita Larasati has no account" in leo.text
    leo.picture("consent")
    leo.press("Begin the session")
    assert "Choose how you heard it" in leo.text
    leo.page.get_by_label("on the phone").check()
    leo.press("Begin the session")
    assert "Gita Larasati, on the phone" in leo.part("Remote sessions")
    leo.picture("session-runs")


def end_session(leo):
    leo.follow("End the session")
    leo.fill("What was done?", REMOTELY)
    leo.picture("ends-session")
    leo.press("End it")
    assert REMOTELY in leo.part("Remote sessions")


def ask_the_vendor(nadia):
    nadia.press("Accept: it is mine")
    nadia.follow("Ask a vendor")
    assert SUSPECTED in nadia.control("What they are asked").input_value()
    nadia.page.get_by_label("Send it by mail now").check()
    nadia.press("Open the case")
    assert "Say which vendor" in nadia.text
    nadia.fill("Vendor", VENDOR)
    nadia.fill("Their e-mail address", "support@timbang.test")
    nadia.page.get_by_label("Send it by mail now").check()
    nadia.picture("asks-the-vendor")
    nadia.press("Open the case")
    assert "Waiting for the vendor" in facts(nadia)
    nadia.picture("waits-for-the-vendor")


def answer_by_mail(portal, bring, asked):
    """The vendor's own people answer from another address to the signed one; a stranger's guess goes nowhere."""
    where = parseaddr(asked["Reply-To"])[1]
    assert where.startswith("case+acme")
    guessed = re.sub(r"\.(\w)(\w{19})@", lambda part: f".{'b' if part[1] == 'a' else 'a'}{part[2]}@", where)
    for address, words in ((guessed, "Pay this invoice."), (where, ANSWER)):
        bring(mails.write("rudi@timbang.test", to=address, subject=f"Re: {asked['Subject']}", text=words))
    portal.work()


def resolve(nadia):
    nadia.follow("Resolve")
    nadia.fill("What was done?", SOLUTION)
    nadia.press("Resolve")
    assert "Resolved" in facts(nadia)
    nadia.picture("resolved")


def rate(portal, gita):
    """By the link of the mail; once."""
    mail = portal.mails_to(GITA)[-1]
    assert SOLUTION in mail.get_body(("plain",)).get_content()
    good = next(link for link in links_in(mail) if link.endswith("score=good"))
    gita.go(good)
    assert gita.page.get_by_label("Yes, well done").is_checked()
    gita.fill("What went well, or what was missing? (if you like)", "I always knew where it was.")
    gita.picture("rates")
    gita.press("Send")
    assert "Thank you for telling us" in gita.text
    gita.go(good)
    assert "You have rated this solution already" in gita.text


def draft_an_article(nadia, code):
    nadia.go(f"/desk/tickets/{code}")
    nadia.page.get_by_role("link", name="Write an article from it").wait_for()
    nadia.follow("Write an article from it")
    drafted = nadia.control("Text (English)").input_value()
    assert WRONG in drafted
    assert SUSPECTED in drafted
    assert SOLUTION in drafted
    assert not [word for word in ("Gita", "Acme", code) if word in drafted]
    nadia.picture("drafts-an-article")
    nadia.press("Save")
    assert "Draft" in facts(nadia)
    assert code in nadia.part("Tickets")
    nadia.picture("article-drafted")


def gateway(portal, visitor):
    """A mailbox, and the hand by which a gateway brings mail to it over HTTP."""
    with portal.app.app_context(), portal.clock():
        box = mails.add_mailbox(personas.load())
        url, key = f"{portal.url}/intake/mail/{box.public_id}", mailboxes.key_of(box)

    def bring(raw):
        headers = {"Authorization": f"Bearer {key}", "Content-Type": "message/rfc822"}
        assert visitor.context.request.post(url, data=raw, headers=headers).status == 202

    return bring


def test_a_call_goes_through_all_tiers_and_the_caller_follows_it_by_its_code(portal, visit):
    portal.set_clock(MORNING)
    tina, leo, nadia = visit("Tina").sign_in(), visit("Leo"), visit("Nadia")
    caller = Caller(portal, visit("Gita"))
    mallory = Outsider(
        visit("Mallory").sign_in(), (tina, leo, nadia), words=(SUBJECT, "Gita Larasati", "price list")
    )
    bring = gateway(portal, visit("Gateway"))

    code = take_the_call(tina)
    portal.work()
    (told,) = portal.mails_to(GITA)
    assert code in told["Subject"]
    caller.ask_for_the_link(code)
    caller.reads("It waits for the next person to take it", WRONG, picture="nobody-has-it")
    mallory.finds_nothing(code)

    portal.later(minutes=8)
    tina.press("Take it")
    caller.reads("Tina", picture="tina-has-it")
    hand_over(tina, "L2", tried="Switched off and on: no change")
    mallory.finds_nothing(code)

    portal.later(minutes=6)
    return_for_evidence(leo)
    mallory.words.append(MISSING)
    tina.go(f"/desk/tickets/{code}")
    assert MISSING in tina.text
    assert "Tina" in facts(tina), "it goes back to whoever held it"
    tina.picture("came-back")
    caller.reads("Tina", picture="nothing-of-the-return")
    mallory.finds_nothing(code)

    portal.later(minutes=11)
    complete_hand_over(tina)
    leo.go(f"/desk/tickets/{code}")
    assert SELF_TEST in leo.part("Handed over from L1 to L2, not accepted yet")
    leo.picture("complete-now")
    leo.press("Accept: it is mine")
    assert "Leo" in facts(leo)
    assert SELF_TEST in leo.part("Hand-overs until now")
    work_remotely(leo)
    caller.reads("Leo", "began a remote session", picture="remote-session")
    mallory.words += [SELF_TEST, SUSPECTED]
    mallory.finds_nothing(code)

    portal.later(minutes=14)
    end_session(leo)
    hand_over(leo, "L3", tried=REMOTELY, evidence=SELF_TEST, cause=SUSPECTED)
    assert "1 time" in leo.part("Tiers")
    portal.later(minutes=5)
    nadia.sign_in().go("/desk/?tier=L3")
    nadia.follow(SUBJECT)
    ask_the_vendor(nadia)
    portal.work()
    (asked,) = portal.mails_to("support@timbang.test")
    assert code in asked["Subject"]
    assert "gita" not in asked.get_body(("plain",)).get_content().lower()
    caller.reads("Nadia", "Waiting", picture="waits-for-somebody-else")
    mallory.words.append(VENDOR)
    mallory.finds_nothing(code)

    portal.later(minutes=90)
    answer_by_mail(portal, bring, asked)
    nadia.sign_in().go(f"/desk/tickets/{code}")
    assert "In progress" in facts(nadia)
    assert ANSWER in nadia.part("What happened")
    assert "Pay this invoice" not in nadia.text
    nadia.picture("the-vendor-answered")
    nadia.follow("Read what was asked and answered")
    assert ANSWER in nadia.part("What they answered")
    nadia.picture("what-they-answered")
    caller.reads("Nadia", picture="goes-on")
    mallory.words.append(ANSWER)
    mallory.finds_nothing(code)

    portal.later(minutes=25)
    nadia.go(f"/desk/tickets/{code}")
    resolve(nadia)
    portal.work()
    caller.reads("Does it work now?", SOLUTION, picture="does-it-work")
    rate(portal, caller.visitor)
    caller.reads("You told us that you are satisfied", picture="rated")
    caller.visitor.press("Yes, it works")
    assert "The ticket is closed" in caller.visitor.text
    caller.visitor.picture("closed")
    draft_an_article(nadia, code)
    mallory.words += [SOLUTION, "I always knew where it was"]
    mallory.finds_nothing_anywhere(code)
    assert mallory.asked > 14
