"""What people do to a campaign, each act behind a page that says what will happen, to how many, of whom."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from flask import Response, flash, redirect, render_template, request, url_for
from flask_babel import get_timezone, ngettext
from flask_babel import gettext as _
from flask_wtf import FlaskForm

from msp.campaigns import queries, rules, services
from msp.campaigns.blueprint import bp
from msp.campaigns.board import offered_transitions
from msp.campaigns.forms import MaybeReasonForm, ReasonForm, StartForm
from msp.campaigns.models import Campaign
from msp.campaigns.rules import Transition
from msp.campaigns.words import reason_words
from msp.web.access import actor, require
from msp.web.errors import refuse_into_form
from tenants.foundation import time
from tenants.foundation.db import db
from tenants.foundation.errors import Conflict, Invalid
from tenants.foundation.permissions import Permission
from tenants.tenancy.queries import names_of

Act = Callable[[Campaign, Any], object]


def _confirm(
    found: Campaign, verb: Transition, form: FlaskForm, words: dict[str, Any], status: int = 200
) -> Any:
    page = render_template(
        "campaigns/confirm.html",
        campaign=found,
        verb=verb,
        form=form,
        action=url_for(f"campaigns.{verb}_campaign", campaign=found.public_id),
        back_url=_url(found),
        **words,
    )
    return page, status


def _url(found: Campaign) -> str:
    return url_for("campaigns.show_campaign", campaign=found.public_id)


def _handle(
    public_id: str, verb: Transition, form: FlaskForm, words: Callable[[Campaign], dict[str, Any]], act: Act
) -> Any:
    """Show the page, or do it and go back to the board; a state that has moved on is said on the board."""
    found = queries.find_campaign(public_id)
    if verb not in offered_transitions(found, actor()) and request.method == "GET":
        raise Conflict(
            _("The campaign's state does not allow this any more, or it is for another person to do.")
        )
    if not form.validate_on_submit():
        return _confirm(found, verb, form, words(found), 422 if form.errors else 200)
    try:
        act(found, form)
        db.session.commit()
    except Invalid as refused:
        db.session.rollback()
        refuse_into_form(refused, form)
        return _confirm(queries.find_campaign(public_id), verb, form, words(found), 422)
    except Conflict as refused:
        if refused.field not in form:
            raise
        db.session.rollback()
        form[refused.field].errors = [refused.message]
        return _confirm(queries.find_campaign(public_id), verb, form, words(found), 409)
    return _done(found, verb)


def _done(found: Campaign, verb: Transition) -> Response:
    done = {
        Transition.SUBMIT: _("Submitted. Another person has to approve it."),
        Transition.WITHDRAW: _("Withdrawn."),
        Transition.APPROVE: _("Approved. It can be started now."),
        Transition.REJECT: _("Rejected."),
        Transition.START: _("Scheduled."),
        Transition.PAUSE: _("Paused. Nothing new is offered."),
        Transition.RESUME: _("It goes on."),
        Transition.ABORT: _("Aborting. What runs is asked to stop."),
    }
    waits = verb is Transition.RESUME and found.state == "paused"
    said = _("Noted. Another person has to agree before it goes on.") if waits else done[verb]
    flash(said, "info" if waits else "good")
    return redirect(_url(found))  # type: ignore[return-value]


def _size(found: Campaign) -> tuple[str, str]:
    """How many clients and how many assets, in words."""
    clients = len(found.tenant_ids) or len(queries.count_members(found.id))
    assets = sum(wave.size for wave in queries.list_waves(found.id)) or sum(
        queries.count_members(found.id).values()
    )
    return (
        ngettext("%(num)s client", "%(num)s clients", clients),
        ngettext("%(num)s asset", "%(num)s assets", assets),
    )


def _not_started(found: Campaign) -> str:
    """Assets not yet started, among the clients that one may see."""
    count = sum(tally.not_started for tally in queries.count_actions(found.id).values())
    words = ngettext("%(num)s asset not yet started", "%(num)s assets not yet started", count)
    unseen = not rules.covers(actor().tenants, found.tenant_ids)
    return _("%(assets)s at the clients that you see", assets=words) if unseen else words


@bp.route("/<campaign>/submit", methods=["GET", "POST"])
@require(Permission.PROPOSE_CAMPAIGNS)
def submit_campaign(campaign: str) -> Any:
    """Freeze the plan and put it before a second person."""
    return _handle(campaign, Transition.SUBMIT, FlaskForm(), _submit_words, _submit)


def _submit_words(found: Campaign) -> dict[str, Any]:
    clients, assets = _size(found)
    return {
        "title": _("Submit this campaign?"),
        "sentence": _("The plan is frozen and goes to another person for approval."),
        "button": _("Submit for %(clients)s, %(assets)s", clients=clients, assets=assets),
        "consequences": [_("Nobody can change the plan afterwards, only approve, reject or withdraw it.")],
        "tone": "primary",
    }


def _submit(found: Campaign, _form: FlaskForm) -> None:
    services.submit_campaign(found, by=actor(), at=time.now())


@bp.route("/<campaign>/withdraw", methods=["GET", "POST"])
@require(Permission.PROPOSE_CAMPAIGNS)
def withdraw_campaign(campaign: str) -> Any:
    """Take one's own proposal back."""
    return _handle(campaign, Transition.WITHDRAW, FlaskForm(), _withdraw_words, _withdraw)


