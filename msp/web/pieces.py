"""The small pieces that lists draw for each of their rows: in Python, where a macro takes several times as long."""

from collections.abc import Iterable
from datetime import datetime, tzinfo
from functools import lru_cache

from flask import current_app
from markupsafe import Markup, escape

from msp.web import formats
from msp.web.catalogues import gettext as _
from msp.web.formats import TimeBadge, Verdict
from msp.web.words import name_of
from tenants.foundation import time

# Everything that is put into markup below went through `escape`, or is a word of our own without signs.
# ruff: noqa: S704


def draw_icon(name: str, label: str = "") -> Markup:
    """An icon; `label` where no word stands beside it."""
    sheet = current_app.jinja_env.globals["asset"]("icons.svg")  # type: ignore[operator]
    return _icon(sheet, name, label)


@lru_cache(maxsize=1024)
def _icon(sheet: str, name: str, label: str) -> Markup:
    meaning = f'role="img" aria-label="{escape(label)}"' if label else 'aria-hidden="true"'
    return Markup(
        f'<svg class="icon" width="16" height="16" fill="currentColor" {meaning} focusable="false">'
        f'<use href="{escape(sheet)}#{escape(name)}"></use></svg>'
    )


def draw_options(options: Iterable[tuple[object, object]], chosen: object = "") -> Markup:
    """The options of a select: pairs of a value and its words."""
    known = str(chosen)
    return Markup(
        "".join(
            f'<option value="{escape(value)}"{" selected" if str(value) == known else ""}>{escape(words)}</option>'
            for value, words in options
        )
    )


def draw_moment(
    at: datetime | None,
    zone: str | tzinfo | None = None,
    now: datetime | None = None,
    relative: bool = True,
) -> Markup:
    """A moment: its distance and, quietly, when that is; without `relative` the moment alone."""
    if at is None:
        return Markup('<span class="quiet">–</span>')
    now = now or time.now()
    words = escape(formats.moment(at, zone, now))
    if relative:
        distance = escape(formats.relative(at, now))
        words = Markup(f'{distance} <span class="moment-absolute">· {words}</span>')
    return Markup(f'<time datetime="{at.isoformat()}">{words}</time>')


def draw_time_badge(
    verdict: Verdict,
    now: datetime | None = None,
    zone: str | tzinfo | None = None,
    kind: str = "",
    long: bool = False,
    reason: str = "",
    since: datetime | None = None,
    audience: str = "staff",
) -> Markup:
    """What a clock says, for a list; with `long` the sentence behind it as well."""
    badge = formats.time_badge(verdict, now, zone, reason=reason, since=since, audience=audience, long=long)
    tone = f" time-badge-{badge.tone}" if badge.tone else ""
    named = f'<span class="time-badge-kind">{escape(name_of("timer", kind))}</span> ' if kind else ""
    words = f'<span class="time-badge-words">{draw_icon(badge.icon)}<b>{escape(badge.words)}</b></span>'
    parts = "".join(
        f' <span class="time-badge-{name}">{escape(said)}</span>' for name, said in _more(badge, long)
    )
    return Markup(
        f'<span class="time-badge{tone}{" time-badge-long" if long else ""}">{named}{words}{parts}</span>'
    )


def _more(badge: TimeBadge, long: bool) -> Iterable[tuple[str, str]]:
    """What stands behind a badge's words, in its order: which part it is, and what it says."""
    if badge.tone == "risk":
        yield "risk", _("at risk")
    if badge.state == "outside_hours" and not long:
        yield "due", _("outside hours")
    if badge.due and badge.state == "missed":
        yield "due", _("was due %(moment)s", moment=badge.due)
    elif badge.due:
        yield "due", _("due %(moment)s", moment=badge.due)
    if long:
        yield "detail", badge.detail
