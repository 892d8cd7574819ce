"""What staff do about assets that ended badly: let them try again, or bring them back to an earlier version."""

from typing import Any

from flask import flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import ngettext

from msp.campaigns import again, befores, queries, rules, services
from msp.campaigns.blueprint import bp
from msp.campaigns.forms import ReasonForm, RollbackForm
from msp.campaigns.models import Campaign, Release
from msp.campaigns.releases import find_release_by_id, usable_release
from msp.web.access import actor, require
from msp.web.errors import refuse_into_form
from tenants.foundation import time
from tenants.foundation.actor import Actor
from tenants.foundation.db import db
from tenants.foundation.errors import Conflict, Invalid
from tenants.foundation.permissions import Permission

MOST_VERSIONS = 5


def may_retry(found: Campaign, who: Actor) -> bool:
    """Whether this person could let assets try again now."""
    granted = rules.covers(who.tenants, found.tenant_ids)
    return found.state in rules.RETRY_FROM and granted and who.may(Permission.RUN_CAMPAIGNS)


def may_roll_back(found: Campaign, who: Actor) -> bool:
    """Whether this person could draft a rollback now."""
    granted = rules.covers(who.tenants, found.tenant_ids) and who.may(Permission.PROPOSE_CAMPAIGNS)
    return found.kind == "rollout" and found.state in again.ROLLBACK_FROM and granted


def _url(found: Campaign) -> str:
    return url_for("campaigns.show_campaign", campaign=found.public_id)


@bp.route("/<campaign>/retry", methods=["GET", "POST"])
@require(Permission.RUN_CAMPAIGNS)
def retry_campaign(campaign: str) -> Any:
    """Let every asset that ended badly in a wave that is not over try once more."""
    found, form = queries.find_campaign(campaign), ReasonForm()
    if not may_retry(found, actor()) and request.method == "GET":
        raise Conflict(_("The campaign's state does not allow this any more."))
    if form.validate_on_submit():
        count = services.retry_actions(found, reason=form.reason.data or "", by=actor(), at=time.now())
        db.session.commit()
        flash(ngettext("%(num)s asset tries again.", "%(num)s assets try again.", count), "good")
        return redirect(_url(found))
    count = queries.count_to_retry(found.id)
    return _confirm(
        found,
        form,
        title=_("Try again where it failed?"),
        sentence=_(
            "Assets that failed or were out of reach, in waves that are not over, get one more attempt."
        ),
        button=ngettext("Try again on %(num)s asset", "Try again on %(num)s assets", count),
        consequences=[
            _("The earlier attempts stay in the record; only the last one counts for the wave."),
            _("If the campaign stands, nothing is offered before it is resumed."),
        ],
    )


@bp.route("/<campaign>/rollback", methods=["GET", "POST"])
@require(Permission.PROPOSE_CAMPAIGNS)
def roll_back_campaign(campaign: str) -> Any:
    """Draft a campaign that brings the touched assets back to an earlier version."""
    found, form = queries.find_campaign(campaign), RollbackForm()
    replaced = find_release_by_id(found.release_id)
    known = again.earlier_releases(replaced)
    form.release.choices = [(str(one.public_id), one.label) for one in known]
    before = befores.count_versions_before(found.id)
    if request.method == "GET":
        form.release.data = _usual(known, before)
    if not may_roll_back(found, actor()) and request.method == "GET":
        raise Conflict(_("The campaign's state does not allow this any more."))
    if form.validate_on_submit():
        back = _draft(found, form)
        if back is not None:
            flash(_("Drafted. Look it over and submit it: a rollback is approved like any campaign."), "good")
            return redirect(_url(back))
    elif not known:
        raise Conflict(
            _(
                "There is no other version of %(name)s to go back to. Add it as a release first.",
                name=replaced.name,
            )
        )
    return _confirm(
        found,
        form,
        title=_("Roll this campaign back?"),
        sentence=_(
            "A new campaign is drafted for every asset that fetched %(release)s. It takes them to the version that"
            " you choose.",
            release=replaced.label,
        ),
        button=_("Draft the rollback"),
        consequences=[
            _(
                "Nothing happens to any asset yet: it has to be submitted, approved and let in by each client."
            ),
            _("It has fewer waves and waits at most a minute between them, under the same gates."),
            *_said_before(before),
        ],
        tone="primary",
    )


def _usual(known: list[Release], before: list[tuple[str, int]]) -> str | None:
    """The release whose version most of the assets held before, if it is among those to go back to."""
    ids = {one.version: str(one.public_id) for one in reversed(known)}
    return next((ids[version] for version, _count in before if version in ids), None)


def _said_before(before: list[tuple[str, int]]) -> list[str]:
    counted = ", ".join(
        ngettext("%(version)s on %(num)s asset", "%(version)s on %(num)s assets", count, version=version)
        for version, count in before[:MOST_VERSIONS]
    )
    return (
        [_("Before this campaign they held, as far as they told: %(versions)s.", versions=counted)]
        if before
        else []
    )


def _draft(found: Campaign, form: RollbackForm) -> Campaign | None:
    try:
        release = usable_release(form.release.data)
        back = services.draft_rollback(found, release=release, by=actor(), at=time.now())
        db.session.commit()
    except Invalid as refused:
        db.session.rollback()
        refuse_into_form(refused, form)
        return None
    return back


def _confirm(found: Campaign, form: Any, **words: Any) -> Any:
    page = render_template(
        "campaigns/confirm.html",
        campaign=found,
        form=form,
        action=request.path,
        back_url=_url(found),
        **{"tone": "danger", **words},
    )
    return page, 422 if form.errors else 200
