"""One's own API tokens: make, list, revoke."""

from dataclasses import dataclass
from typing import Any

from flask import flash, redirect, render_template, url_for
from flask_babel import gettext as _

from msp.account.blueprint import bp
from msp.account.forms import TokenForm
from msp.account.words import RIGHTS, rights_to_choose
from msp.web.access import actor, principal, require
from msp.web.errors import refuse_into_form
from msp.web.fields import options
from tenants.foundation import time
from tenants.foundation.db import db
from tenants.foundation.errors import Conflict, Invalid
from tenants.foundation.permissions import Permission
from tenants.foundation.scope import enter, gate
from tenants.people import tokens
from tenants.tenancy.queries import as_uuid, list_all_tenants


@bp.route("/account/tokens", methods=["GET", "POST"])
@require(Permission.MINT_TOKENS)
def list_tokens() -> Any:
    """The person's tokens, and a form for another one; a new token is shown once, on the page that answers."""
    places = _places()
    form = _form(places)
    secret = _mint(form, places) if form.validate_on_submit() else None
    with enter(gate()):
        mine = tokens.list_tokens(principal().user_id, at=time.now())
    names = {place.id: place.label for place in places}
    page = render_template(
        "account/tokens.html", form=form, tokens=mine, secret=secret, rights=RIGHTS, place_names=names
    )
    return page, 422 if form.errors else 200


@dataclass(frozen=True, slots=True)
class Place:
    """What a token may be bound to: one company, or (id None) all that a staff member may see."""

    id: int | None
    slug: str
    label: str


def _places() -> list[Place]:
    me = principal()
    if me.actor.is_staff:
        named = [Place(one.id, one.slug, one.name) for one in list_all_tenants()]
        return [Place(None, "", _("All clients that I may see")), *named]
    return [Place(one[0], one[2], one[1]) for one in me.companies if one[0] == me.tenant_id]


def _form(places: list[Place]) -> TokenForm:
    form = TokenForm()
    form.tenant.choices = options((place.slug, place.label) for place in places)
    form.rights.choices = options(rights_to_choose(actor().permissions))
    return form


def _mint(form: TokenForm, places: list[Place]) -> str | None:
    try:
        with enter(gate()):
            _token, secret = tokens.mint_token(
                name=form.name.data,
                rights=form.rights.data or [],
                days=form.days.data,
                tenant_id=next(place.id for place in places if place.slug == form.tenant.data),
                by=actor(),
                at=time.now(),
            )
            db.session.commit()
            return secret
    except Invalid as refused:
        refuse_into_form(refused, form)
    except Conflict as refused:
        form.name.errors = [str(refused.message)]
    return None


@bp.post("/account/tokens/<public_id>/revoke")
@require(Permission.USE_ACCOUNT)
def revoke_token(public_id: str) -> Any:
    """End one of one's own tokens at once."""
    with enter(gate()):
        tokens.revoke_token(principal().user_id, as_uuid(public_id), by=actor(), at=time.now())
        db.session.commit()
    flash(_("The token is revoked."), "good")
    return redirect(
        url_for("account.list_tokens")
        if actor().may(Permission.MINT_TOKENS)
        else url_for("account.show_profile")
    )
