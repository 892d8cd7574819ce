"""A gate's and a decision's numbers in words."""

import re
from collections.abc import Callable
from datetime import datetime
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_babel import ngettext

from msp.campaigns.gates import Gate
from msp.campaigns.models import Decision, Wave
from msp.web.formats import duration_words, moment
from msp.web.words import Look, look_of

REASONS: dict[str, Any] = {
    "enough succeeded": _l("enough succeeded"),
    "too few succeeded": _l("too few succeeded"),
    "max_bad": _l("too many failures"),
    "max_bad_pct": _l("too large a share of failures"),
    "stop_code": _l("a failure that stops at once"),
    "max_bad over all lanes": _l("too many failures over all clients"),
    "a lane failed": _l("a wave failed"),
    "waived": _l("accepted by people"),
    "release withdrawn": _l("the release was withdrawn"),
    "database restored": _l("the database was restored from a backup"),
    "aborted": _l("aborted"),
    "no members": _l("nobody left in it"),
    "deadline": _l("time ran out"),
    "verified": _l("proven by the asset's facts"),
    "amended": _l("proven later"),
    "asset not active": _l("the asset was not active"),
    "asset retired": _l("the asset was retired"),
    "digest": _l("wrong digest"),
    "unsafe_path": _l("unsafe path"),
    "no_space": _l("no space"),
    "write": _l("could not be written"),
    "download": _l("download failed"),
    "unsupported": _l("not supported by the agent"),
    "held": _l("held at the machine"),
    "check_before": _l("a check before the installation did not hold"),
    "check_after": _l("a check after the installation did not hold"),
    "busy": _l("another package manager was at work"),
    "packages": _l("the packages could not be installed"),
    "script": _l("the script failed"),
    "timed_out": _l("the script took too long"),
    "interrupted": _l("interrupted, and how far it came is not known"),
    "window": _l("too late to begin in this window"),
    "downgrade": _l("a lower version is not allowed"),
    "freeze": _l("a change freeze"),
    "throttled": _l("put off by the portal"),
    "consent": _l("no consent"),
    "previous": _l("the wave before"),
    "newer campaign": _l("a newer campaign takes its place"),
    "nobody took part": _l("nobody took part in a wave, so it proves nothing"),
    "caught up": _l("everyone caught up"),
    "veto: boot loop": _l("assets restarted again and again"),
    "veto: new tickets": _l("new tickets about its assets"),
    "late": _l("too late"),
    "reported already": _l("reported already"),
    "not offered": _l("was not offered"),
    "not being cancelled": _l("was not being cancelled"),
}


_COMMON = "same reason at several clients: "
_LATE = re.compile(r"wave (\d+) failed after it had passed")


def reason_words(code: str | None) -> str:
    """A reason in words; one that is not known as it is."""
    said = code or ""
    late = _LATE.fullmatch(said)
    if late is not None:
        return _("wave %(wave)s failed after it had passed", wave=late[1])
    if said.startswith(_COMMON):
        return _(
            "the same failure at several clients: %(reason)s", reason=reason_words(said.removeprefix(_COMMON))
        )
    return str(REASONS.get(said, said))


# What a decision of this kind came to, where that is neither a campaign's nor a lane's state.
RESULTS = {
    "second person needed": Look(_l("Second person needed"), "people-fill", "info"),
    "retried": Look(_l("Tried again"), "arrow-repeat", "info"),
    "amended": Look(_l("Amended"), "pencil", "info"),
    "skipped": Look(_l("Skipped"), "dash-circle"),
    "asked again": Look(_l("Client asked again"), "arrow-repeat", "info"),
    "reminded": Look(_l("Client reminded"), "hourglass-split", "info"),
}


def decision_look(one: Decision) -> Look:
    """What was decided, as a word with an icon."""
    if one.kind == "consent":
        return look_of("consent", one.result)
    if one.kind == "lane":
        return look_of("lane", one.result)
    return RESULTS.get(one.result) or look_of("campaign", one.result)


def gate_row(one: tuple[Wave, Gate]) -> list[Any]:
    """A wave and its gate as a row of figures."""
    wave, gate = one
    return [
        _("Wave %(number)s", number=wave.ordinal),
        wave.size,
        gate.max_bad,
        f"{gate.max_bad_pct} %",
        gate.min_sample,
        f"{gate.pass_pct} %",
        f"{gate.max_gone_pct} %",
        duration_words(gate.soak_seconds) if gate.soak_seconds else "–",
    ]


def decision_numbers(one: Decision) -> str:
    """What a decision was based on, in a sentence."""
    inputs = one.inputs
    parts = [_counts(inputs["counts"])] if "counts" in inputs else []
    parts += [words(inputs[name]) for name, words in _NUMBERS.items() if inputs.get(name)]
    return " · ".join(parts) or "–"


def _assets(count: int) -> str:
    return ngettext("%(num)s asset", "%(num)s assets", count)


def _outcomes(counts: dict[str, int]) -> str:
    """How many assets ended in which way."""
    ended = sorted(counts.items(), key=lambda pair: -pair[1])
    return ", ".join(f"{count} × {look_of('outcome', outcome).word}" for outcome, count in ended)


def _moment(stored: str) -> str:
    return _("from %(moment)s on", moment=_stored(stored))


def _stored(stored: str) -> str:
    return moment(datetime.fromisoformat(stored))


# In the order in which they are said.
_NUMBERS: dict[str, Callable[[Any], str]] = {
    "members": _assets,
    "waves": lambda sizes: _("waves of %(sizes)s", sizes=" → ".join(str(size) for size in sizes)),
    "actions": _assets,
    "outcome": lambda outcome: str(look_of("outcome", outcome).word),
    "outcomes": _outcomes,
    "superseded": lambda count: ngettext(
        "takes the place of %(num)s planned update of an older campaign",
        "takes the place of %(num)s planned updates of older campaigns",
        count,
    ),
    "plan": lambda digest: _("plan %(hash)s", hash=digest[:12]),
    "start_at": _moment,
    "until": lambda stored: _("had postponed it until %(moment)s", moment=_stored(stored)),
    "ends_at": lambda stored: _("may decide until %(moment)s", moment=_stored(stored)),
    "asked_by": lambda name: _("asked for by %(name)s", name=name),
    "reason": lambda reason: reason_words(str(reason)),
    "because": lambda reason: reason_words(str(reason)),
}


def _counts(counts: dict[str, Any]) -> str:
    words = _(
        "%(ok)s good, %(bad)s bad, %(gone)s out of reach, %(open)s open, of %(members)s",
        **{name: counts[name] for name in ("ok", "bad", "gone", "open", "members")},
    )
    return f"{words}, {_('%(num)s silent', num=counts['silent'])}" if counts["silent"] else words
