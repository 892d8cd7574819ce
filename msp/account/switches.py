"""The switches of every page: language for anybody, company for people who belong to several."""

from typing import Any

from flask import current_app, g, redirect, request, url_for
from flask_babel import gettext as _

from msp.account.blueprint import bp
from msp.account.following import safe_next
from msp.web.access import principal, public, require
from msp.web.languages import COOKIE, LANGUAGES
from tenants.foundation.db import db
from tenants.foundation.errors import Invalid, NotFound
from tenants.foundation.permissions import Permission
from tenants.foundation.scope import enter, gate
from tenants.people import accounts, sessions

YEAR = 365 * 24 * 3600


@bp.post("/language")
@public("changes nothing but the language of the pages")
def switch_language() -> Any:
    """Keep the choice in a cookie, and in the person's own row."""
    language = request.form.get("language", "")
    if language not in LANGUAGES:
        raise Invalid("language", _("Choose Indonesian or English."))
    person = g.get("principal")
    if person is not None:
        with enter(gate()):
            accounts.set_language(person.user_id, language)
            db.session.commit()
    answer = redirect(safe_next(request.form.get("next")) or url_for("account.go_home"))
    answer.set_cookie(
        COOKIE, language, max_age=YEAR, samesite="Lax", secure=current_app.config["SESSION_COOKIE_SECURE"]
    )
    return answer


@bp.post("/company")
@require(Permission.USE_ACCOUNT)
def switch_tenant() -> Any:
    """Look at another company that the person belongs to; any other slug is not found."""
    me = principal()
    chosen = next((one for one in me.companies if one[2] == request.form.get("tenant")), None)
    if chosen is None or me.session_id is None:
        raise NotFound
    with enter(gate()):
        sessions.choose_company(me.session_id, chosen[0])
        db.session.commit()
    return redirect(url_for("account.go_home"))
