"""Pages of training in the portal: classes that one is in; who manages the company's people sees all of them."""

from typing import Any

from flask import Response, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _

from msp.training import queries, seats
from msp.training.blueprint import bp
from msp.training.class_pages import effect_told, figures_file, page_of
from msp.training.invitations import MEDIA_TYPE, write_file
from msp.training.models import TrainingClass
from msp.training.words import ANSWERS, STATES
from msp.web.access import actor, require, tenant
from msp.web.uploads import hand_out
from tenants.foundation import time
from tenants.foundation.db import db
from tenants.foundation.permissions import Permission


def _find(class_id: str) -> TrainingClass:
    return queries.find_own_class(tenant(), class_id, by=actor())


def _sees_all() -> bool:
    return actor().may(Permission.MANAGE_COMPANY_PEOPLE)


@bp.get("/portal/training")
@require(Permission.VIEW_PORTAL)
def list_own() -> Any:
    """What is ahead, and what was."""
    now = time.now()
    return render_template(
        "training/list_own.html",
        coming=queries.list_own_classes(tenant(), coming=True, by=actor(), at=now),
        past=queries.list_own_classes(tenant(), coming=False, by=actor(), at=now),
        sees_all=_sees_all(),
        states=STATES,
        answers=ANSWERS,
    )


@bp.get("/portal/training/<class_id>")
@require(Permission.VIEW_PORTAL)
def read_class(class_id: str) -> Any:
    """One class, with what goes with it and one's own answer."""
    row = _find(class_id)
    return render_template(
        "training/read_class.html",
        **page_of(row),
        seat=queries.own_seat(row, actor().id),
        seats=queries.list_seats(row) if _sees_all() else (),
        told=effect_told(row) if _sees_all() else None,
    )


@bp.post("/portal/training/<class_id>/answer")
@require(Permission.VIEW_PORTAL)
def answer_invitation(class_id: str) -> Any:
    """Whether one comes."""
    row, yes = _find(class_id), request.form.get("answer") == "yes"
    seats.answer_invitation(row, yes=yes, by=actor(), at=time.now())
    db.session.commit()
    flash(_("Thank you. We expect you.") if yes else _("Thank you for telling us."), "good")
    return redirect(url_for("training.read_class", class_id=row.public_id))


@bp.get("/portal/training/<class_id>/calendar.ics")
@require(Permission.VIEW_PORTAL)
def download_calendar(class_id: str) -> Response:
    """The class for one's own calendar."""
    row = _find(class_id)
    method = "CANCEL" if row.state == "cancelled" else "PUBLISH"
    answer = Response(write_file(row, method=method), mimetype=MEDIA_TYPE)
    answer.headers["Content-Disposition"] = 'attachment; filename="training.ics"'
    answer.headers["Cache-Control"] = "private, no-store"
    return answer


@bp.get("/portal/training/<class_id>/files/<public_id>")
@require(Permission.VIEW_PORTAL)
def download_own_file(class_id: str, public_id: str) -> Response:
    """A file of a class that one is in."""
    return hand_out(queries.find_file(_find(class_id), public_id))


@bp.get("/portal/training/<class_id>/figures.csv")
@require(Permission.MANAGE_COMPANY_PEOPLE)
def export_own_figures(class_id: str) -> Response:
    """The numbers before and after, as a file."""
    return figures_file(_find(class_id))
