"""Pages of one person: skills, certificates, shifts and figures; and the feed of one's own duty."""

from datetime import timedelta
from typing import Any

from flask import Response, current_app, g, render_template, request, url_for
from flask_babel import force_locale
from flask_babel import gettext as _

from msp.staff import certificates, feeds, skills, teams
from msp.staff.answering import back
from msp.staff.blueprint import bp
from msp.staff.figures import ENOUGH, PERIOD, QUIET, figures_of
from msp.staff.queries import list_absences, list_shifts
from msp.staff.skill_pages import typed_levels
from msp.staff.words import ABSENCE_WORDS, KIND_WORDS, LEVEL_WORDS
from msp.web.access import actor, credential, require
from msp.web.languages import choose_time_zone
from msp.web.limits import limiter
from tenants.foundation import time
from tenants.foundation.db import db
from tenants.foundation.errors import Forbidden, NotFound
from tenants.foundation.permissions import Permission
from tenants.foundation.scope import Scope, enter, gate
from tenants.people.limits import source_of, take_at_once
from tenants.people.models import StaffMember
from tenants.people.queries import find_staff, list_staff

BACK, AHEAD = timedelta(days=31), timedelta(days=180)
COMING = timedelta(days=28)
READS = "60/hour"


@bp.get("/staff/me")
@require(Permission.VIEW_DESK)
def show_me() -> Any:
    """One's own page."""
    mine = next((one for one in list_staff() if one.user_id == actor().id), None)
    if mine is None:
        raise NotFound
    return _page(mine)


@bp.post("/staff/me/link")
@require(Permission.VIEW_DESK)
def set_link() -> Any:
    """Make, replace or end one's own secret link to the calendar of one's duty."""
    mine = next((one for one in list_staff() if one.user_id == actor().id), None)
    if mine is None:
        raise NotFound
    if request.form.get("what") == "end":
        feeds.revoke_feed(by=actor(), at=time.now())
        db.session.commit()
        return _page(mine)
    token = feeds.issue_feed(by=actor(), at=time.now())
    db.session.commit()
    public_url: str = current_app.extensions["settings"].public_url
    return _page(mine, public_url + url_for("staff.show_feed", token=token))


@bp.get("/staff/people/<person>")
@require(Permission.VIEW_DESK)
def show_person(person: str) -> Any:
    """Somebody's page: one's own, or anybody's for who manages staff."""
    found = find_staff(person)
    if found.user_id != actor().id and not actor().may(Permission.MANAGE_STAFF):
        raise Forbidden
    return _page(found)


def _page(person: StaffMember, secret: str | None = None) -> str:
    now, is_own = time.now(), person.user_id == actor().id
    return render_template(
        "staff/show_person.html",
        person=person,
        is_own=is_own,
        skills=skills.list_skills(),
        name_of_skill=skills.name_of_skill,
        levels=skills.levels_of([person.user_id]).get(person.user_id, {}),
        level_words=LEVEL_WORDS,
        teams=teams.teams_of(person.user_id),
        certificates=certificates.list_certificates(person.user_id),
        today=now.date(),
        shifts=list_shifts(now, now + COMING, person.user_id),
        absences=list_absences(now, now + COMING, person.user_id),
        kind_words=KIND_WORDS,
        absence_words=ABSENCE_WORDS,
        zone=choose_time_zone(),
        figures=figures_of([person.user_id], now - PERIOD, now)[person.user_id],
        period=PERIOD.days,
        quiet=QUIET.days,
        enough=ENOUGH,
        feed=feeds.find_feed(by=actor()) if is_own else None,
        secret=secret,
    )


@bp.post("/staff/people/<person>/skills")
@require(Permission.MANAGE_STAFF)
def set_levels(person: str) -> Any:
    """Say how well somebody can what."""
    found = find_staff(person)
    skills.set_levels(found, typed_levels(), by=actor(), at=time.now())
    db.session.commit()
    return back(_("The skills are saved."), url_for("staff.show_person", person=found.public_id))


@bp.get("/roster/<token>.ics")
@limiter.limit(READS, key_func=lambda: f"roster:{g.roster_reader.user_id}")
@credential("roster")
def show_feed(token: str) -> Response:
    """One person's duty, for programs that show calendars."""
    reader: feeds.Reader = g.roster_reader
    now, settings = time.now(), current_app.extensions["settings"]
    shifts = list_shifts(now - BACK, now + AHEAD, reader.user_id)
    with force_locale(reader.language or settings.language):
        written = feeds.write_roster(
            shifts,
            name=_("My duty at %(provider)s", provider=settings.provider_name),
            host=settings.public_url.partition("://")[2].partition(":")[0],
            at=now,
        )
    return Response(written, content_type=f"{feeds.MEDIA_TYPE}; charset=utf-8")


def resolve_link() -> Scope:
    """The scope of the person whose link it is. Raises NotFound for wrong ones, and TooMany after many of them."""
    at = time.now()
    try:
        with enter(gate()):
            g.roster_reader = feeds.resolve_feed(str((request.view_args or {})["token"]), at=at)
    except NotFound:
        take_at_once(feeds.WRONG, source_of(request.remote_addr), at=at)
        raise
    reader: feeds.Reader = g.roster_reader
    return reader.scope