def _withdraw_words(_found: Campaign) -> dict[str, Any]:
    return {
        "title": _("Withdraw this campaign?"),
        "sentence": _("It ends here. Nothing was offered to any asset."),
        "button": _("Withdraw it"),
    }


def _withdraw(found: Campaign, _form: FlaskForm) -> None:
    services.withdraw_campaign(found, by=actor(), at=time.now())


@bp.route("/<campaign>/approve", methods=["GET", "POST"])
@require(Permission.APPROVE_CAMPAIGNS)
def approve_campaign(campaign: str) -> Any:
    """Approve exactly the plan on the page."""
    return _handle(campaign, Transition.APPROVE, FlaskForm(), _approve_words, _approve)


def _approve_words(found: Campaign) -> dict[str, Any]:
    clients, assets = _size(found)
    waves = queries.list_waves(found.id)
    sizes = " → ".join(str(wave.size) for wave in waves)
    return {
        "title": _("Approve this campaign?"),
        "sentence": _(
            "“%(title)s” for %(clients)s, %(assets)s.", title=found.title, clients=clients, assets=assets
        ),
        "button": _("Approve for %(clients)s, %(assets)s", clients=clients, assets=assets),
        "consequences": [
            _("Waves of %(sizes)s assets, each only after the one before succeeded.", sizes=sizes),
            _("At: %(names)s.", names=_client_names(found)),
            _("Proposed by %(author)s.", author=found.created_by),
            _("Plan %(hash)s: you approve this one and no other.", hash=(found.plan_sha256 or "")[:16]),
        ],
        "hidden": {"seen": found.plan_sha256 or ""},
        "tone": "primary",
    }


def _client_names(found: Campaign, most: int = 8) -> str:
    """The clients that take part, as far as they fit."""
    names = sorted(tenant.name for tenant in names_of(found.tenant_ids).values())
    rest = len(names) - most
    more = [ngettext("%(num)s more", "%(num)s more", rest)] if rest > 0 else []
    return ", ".join([*names[:most], *more])


def _approve(found: Campaign, _form: FlaskForm) -> None:
    services.approve_campaign(found, seen=request.form.get("seen", ""), by=actor(), at=time.now())


@bp.route("/<campaign>/reject", methods=["GET", "POST"])
@require(Permission.APPROVE_CAMPAIGNS)
def reject_campaign(campaign: str) -> Any:
    """Refuse the plan, with a reason."""
    return _handle(campaign, Transition.REJECT, ReasonForm(), _reject_words, _reject)


def _reject_words(found: Campaign) -> dict[str, Any]:
    return {
        "title": _("Reject this campaign?"),
        "sentence": _("It ends here; %(author)s is told why by what you write.", author=found.created_by),
        "button": _("Reject it"),
    }


def _reject(found: Campaign, form: Any) -> None:
    services.reject_campaign(found, reason=form.reason.data, by=actor(), at=time.now())


@bp.route("/<campaign>/start", methods=["GET", "POST"])
@require(Permission.RUN_CAMPAIGNS)
def start_campaign(campaign: str) -> Any:
    """Begin now or later."""
    return _handle(campaign, Transition.START, StartForm(), _start_words, _start)


