"""What tickets are about, month by month, and what one client asks for again and again."""

from calendar import monthrange
from collections.abc import Sequence
from datetime import date
from typing import Any

from flask import Response, render_template, request
from flask_babel import format_date
from flask_babel import gettext as _

from msp.figures.answering import exact, sheet
from msp.figures.asking import place_of
from msp.figures.blueprint import bp
from msp.figures.names import NONE, category_names, language
from msp.figures.pictures import change_words, repeated_title, trend_name, trend_picture, trend_title
from msp.figures.repeating import Repeated, list_repeated
from msp.figures.trends import Trend, list_trends, months_until
from msp.staff.figures import ENOUGH
from msp.web import charts
from msp.web.access import require
from msp.web.formats import zone_of
from msp.web.languages import choose_time_zone
from msp.web.periods import asked_period
from tenants.foundation import time
from tenants.foundation.errors import NotFound
from tenants.foundation.permissions import Permission
from tenants.tenancy.queries import TenantName, list_tenant_names
from tenants.tickets.categories import Place, Tree, read_tree

LEAST, OFFERED_LEAST = 5, (3, 5, 10)
SHOWN = 12


@bp.get("/trends")
@require(Permission.VIEW_FIGURES)
def show_trends() -> Any:
    """Tickets by category in each of the last twelve months."""
    tenants, tree = list_tenant_names(), read_tree()
    under, months = _under(tree), _months()
    trends = _trends(tree, under, months, tenants)
    title, labels = trend_title(trends), [month_words(one) for one in months]
    return render_template(
        "figures/show_trends.html",
        trends=trends,
        title=title,
        picture=trend_picture(trends, labels, title) if trends else "",
        labels=labels,
        months=[(one, one.replace(day=monthrange(one.year, one.month)[1])) for one in months],
        under=under,
        path=under.path(language()) if under else "",
        name=trend_name,
        change=change_words,
        link=_link,
        parents={one.category.parent_id for one in tree.places},
        slug=_slug(),
        choices=[(one.slug, one.name) for one in tenants],
        enough=ENOUGH,
    )


@bp.get("/trends.csv")
@require(Permission.VIEW_FIGURES)
def download_trends() -> Response:
    """The same lines as a file."""
    tree, months = read_tree(), _months()
    trends = _trends(tree, _under(tree), months, list_tenant_names())
    head = [
        _("Category"),
        *(f"{one:%Y-%m}" for one in months),
        _("Last three whole months"),
        _("Three months before"),
    ]
    return sheet("trends", head, map(trend_cells, trends))


def trend_cells(one: Trend) -> list[Any]:
    """A category as plain numbers."""
    return [trend_name(one), *one.counts, one.latest, one.before]


def _months() -> list[date]:
    return months_until(time.now().astimezone(zone_of(None)).date())


def month_words(on: date) -> str:
    """A month in short: "Nov 2026"."""
    return str(format_date(on, "MMM y"))


def _slug() -> str:
    return request.args.get("tenant", "")


def _under(tree: Tree) -> Place | None:
    word = request.args.get("category", "")
    found = tree.named(word) if word else None
    if word and found is None:
        raise NotFound
    return found


def _trends(
    tree: Tree, under: Place | None, months: Sequence[date], tenants: Sequence[TenantName]
) -> list[Trend]:
    chosen = next((one.id for one in tenants if one.slug == _slug()), -1) if _slug() else None
    return list_trends(tree, months, choose_time_zone(), tenant_id=chosen, under=under)


def _link(trend: Trend, first: date, last: date) -> dict[str, Any]:
    """Where the tickets of a month are, as arguments of an address."""
    category = NONE if trend.place is None else str(trend.place.category.public_id)
    found = {"category": category, "from": first.isoformat(), "to": last.isoformat()}
    if trend.place is not None and trend.is_own:
        found["own"] = "1"
    return {**found, "tenant": _slug()} if _slug() else found


# -- what comes again and again ---------------------------------------------------------------------------


@bp.get("/repeated")
@require(Permission.VIEW_FIGURES)
def show_repeated() -> Any:
    """Categories that one client asks about often, and how many of its people do."""
    period, least = asked_period(), _least()
    rows = list_repeated(period, least=least)
    categories, clients = category_names(read_tree()), {one.id: one for one in period.tenants}
    rows = [one for one in rows if one.tenant_id in clients]
    title = repeated_title(len(rows), least)
    bars = [
        charts.Bar(f"{clients[one.tenant_id].name} · {categories[one.category_id].shown}", one.tickets)
        for one in rows[:SHOWN]
    ]
    return render_template(
        "figures/show_repeated.html",
        period=period,
        least=least,
        rows=rows,
        title=title,
        picture=charts.bars(bars, title=title) if bars else "",
        chart_rows=[[one.label, int(one.value)] for one in bars],
        categories=categories,
        clients=clients,
        address={**place_of(period), "least": least},
        offered=OFFERED_LEAST,
        usual=LEAST,
        choices=[(one.slug, one.name) for one in period.tenants],
        enough=ENOUGH,
    )


@bp.get("/repeated.csv")
@require(Permission.VIEW_FIGURES)
def download_repeated() -> Response:
    """The same lines as a file."""
    period = asked_period()
    categories = category_names(read_tree())
    clients = {one.id: one.name for one in period.tenants}
    head = [
        _("Client"),
        _("Category"),
        _("Tickets opened"),
        _("Different people who asked"),
        _("Active people of the client"),
        _("Tickets per head"),
        _("In the same time before"),
    ]
    rows = [one for one in list_repeated(period, least=_least()) if one.tenant_id in clients]
    return sheet(
        "repeated",
        head,
        ([clients[one.tenant_id], categories[one.category_id].shown, *repeated_cells(one)] for one in rows),
    )


def repeated_cells(one: Repeated) -> list[Any]:
    """The plain numbers of a line; tickets per head of too few are empty."""
    return [one.tickets, one.requesters, one.heads, exact(one.per_head, 2), one.earlier]


def _least() -> int:
    typed = request.args.get("least", "")
    return int(typed) if typed in map(str, OFFERED_LEAST) else LEAST
