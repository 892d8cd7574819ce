"""A gate's and a decision's numbers in words."""

from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_babel import ngettext

from msp.campaigns.gates import Gate
from msp.campaigns.models import Decision, Wave
from msp.web.formats import duration_words

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
    "late": _l("too late"),
    "reported already": _l("reported already"),
    "not offered": _l("was not offered"),
    "not being cancelled": _l("was not being cancelled"),
}


def reason_words(code: str | None) -> str:
    """A reason in words; one that is not known as it is."""
    return str(REASONS.get(code or "", code or ""))


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
    if "members" in inputs:
        parts.append(ngettext("%(num)s asset", "%(num)s assets", inputs["members"]))
    if inputs.get("waves"):
        parts.append(_("waves of %(sizes)s", sizes=" → ".join(str(size) for size in inputs["waves"])))
    if inputs.get("actions"):
        parts.append(ngettext("%(num)s asset", "%(num)s assets", inputs["actions"]))
    if inputs.get("plan"):
        parts.append(_("plan %(hash)s", hash=inputs["plan"][:12]))
    if inputs.get("reason"):
        parts.append(reason_words(str(inputs["reason"])))
    return " · ".join(parts) or "–"


def _counts(counts: dict[str, Any]) -> str:
    words = _(
        "%(ok)s good, %(bad)s bad, %(gone)s out of reach, %(open)s open, of %(members)s",
        **{name: counts[name] for name in ("ok", "bad", "gone", "open", "members")},
    )
    return f"{words}, {_('%(num)s silent', num=counts['silent'])}" if counts["silent"] else words
