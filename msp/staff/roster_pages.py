"""Pages of the roster: the week, shifts, patterns, absences."""

from collections.abc import Callable
from datetime import date, datetime, timedelta
from datetime import time as clock
from typing import Any
from zoneinfo import ZoneInfo

from flask import flash, g, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import ngettext

from msp.staff import queries, roster
from msp.staff.answering import back
from msp.staff.blueprint import bp
from msp.staff.checks import FIRST_YEAR, LAST_YEAR, find_person
from msp.staff.coverage import gaps, promised_spans
from msp.staff.forms import AbsenceForm, DutyForm, PatternForm, ShiftForm
from msp.staff.patterns import Pattern, hours_of, weekly, whole_days
from msp.staff.picture import Week, days_of_week, draw_week
from msp.staff.roster_models import Shift
from msp.staff.words import ABSENCE_WORDS, KIND_WORDS
from msp.web.access import actor, require
from msp.web.acting import acted, form_status
from msp.web.formats import short_day
from msp.web.languages import choose_time_zone
from tenants.foundation import time
from tenants.foundation.db import db
from tenants.foundation.errors import Invalid
from tenants.foundation.permissions import Permission

NOON = clock.fromisoformat("12:00")


@bp.get("/roster")
@require(Permission.VIEW_DESK)
def show_roster() -> Any:
    """A week: who is on duty when, who is away, and where a promise is not covered."""
    zone, now = choose_time_zone(), time.now()
    monday = _chosen_monday(zone, now)
    begin, end = whole_days(monday, monday + timedelta(days=6), zone)
    shifts, absences = queries.list_shifts(begin, end), queries.list_absences(begin, end)
    lacking = gaps(promised_spans(begin, end, at=max(begin, now)), shifts, absences, begin, end)
    people = queries.people_by_id()
    shown = {one.user_id for one in shifts} | {one.user_id for one in absences}
    rows = [one for one in people.values() if one.user_id in shown]
    week = Week(begin, end, zone, rows, shifts, absences, lacking)
    return render_template(
        "staff/show_roster.html",
        monday=monday,
        zone=zone,
        picture=draw_week(week, now) if rows or any(lacking.values()) else "",
        days=[(on, noon_of(on, zone), _on_day(shifts, on, zone)) for on in days_of_week(begin, zone)],
        shifts=shifts,
        absences=absences,
        gaps=lacking,
        hours_of=hours_of,
        people=people,
        on_duty=queries.list_on_duty(now),
        kind_words=KIND_WORDS,
        absence_words=ABSENCE_WORDS,
        before=monday - timedelta(days=7),
        after=monday + timedelta(days=7),
    )


def _chosen_monday(zone: str, now: datetime) -> date:
    """The Monday of the week asked for as `?week=2026-11-16`, else of the present one. Raises Invalid."""
    typed = request.args.get("week", "")
    try:
        on = date.fromisoformat(typed) if typed else now.astimezone(ZoneInfo(zone)).date()
    except ValueError as wrong:
        raise Invalid("week", _("Name a week by one of its days, such as 2026-11-16.")) from wrong
    if not FIRST_YEAR <= on.year <= LAST_YEAR:
        raise Invalid("week", _("Name a week by one of its days, such as 2026-11-16."))
    return on - timedelta(days=on.weekday())


def noon_of(on: date, zone: str) -> datetime:
    """The middle of a day: seen from there, moments of the same day leave their date out."""
    return datetime.combine(on, NOON, ZoneInfo(zone))


def _on_day(shifts: list[Shift], on: date, zone: str) -> list[Shift]:
    begin, end = whole_days(on, on, zone)
    return [one for one in shifts if one.begins_at < end and one.ends_at > begin]


def _begun(**values: Any) -> dict[str, Any] | None:
    """What a new form shows first; nothing once it was sent."""
    return {"time_zone": choose_time_zone(), **values} if request.method == "GET" else None


@bp.route("/roster/shifts/new", methods=["GET", "POST"])
@require(Permission.MANAGE_STAFF)
def add_shift() -> Any:
    """Plan one shift."""
    form = ShiftForm(data=_begun())
    form.offer(list(queries.people_by_id().values()))
    if acted(
        form,
        lambda: roster.add_shift(_planned(form, form.note.data), *form.moments(), by=actor(), at=time.now()),
    ):
        return back(_("The shift is planned."), url_for("staff.show_roster", week=form.begins_at.data.date()))
    return render_template("staff/edit_shift.html", form=form, shift=None), form_status()


def _planned(form: DutyForm, note: str | None = "") -> roster.Planned:
    return roster.Planned(
        person=find_person(form.person.data),
        kind=form.kind.data,
        tier=form.tier.data,
        time_zone=form.time_zone.data,
        note=note or "",
    )


