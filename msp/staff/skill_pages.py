"""Pages of skills, certificates and teams."""

from typing import Any

from flask import render_template, request, url_for
from flask_babel import gettext as _

from msp.staff import certificates, skills, teams
from msp.staff.answering import back
from msp.staff.blueprint import bp
from msp.staff.checks import find_person
from msp.staff.forms import CertificateForm, SkillForm, TeamForm
from msp.staff.models import Certificate, Team
from msp.staff.queries import people_by_id
from msp.staff.words import LEVEL_WORDS
from msp.web.access import actor, require
from msp.web.acting import acted, form_status
from msp.web.languages import reader_language
from tenants.foundation import time
from tenants.foundation.db import db
from tenants.foundation.errors import Invalid
from tenants.foundation.permissions import Permission
from tenants.tickets.categories import find_category, read_tree


@bp.get("/staff/skills")
@require(Permission.VIEW_DESK)
def list_skills() -> Any:
    """Who can what: a table of people and skills."""
    found = skills.list_skills(retired=actor().may(Permission.MANAGE_STAFF))
    return render_template(
        "staff/list_skills.html",
        skills=found,
        name_of_skill=skills.name_of_skill,
        people=list(people_by_id().values()),
        levels=skills.levels_of(),
        categories=[(one.category.public_id, one.path(reader_language())) for one in read_tree().offered()],
    )


@bp.route("/staff/skills/new", methods=["GET", "POST"])
@require(Permission.MANAGE_STAFF)
def add_skill() -> Any:
    """A new skill."""
    form = SkillForm()
    if acted(
        form,
        lambda: skills.add_skill(form.name_en.data or "", form.name_id.data or "", by=actor(), at=time.now()),
    ):
        return back(_("The skill is saved."), url_for("staff.list_skills"))
    return render_template("staff/edit_skill.html", form=form, skill=None), form_status()


@bp.route("/staff/skills/<skill>", methods=["GET", "POST"])
@require(Permission.MANAGE_STAFF)
def edit_skill(skill: str) -> Any:
    """Rename a skill, or retire it."""
    found = skills.find_skill(skill)
    form = SkillForm(obj=found)
    if acted(
        form,
        lambda: skills.change_skill(
            found,
            form.name_en.data or "",
            form.name_id.data or "",
            is_active=bool(form.is_active.data),
            by=actor(),
            at=time.now(),
        ),
    ):
        return back(_("The skill is saved."), url_for("staff.list_skills"))
    return render_template("staff/edit_skill.html", form=form, skill=found), form_status()


@bp.route("/staff/categories/<category_id>/skills", methods=["GET", "POST"])
@require(Permission.MANAGE_STAFF)
def set_needs(category_id: str) -> Any:
    """Which skills tickets of a category ask for."""
    category = find_category(category_id)
    if request.method == "POST":
        skills.set_needs(category.id, typed_levels(), by=actor(), at=time.now())
        db.session.commit()
        return back(_("The category's skills are saved."), url_for("staff.list_skills"))
    return render_template(
        "staff/set_needs.html",
        category=read_tree().path(category.id, reader_language()),
        skills=skills.list_skills(),
        name_of_skill=skills.name_of_skill,
        held=skills.needs_of(category.id),
        level_words=LEVEL_WORDS,
    )


def typed_levels() -> dict[int, int]:
    """The levels of a form with a field `level-<skill>` for each skill. Raises Invalid."""
    found = {}
    for skill in skills.list_skills(retired=True):
        typed = request.form.get(f"level-{skill.public_id}", "")
        if typed not in ("", "0", "1", "2", "3"):
            raise Invalid("level", _("A level is 1, 2 or 3."))
        found[skill.id] = int(typed or 0)
    return found


@bp.get("/staff/certificates")
@require(Permission.VIEW_STAFF)
def list_certificates() -> Any:
    """Everybody's certificates, what expires first at the top."""
    return render_template(
        "staff/list_certificates.html",
        certificates=certificates.list_certificates(),
        people=people_by_id(),
        today=time.now().date(),
    )


