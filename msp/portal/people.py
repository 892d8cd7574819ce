"""The people of one's own company: who they are, inviting, roles, leaving, and letting back in."""

from typing import Any

from flask import current_app, flash, redirect, render_template, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from wtforms import SelectField

from msp.portal.blueprint import bp
from msp.portal.sharing import SharingForm, save_sharing, sharing_form
from msp.web import navigation
from msp.web.access import actor, require, tenant
from msp.web.errors import refuse_into_form
from msp.web.fields import email_field, name_field, options, phone_field
from msp.web.words import name_of
from tenants.foundation import time
from tenants.foundation.db import db
from tenants.foundation.errors import Conflict, Invalid
from tenants.foundation.permissions import CLIENT_ROLES, MemberRole, Permission
from tenants.foundation.scope import enter, gate
from tenants.people import invitations, limits, members, queries, requests
from tenants.people.models import Membership
from tenants.people.phones import read_phone
from tenants.people.rules import roles_to_give
from tenants.tenancy.queries import find_tenant_by_id

PLACE = navigation.Place(
    _l("People"), "portal.list_people", "people", Permission.MANAGE_COMPANY_PEOPLE, staff=False, order=70
)


class RoleForm(FlaskForm):
    """One of the roles that the viewer may give."""

    role = SelectField(_l("Role"))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        given = roles_to_give(actor().role, reversed(CLIENT_ROLES))
        self.role.choices = options((one, name_of("role", one)) for one in given)


class NumberForm(FlaskForm):
    """A telephone number, or none."""

    phone = phone_field(_l("Telephone number"))


class InviteForm(RoleForm):
    """Who is invited, and as what."""

    email = email_field(_l("E-mail address"))
    name = name_field(_l("Name"))


@bp.route("/people", methods=["GET", "POST"])
@require(Permission.MANAGE_COMPANY_PEOPLE)
def list_people() -> Any:
    """The company's people and open invitations, with the form to invite somebody."""
    form = InviteForm()
    if form.validate_on_submit() and _invite(form):
        flash(_("The invitation to %(email)s is on its way.", email=form.email.data), "good")
        return redirect(url_for("portal.list_people"))
    return _people_page(form, None), 422 if form.errors else 200


def _people_page(form: InviteForm, sharing: SharingForm | None) -> str:
    people = queries.list_members(tenant())
    return render_template(
        "portal/people.html",
        form=form,
        sharing=sharing or sharing_form(find_tenant_by_id(tenant()), people),
        people=people,
        invitations=queries.list_invitations(tenant()),
        waiting=_waiting(people),
    )


@bp.post("/people/ticket-sharing")
@require(Permission.MANAGE_COMPANY_PEOPLE)
def share_tickets() -> Any:
    """Say who reads the company's tickets."""
    company = find_tenant_by_id(tenant())
    sharing = sharing_form(company, queries.list_members(company.id), filled=True)
    if not save_sharing(company, sharing):
        return _people_page(InviteForm(formdata=None), sharing), 422
    flash(_("Saved. It holds at once."), "good")
    return redirect(url_for("portal.list_people"))


def _waiting(people: list[Membership]) -> set[int]:
    with enter(gate()):
        return requests.list_waiting([one.user_id for one in people], at=time.now())


def _invite(form: InviteForm) -> bool:
    at = time.now()
    limits.take_at_once(limits.INVITATIONS, str(tenant()), at=at)
    try:
        invitations.invite_member(
            tenant(),
            email=form.email.data,
            name=form.name.data,
            role=MemberRole(form.role.data),
            by=actor(),
            at=at,
        )
        db.session.commit()
    except Invalid as refused:
        refuse_into_form(refused, form)
        return False
    except Conflict as refused:
        form.email.errors = [str(refused.message)]
        return False
    return True


