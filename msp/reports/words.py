"""The words of statements that pages, mails, print and spreadsheets share."""

from collections.abc import Callable
from typing import Any

from flask_babel import gettext as _

from msp.reports.view import CreditView, StatementView, StepView
from msp.web.formats import money, percent
from msp.web.words import name_of

_CAUSES: dict[str, Callable[[], str]] = {
    "time_ran_out": lambda: _("the time ran out"),
    "reprioritised": lambda: _("the priority was changed"),
    "terms_applied": lambda: _("other terms were applied"),
    "reopened": lambda: _("the ticket was reopened"),
}
_VERDICTS: dict[str, Callable[[], str]] = {
    "met": lambda: _("met"),
    "missed": lambda: _("missed"),
    "set_aside": lambda: _("set aside"),
}
_CREDITS: dict[str, Callable[[], str]] = {
    "proposed": lambda: _("not decided yet"),
    "approved": lambda: _("approved"),
    "declined": lambda: _("declined"),
    "replaced": lambda: _("replaced by an amendment"),
}


def cause(name: str | None) -> str:
    """Why a target was missed."""
    return _CAUSES[name]() if name in _CAUSES else ""


def verdict(name: str) -> str:
    """What became of a target."""
    return _VERDICTS[name]()


def credit_state(name: str) -> str:
    """What was decided about a credit."""
    return _CREDITS[name]()


def credit_step(step: StepView) -> str:
    """Why a clock earns a credit, as a sentence that can be checked."""
    return _(
        "%(target)s: %(kept)s kept, below %(below)s %%: %(credit)s %% of the fee",
        target=name_of("timer", step.clock),
        kept=percent(step.ratio, 2),
        below=step.below_percent,
        credit=step.credit_percent,
    )


def credit_sum(credit: CreditView) -> str:
    """The arithmetic of the amount."""
    words = _(
        "%(percent)s %% of %(fee)s = %(amount)s",
        percent=credit.percent,
        fee=money(credit.fee, credit.currency),
        amount=money(credit.amount, credit.currency),
    )
    if credit.is_capped:
        words = f"{words} {_('(capped at %(cap)s %%)', cap=credit.cap_percent)}"
    return words


def versions(view: StatementView) -> str:
    """The versions of the contract that were in force in the month."""
    return ", ".join(
        _("version %(number)s, in force from %(day)s", number=one["number"], day=one["in_force_on"])
        for one in view.head["versions"]
    )


def closed_by(view: StatementView) -> str:
    """Who closed the month: a person, or the portal by itself or upon a command."""
    name = view.statement.closed_by
    return _("the portal itself") if name in ("statements", "command") else name


def other_promises(view: StatementView) -> list[str]:
    """What statements of before promise beside the clocks and nobody measured then."""
    sentences: dict[str, Callable[[Any], str]] = {
        "patch_days": lambda promised: _(
            "Critical updates within %(days)s days: not measured by the portal yet.", days=promised
        ),
        "included_hours": lambda promised: _(
            "%(hours)s hours of work included: not measured by the portal yet.", hours=promised
        ),
    }
    return [
        sentences[name](known["promised"])
        for name, known in view.head["evidence"].items()
        if name in sentences and known["state"] != "measured"
    ]
