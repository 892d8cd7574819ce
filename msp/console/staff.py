"""The provider's people: list, invitations, role, reach, leaving, and letting back in."""

from typing import Any

from flask import flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_babel import ngettext
from flask_wtf import FlaskForm
from wtforms import BooleanField, SelectField, SelectMultipleField, widgets

from msp.console.blueprint import bp
from msp.web import navigation
from msp.web.access import actor, require
from msp.web.errors import refuse_into_form
from msp.web.fields import email_field, name_field, options
from msp.web.words import name_of
from tenants.foundation import time
from tenants.foundation.db import db
from tenants.foundation.errors import Conflict, Invalid, NotFound
from tenants.foundation.permissions import PERMISSIONS, STAFF_ROLES, MemberRole, Permission
from tenants.foundation.scope import enter, gate
from tenants.people import invitations, limits, queries, requests, staff
from tenants.people.models import Invitation, StaffMember
from tenants.people.rules import Reach, may_appoint, roles_to_give
from tenants.tenancy.models import Tenant
from tenants.tenancy.queries import list_all_tenants

PLACE = navigation.Place(
    _l("Staff"), "console.list_staff", "people", Permission.VIEW_STAFF, staff=True, order=80
)


# The least first, so that nobody gives more than was meant.
FROM_BELOW = sorted(STAFF_ROLES, key=lambda role: len(PERMISSIONS[role]))


class StaffRoleForm(FlaskForm):
    """One of the roles that the viewer may give."""

    role = SelectField(_l("Role"))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        given = roles_to_give(actor().role, FROM_BELOW)
        self.role.choices = options((one, name_of("role", one)) for one in given)


class InviteStaffForm(StaffRoleForm):
    """Who is invited, as what, for which clients."""

    email = email_field(_l("E-mail address"))
    name = name_field(_l("Name"))
    all_tenants = BooleanField(_l("All clients, those to come too"))
    tenants = SelectMultipleField(
        _l("Clients"),
        option_widget=widgets.CheckboxInput(),
        widget=widgets.ListWidget(prefix_label=False),
        description=_l("None chosen means none."),
    )


@bp.get("/staff")
@require(Permission.VIEW_STAFF)
def list_staff() -> Any:
    """Everybody who works here, and who is invited."""
    people = queries.list_staff()
    with enter(gate()):
        waiting = requests.list_waiting([one.user_id for one in people], at=time.now())
        home = requests.own_tenant_id()
        invited = queries.list_invitations(home) if home is not None else []
    grants = queries.grants_of([one.user_id for one in people])
    return render_template(
        "console/staff.html",
        people=people,
        waiting=waiting,
        invitations=invited,
        may_change=invitations.may_change,
        reach_words={one.user_id: reach_words(one, grants[one.user_id]) for one in people},
    )


def reach_words(member: StaffMember, effects: dict[int, str]) -> str:
    """How far a person reaches, counted among the clients that the viewer may see."""
    denied = sum(effect == "deny" for effect in effects.values())
    if member.all_tenants:
        return _("all clients but %(count)s", count=denied) if denied else _("all clients")
    allowed = len(effects) - denied
    return ngettext("%(num)s client", "%(num)s clients", allowed) if allowed else _("no clients")


@bp.route("/staff/invite", methods=["GET", "POST"])
@require(Permission.MANAGE_STAFF)
def invite_staff() -> Any:
    """Invite somebody into the staff, within what the viewer holds."""
    tenants = list_all_tenants()
    form = InviteStaffForm()
    form.tenants.choices = options((one.slug, one.name) for one in tenants)
    if form.validate_on_submit() and _invite(form, tenants):
        flash(_("The invitation to %(email)s is on its way.", email=form.email.data), "good")
        return redirect(url_for("console.list_staff"))
    return render_template("console/staff_invite.html", form=form), 422 if form.errors else 200


