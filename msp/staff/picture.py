"""A week as a picture: a line for each person, and below them where a tier is not covered."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from xml.etree.ElementTree import Element
from zoneinfo import ZoneInfo

from flask_babel import gettext as _
from markupsafe import Markup

from msp.staff.roster_models import Absence, Shift
from msp.staff.words import ABSENCE_WORDS, KIND_WORDS
from msp.web.formats import moment, reader_locale
from msp.web.svg import across, add, drawing, markup
from tenants.foundation.spans import Span, clipped
from tenants.people.models import StaffMember

HEAD, LINE, BAR = 22, 40, 14
DAYS = 7


@dataclass(frozen=True, slots=True)
class Week:
    """What the picture shows: from one midnight of a zone to another, with everybody's spans and what is lacking."""

    begin: datetime
    end: datetime
    zone: str
    people: Sequence[StaffMember]
    shifts: Sequence[Shift]
    absences: Sequence[Absence]
    gaps: Mapping[str, Sequence[Span]]


def draw_week(week: Week, now: datetime) -> Markup:
    """Shifts in the tier's ink, on call lighter, absences grey, gaps red; the table beside it says it in words."""
    lacking = {tier: spans for tier, spans in week.gaps.items() if spans}
    height = HEAD + LINE * (len(week.people) + len(lacking)) + 4
    words = _("The table below says the same in words.")
    root = drawing("roster", height, title=_("The week's roster"), desc=words)
    _grid(root, week, height)
    for row, person in enumerate(week.people):
        _person(root, week, person, HEAD + LINE * row)
    for row, (tier, spans) in enumerate(lacking.items()):
        top = HEAD + LINE * (len(week.people) + row)
        add(root, "text", _("%(tier)s not covered", tier=tier), x="0%", y=top + 14, class_="label")
        for span in spans:
            _bar(root, week, span, top, "roster-gap", _from_to(span, week.zone))
    if week.begin <= now < week.end:
        place = _place(week, now)
        add(root, "line", x1=place, x2=place, y1=HEAD - 4, y2=height, class_="roster-now")
    return markup(root)


def _person(root: Element, week: Week, person: StaffMember, top: int) -> None:
    add(root, "text", person.name, x="0%", y=top + 14, class_="label")
    for absence in (one for one in week.absences if one.user_id == person.user_id):
        span = (absence.begins_at, absence.ends_at)
        words = f"{ABSENCE_WORDS[absence.kind]}: {_from_to(span, week.zone)}"
        _bar(root, week, span, top, "roster-away", words)
    for shift in (one for one in week.shifts if one.user_id == person.user_id):
        span = (shift.begins_at, shift.ends_at)
        ink = f"roster-{shift.tier.lower()}{' roster-on-call' if shift.kind == 'on_call' else ''}"
        words = f"{KIND_WORDS[shift.kind]} {shift.tier}: {_from_to(span, week.zone)}"
        _bar(root, week, span, top, ink, words)


def _from_to(span: Span, zone: str) -> str:
    return f"{moment(span[0], zone)} – {moment(span[1], zone)}"


def _place(week: Week, at: datetime) -> str:
    return across((at - week.begin).total_seconds(), (week.end - week.begin).total_seconds())


def _grid(root: Element, week: Week, height: int) -> None:
    for on in days_of_week(week.begin, week.zone):
        place = _place(week, datetime.combine(on, datetime.min.time(), ZoneInfo(week.zone)))
        add(root, "line", x1=place, x2=place, y1=0, y2=height, class_="grid")
        add(root, "text", _short(on), x=place, y=12, dx=3, class_="axis roster-wide")
        add(root, "text", str(on.day), x=place, y=12, dx=3, class_="axis roster-narrow")


def _short(on: date) -> str:
    return f"{reader_locale().days['format']['abbreviated'][on.weekday()]} {on.day}"


def days_of_week(begin: datetime, zone: str) -> list[date]:
    """The seven days of a week that begins at this moment of a zone."""
    first = begin.astimezone(ZoneInfo(zone)).date()
    return [first + timedelta(days=step) for step in range(DAYS)]


def _bar(root: Element, week: Week, span: Span, top: int, ink: str, words: str) -> None:
    for begin, end in clipped([span], week.begin, week.end):
        wide = across((end - begin).total_seconds(), (week.end - week.begin).total_seconds())
        place = _place(week, begin)
        bar = add(root, "rect", class_=ink, x=place, width=wide, y=top + 20, height=BAR, rx=2)
        add(bar, "title", words)