@bp.route("/roster/shifts/<shift>", methods=["GET", "POST"])
@require(Permission.MANAGE_STAFF)
def edit_shift(shift: str) -> Any:
    """Plan a shift differently."""
    found, people = queries.find_shift(shift), queries.people_by_id()
    zone, holder = ZoneInfo(found.time_zone), people.get(found.user_id)
    begun = _begun(
        person=str(holder.public_id) if holder else "",
        kind=found.kind,
        tier=found.tier,
        begins_at=found.begins_at.astimezone(zone),
        ends_at=found.ends_at.astimezone(zone),
        note=found.note,
    )
    form = ShiftForm(data=begun and {**begun, "time_zone": found.time_zone})
    form.offer(list(people.values()))
    if acted(
        form,
        lambda: roster.change_shift(
            found, _planned(form, form.note.data), *form.moments(), by=actor(), at=time.now()
        ),
    ):
        return back(_("The shift is planned."), url_for("staff.show_roster", week=form.begins_at.data.date()))
    return render_template("staff/edit_shift.html", form=form, shift=found), form_status()


@bp.post("/roster/shifts/<shift>/remove")
@require(Permission.MANAGE_STAFF)
def remove_shift(shift: str) -> Any:
    """Take a shift out of the roster."""
    found = queries.find_shift(shift)
    week = found.begins_at.astimezone(ZoneInfo(found.time_zone)).date()
    roster.remove_shift(found, by=actor(), at=time.now())
    db.session.commit()
    return back(_("The shift is taken out."), url_for("staff.show_roster", week=week))


@bp.get("/roster/patterns")
@require(Permission.VIEW_DESK)
def list_patterns() -> Any:
    """Shifts that come back."""
    return render_template(
        "staff/list_patterns.html",
        patterns=queries.list_patterns(),
        people=queries.people_by_id(),
        kind_words=KIND_WORDS,
    )


@bp.route("/roster/patterns/new", methods=["GET", "POST"])
@require(Permission.MANAGE_STAFF)
def add_pattern() -> Any:
    """Lay out shifts that come back every week."""
    form = PatternForm(data=_begun(every=1, weekdays=["MO", "TU", "WE", "TH", "FR"], country="ID"))
    form.offer(list(queries.people_by_id().values()))
    if acted(form, lambda: _lay_out(form)):
        return back(_said(g.laid_out), url_for("staff.show_roster", week=form.first_on.data))
    return render_template("staff/add_pattern.html", form=form), form_status()


def _lay_out(form: PatternForm) -> None:
    if not form.weekdays.data:
        raise Invalid("weekdays", _("Choose at least one day of the week."))
    pattern = Pattern(
        weekly(form.weekdays.data, form.every.data),
        form.first_on.data,
        form.last_on.data,
        form.starts_at.data,
        form.ends_at.data,
        form.time_zone.data,
    )
    g.laid_out = roster.add_pattern(
        _planned(form), pattern, country=form.country.data or "", by=actor(), at=time.now()
    )


def _said(found: roster.LaidOut) -> str:
    """How many shifts, and what was left out because of what."""
    parts = [ngettext("%(num)s shift is planned.", "%(num)s shifts are planned.", found.count)]
    reasons: tuple[tuple[tuple[date, ...], Callable[..., str]], ...] = (
        (found.on_holidays, lambda days: _("Left out as public holidays: %(days)s.", days=days)),
        (found.away, lambda days: _("Left out because the person is away: %(days)s.", days=days)),
        (found.taken, lambda days: _("Left out because of another shift: %(days)s.", days=days)),
    )
    parts += [words(", ".join(map(short_day, days))) for days, words in reasons if days]
    return " ".join(parts)


@bp.post("/roster/patterns/<pattern>/end")
@require(Permission.MANAGE_STAFF)
def end_pattern(pattern: str) -> Any:
    """Take the pattern's coming shifts out; what was stays."""
    count = roster.end_pattern(queries.find_pattern(pattern), by=actor(), at=time.now())
    db.session.commit()
    words = ngettext("%(num)s coming shift is taken out.", "%(num)s coming shifts are taken out.", count)
    return back(words, url_for("staff.list_patterns"))


@bp.route("/roster/absences/new", methods=["GET", "POST"])
@require(Permission.MANAGE_STAFF)
def add_absence() -> Any:
    """Note that somebody is away."""
    form = AbsenceForm()
    form.offer(list(queries.people_by_id().values()))
    if acted(form, lambda: _note_absence(form)):
        if g.concerned:
            words = ngettext(
                "%(num)s planned shift falls into it: find somebody else for it.",
                "%(num)s planned shifts fall into it: find somebody else for them.",
                g.concerned,
            )
            flash(words, "risk")
        return back(_("The absence is noted."), url_for("staff.show_roster", week=form.first_on.data))
    return render_template("staff/add_absence.html", form=form), form_status()


def _note_absence(form: AbsenceForm) -> None:
    _row, g.concerned = roster.add_absence(
        find_person(form.person.data),
        form.kind.data,
        form.first_on.data,
        form.last_on.data,
        choose_time_zone(),
        note=form.note.data or "",
        by=actor(),
        at=time.now(),
    )


@bp.post("/roster/absences/<absence>/remove")
@require(Permission.MANAGE_STAFF)
def remove_absence(absence: str) -> Any:
    """The person is there after all."""
    roster.remove_absence(queries.find_absence(absence), by=actor(), at=time.now())
    db.session.commit()
    return back(_("The absence is taken out."), url_for("staff.show_roster"))