@bp.post("/people/invitations/<public_id>/revoke")
@require(Permission.MANAGE_COMPANY_PEOPLE)
def revoke_invitation(public_id: str) -> Any:
    """Make an open invitation useless."""
    found = queries.find_invitation(tenant(), public_id)
    invitations.revoke_invitation(found, by=actor(), at=time.now())
    db.session.commit()
    flash(_("The invitation to %(email)s is revoked.", email=found.email), "good")
    return redirect(url_for("portal.list_people"))


@bp.post("/people/invitations/<public_id>/repeat")
@require(Permission.MANAGE_COMPANY_PEOPLE)
def repeat_invitation(public_id: str) -> Any:
    """Send an open invitation again; the link sent before stops working."""
    found, at = queries.find_invitation(tenant(), public_id), time.now()
    limits.take_at_once(limits.INVITATIONS, str(tenant()), at=at)
    invitations.repeat_invitation(found, by=actor(), at=at)
    db.session.commit()
    flash(_("The invitation to %(email)s is on its way again.", email=found.email), "good")
    return redirect(url_for("portal.list_people"))


@bp.route("/people/<public_id>", methods=["GET", "POST"])
@require(Permission.MANAGE_COMPANY_PEOPLE)
def show_person(public_id: str) -> Any:
    """One person of the company: role, leaving, and letting in who lost the second factor."""
    person = queries.find_member(tenant(), public_id)
    form = RoleForm(data={"role": person.role})
    if form.validate_on_submit():
        with enter(gate()):
            members.change_member_role(
                person.tenant_id, person.id, MemberRole(form.role.data), by=actor(), at=time.now()
            )
            db.session.commit()
        flash(_("%(name)s has the new role and has to sign in again.", name=person.name), "good")
        return redirect(url_for("portal.list_people"))
    return _person_page(person, form, NumberForm(data={"phone": person.phone})), 422 if form.errors else 200


def _person_page(person: Membership, form: RoleForm, number: NumberForm) -> str:
    return render_template(
        "portal/people_person.html",
        form=form,
        number=number,
        person=person,
        is_waiting=person.user_id in _waiting([person]),
    )


@bp.post("/people/<public_id>/phone")
@require(Permission.MANAGE_COMPANY_PEOPLE)
def set_person_phone(public_id: str) -> Any:
    """The number by which calls and texts of this person are known."""
    person, form = queries.find_member(tenant(), public_id), NumberForm()
    if form.validate_on_submit() and _set_phone(person, form):
        flash(_("The telephone number of %(name)s is saved.", name=person.name), "good")
        return redirect(url_for("portal.show_person", public_id=public_id))
    return _person_page(person, RoleForm(data={"role": person.role}), form), 422


def _set_phone(person: Membership, form: NumberForm) -> bool:
    try:
        phone = read_phone(form.phone.data or "", current_app.extensions["settings"].phone_region)
    except Invalid as refused:
        refuse_into_form(refused, form)
        return False
    members.change_member_phone(person, phone, by=actor(), at=time.now())
    db.session.commit()
    return True


@bp.route("/people/<public_id>/remove", methods=["GET", "POST"])
@require(Permission.MANAGE_COMPANY_PEOPLE)
def remove_person(public_id: str) -> Any:
    """Ask once more, then end the person's access to the company."""
    person = queries.find_member(tenant(), public_id)
    form = FlaskForm()
    if not form.validate_on_submit():
        return render_template("portal/people_remove.html", person=person)
    with enter(gate()):
        members.remove_member(person.tenant_id, person.id, by=actor(), at=time.now())
        db.session.commit()
    flash(_("%(name)s has no access any more.", name=person.name), "good")
    return redirect(url_for("portal.list_people"))


@bp.post("/people/<public_id>/let-in")
@require(Permission.MANAGE_COMPANY_PEOPLE)
def let_person_in(public_id: str) -> Any:
    """Vouch for a person who lost the second factor; the link goes to the person's own mailbox."""
    person = queries.find_member(tenant(), public_id)
    with enter(gate()):
        members.let_member_in(person.tenant_id, person.id, by=actor(), at=time.now())
        db.session.commit()
    flash(_("A link is on its way to %(email)s.", email=person.email), "good")
    return redirect(url_for("portal.list_people"))