@bp.route("/staff/certificates/new", methods=["GET", "POST"])
@require(Permission.MANAGE_STAFF)
def add_certificate() -> Any:
    """Note a certificate."""
    chosen = {"person": request.args.get("person", "")}
    form = _certificate_form(CertificateForm(data=chosen if request.method == "GET" else None))
    if acted(
        form,
        lambda: certificates.add_certificate(
            find_person(form.person.data), _paper(form), by=actor(), at=time.now()
        ),
    ):
        return back(_("The certificate is saved."), url_for("staff.list_certificates"))
    return render_template("staff/edit_certificate.html", form=form, certificate=None), form_status()


def _certificate_form(form: CertificateForm) -> CertificateForm:
    form.offer(list(people_by_id().values()))
    return form


def _paper(form: CertificateForm) -> certificates.Paper:
    return certificates.Paper(
        name=form.name.data or "",
        issuer=form.issuer.data or "",
        number=form.number.data or "",
        issued_on=form.issued_on.data,
        expires_on=form.expires_on.data,
    )


@bp.route("/staff/certificates/<certificate>", methods=["GET", "POST"])
@require(Permission.MANAGE_STAFF)
def edit_certificate(certificate: str) -> Any:
    """Correct a certificate, or renew it."""
    found = certificates.find_certificate(certificate)
    form = CertificateForm(obj=found)
    del form.person
    if acted(
        form,
        lambda: certificates.change_certificate(found, _paper(form), by=actor(), at=time.now()),
    ):
        return back(_("The certificate is saved."), url_for("staff.list_certificates"))
    return render_template("staff/edit_certificate.html", form=form, certificate=found), form_status()


@bp.post("/staff/certificates/<certificate>/remove")
@require(Permission.MANAGE_STAFF)
def remove_certificate(certificate: str) -> Any:
    """Forget a certificate."""
    found: Certificate = certificates.find_certificate(certificate)
    certificates.remove_certificate(found, by=actor(), at=time.now())
    db.session.commit()
    return back(_("The certificate is removed."), url_for("staff.list_certificates"))


@bp.get("/staff/teams")
@require(Permission.VIEW_DESK)
def list_teams() -> Any:
    """Teams and who is in them."""
    return render_template(
        "staff/list_teams.html", teams=teams.list_teams(), members=teams.members_of(), people=people_by_id()
    )


@bp.route("/staff/teams/new", methods=["GET", "POST"])
@require(Permission.MANAGE_STAFF)
def add_team() -> Any:
    """A new team."""
    form = TeamForm()
    form.offer(list(people_by_id().values()))
    if acted(form, lambda: _save(None, form)):
        return back(_("The team is saved."), url_for("staff.list_teams"))
    return render_template("staff/edit_team.html", form=form, team=None), form_status()


@bp.route("/staff/teams/<team>", methods=["GET", "POST"])
@require(Permission.MANAGE_STAFF)
def edit_team(team: str) -> Any:
    """Change a team."""
    found, people = teams.find_team(team), people_by_id()
    inside = [people[one] for one in teams.members_of().get(found.id, ()) if one in people]
    lead = people.get(found.lead_user_id or 0)
    begun = {
        "name": found.name,
        "members": [str(one.public_id) for one in inside],
        "lead": str(lead.public_id) if lead else "",
        "default_tier": found.default_tier or "",
    }
    form = TeamForm(data=begun if request.method == "GET" else None)
    form.offer(list(people.values()))
    if acted(form, lambda: _save(found, form)):
        return back(_("The team is saved."), url_for("staff.list_teams"))
    return render_template("staff/edit_team.html", form=form, team=found), form_status()


def _save(team: Team | None, form: TeamForm) -> None:
    teams.save_team(
        team,
        name=form.name.data or "",
        members=[find_person(one, "members") for one in form.members.data or ()],
        lead=find_person(form.lead.data, "lead") if form.lead.data else None,
        default_tier=form.default_tier.data or None,
        by=actor(),
        at=time.now(),
    )


@bp.post("/staff/teams/<team>/remove")
@require(Permission.MANAGE_STAFF)
def remove_team(team: str) -> Any:
    """The team is no more."""
    teams.remove_team(teams.find_team(team), by=actor(), at=time.now())
    db.session.commit()
    return back(_("The team is removed. Its people stay."), url_for("staff.list_teams"))
