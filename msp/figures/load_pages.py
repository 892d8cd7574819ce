"""When tickets come and who is on duty then: the picture, its table and its file."""

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from flask import Response, render_template, request
from flask_babel import gettext as _

from msp.figures.answering import exact, sheet
from msp.figures.asking import place_of
from msp.figures.blueprint import bp
from msp.figures.load import Cell, list_load
from msp.figures.pictures import hour_words, load_picture, load_title, weekday
from msp.staff.models import Team
from msp.staff.queries import list_shifts
from msp.staff.teams import list_teams, members_of
from msp.web.access import require
from msp.web.languages import choose_time_zone
from msp.web.periods import Period, asked_period
from tenants.foundation import time
from tenants.foundation.permissions import Permission


@dataclass(frozen=True, slots=True)
class Watch:
    """Whose duty is looked at, and in which zone: a team's own, or everybody's in the reader's."""

    team: Team | None
    people: Collection[int] | None
    zone: str


@bp.get("/load")
@require(Permission.VIEW_FIGURES)
def show_load() -> Any:
    """Tickets opened by weekday and hour, and the people on duty."""
    period, teams = asked_period(), list_teams()
    watch = _watch(teams, period)
    cells = _cells(period, watch)
    title = load_title(cells)
    address = {**place_of(period), **({"team": watch.team.public_id} if watch.team else {})}
    return render_template(
        "figures/show_load.html",
        period=period,
        watch=watch,
        cells=cells,
        gaps=[one for one in cells if one.is_gap],
        title=title,
        picture=load_picture(cells, title),
        address=address,
        weekday=weekday,
        hour_words=hour_words,
        teams=[(str(one.public_id), one.name) for one in teams],
        choices=[(one.slug, one.name) for one in period.tenants],
    )


@bp.get("/load.csv")
@require(Permission.VIEW_FIGURES)
def download_load() -> Response:
    """The same hours as a file."""
    period = asked_period()
    watch = _watch(list_teams(), period)
    head = [
        _("Weekday"),
        _("Hour (%(zone)s)", zone=watch.zone),
        _("Tickets opened"),
        _("On duty on average"),
        _("Such hours"),
        _("Hours without anybody"),
    ]
    return sheet("load", head, map(cells_of, _cells(period, watch)))


def cells_of(one: Cell) -> list[Any]:
    """An hour of the week as plain numbers."""
    return [
        weekday(one.weekday),
        hour_words(one.hour),
        one.tickets,
        exact(one.people, 2) or "0",
        one.hours,
        one.unmanned,
    ]


def _cells(period: Period, watch: Watch) -> list[Cell]:
    return list_load(period, watch.zone, until=time.now(), people=watch.people)


def _watch(teams: list[Team], period: Period) -> Watch:
    word = request.args.get("team", "")
    team = next((one for one in teams if str(one.public_id) == word), None)
    if team is None:
        return Watch(None, None, choose_time_zone())
    people = set(members_of().get(team.id, ()))
    zones = Counter(one.time_zone for one in list_shifts(period.begin, period.end) if one.user_id in people)
    zone = zones.most_common(1)[0][0] if zones else choose_time_zone()
    return Watch(team, people, zone)
