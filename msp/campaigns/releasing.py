"""Pages of releases: what there is to install, where it came from, and taking it back.

They belong to no client, but a name may tell of one: only those see them who choose among all of them anyway.
"""

from collections.abc import Sequence
from typing import IO, Any

from flask import flash, redirect, render_template, url_for
from flask_babel import gettext as _
from flask_babel import ngettext

from msp.campaigns import queries, releases, uploads
from msp.campaigns.blueprint import bp
from msp.campaigns.contents import written_check
from msp.campaigns.forms import ReasonForm
from msp.campaigns.models import Release
from msp.campaigns.release_forms import KINDS, REBOOTS, ReleaseForm
from msp.campaigns.withdrawing import withdraw_release as take_back
from msp.web.access import actor, require
from msp.web.errors import refuse_into_form
from msp.web.paging import asked, cut
from msp.web.words import SEVERITIES
from tenants.foundation import time
from tenants.foundation.db import db
from tenants.foundation.errors import Invalid
from tenants.foundation.permissions import Permission


@bp.get("/releases/")
@require(Permission.PROPOSE_CAMPAIGNS)
def list_releases() -> Any:
    """Every release, newest first."""
    after, limit = asked(int)
    found = releases.list_page(before=after[0] if after else None, limit=limit)
    page = cut(found, limit, lambda one: [one.id])
    return render_template("campaigns/list_releases.html", page=page, kinds=KINDS, severities=SEVERITIES)


@bp.route("/releases/new", methods=["GET", "POST"])
@require(Permission.PROPOSE_CAMPAIGNS)
def add_release() -> Any:
    """Describe a release, and bring its files."""
    form = ReleaseForm()
    if form.validate_on_submit():
        added = _add(form)
        if added is not None:
            return redirect(url_for("campaigns.show_release", release=added.public_id))
    return render_template("campaigns/add_release.html", form=form), 422 if form.errors else 200


def _add(form: ReleaseForm) -> Release | None:
    try:
        added = releases.add_release(
            kind=form.kind.data,
            name=(form.name.data or "").strip(),
            version=(form.version.data or "").strip(),
            target_path=(form.target_path.data or "").strip(),
            files=given_files(form.files.data or ()),
            content=form.content(),
            files_later=form.files_later.data,
            by=actor(),
            at=time.now(),
        )
        db.session.commit()
    except Invalid as refused:
        db.session.rollback()
        refuse_into_form(refused, form)
        return None
    return added


def given_files(uploaded: Sequence[Any]) -> list[tuple[str, IO[bytes]]]:
    """The files of a form with their plain names."""
    given = [one for one in uploaded if getattr(one, "filename", "")]
    return [(one.filename.replace("\\", "/").rpartition("/")[2], one.stream) for one in given]


@bp.get("/releases/<release>")
@require(Permission.PROPOSE_CAMPAIGNS)
def show_release(release: str) -> Any:
    """What it is, which files it has, and where it goes."""
    found = releases.find_release(release)
    return render_template(
        "campaigns/show_release.html",
        release=found,
        artifacts=releases.artifacts_of(found.id),
        is_complete=releases.is_complete(found),
        upload_url=uploads.upload_link(found, actor(), time.now()) if releases.takes_files(found) else None,
        campaigns=queries.list_campaigns_of_release(found.id),
        kinds=KINDS,
        severities=SEVERITIES,
        reboots=REBOOTS,
        checks=[
            (title, [written_check(one) for one in lines])
            for title, lines in ((_("Before"), found.checks_before), (_("After"), found.checks_after))
        ],
    )


@bp.route("/releases/<release>/withdraw", methods=["GET", "POST"])
@require(Permission.APPROVE_CAMPAIGNS)
def withdraw_release(release: str) -> Any:
    """Let nothing more be installed from it."""
    found = releases.find_release(release)
    form = ReasonForm()
    if form.validate_on_submit():
        paused = take_back(found, reason=form.reason.data or "", by=actor(), at=time.now())
        db.session.commit()
        said = ngettext("%(num)s campaign was paused.", "%(num)s campaigns were paused.", paused)
        flash(_("Withdrawn.") + (f" {said}" if paused else ""), "good")
        return redirect(url_for("campaigns.show_release", release=found.public_id))
    page = render_template("campaigns/withdraw_release.html", release=found, form=form)
    return page, 422 if form.errors else 200
