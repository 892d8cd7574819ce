"""What a client's administrator decides about maintenance, each behind a page that says what it means for how much."""

from collections.abc import Callable
from datetime import UTC, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from flask import flash, redirect, render_template, url_for
from flask_babel import gettext as _
from flask_babel import ngettext
from flask_wtf import FlaskForm

from msp.campaigns import consents
from msp.campaigns.forms import PostponeForm, ReasonForm
from msp.campaigns.models import CampaignTenant
from msp.portal.blueprint import bp
from msp.portal.coming import Ahead
from msp.portal.maintenance import ahead_of, own_part
from msp.web.access import actor, require, tenant
from msp.web.errors import refuse_into_form
from msp.web.formats import moment
from tenants.foundation import time as clock_on_the_wall
from tenants.foundation.db import db
from tenants.foundation.errors import Conflict, Invalid
from tenants.foundation.permissions import Permission
from tenants.tenancy.queries import find_tenant_by_id

Act = Callable[[CampaignTenant, Any], None]
Words = Callable[[CampaignTenant], dict[str, Any]]


@bp.route("/maintenance/<part>/consent", methods=["GET", "POST"])
@require(Permission.DECIDE_OWN_LANES)
def consent_to_maintenance(part: str) -> Any:
    """Let it in."""
    return _handle(own_part(part), FlaskForm(), _consent_words, _consent)


def _consent(part: CampaignTenant, _form: FlaskForm) -> None:
    consents.consent(part, by=actor(), at=clock_on_the_wall.now())
    flash(_("You let it in. Thank you."), "good")


def _consent_words(part: CampaignTenant) -> dict[str, Any]:
    return {
        "title": _("Let this maintenance in?"),
        "sentence": _(
            "“%(title)s” brings %(name)s %(version)s to %(machines)s of yours.",
            title=part.title,
            name=part.release_name,
            version=part.release_version,
            machines=_machines(part),
        ),
        "button": _("Let it in on %(machines)s", machines=_machines(part)),
        "tone": "primary",
        "consequences": [
            _when(part),
            _("It goes wave by wave, and stops by itself when machines fail."),
            _("You can postpone or decline it later; machines that have begun finish what they are at."),
        ],
    }


def _when(part: CampaignTenant) -> str:
    ahead = ahead_of(part, clock_on_the_wall.now()) or Ahead(False, (), None)
    if ahead.is_any_time:
        return _("It may come at any time: you have agreed on no windows with us.")
    if not ahead.spans:
        return _("It comes in your windows only, and none is ahead in the next two months.")
    begin, end = ahead.spans[0]
    zone = find_tenant_by_id(tenant()).time_zone
    return _("It comes in your windows only. The next one: %(span)s.", span=_span(begin, end, zone))


def _span(begin: datetime, end: datetime, zone: str) -> str:
    return _("%(begin)s until %(end)s", begin=moment(begin, zone), end=moment(end, zone))


@bp.route("/maintenance/<part>/postpone", methods=["GET", "POST"])
@require(Permission.DECIDE_OWN_LANES)
def postpone_maintenance(part: str) -> Any:
    """Not now."""
    return _handle(own_part(part), PostponeForm(), _postpone_words, _postpone)


def _postpone(part: CampaignTenant, form: Any) -> None:
    zone = ZoneInfo(find_tenant_by_id(tenant()).time_zone)
    until = datetime.combine(form.until.data, time(), zone).astimezone(UTC)
    consents.postpone(
        part, until=until, reason=form.reason.data or "", by=actor(), at=clock_on_the_wall.now()
    )
    flash(_("Postponed. Nothing begins until then."), "good")


def _postpone_words(part: CampaignTenant) -> dict[str, Any]:
    consequences = [
        _("%(machines)s stay as they are until then, and you are asked again.", machines=_machines(part)),
        _("Machines that have begun finish what they are at."),
    ]
    if part.deadline_at is not None:
        zone = find_tenant_by_id(tenant()).time_zone
        ends = moment(part.deadline_at, zone)
        consequences.append(
            _("It ends on %(moment)s: what is postponed beyond that is left out.", moment=ends)
        )
    return {
        "title": _("Postpone this maintenance?"),
        "sentence": _("“%(title)s” waits until the day that you choose.", title=part.title),
        "button": _("Postpone it for %(machines)s", machines=_machines(part)),
        "tone": "primary",
        "consequences": consequences,
    }


@bp.route("/maintenance/<part>/decline", methods=["GET", "POST"])
@require(Permission.DECIDE_OWN_LANES)
def decline_maintenance(part: str) -> Any:
    """Keep it out for good."""
    return _handle(own_part(part), ReasonForm(), _decline_words, _decline)


def _decline(part: CampaignTenant, form: Any) -> None:
    consents.decline(part, reason=form.reason.data or "", by=actor(), at=clock_on_the_wall.now())
    flash(_("Declined. It does not come to your machines."), "good")


def _decline_words(part: CampaignTenant) -> dict[str, Any]:
    return {
        "title": _("Decline this maintenance?"),
        "sentence": _("“%(title)s” does not come to your machines. This cannot be undone.", title=part.title),
        "button": _("Decline it for %(machines)s", machines=_machines(part)),
        "consequences": [
            _("%(machines)s keep what they have, faults and all.", machines=_machines(part)),
            _("Machines that have begun finish what they are at."),
            _("We see your reason, and may propose it anew."),
        ],
    }


def _machines(part: CampaignTenant) -> str:
    return ngettext("%(num)s machine", "%(num)s machines", part.asset_count)


def _handle(part: CampaignTenant, form: FlaskForm, say: Words, act: Act) -> Any:
    """Show the page, or do it and go back to the part."""
    if part.ended_at is not None or part.consent in ("declined", "not_needed"):
        raise Conflict(_("There is nothing to decide about this maintenance any more."))
    page = str(part.public_id)
    if not form.validate_on_submit():
        return _confirm(part, form, say, 422 if form.errors else 200)
    try:
        act(part, form)
        db.session.commit()
    except Invalid as refused:
        db.session.rollback()
        refuse_into_form(refused, form)
        return _confirm(own_part(page), form, say, 422)
    return redirect(url_for("portal.show_maintenance", part=page))


def _confirm(part: CampaignTenant, form: FlaskForm, say: Words, status: int) -> Any:
    until = getattr(form, "until", None)
    if until is not None:
        today = clock_on_the_wall.now().astimezone(ZoneInfo(find_tenant_by_id(tenant()).time_zone)).date()
        last = today + consents.LONGEST_WAIT - timedelta(days=1)
        until.render_kw = {"min": (today + timedelta(days=1)).isoformat(), "max": last.isoformat()}
    back = url_for("portal.show_maintenance", part=part.public_id)
    return render_template("portal/decide_maintenance.html", form=form, back_url=back, **say(part)), status
