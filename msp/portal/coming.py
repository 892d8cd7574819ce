"""When maintenance may come and where it stands, as the client is told: in its own zone, in words."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_babel import ngettext

from msp.campaigns.models import Action, CampaignTenant, WaveLane
from msp.campaigns.parts import waits_for_word
from msp.campaigns.queries import Tally
from msp.campaigns.rules import ACTIVE_LANES, TERMINAL_LANES
from msp.campaigns.words import reason_words
from msp.web.formats import moment
from msp.web.words import Look
from msp.windows.queries import agreed_by
from msp.windows.sheet import ShownFreeze, list_shown_freezes
from tenants.foundation.spans import Span

AHEAD = timedelta(days=62)
SHOWN = 3


@dataclass(frozen=True, slots=True)
class Ahead:
    """The next spans in which changes may begin; without windows there is no limit but freezes."""

    has_windows: bool
    spans: tuple[Span, ...]
    frozen: Span | None

    @property
    def is_any_time(self) -> bool:
        """Whether nothing was agreed on, and nothing forbids it now."""
        return not self.has_windows and self.frozen is None


def look_ahead(tenant_id: int, since: datetime, reserve_seconds: int = 0) -> Ahead:
    """The client's next windows from a moment on, long enough for the reserve."""
    agreed = agreed_by({tenant_id}, since)[tenant_id]
    reserve = timedelta(seconds=reserve_seconds)
    fitting = [
        (begin, end) for begin, end in agreed.room(since, since + AHEAD) if end - max(begin, since) >= reserve
    ]
    return Ahead(bool(agreed.windows), tuple(fitting[:SHOWN]), agreed.freeze_at(since))


def freezes_ahead(tenant_id: int, at: datetime) -> list[ShownFreeze]:
    """Freezes by name that keep maintenance from coming in the time that is looked ahead."""
    return [one for one in list_shown_freezes(tenant_id, at) if one.span[0] < at + AHEAD]


def part_look(
    part: CampaignTenant, lanes: Collection[WaveLane], tally: Tally, zone: str, at: datetime
) -> Look:
    """Where a client's maintenance stands, in a few words."""
    if part.ended_at is not None:
        return _ended(part, tally)
    if waits_for_word(part, at):
        return Look(_("Waits for your decision"), "hourglass-split", "accent")
    if part.consent == "postponed" and part.postponed_until is not None:
        until = moment(part.postponed_until, zone, at)
        return Look(_("Postponed until %(moment)s", moment=until), "calendar-event")
    if part.consent == "declined":
        return Look(_("You declined it"), "x-circle")
    if any(lane.state in ACTIVE_LANES for lane in lanes):
        return Look(_("Under way"), "play-circle", "accent")
    if lanes and all(lane.state in TERMINAL_LANES for lane in lanes):
        return _ended(part, tally)
    if any(lane.opened_at for lane in lanes):
        return Look(_("Goes on later"), "hourglass-split", "info")
    return Look(_("Allowed, not begun"), "check2", "info")


def is_over(part: CampaignTenant, lanes: Collection[WaveLane], tally: Tally) -> bool:
    """Whether nothing can come to the client's machines any more, though others may still wait for theirs.

    Machines that were out of reach may be caught up with later.
    """
    if part.ended_at is not None:
        return True
    return bool(lanes) and not tally.gone and all(lane.state in TERMINAL_LANES for lane in lanes)


def _ended(part: CampaignTenant, tally: Tally) -> Look:
    if part.consent == "declined":
        return Look(_("You declined it"), "x-circle")
    if tally.bad or tally.gone:
        words = ngettext(
            "%(num)s machine was not updated", "%(num)s machines were not updated", tally.bad + tally.gone
        )
        return Look(words, "exclamation-circle", "missed" if tally.bad else "")
    if tally.ok:
        return Look(_("Done"), "check-circle", "good")
    return Look(_("Not carried out"), "dash-circle")


NOT_BEGUN = {
    "consent": _l("Waits for your consent"),
    "window": _l("Waits for your next window"),
    "freeze": _l("Waits: nothing is changed in this time"),
    "previous": _l("Waits until earlier machines have proven it"),
}
OUTCOMES = {
    "success": _l("Updated, and proven"),
    "noop": _l("Had it already"),
    "failed": _l("Could not be updated"),
    "timeout": _l("Did not finish in time"),
    "rejected": _l("The machine refused it"),
    "cancelled": _l("Stopped before it was done"),
    "skipped": _l("Left out"),
    "superseded": _l("Left out: a newer update takes its place"),
    "unreachable": _l("Could not be reached"),
    "indeterminate": _l("Reported as done, not proven"),
    "planned": _l("Not begun yet"),
    "eligible": _l("Its turn comes next"),
    "offered": _l("Told to begin"),
    "running": _l("Being updated"),
    "rebooting": _l("Restarting"),
    "verifying": _l("Being checked"),
    "cancelling": _l("Being stopped"),
}


def outcome_words(action: Action | None, lane: WaveLane | None, part: CampaignTenant) -> str:
    """What came of a machine, or what it waits for, in one sentence."""
    if action is not None and action.phase != "planned":
        return str(OUTCOMES.get(action.outcome or action.phase, action.outcome or action.phase))
    if part.ended_at is not None:
        return str(OUTCOMES["skipped"])
    if (
        part.consent != "declined"
        and lane is not None
        and lane.state == "waiting"
        and lane.reason in NOT_BEGUN
    ):
        return str(NOT_BEGUN[lane.reason])
    return _("Left out: you declined it") if part.consent == "declined" else str(OUTCOMES["planned"])


def log_lines(attempts: Sequence[Action], zone: str, at: datetime) -> list[str]:
    """What may be said about each attempt: when, why it ended so, and the machine's last words."""
    lines = []
    for one in attempts:
        said = [reason_words(one.reason_code)] if one.reason_code else []
        said += [one.detail] if one.detail and one.detail not in said else []
        if one.reboot_pending:
            said.append(_("a restart is still needed"))
        if not said and len(attempts) < 2:
            continue
        when = one.closed_at or one.reported_at or one.started_at or one.offered_at
        parts = [_("Attempt %(number)s", number=one.attempt)] if len(attempts) > 1 else []
        parts += [moment(when, zone, at)] if when else []
        lines.append(" · ".join([*parts, *said]))
    return lines
