"""Pages of one class for staff: what it is, who is invited, who came, what goes with it, and what came of it."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from flask import Response, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import ngettext

from msp.knowledge.queries import list_editions
from msp.training import materials, queries, seats, services
from msp.training.blueprint import bp
from msp.training.effects import effects_of
from msp.training.forms import ArticleForm, CancelForm, FilesForm, PeopleForm
from msp.training.models import TrainingClass, TrainingSeat
from msp.training.planning import Planning
from msp.training.queries import Candidate
from msp.training.staff_pages import csv_answer
from msp.training.words import (
    ANSWERS,
    LANGUAGES,
    STATES,
    WALK_IN,
    Told,
    history_lines,
    language,
    tell_effect,
)
from msp.web.access import actor, require
from msp.web.acting import acted, form_status
from msp.web.fields import options
from msp.web.uploads import hand_out, keep_uploads
from tenants.assets.rules import is_link
from tenants.foundation import time
from tenants.foundation.db import db
from tenants.foundation.errors import NotFound
from tenants.foundation.permissions import Permission
from tenants.tenancy.queries import find_tenant_by_id, list_sites
from tenants.tickets.categories import read_tree


def _back(row: TrainingClass, said: str) -> Any:
    flash(said, "good")
    return redirect(url_for("training.show_class", class_id=row.public_id))


def effect_told(row: TrainingClass) -> Told | None:
    """The numbers of a held class."""
    now = time.now()
    found = effects_of([row.id], at=now).get(row.id) if row.state == "held" else None
    return tell_effect(found, row.begins_at, now) if found else None


def page_of(row: TrainingClass) -> dict[str, Any]:
    """What the pages of both sides show of a class."""
    return {
        "row": row,
        "ends_at": services.ends_at(row),
        "link": row.link if is_link(row.link, services.SCHEMES) else "",
        "category": read_tree().path(row.category_id, language()),
        "materials": queries.list_materials(row, language()),
        "look": STATES[row.state],
        "language_words": LANGUAGES.get(row.language, row.language),
        "answers": ANSWERS,
        "walk_in": WALK_IN,
        "begun": row.begins_at <= time.now(),
    }


@bp.get("/training/classes/<class_id>")
@require(Permission.VIEW_DESK)
def show_class(class_id: str) -> Any:
    """One class."""
    return _show(queries.find_class(class_id), FilesForm(), _article_form)


def _show(row: TrainingClass, files_form: FilesForm, article_form_of: Any) -> Any:
    may_run = services.may_run(row, actor())
    page = render_template(
        "training/show_class.html",
        **page_of(row),
        tenant=find_tenant_by_id(row.tenant_id),
        seats=queries.list_seats(row),
        history=history_lines(queries.list_history(row)),
        told=effect_told(row),
        may_run=may_run,
        may_plan=actor().may(Permission.MANAGE_TRAINING),
        files_form=files_form,
        article_form=article_form_of(row) if may_run and row.state != "cancelled" else None,
    )
    return page, form_status()


def _article_form(row: TrainingClass) -> ArticleForm:
    form = ArticleForm()
    articles = list_editions(materials.reader_of(row), language(), limit=500)
    choices = [(one.slug, one.title) for one in articles]
    form.article.choices = options([("", _("Choose …")), *choices])
    return form


@bp.route("/training/classes/<class_id>/change", methods=["GET", "POST"])
@require(Permission.MANAGE_TRAINING)
def change_class(class_id: str) -> Any:
    """Another time, place, trainer or content."""
    row = queries.find_class(class_id)
    tenant = find_tenant_by_id(row.tenant_id)
    page = Planning(tenant, row)
    form = page.form
    if acted(
        form,
        lambda: services.change_class(row, page.typed, by=actor(), at=time.now(), seen=form.sequence),
    ):
        return _back(row, _("The class is changed. Everybody who is invited is told."))
    return render_template("training/edit_class.html", form=form, tenant=tenant, row=row), form_status()


@bp.route("/training/classes/<class_id>/cancel", methods=["GET", "POST"])
@require(Permission.MANAGE_TRAINING)
def cancel_class(class_id: str) -> Any:
    """It does not take place."""
    row, form = queries.find_class(class_id), CancelForm()
    if acted(form, lambda: services.cancel_class(row, why=form.why.data or "", by=actor(), at=time.now())):
        return _back(row, _("The class is cancelled. Everybody who was invited is told."))
    invited = queries.tally_of([row]).get(row.id, (0,))[0]
    return render_template("training/cancel_class.html", form=form, row=row, invited=invited), form_status()


@bp.route("/training/classes/<class_id>/invite", methods=["GET", "POST"])
@require(Permission.MANAGE_TRAINING)
def invite_people(class_id: str) -> Any:
    """Choose who is invited: those who asked most are ticked already."""
    row = queries.find_class(class_id)
    found = [one for one in queries.list_candidates(row, at=time.now()) if not _is_invited(one)]
    form, sites = PeopleForm(), list_sites(row.tenant_id)
    form.people.choices = options((str(one.member.public_id), _candidate_words(one)) for one in found)
    who = request.args.get("who", "asked")
    if request.method == "GET":
        site_ids = {one.id for one in sites if str(one.public_id) == who}
        form.people.data = [str(one.member.public_id) for one in found if _is_ticked(one, who, site_ids)]
    count: list[int] = []
    if acted(form, lambda: count.append(_invite(row, found, form.people.data or ()))):
        said = ngettext(
            "%(num)s person is invited and gets a mail.",
            "%(num)s people are invited and get a mail.",
            count[0],
        )
        return _back(row, said)
    return render_template(
        "training/invite_people.html", form=form, row=row, sites=sites, who=who, found=found
    ), form_status()


def _is_invited(one: Candidate) -> bool:
    return one.seat is not None


def _is_ticked(one: Candidate, who: str, site_ids: Collection[int]) -> bool:
    if who == "everybody":
        return True
    if who == "asked":
        return one.asked > 0
    return bool(one.site_ids & set(site_ids))


def _candidate_words(one: Candidate) -> str:
    if not one.asked:
        return f"{one.member.name} · {one.member.email}"
    asked = ngettext("asked once", "asked %(num)s times", one.asked)
    return f"{one.member.name} · {one.member.email} · {asked}"


def _invite(row: TrainingClass, found: list[Candidate], chosen: Collection[str]) -> int:
    ids = [one.member.user_id for one in found if str(one.member.public_id) in chosen]
    return seats.invite_people(row, ids, by=actor(), at=time.now())


@bp.route("/training/classes/<class_id>/attendance", methods=["GET", "POST"])
@require(Permission.VIEW_DESK)
def hold_class(class_id: str) -> Any:
    """Tick who came; that is what makes a class held."""
    row = queries.find_class(class_id)
    people = _people_of(row)
    form = PeopleForm()
    form.people.choices = options((one.key, one.words) for one in people)
    if request.method == "GET":
        form.people.data = [one.key for one in people if one.is_ticked]
    if acted(form, lambda: seats.hold_class(row, _ids(people, form), by=actor(), at=time.now())):
        return _back(row, _("Attendance is written down."))
    return render_template(
        "training/hold_class.html",
        form=form,
        row=row,
        may_run=services.may_run(row, actor()),
        begun=row.begins_at <= time.now(),
    ), form_status()


@dataclass(frozen=True, slots=True)
class _Person:
    """Somebody who may have come: how the form calls them, and whether they are ticked at first."""

    user_id: int
    key: str
    words: str
    is_ticked: bool


def _ids(people: list[_Person], form: PeopleForm) -> list[int]:
    return [one.user_id for one in people if one.key in (form.people.data or ())]


def _people_of(row: TrainingClass) -> list[_Person]:
    """Seats first, also of people who left since, then the client's other people."""
    found = queries.list_candidates(row, at=time.now())
    keys = {one.member.user_id: str(one.member.public_id) for one in found}
    sitting = [
        _Person(one.user_id, keys.get(one.user_id, f"seat-{one.id}"), _seat_words(one), _is_there(row, one))
        for one in queries.list_seats(row)
    ]
    others = sorted((one for one in found if one.seat is None), key=lambda one: one.member.name)
    return sitting + [
        _Person(one.member.user_id, str(one.member.public_id), f"{one.member.name} · {WALK_IN.word}", False)
        for one in others
    ]


