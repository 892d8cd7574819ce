"""The table of what was resolved, its file, and the tickets behind each number."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from flask import Response, render_template, request
from flask_babel import gettext as _

from msp.figures import behind
from msp.figures.answering import exact, sheet
from msp.figures.asking import OFFERED_DAYS, Asked, asked_table
from msp.figures.blueprint import bp
from msp.figures.names import Names, key_named, names_for
from msp.figures.pictures import resolved_parts, resolved_picture, resolved_title
from msp.figures.resolved import By, Line, Of, Times, list_behind, list_lines
from msp.figures.words import BY_HEADS, BY_WORDS, OF_WORDS
from msp.staff.figures import ENOUGH
from msp.web import charts
from msp.web.access import require
from msp.web.paging import asked, cut
from tenants.foundation.errors import NotFound
from tenants.foundation.permissions import Permission


@bp.get("")
@require(Permission.VIEW_FIGURES)
def show_figures() -> Any:
    """What was resolved and stayed so, by technician, team, client or category."""
    table = asked_table()
    lines, names = _read(table)
    title = resolved_title(lines, names, table.quiet.days)
    return render_template(
        "figures/show_figures.html",
        table=table,
        period=table.period,
        lines=lines,
        names=names,
        title=title,
        picture=resolved_picture(lines, names, title) if lines else "",
        legend=charts.legend([part for one in lines[:1] for part in resolved_parts(one)]),
        parts=[[names[one.key].shown, *(part.value for part in resolved_parts(one))] for one in lines],
        tabs=[(BY_WORDS[by], table.address(by=by.value), by is table.by) for by in By],
        head=BY_HEADS[table.by],
        of=Of,
        enough=ENOUGH,
        offered=OFFERED_DAYS,
        choices=[(one.slug, one.name) for one in table.period.tenants],
    )


@bp.get("/resolved.csv")
@require(Permission.VIEW_FIGURES)
def download_figures() -> Response:
    """The same lines as a file; seconds are business time."""
    table = asked_table()
    lines, names = _read(table)
    head = [
        BY_HEADS[table.by],
        *(OF_WORDS[one] for one in (Of.RESOLVED, Of.STAYED)),
        _("Share that stayed resolved"),
        *(OF_WORDS[one] for one in (Of.REOPENED, Of.CAME_BACK, Of.FIRST_CONTACT)),
        _("Share of first contact"),
        *(_("First reply: %(what)s", what=one) for one in _time_words()),
        *(_("Resolution: %(what)s", what=one) for one in _time_words()),
        OF_WORDS[Of.RETURNED],
    ]
    return sheet(f"figures-{table.by}", head, (cells(one, names) for one in lines))


def _time_words() -> tuple[str, str, str]:
    return _("tickets measured"), _("median in seconds"), _("90th percentile in seconds")


def cells(line: Line, names: Names) -> list[Any]:
    """A line as plain numbers; a share or a time of too few is empty."""
    figures = line.figures
    return [
        names[line.key].shown,
        figures.resolved,
        figures.stayed,
        exact(figures.share),
        figures.reopened,
        figures.came_back,
        line.first_contact,
        exact(line.first_share),
        *_seconds(line.reply),
        *_seconds(line.resolution),
        line.returned,
    ]


def _seconds(times: Times) -> tuple[Any, ...]:
    if not times.is_enough:
        return times.measured, "", ""
    return times.measured, exact(times.median, 0), exact(times.ninety, 0)


def _read(table: Asked) -> tuple[Sequence[Line], Names]:
    """The lines with a name; what is not in sight any more has none."""
    names = names_for(table.by, table.period)
    lines = list_lines(table.by, table.period, table.quiet)
    return [one for one in lines if one.key in names], names


@bp.get("/tickets")
@require(Permission.VIEW_FIGURES)
def list_tickets() -> Any:
    """The tickets behind a number, the latest first."""
    after, limit = asked(datetime, int)
    read = _behind_resolved if "of" in request.args else behind.asked_opened
    found = read(after, limit)
    page = cut(found.rows, limit, lambda one: (one.at, one.sort))
    return render_template(
        "figures/list_tickets.html",
        found=found,
        page=page,
        tickets=behind.tickets_of(page.items),
        names={one.id: one.name for one in found.period.tenants},
    )


def _behind_resolved(after: Sequence[Any] | None, limit: int) -> behind.Found:
    table, word = asked_table(), request.args["of"]
    if word not in tuple(Of):
        raise NotFound
    names, of = names_for(table.by, table.period), Of(word)
    try:
        key = key_named(names, request.args.get("key", ""))
    except LookupError:
        raise NotFound from None
    rows = list_behind(table.by, of, key, table.period, table.quiet, after=after, limit=limit)
    title = f"{OF_WORDS[of]}: {names[key].shown}"
    return behind.Found(
        rows, title, table.period, ("figures.show_figures", table.address()), BY_WORDS[table.by]
    )
