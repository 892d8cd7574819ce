"""The SLA strip: the life of a ticket as one bar of intervals, drawn to the scale of wall time."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from xml.etree.ElementTree import Element

from markupsafe import Markup

from msp.web import svg
from msp.web.catalogues import gettext as _
from msp.web.formats import duration_words, moment, zone_of
from msp.web.words import SPAN_KINDS, name_of

HEIGHT, BAR_TOP, BAR_HEIGHT = 46, 6, 18
MOST_PARTS = 240
KINDS = tuple(SPAN_KINDS)


@dataclass(frozen=True)
class Span:
    """An interval with the words that explain a pause: why, and by whom."""

    start: datetime
    end: datetime
    kind: str
    reason: str = ""
    by: str = ""

    @property
    def seconds(self) -> int:
        return int((self.end - self.start).total_seconds())


@dataclass(frozen=True)
class Total:
    """The wall time of one kind of interval, in seconds."""

    kind: str
    seconds: int


def spans(intervals: Iterable[object]) -> list[Span]:
    """Intervals of the clock, or dicts of the same shape, as spans; those without length are dropped."""
    made = [_span(interval) for interval in intervals]
    return [span for span in made if span.end > span.start]


def _span(interval: object) -> Span:
    def part(name: str, missing: object = "") -> object:
        if isinstance(interval, dict):
            return interval.get(name, missing)
        return getattr(interval, name, missing)

    start, end = part("from_at") or part("start"), part("to_at") or part("end")
    if not isinstance(start, datetime) or not isinstance(end, datetime):
        raise TypeError("an interval of a strip needs `from_at` and `to_at`, or `start` and `end`")
    return Span(start, end, str(part("kind")), str(part("reason") or ""), str(part("by") or ""))


def totals(intervals: Sequence[Span]) -> list[Total]:
    """The wall time of each kind that occurs; the totals add up to the whole strip."""
    sums = {kind: sum(span.seconds for span in intervals if span.kind == kind) for kind in KINDS}
    return [Total(kind, seconds) for kind, seconds in sums.items() if seconds]


def draw(
    intervals: Sequence[Span],
    *,
    due_at: datetime | None = None,
    now: datetime | None = None,
    zone: str | None = None,
    title: str = "",
) -> Markup:
    """The strip as SVG: one rectangle per interval, marks for the due time and for now, both with their words."""
    if not intervals:
        return Markup("")
    first = intervals[0].start
    last = max(filter(None, [intervals[-1].end, due_at]))
    root = svg.drawing("strip", HEIGHT, title=title or _("Time line of the clock"), desc=_sentence(intervals))
    names = _patterns(root, intervals)
    for span in coarsened(intervals):
        _rectangle(root, span, first, last, names, zone)
    _ends(root, first, last, zone, now, due_at)
    if due_at:
        _mark(root, "due", due_at, first, last)
    if now and first < now < last:
        _mark(root, "now", now, first, last)
    return svg.markup(root)


def _sentence(intervals: Sequence[Span]) -> str:
    return ", ".join(
        f"{name_of('span', each.kind)} {duration_words(each.seconds)}" for each in totals(intervals)
    )


def coarsened(intervals: Sequence[Span], most: int = MOST_PARTS) -> list[Span]:
    """A strip of very many intervals, cut into `most` equal slices that show what filled most of each."""
    if len(intervals) <= most:
        return list(intervals)
    first, last = intervals[0].start, intervals[-1].end
    step = (last - first) / most
    shares: list[dict[str, float]] = [{} for _place in range(most)]
    for span in intervals:
        _pour(span, first, step.total_seconds(), shares)
    kinds = [max(share, key=share.__getitem__, default=KINDS[0]) for share in shares]
    return [Span(first + step * place, first + step * (place + 1), kind) for place, kind in enumerate(kinds)]


def _pour(span: Span, first: datetime, step: float, shares: list[dict[str, float]]) -> None:
    """Add an interval's length to each slice that it reaches into."""
    start, end = (span.start - first).total_seconds(), (span.end - first).total_seconds()
    for place in range(int(start // step), min(int(end // step) + 1, len(shares))):
        overlap = min(end, (place + 1) * step) - max(start, place * step)
        shares[place][span.kind] = shares[place].get(span.kind, 0.0) + overlap


def _patterns(root: Element, intervals: Sequence[Span]) -> dict[str, str]:
    seed = f"{intervals[0].start}{intervals[-1].end}{len(intervals)}"
    return hatching(root, sha256(seed.encode()).hexdigest()[:8])


def hatching(root: Element, key: str) -> dict[str, str]:
    """Hatching for what is not counted, so that it reads without colour; `key` makes its names the page's only ones."""
    defs = svg.add(root, "defs")
    paused = svg.add(defs, "pattern", id=f"p{key}", width=6, height=6, patternUnits="userSpaceOnUse",
                     patternTransform="rotate(45)")  # fmt: skip
    svg.add(paused, "rect", class_="hatch-ground", width=6, height=6)
    svg.add(paused, "rect", class_="hatch-line", width=2, height=6)
    holiday = svg.add(defs, "pattern", id=f"h{key}", width=6, height=6, patternUnits="userSpaceOnUse")
    svg.add(holiday, "rect", class_="dots-ground", width=6, height=6)
    svg.add(holiday, "circle", class_="dots-dot", cx=3, cy=3, r=1)
    return {"paused": f"url(#p{key})", "holiday": f"url(#h{key})"}


def _rectangle(
    root: Element, span: Span, first: datetime, last: datetime, names: dict[str, str], zone: str | None
) -> None:
    whole = (last - first).total_seconds()
    extra = {"fill": names[span.kind]} if span.kind in names else {}
    part = svg.add(
        root, "rect", class_=f"span span-{span.kind.replace('_', '-')}", y=BAR_TOP, height=BAR_HEIGHT,
        x=svg.across((span.start - first).total_seconds(), whole), width=svg.across(span.seconds, whole), **extra,
    )  # fmt: skip
    svg.add(
        part, "title", f"{name_of('span', span.kind)}: {moment(span.start, zone)} – {moment(span.end, zone)}"
    )


def _mark(root: Element, name: str, at: datetime, first: datetime, last: datetime) -> None:
    x = svg.across((at - first).total_seconds(), (last - first).total_seconds())
    svg.add(
        root,
        "line",
        class_=f"strip-mark strip-{name}",
        x1=x,
        x2=x,
        y1=BAR_TOP - 5,
        y2=BAR_TOP + BAR_HEIGHT + 4,
    )


def _ends(
    root: Element,
    first: datetime,
    last: datetime,
    zone: str | None,
    now: datetime | None,
    due_at: datetime | None,
) -> None:
    place = zone_of(zone)
    svg.add(root, "text", moment(first, place, now), class_="strip-word", x=0, y=HEIGHT - 6)
    words = moment(last, place, now)
    if due_at == last:
        words = _("due %(moment)s", moment=words)
    svg.add(root, "text", words, class_="strip-word strip-last", x="100%", y=HEIGHT - 6, text_anchor="end")