def _is_there(row: TrainingClass, seat: TrainingSeat) -> bool:
    """Who came, once that was written down; before, those who said that they would."""
    return bool(seat.came) if row.state == "held" else seat.answer == "yes"


def _seat_words(seat: TrainingSeat) -> str:
    return f"{seat.name} · {ANSWERS[seat.answer].word if seat.invited_at else WALK_IN.word}"


@bp.post("/training/classes/<class_id>/files")
@require(Permission.VIEW_DESK)
def add_files(class_id: str) -> Any:
    """Hang files on a class."""
    row, form = queries.find_class(class_id), FilesForm()

    def keep() -> None:
        if not services.may_run(row, actor()):
            materials.add_files(row, (), by=actor(), at=time.now())
        materials.add_files(row, keep_uploads(row.tenant_id), by=actor(), at=time.now())

    if acted(form, keep):
        return _back(row, _("The files are there for everybody in the class."))
    return _show(row, form, _article_form)


@bp.post("/training/classes/<class_id>/articles")
@require(Permission.VIEW_DESK)
def add_article(class_id: str) -> Any:
    """Name an article to read."""
    row = queries.find_class(class_id)
    form = _article_form(row)
    if acted(form, lambda: materials.add_article(row, form.article.data or "", by=actor(), at=time.now())):
        return _back(row, _("The article is there for everybody in the class."))
    return _show(row, FilesForm(), lambda _row: form)


@bp.post("/training/classes/<class_id>/materials/<material_id>/remove")
@require(Permission.VIEW_DESK)
def remove_material(class_id: str, material_id: str) -> Any:
    """Take a material off."""
    row = queries.find_class(class_id)
    material = queries.find_material(row, material_id)
    materials.remove_material(row, material, by=actor(), at=time.now())
    db.session.commit()
    return _back(row, _("The material is taken off."))


@bp.get("/training/classes/<class_id>/files/<public_id>")
@require(Permission.VIEW_DESK)
def download_file(class_id: str, public_id: str) -> Response:
    """A file of a class."""
    return hand_out(queries.find_file(queries.find_class(class_id), public_id))


@bp.get("/training/classes/<class_id>/figures.csv")
@require(Permission.VIEW_DESK)
def export_figures(class_id: str) -> Response:
    """The numbers before and after, as a file."""
    return figures_file(queries.find_class(class_id))


def figures_file(row: TrainingClass) -> Response:
    """The numbers of a held class as a file. Raises NotFound of one that was not held."""
    told = effect_told(row)
    if told is None:
        raise NotFound
    head = [*told.head, _("Finding")]
    return csv_answer(head, [[*line, told.finding] for line in told.rows], "training")
