"""The people of one client, for managers: who they are, inviting, roles, leaving, and letting back in."""

from typing import Any

from flask import current_app, flash, redirect, render_template, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from wtforms import SelectField

from msp.console.blueprint import bp
from msp.portal.sharing import SharingForm, save_sharing, sharing_form
from msp.web.access import actor, require
from msp.web.errors import refuse_into_form
from msp.web.fields import email_field, name_field, options, phone_field
from msp.web.words import name_of
from tenants.foundation import time
from tenants.foundation.db import db
from tenants.foundation.errors import Conflict, Invalid, NotFound
from tenants.foundation.permissions import CLIENT_ROLES, MemberRole, Permission
from tenants.foundation.scope import enter, gate
from tenants.people import invitations, limits, members, queries, requests
from tenants.people.models import Membership
from tenants.people.phones import read_phone
from tenants.people.rules import roles_to_give
from tenants.tenancy.models import Tenant
from tenants.tenancy.queries import find_tenant, find_tenant_by_id


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


@bp.route("/tenants/<slug>/people", methods=["GET", "POST"])
@require(Permission.MANAGE_CLIENT_PEOPLE)
def list_client_people(slug: str) -> Any:
    """The client's people and open invitations, with the form to invite somebody."""
    company, form = _client(slug), InviteForm()
    if form.validate_on_submit() and _invite(company, form):
        flash(_("The invitation to %(email)s is on its way.", email=form.email.data), "good")
        return redirect(url_for("console.list_client_people", slug=slug))
    return _people_page(company, form, None), 422 if form.errors else 200


def _people_page(company: Tenant, form: InviteForm, sharing: SharingForm | None) -> str:
    people = queries.list_members(company.id)
    return render_template(
        "console/staff_clients.html",
        company=company,
        form=form,
        sharing=sharing or sharing_form(company, people),
        people=people,
        invitations=queries.list_invitations(company.id),
        waiting=_waiting(people),
    )


@bp.post("/tenants/<slug>/people/ticket-sharing")
@require(Permission.MANAGE_CLIENT_PEOPLE)
def share_client_tickets(slug: str) -> Any:
    """Say for a client who reads its tickets."""
    company = _client(slug)
    sharing = sharing_form(company, queries.list_members(company.id), filled=True)
    if not save_sharing(company, sharing):
        return _people_page(company, InviteForm(formdata=None), sharing), 422
    flash(_("Saved. It holds at once."), "good")
    return redirect(url_for("console.list_client_people", slug=slug))


def _client(slug: str) -> Tenant:
    """A client of this slug; the provider's own people are staff and have a page of their own. Raises NotFound."""
    found = find_tenant(slug)
    if found.kind != "client":
        raise NotFound
    return found


def _waiting(people: list[Membership]) -> set[int]:
    with enter(gate()):
        return requests.list_waiting([one.user_id for one in people], at=time.now())


def _invite(company: Tenant, form: InviteForm) -> bool:
    at = time.now()
    limits.take_at_once(limits.INVITATIONS, str(company.id), at=at)
    try:
        invitations.invite_member(
            company.id,
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


@bp.post("/tenants/<slug>/people/invitations/<public_id>/revoke")
@require(Permission.MANAGE_CLIENT_PEOPLE)
def revoke_client_invitation(slug: str, public_id: str) -> Any:
    """Make an open invitation useless."""
    found = queries.find_invitation(_client(slug).id, public_id)
    invitations.revoke_invitation(found, by=actor(), at=time.now())
    db.session.commit()
    flash(_("The invitation to %(email)s is revoked.", email=found.email), "good")
    return redirect(url_for("console.list_client_people", slug=slug))


@bp.post("/tenants/<slug>/people/invitations/<public_id>/repeat")
@require(Permission.MANAGE_CLIENT_PEOPLE)
def repeat_client_invitation(slug: str, public_id: str) -> Any:
    """Send an open invitation again; the link sent before stops working."""
    found, at = queries.find_invitation(_client(slug).id, public_id), time.now()
    limits.take_at_once(limits.INVITATIONS, str(found.tenant_id), at=at)
    invitations.repeat_invitation(found, by=actor(), at=at)
    db.session.commit()
    flash(_("The invitation to %(email)s is on its way again.", email=found.email), "good")
    return redirect(url_for("console.list_client_people", slug=slug))


@bp.route("/tenants/<slug>/people/<public_id>", methods=["GET", "POST"])
@require(Permission.MANAGE_CLIENT_PEOPLE)
def show_client_person(slug: str, public_id: str) -> Any:
    """One person of the client: role, leaving, and letting in who lost the second factor."""
    person = queries.find_member(_client(slug).id, public_id)
    form = RoleForm(data={"role": person.role})
    if form.validate_on_submit():
        with enter(gate()):
            members.change_member_role(
                person.tenant_id, person.id, MemberRole(form.role.data), by=actor(), at=time.now()
            )
            db.session.commit()
        flash(_("%(name)s has the new role and has to sign in again.", name=person.name), "good")
        return redirect(url_for("console.list_client_people", slug=slug))
    return _person_page(person, form, NumberForm(data={"phone": person.phone})), 422 if form.errors else 200


def _person_page(person: Membership, form: RoleForm, number: NumberForm) -> str:
    return render_template(
        "console/staff_clients_person.html",
        company=find_tenant_by_id(person.tenant_id),
        form=form,
        number=number,
        person=person,
        is_waiting=person.user_id in _waiting([person]),
    )


@bp.post("/tenants/<slug>/people/<public_id>/phone")
@require(Permission.MANAGE_CLIENT_PEOPLE)
def set_client_person_phone(slug: str, public_id: str) -> Any:
    """The number by which calls and texts of this person are known."""
    person, form = queries.find_member(_client(slug).id, public_id), NumberForm()
    if form.validate_on_submit() and _set_phone(person, form):
        flash(_("The telephone number of %(name)s is saved.", name=person.name), "good")
        return redirect(url_for("console.show_client_person", slug=slug, public_id=public_id))
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


@bp.route("/tenants/<slug>/people/<public_id>/remove", methods=["GET", "POST"])
@require(Permission.MANAGE_CLIENT_PEOPLE)
def remove_client_person(slug: str, public_id: str) -> Any:
    """Ask once more, then end the person's access to the company."""
    person = queries.find_member(_client(slug).id, public_id)
    form = FlaskForm()
    if not form.validate_on_submit():
        return render_template("console/staff_clients_remove.html", company=_client(slug), person=person)
    with enter(gate()):
        members.remove_member(person.tenant_id, person.id, by=actor(), at=time.now())
        db.session.commit()
    flash(_("%(name)s has no access any more.", name=person.name), "good")
    return redirect(url_for("console.list_client_people", slug=slug))


@bp.post("/tenants/<slug>/people/<public_id>/let-in")
@require(Permission.MANAGE_CLIENT_PEOPLE)
def let_client_person_in(slug: str, public_id: str) -> Any:
    """Vouch for a person who lost the second factor; the link goes to the person's own mailbox."""
    person = queries.find_member(_client(slug).id, public_id)
    with enter(gate()):
        members.let_member_in(person.tenant_id, person.id, by=actor(), at=time.now())
        db.session.commit()
    flash(_("A link is on its way to %(email)s.", email=person.email), "good")
    return redirect(url_for("console.list_client_people", slug=slug))
