"""Gives templates what the components speak with: filters of words, and functions that draw or look up a state."""

from collections.abc import Iterable, Sequence
from typing import Any
from urllib.parse import urlencode

from flask import Flask, flash, has_request_context, request
from markupsafe import Markup

from msp.web import charts, strip
from msp.web.catalogues import remembered
from msp.web.formats import FILTERS
from msp.web.pieces import draw_icon, draw_moment, draw_options, draw_time_badge
from msp.web.words import look_of, name_of
from tenants.foundation import time


def install(app: Flask) -> None:
    """Register filters and globals of the components. `asset` is the app's own."""
    app.jinja_env.filters.update(FILTERS)
    app.jinja_env.globals.update(
        state_look=look_of,
        name_of=name_of,
        draw_icon=draw_icon,
        draw_options=draw_options,
        draw_moment=draw_moment,
        draw_time_badge=draw_time_badge,
        current_time=time.now,
        query=query,
        strip_spans=strip.spans,
        strip_totals=strip.totals,
        draw_strip=strip.draw,
        draw_meter=draw_meter,
        remembered=remembered,
    )


def query(**changes: object) -> str:
    """The present page's query string with changes, to be used as a link: None or "" takes an argument out."""
    kept = request.args.to_dict(flat=False) if has_request_context() else {}
    pairs = [(name, value) for name, values in kept.items() if name not in changes for value in values]
    pairs += [(name, str(value)) for name, value in changes.items() if value not in (None, "")]
    return "?" + urlencode(pairs)


def draw_meter(parts: Iterable[Sequence[Any]], title: str) -> Markup:
    """A thin stacked bar from (word, value, tone) triples."""
    return charts.meter(
        [charts.Part(str(word), float(value), str(tone)) for word, value, tone in parts], title=title
    )


def flash_with_undo(text: str, undo_url: str, category: str = "good") -> None:
    """Say on the next page what was done, with a button that posts to `undo_url`."""
    flash({"text": str(text), "undo_url": undo_url}, category)  # type: ignore[arg-type]