def _start_words(found: Campaign) -> dict[str, Any]:
    clients, assets = _size(found)
    first = queries.list_waves(found.id)[:1]
    begins = ngettext(
        "It begins with %(num)s asset.", "It begins with %(num)s assets.", first[0].size if first else 0
    )
    return {
        "title": _("Start this campaign?"),
        "sentence": begins,
        "button": _("Start for %(clients)s, %(assets)s", clients=clients, assets=assets),
        "consequences": [_("It stops by itself when too many assets fail.")],
        "tone": "primary",
    }


def _start(found: Campaign, form: Any) -> None:
    services.start_campaign(found, by=actor(), at=time.now(), start_at=_moment(form.start_at.data))


def _moment(typed: datetime | None) -> datetime | None:
    """What was typed, in the person's own zone."""
    if typed is None:
        return None
    zone = ZoneInfo(str(get_timezone() or "UTC"))
    return typed.replace(tzinfo=zone).astimezone(UTC)


@bp.route("/<campaign>/pause", methods=["GET", "POST"])
@require(Permission.STOP_CAMPAIGNS)
def pause_campaign(campaign: str) -> Any:
    """Stop: nothing new is offered."""
    return _handle(campaign, Transition.PAUSE, MaybeReasonForm(), _pause_words, _pause)


def _pause_words(found: Campaign) -> dict[str, Any]:
    clients, _assets = _size(found)
    return {
        "title": _("Pause this campaign?"),
        "sentence": _("Nothing new is offered to any asset from now on."),
        "button": _("Pause for %(clients)s, %(assets)s", clients=clients, assets=_not_started(found)),
        "consequences": [_("Assets that are installing already finish what they are at.")],
    }


def _pause(found: Campaign, form: Any) -> None:
    services.pause_campaign(found, reason=form.reason.data or "", by=actor(), at=time.now())


@bp.route("/<campaign>/resume", methods=["GET", "POST"])
@require(Permission.RUN_CAMPAIGNS)
def resume_campaign(campaign: str) -> Any:
    """Let it go on."""
    return _handle(campaign, Transition.RESUME, ReasonForm(), _resume_words, _resume)


def _resume_words(found: Campaign) -> dict[str, Any]:
    clients, _assets = _size(found)
    consequences = []
    if found.resume_reason:
        consequences.append(
            _("%(name)s asked for it: %(reason)s", name=found.resume_asked_by, reason=found.resume_reason)
        )
    if found.pause_cause in ("failure", "global", "inconclusive"):
        consequences.append(_("Waves that failed or could not decide count as accepted by you."))
    second = rules.needs_second_person(found.pause_cause)
    return {
        "title": _("Resume this campaign?"),
        "sentence": _(
            "It stands because: %(reason)s",
            reason=reason_words(found.pause_reason) or _("no reason was given"),
        ),
        "button": _("Resume for %(clients)s, %(assets)s", clients=clients, assets=_not_started(found)),
        "consequences": consequences,
        "tone": "primary",
        "second_person": _("It stopped by itself: two people have to let it go on.") if second else "",
    }


def _resume(found: Campaign, form: Any) -> None:
    services.resume_campaign(found, reason=form.reason.data, by=actor(), at=time.now())


@bp.route("/<campaign>/abort", methods=["GET", "POST"])
@require(Permission.RUN_CAMPAIGNS)
def abort_campaign(campaign: str) -> Any:
    """End it for good."""
    return _handle(campaign, Transition.ABORT, ReasonForm(), _abort_words, _abort)


def _abort_words(found: Campaign) -> dict[str, Any]:
    clients, _assets = _size(found)
    return {
        "title": _("Abort this campaign?"),
        "sentence": _("It ends for good. This cannot be undone."),
        "button": _("Abort for %(clients)s, %(assets)s", clients=clients, assets=_not_started(found)),
        "consequences": [
            _("Assets that have not started are skipped."),
            _("Assets that are installing are asked to stop; some cannot any more."),
            _("What is installed already stays installed."),
        ],
    }


def _abort(found: Campaign, form: Any) -> None:
    services.abort_campaign(found, reason=form.reason.data, by=actor(), at=time.now())
