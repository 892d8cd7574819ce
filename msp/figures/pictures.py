"""Pictures of figures, drawn on the server; each with a title that states the finding."""

from collections.abc import Sequence

from flask_babel import gettext as _
from flask_babel import ngettext
from markupsafe import Markup

from msp.figures.load import DAYS, HOURS, Cell, busiest
from msp.figures.names import Names, language
from msp.figures.resolved import Line
from msp.figures.trends import Trend
from msp.web import charts
from msp.web.formats import number, percent, reader_locale

SHOWN = 12
LINES = 6
TONES = "abcdef"


def resolved_title(lines: Sequence[Line], names: Names, days: int) -> str:
    """Whose solutions hold best and worst, of those with enough to tell."""
    told = [(one.figures.share, names[one.key].shown) for one in lines if one.figures.share is not None]
    told.sort(key=lambda one: one[0] or 0, reverse=True)
    if not told:
        return _("Too few resolved tickets to tell whose solutions hold")
    (best, name), (worst, last) = told[0], told[-1]
    if len(told) > 1 and best == worst:
        return _("Everywhere %(share)s stayed resolved for %(days)s days", share=percent(best, 0), days=days)
    if len(told) == 1:
        return _(
            "%(name)s: %(share)s stayed resolved for %(days)s days",
            name=name,
            share=percent(best, 0),
            days=days,
        )
    return _(
        "Stayed resolved for %(days)s days: most at %(best)s (%(high)s), least at %(worst)s (%(low)s)",
        days=days,
        best=name,
        high=percent(best, 0),
        worst=last,
        low=percent(worst, 0),
    )


def resolved_parts(line: Line) -> list[charts.Part]:
    """The parts that add up to what was resolved."""
    return [
        charts.Part(_("Stayed resolved"), line.figures.stayed, "good"),
        charts.Part(_("Reopened"), line.figures.reopened, "missed"),
        charts.Part(_("Came back"), line.figures.came_back, "risk"),
    ]


def resolved_picture(lines: Sequence[Line], names: Names, title: str) -> Markup:
    """A bar for each of the first dozen lines, of its parts."""
    stacks = [
        charts.Stack(names[one.key].shown, resolved_parts(one), number(one.figures.resolved))
        for one in lines[:SHOWN]
    ]
    return charts.stacked_bars(stacks, title=title)


# -- load by hour -----------------------------------------------------------------------------------------


def weekday(number_of_day: int, width: str = "wide") -> str:
    """A day's name in the reader's language; 0 is Monday."""
    return str(reader_locale().days["stand-alone"][width][number_of_day])


def hour_words(hour: int) -> str:
    """An hour from its beginning to its end: "09:00–10:00"."""
    return f"{hour:02}:00–{hour + 1:02}:00"


def load_title(cells: Sequence[Cell]) -> str:
    """When most comes in, and whether somebody is there."""
    most = busiest(cells)
    if most is None:
        return _("No ticket was opened in these days")
    return _(
        "Most tickets are opened on %(day)s, %(hour)s: %(count)s. %(duty)s",
        day=weekday(most.weekday),
        hour=hour_words(most.hour),
        count=number(most.tickets),
        duty=duty_words(most),
    )


def duty_words(cell: Cell) -> str:
    """Whether somebody is on duty in an hour of the week."""
    if not cell.hours or cell.unmanned == cell.hours:
        return _("Nobody was on duty then.")
    if cell.unmanned:
        return _(
            "Nobody was on duty in %(missing)s of %(hours)s weeks.",
            missing=number(cell.unmanned),
            hours=number(cell.hours),
        )
    return _("On duty then: %(people)s on average.", people=number(cell.people, 1))


def load_picture(cells: Sequence[Cell], title: str) -> Markup:
    """Weekdays by hours: the darker the more tickets; in each cell who is on duty, and a frame around gaps."""
    rows = [[one for one in cells if one.weekday == day] for day in DAYS]
    return charts.heat_map(
        rows=[weekday(day, "abbreviated") for day in DAYS],
        columns=[f"{hour:02}" for hour in HOURS],
        values=[[one.tickets for one in row] for row in rows],
        title=title,
        unit=_("tickets"),
        words=[[number(one.people) for one in row] for row in rows],
        framed=[[one.is_gap for one in row] for row in rows],
    )


# -- trends -----------------------------------------------------------------------------------------------


def trend_name(trend: Trend) -> str:
    """What a line of trends is about."""
    if trend.place is None:
        return _("Without a category")
    name = trend.place.name(language())
    return _("%(category)s itself", category=name) if trend.is_own else name


def change_words(trend: Trend) -> str:
    """The last three whole months against the three before, in words."""
    if trend.change is None:
        return _(
            "%(latest)s after %(before)s: too few to tell",
            latest=number(trend.latest),
            before=number(trend.before),
        )
    share = percent(abs(trend.change), 0)
    if abs(trend.change) < 0.005:
        return _(
            "%(latest)s after %(before)s: the same", latest=number(trend.latest), before=number(trend.before)
        )
    said = {"latest": number(trend.latest), "before": number(trend.before), "share": share}
    if trend.change > 0:
        return _("%(latest)s after %(before)s: %(share)s more", **said)
    return _("%(latest)s after %(before)s: %(share)s less", **said)


def trend_title(trends: Sequence[Trend]) -> str:
    """What rose or fell most, of what there is enough of."""
    told = [one for one in trends if one.change is not None]
    if not told:
        return _("Too few tickets in earlier months to tell a trend")
    most = max(told, key=lambda one: abs(one.change or 0))
    return _(
        "The largest change in three months: %(category)s, %(change)s",
        category=trend_name(most),
        change=change_words(most),
    )


def trend_picture(trends: Sequence[Trend], labels: Sequence[str], title: str) -> Markup:
    """A line for each of the six largest categories."""
    series = [
        charts.Series(trend_name(one), one.counts, tone) for one, tone in zip(trends, TONES, strict=False)
    ]
    return charts.line(series, labels=labels, title=title)


def repeated_title(count: int, least: int) -> str:
    """How often clients ask for the same again and again."""
    return ngettext(
        "%(num)s category of a client with %(least)s tickets or more",
        "%(num)s categories of clients with %(least)s tickets or more",
        count,
        least=least,
    )
