"""Every page that a person can open, and somebody who may: taken from the application, so that none is forgotten."""

import re
from dataclasses import dataclass

from flask import Flask

from tests.journeys.scene import Scene

NOBODY = "nobody"
# What is no page, or cannot be shown by its address alone; and why.
ELSEWHERE = {
    "static": "files",
    "health.": "for machines",
    "agents.ddi.": "for machines",
    "agents.mender.": "for machines",
    "agents.inventories.": "for machines",
    "api.": "for programs",
    "console.export_assets": "a download",
    "console.download_export": "a download",
    "console.download_statement": "a download",
    "portal.download_statement": "a download",
    "portal.download_export": "a download",
    "desk.download_mail": "a download",
    "desk.download_file": "a download",
    "portal.download_file": "a download",
    "account.go_home": "leads elsewhere",
    "account.confirm_email": "needs a link from a mail",
    "account.accept_invitation": "needs a link from a mail, the onboarding opens it",
    "account.reset_password": "needs a link from a mail",
    "account.lift_second_factor": "needs a link from a mail",
    "follow.download_file": "a download",
    "chat_streams.": "for machines",
    "chats.show_script": "a script for other pages",
    "chats.show_chat": "needs a visitor's token, the journey of a chat opens it",
    "desk.begin_call": "leads elsewhere",
    "account.second_factor": "in the middle of signing in",
    "account.lose_second_factor": "in the middle of signing in",
    "upkeep.show_feed": "for programs",
    "staff.show_feed": "for programs",
    "campaigns.start_campaign": "looks as approving does",
    "campaigns.pause_campaign": "looks as aborting does",
    "knowledge.offer_answers": "a piece of the page on which tickets are opened",
    "figures.download_": "a download",
    "figures.list_tickets": "needs a number, the tests of figures follow one",
    "desk.act_on_many": "needs ticked tickets",
    "training.choose_client": "leads elsewhere",
    "training.refuse_class": "needs a category of tickets",
    "training.download": "a download",
    "training.export": "a download",
    "console.offboard_tenant": "only of a client that is suspended",
}
VIEWERS = {
    "portal": "Alice",
    "desk": "Nadia",
    "campaigns": "Nadia",
    "agents": "Nadia",
    "console": "Owen",
    "reports": "Alice",
    "upkeep": "Nadia",
    "search": "Nadia",
    "staff": "Mia",
    "figures": "Mia",
    "knowledge": "Nadia",
    "training": "Mia",
}
PUBLIC = (
    "account.sign_in",
    "account.forget_password",
    "knowledge.find_help",
    "knowledge.read_help",
    "chats.start_chat",
    "chats.show_example",
)
OTHERS = {
    "search.find_for_client": "Alice",
    "knowledge.find_answers": "Alice",
    "knowledge.read_article": "Alice",
    "training.list_own": "Alice",
    "training.read_class": "Alice",
}


@dataclass(frozen=True)
class Look:
    """A page to be looked at: its name, who looks, and where it is."""

    name: str
    viewer: str
    path: str
    has_parameters: bool


def all_looks(app: Flask, scene: Scene) -> list[Look]:
    """Every page. Raises KeyError for a parameter that the scene does not know."""
    found = []
    for rule in sorted(app.url_map.iter_rules(), key=lambda one: one.rule):
        name = str(rule.endpoint)
        if "GET" not in (rule.methods or ()) or name.startswith(tuple(ELSEWHERE)):
            continue
        path = re.sub(r"<(?:\w+:)?(\w+)>", lambda part: _value(scene, name, part[1]), rule.rule)  # noqa: B023
        found.append(Look(name, _viewer(name), path, bool(rule.arguments)))
    return found


def _viewer(name: str) -> str:
    if name in PUBLIC or name.startswith("follow."):
        return NOBODY
    return OTHERS.get(name) or VIEWERS.get(name.partition(".")[0], "Alice")


def _value(scene: Scene, name: str, parameter: str) -> str:
    special = {
        "desk.reopen_ticket": scene.resolved,
        "portal.reopen_ticket": scene.resolved,
        "desk.return_hand_over": scene.passed_on,
        "campaigns.submit_campaign": scene.draft,
        "campaigns.withdraw_campaign": scene.draft,
        "campaigns.approve_campaign": scene.submitted,
        "campaigns.reject_campaign": scene.submitted,
        "desk.release_file": scene.file if parameter == "public_id" else scene.waiting,
        "desk.show_vendor_case": scene.case if parameter == "case_id" else scene.resolved,
        "console.show_staff": scene.staff,
        "portal.show_chat": scene.own_chat,
        "console.remove_staff": scene.staff,
        "console.lift_provider_freeze": scene.provider_freeze,
        "console.show_mail": scene.sent_mail,
        "knowledge.draft_article": scene.resolved,
        "training.show_class": scene.held_class,
        "training.hold_class": scene.held_class,
        "follow.follow_up": scene.over_link,
    }
    usual = {
        "slug": "acme",
        "chat": scene.chat,
        "call": scene.call,
        "key": scene.door,
        "code": scene.waiting,
        "asset_id": scene.asset,
        "shared_id": scene.shared,
        "site_id": scene.site,
        "contract_id": scene.contract,
        "statement_id": scene.statement,
        "trial_id": scene.trial,
        "campaign": scene.campaign,
        "action": scene.action,
        "part": scene.part,
        "release": scene.release,
        "entry_id": scene.entry,
        "category_id": scene.category,
        "reply_id": scene.reply,
        "template_id": scene.checklist,
        "public_id": scene.member,
        "plan": scene.plan,
        "policy": scene.policy,
        "window": scene.window,
        "freeze": scene.freeze,
        "token": scene.link,
        "visit_id": scene.visit,
        "session_id": scene.session,
        "vendor": scene.vendor,
        "skill": scene.skill,
        "certificate": scene.certificate,
        "team": scene.team,
        "shift": scene.shift,
        "person": scene.staff,
        "note": scene.note,
        "run": scene.run,
        "number": "2",
        "mailbox": scene.mailbox,
        "mail": scene.strange_mail,
        "mail_id": scene.mail,
        "class_id": scene.coming_class,
    }
    if name.startswith("knowledge.") and parameter == "slug":
        return scene.article
    return special.get(name) or usual[parameter]