def _invite(form: InviteStaffForm, tenants: list[Tenant]) -> bool:
    at, chosen = time.now(), set(form.tenants.data or ())
    allowed = frozenset(one.id for one in tenants if one.slug in chosen)
    try:
        with enter(gate()):
            home = _home()
            limits.take(limits.INVITATIONS, str(home), at=at)
            invitations.invite_staff(
                home,
                email=form.email.data,
                name=form.name.data,
                role=MemberRole(form.role.data),
                reach=Reach(bool(form.all_tenants.data), frozenset() if form.all_tenants.data else allowed),
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


def _home() -> int:
    home = requests.own_tenant_id()
    if home is None:
        raise NotFound
    return home


def _invitation(public_id: str) -> Invitation:
    return queries.find_invitation(_home(), public_id)


@bp.post("/staff/invitations/<public_id>/revoke")
@require(Permission.MANAGE_STAFF)
def revoke_staff_invitation(public_id: str) -> Any:
    """Make an open invitation useless."""
    with enter(gate()):
        found = _invitation(public_id)
        invitations.revoke_invitation(found, by=actor(), at=time.now())
        db.session.commit()
    flash(_("The invitation to %(email)s is revoked.", email=found.email), "good")
    return redirect(url_for("console.list_staff"))


@bp.post("/staff/invitations/<public_id>/repeat")
@require(Permission.MANAGE_STAFF)
def repeat_staff_invitation(public_id: str) -> Any:
    """Send an open invitation again; the link sent before stops working."""
    at = time.now()
    with enter(gate()):
        found = _invitation(public_id)
        limits.take(limits.INVITATIONS, str(found.tenant_id), at=at)
        invitations.repeat_invitation(found, by=actor(), at=at)
        db.session.commit()
    flash(_("The invitation to %(email)s is on its way again.", email=found.email), "good")
    return redirect(url_for("console.list_staff"))


@bp.get("/staff/<public_id>")
@require(Permission.VIEW_STAFF)
def show_staff(public_id: str) -> Any:
    """One of the provider's people; what may be changed by the viewer has a form."""
    return _page(queries.find_staff(public_id))


def _page(member: StaffMember, form: StaffRoleForm | None = None, status: int = 200) -> Any:
    with enter(gate()):
        is_waiting = member.user_id in requests.list_waiting([member.user_id], at=time.now())
        held = queries.find_reach(actor().id or 0)
    effects = queries.grants_of([member.user_id])[member.user_id]
    page = render_template(
        "console/staff_person.html",
        person=member,
        form=form or StaffRoleForm(formdata=None, data={"role": member.role}),
        tenants=list_all_tenants(),
        effects=effects,
        words=reach_words(member, effects),
        is_waiting=is_waiting,
        may_change=_may_change(member),
        may_pass_all=held.covers(Reach(all_tenants=True)),
    )
    return page, status


def _may_change(member: StaffMember) -> bool:
    who = actor()
    may = who.may(Permission.MANAGE_STAFF) and may_appoint(who.role, MemberRole(member.role))
    return may and member.user_id != who.id


@bp.post("/staff/<public_id>/role")
@require(Permission.MANAGE_STAFF)
def change_staff_role(public_id: str) -> Any:
    """Give the person another role."""
    member, form = queries.find_staff(public_id), StaffRoleForm()
    if not form.validate_on_submit():
        return _page(member, form, 422)
    with enter(gate()):
        staff.change_staff_role(member.id, MemberRole(form.role.data), by=actor(), at=time.now())
        db.session.commit()
    flash(_("%(name)s has the new role and has to sign in again.", name=member.name), "good")
    return redirect(url_for("console.show_staff", public_id=public_id))


@bp.post("/staff/<public_id>/reach")
@require(Permission.MANAGE_STAFF)
def set_staff_reach(public_id: str) -> Any:
    """Say which clients the person sees; clients missing from the form stay as they are."""
    member = queries.find_staff(public_id)
    if not FlaskForm().validate_on_submit():
        return _page(member, status=422)
    with enter(gate()):
        held = queries.find_reach(actor().id or 0)
    asked = {one.id: request.form.get(f"effect-{one.slug}") for one in list_all_tenants()}
    effects = {one: effect for one, effect in asked.items() if effect is not None}
    reach = request.form.get("reach", "")
    staff.set_reach(
        member,
        all_tenants=reach == "all" if reach else member.all_tenants,
        effects=effects,
        held=held,
        by=actor(),
        at=time.now(),
    )
    db.session.commit()
    flash(_("The clients of %(name)s are saved.", name=member.name), "good")
    return redirect(url_for("console.show_staff", public_id=public_id))


@bp.route("/staff/<public_id>/remove", methods=["GET", "POST"])
@require(Permission.MANAGE_STAFF)
def remove_staff(public_id: str) -> Any:
    """Ask once more, then end the person's access; open tickets are handed on."""
    member = queries.find_staff(public_id)
    if not FlaskForm().validate_on_submit():
        return render_template("console/staff_remove.html", person=member)
    with enter(gate()):
        staff.remove_staff(member.id, by=actor(), at=time.now())
        db.session.commit()
    flash(_("%(name)s has no access any more.", name=member.name), "good")
    return redirect(url_for("console.list_staff"))


@bp.post("/staff/<public_id>/let-in")
@require(Permission.MANAGE_STAFF)
def let_staff_in(public_id: str) -> Any:
    """Vouch for a person who lost the second factor; the link goes to the person's own mailbox."""
    member = queries.find_staff(public_id)
    with enter(gate()):
        staff.let_staff_in(member.id, by=actor(), at=time.now())
        db.session.commit()
    flash(_("A link is on its way to %(email)s.", email=member.email), "good")
    return redirect(url_for("console.show_staff", public_id=public_id))
