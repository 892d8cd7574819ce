"""What pages of training call things, and what the numbers before and after a class say in a sentence."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask_babel import get_locale, ngettext
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from markupsafe import Markup

from msp.training.rules import Effect, Group, Verdict, judge
from msp.web import charts
from msp.web.formats import number, percent
from msp.web.words import Look
from tenants.audit.models import AuditEntry

LANGUAGES = {"id": _l("Indonesian"), "en": _l("English")}
STATES = {
    "planned": Look(_l("Planned"), "calendar-event", "info"),
    "held": Look(_l("Held"), "check-circle", "good"),
    "cancelled": Look(_l("Cancelled"), "x-circle"),
}
ANSWERS = {
    "none": Look(_l("No answer yet"), "question-circle"),
    "yes": Look(_l("Comes"), "check-circle", "good"),
    "no": Look(_l("Does not come"), "x-circle"),
}
WALK_IN = Look(_l("Not invited"), "plus-circle")
HAPPENED = {
    "training.planned": _l("planned the class"),
    "training.changed": _l("changed the class"),
    "training.cancelled": _l("cancelled the class"),
    "training.invited": _l("invited people"),
    "training.answered": _l("answered the invitation"),
    "training.held": _l("wrote down who came"),
    "training.attendance_corrected": _l("corrected who came"),
    "training.materials_added": _l("added materials"),
    "training.material_removed": _l("took a material off"),
}


def language() -> str:
    """The reader's language: `id` or `en`."""
    return "en" if str(get_locale() or "id").startswith("en") else "id"


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a class's history, as `ui.timeline` takes it."""

    at: datetime
    who: str
    text: str
    kind: str = "event"
    icon: str = "dot"


def history_lines(entries: Sequence[AuditEntry]) -> list[Line]:
    """What the audit says of a class, in words."""
    return [_line(entry) for entry in entries]


def _line(entry: AuditEntry) -> Line:
    body = json.loads(entry.body)
    detail, words = body["detail"], str(HAPPENED.get(entry.action, entry.action))
    if entry.action == "training.invited":
        words = ngettext("invited %(num)s person", "invited %(num)s people", detail["count"])
    elif entry.action in ("training.held", "training.attendance_corrected"):
        count = ngettext("%(num)s person came", "%(num)s people came", detail["came"])
        words = f"{words}: {count}"
    elif entry.action == "training.answered":
        words = f"{words}: {ANSWERS[detail['answer']].word}"
    elif detail.get("reason"):
        words = f"{words}: {detail['reason']}"
    return Line(entry.at, body["name"], words)


def each_words(value: float | None) -> str:
    """Tickets per head; a dash of nobody."""
    return "–" if value is None else number(value, 2)


@dataclass(frozen=True, slots=True)
class Told:
    """The numbers of a class as pages and files show them."""

    effect: Effect
    verdict: Verdict
    finding: str
    # The same for a list.
    short: str
    chart: Markup | None
    head: list[str]
    rows: list[list[Any]]


def tell_effect(effect: Effect, begins_at: datetime, at: datetime) -> Told:
    """What came of a class, or why that cannot be said."""
    verdict = judge(effect, begins_at, at)
    finding = find_words(effect, verdict)
    chart = _chart(effect, finding) if verdict.kind in ("told", "not_yet") else None
    return Told(effect, verdict, finding, _short(verdict) or finding, chart, head_words(), _rows(effect))


def _short(verdict: Verdict) -> str:
    """What a list says of a class whose days are not over; nothing of others."""
    if verdict.kind != "not_yet":
        return ""
    return ngettext("Not yet: %(num)s day to go", "Not yet: %(num)s days to go", verdict.days_to_go)


def find_words(effect: Effect, verdict: Verdict) -> str:
    """The finding in a sentence, which is also the chart's title."""
    if verdict.kind == "few_people":
        return ngettext(
            "Too few to tell: %(num)s person came, and it takes at least 3.",
            "Too few to tell: %(num)s people came, and it takes at least 3.",
            effect.came.heads,
        )
    if verdict.kind == "few_tickets":
        return ngettext(
            "Too few to tell: %(num)s ticket before and after together, and it takes at least 10.",
            "Too few to tell: %(num)s tickets before and after together, and it takes at least 10.",
            effect.counted,
        )
    if verdict.kind == "not_yet":
        return ngettext(
            "Not yet: %(num)s day to go. So far each of those who came asked %(after)s times after the class, and"
            " %(before)s times before.",
            "Not yet: %(num)s days to go. So far each of those who came asked %(after)s times after the class, and"
            " %(before)s times before.",
            verdict.days_to_go,
            before=each_words(effect.came.before_each),
            after=each_words(effect.came.after_each),
        )
    if not effect.others.heads:
        return _("After the class, those who came asked %(came)s.", came=_change_words(effect.came))
    return _(
        "After the class, those who came asked %(came)s, and the others %(others)s.",
        came=_change_words(effect.came),
        others=_change_words(effect.others),
    )


def _change_words(group: Group) -> str:
    if group.change is None:
        return _("for the first time") if group.after else _("nothing, as before")
    if group.change == 0:
        return _("as often as before")
    share = percent(abs(group.change), 0)
    return (
        _("%(share)s less than before", share=share)
        if group.change < 0
        else _("%(share)s more than before", share=share)
    )


def _chart(effect: Effect, finding: str) -> Markup:
    bars = [
        charts.Bar(_("Those who came, before"), effect.came.before_each or 0, tone="quiet"),
        charts.Bar(_("Those who came, after"), effect.came.after_each or 0, tone="a"),
        charts.Bar(_("The others, before"), effect.others.before_each or 0, tone="quiet"),
        charts.Bar(_("The others, after"), effect.others.after_each or 0, tone="b"),
    ]
    named = [
        charts.Bar(bar.label, bar.value, _("%(count)s per head", count=number(bar.value, 2)), bar.tone)
        for bar in (bars if effect.others.heads else bars[:2])
    ]
    return charts.bars(named, title=finding)


def head_words() -> list[str]:
    """The columns of the figures."""
    return [
        _("Who"),
        _("Number of people"),
        _("Tickets before"),
        _("Tickets after"),
        _("Per head before"),
        _("Per head after"),
    ]


def _rows(effect: Effect) -> list[list[Any]]:
    named = ((_("Those who came"), effect.came), (_("The others"), effect.others))
    return [
        [
            name,
            number(group.heads),
            number(group.before),
            number(group.after),
            each_words(group.before_each),
            each_words(group.after_each),
        ]
        for name, group in named
    ]
