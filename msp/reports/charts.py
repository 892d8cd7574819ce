"""Pictures of statements for pages, drawn on the server."""

from collections.abc import Sequence

from flask_babel import gettext as _
from markupsafe import Markup

from msp.reports.view import FigureView, StatementView
from msp.web import charts
from msp.web.formats import month, number, percent
from msp.web.words import name_of

# The colour of each clock in every picture.
_TONES = {"response": "a", "update": "c", "resolution": "b"}
TREND_MONTHS = 12


def attainment(figures: Sequence[FigureView], title: str) -> Markup:
    """One bar for each figure, to 100 %."""
    rows = [
        charts.Bar(_name(one), float(one.ratio or 0), _words(one), _TONES.get(one.clock, "d"))
        for one in figures
    ]
    return charts.bars(rows, title=title, maximum=1)


def _name(figure: FigureView) -> str:
    name = str(name_of("timer", figure.clock))
    return f"{name} · {figure.priority}" if figure.priority else name


def _words(figure: FigureView) -> str:
    if figure.ratio is None:
        return _("none due")
    return _(
        "%(kept)s (%(met)s of %(decided)s)",
        kept=percent(figure.ratio, 2),
        met=number(figure.met),
        decided=number(figure.decided),
    )


def trend(views: Sequence[StatementView], title: str) -> Markup:
    """A line per clock over the months, the oldest first; months without a decision leave a gap."""
    clocks = [clock for clock in _TONES if any(one.clock == clock for view in views for one in view.totals)]
    series = [
        charts.Series(str(name_of("timer", clock)), [_percent(view, clock) for view in views], _TONES[clock])
        for clock in clocks
    ]
    return charts.line(
        series, labels=[month(view.month) for view in views], title=title, unit=" %", ceiling=100
    )


def _percent(view: StatementView, clock: str) -> float | None:
    found = next((one.ratio for one in view.totals if one.clock == clock), None)
    return None if found is None else float(found * 100)


def trend_rows(views: Sequence[StatementView]) -> list[list[str]]:
    """The figures behind the trend: a month and the attainment of each clock."""
    rows = []
    for view in views:
        kept = {one.clock: percent(one.ratio, 2, none=_("none due")) for one in view.totals}
        rows.append([month(view.month), *(kept.get(clock, _("none due")) for clock in _TONES)])
    return rows


def clock_names() -> list[str]:
    """The clocks of a statement in their order, in words."""
    return [str(name_of("timer", clock)) for clock in _TONES]
