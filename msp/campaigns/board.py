"""A campaign's pages: the board of waves and clients, and the ledger of decisions."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask import render_template, url_for
from flask_babel import gettext as _
from flask_babel import ngettext

from msp.campaigns import live, plans, queries, rooms, rules
from msp.campaigns.blueprint import bp
from msp.campaigns.forms import AssetsForm, WavesForm, wave_values
from msp.campaigns.gates import Gate
from msp.campaigns.mending import may_retry, may_roll_back
from msp.campaigns.models import Campaign, CampaignTenant, Wave, WaveLane
from msp.campaigns.queries import Tally
from msp.campaigns.releases import artifacts_of, find_release_by_id
from msp.campaigns.rules import Transition
from msp.campaigns.tickets import list_tickets_of
from msp.campaigns.words import reason_words
from msp.web.access import actor, require
from msp.web.formats import moment
from msp.web.paging import asked, cut
from tenants.foundation import time
from tenants.foundation.actor import Actor
from tenants.foundation.permissions import Permission
from tenants.tenancy.models import Tenant
from tenants.tenancy.queries import list_all_tenants, names_of

RIGHTS: dict[Transition, Permission] = {
    Transition.SUBMIT: Permission.PROPOSE_CAMPAIGNS,
    Transition.WITHDRAW: Permission.PROPOSE_CAMPAIGNS,
    Transition.APPROVE: Permission.APPROVE_CAMPAIGNS,
    Transition.REJECT: Permission.APPROVE_CAMPAIGNS,
    Transition.START: Permission.RUN_CAMPAIGNS,
    Transition.PAUSE: Permission.STOP_CAMPAIGNS,
    Transition.RESUME: Permission.RUN_CAMPAIGNS,
    Transition.ABORT: Permission.RUN_CAMPAIGNS,
}
SHOWN_DECISIONS = 8


@bp.get("/<campaign>")
@require(Permission.VIEW_CAMPAIGNS)
def show_campaign(campaign: str) -> Any:
    """What is planned, how far it is, and why it stands."""
    return show_campaign_page(queries.find_campaign(campaign))


def show_campaign_page(
    found: Campaign, *, assets_form: AssetsForm | None = None, waves_form: WavesForm | None = None
) -> str:
    """The page, with the forms of a draft as they were sent."""
    release = find_release_by_id(found.release_id)
    return render_template(
        "campaigns/show_campaign.html",
        campaign=found,
        release=release,
        artifacts=artifacts_of(release.id),
        offered=offered_transitions(found, actor()),
        is_author=actor().id == found.created_by_id,
        can_retry=may_retry(found, actor()) and queries.count_to_retry(found.id) > 0,
        can_roll_back=may_roll_back(found, actor()),
        undone=queries.find_campaign_by_id(found.rollback_of_id) if found.rollback_of_id else None,
        stream=live.address_of(found) if found.state in rules.EVALUATED else None,
        version=live.version_of(found.id) if found.state in rules.EVALUATED else "",
        **(_draft_parts(found, assets_form, waves_form) if found.state == "draft" else _plan_parts(found)),
    )


def offered_transitions(found: Campaign, who: Actor) -> list[Transition]:
    """What this person can ask for now: the state allows it, the role does, and it is theirs or another's to decide."""
    return [
        one
        for one in rules.transitions_from(found.state)
        if who.may(RIGHTS[one]) and _is_theirs(one, found, who)
    ]


def _is_theirs(one: Transition, found: Campaign, who: Actor) -> bool:
    if one in (Transition.SUBMIT, Transition.WITHDRAW):
        return who.id == found.created_by_id
    if one in (Transition.APPROVE, Transition.REJECT) and who.id == found.created_by_id:
        return False
    return one is Transition.PAUSE or rules.covers(who.tenants, found.tenant_ids)


def _draft_parts(
    found: Campaign, assets_form: AssetsForm | None, waves_form: WavesForm | None
) -> dict[str, Any]:
    members = queries.count_members(found.id)
    tenants = list_all_tenants()
    fresh = AssetsForm(formdata=None)
    fresh.tenants.choices = [(tenant.slug, tenant.name) for tenant in tenants]
    sample = queries.list_member_assets(found.id)
    named = queries.names_of_assets([(one.tenant_id, one.asset_id) for one in sample])
    total = sum(members.values())
    return {
        "members": [(tenant, members[tenant.id]) for tenant in tenants if tenant.id in members],
        "total": total,
        "sample": [
            named[one.tenant_id, one.asset_id] for one in sample if (one.tenant_id, one.asset_id) in named
        ],
        "sizes": _sizes(found, total),
        "assets_form": assets_form or fresh,
        "waves_form": waves_form or WavesForm(formdata=None, data=wave_values(found.wishes)),
    }


def _sizes(found: Campaign, total: int) -> list[int]:
    """How large the waves of a draft would be now."""
    percents = found.wishes.get("percents", (5, 25, 100)) if total > 1 else (100,)
    try:
        return plans.wave_sizes(total, percents)
    except plans.UnfitPlan:
        return []


def _plan_parts(found: Campaign) -> dict[str, Any]:
    waves, lanes = queries.list_waves(found.id), queries.list_lanes(found.id)
    tallies = queries.count_actions(found.id)
    tenants, sums = names_of(found.tenant_ids), _sums(tallies.values())
    timing = plans.timing_of(found.plan or {})
    parts = {part.tenant_id: part for part in queries.list_parts(found.id)}
    drawn = _Board(found, lanes, tallies, parts, queries.count_retried(found.id), timing, time.now())
    return {
        "waves": [_wave(wave) for wave in waves],
        "gates": [(wave, Gate.of(wave.gate)) for wave in waves if wave.size],
        "rows": [drawn.row(tenant, waves) for tenant in _own_first(tenants.values())],
        "consents": Counter(part.consent for part in parts.values()),
        "hidden_clients": len(found.tenant_ids) - len(tenants),
        "total": sum(wave.size for wave in waves),
        "sums": sums,
        "reasons": [[reason_words(reason), count] for reason, count in sorted(sums.reasons.items())],
        "timing": timing,
        "limits": plans.limits_of(found.plan or {}),
        "decisions": queries.list_decisions(found.id, limit=SHOWN_DECISIONS)[:SHOWN_DECISIONS],
        "tenants": tenants,
        "tickets": list_tickets_of(found.id),
    }


def _wave(wave: Wave) -> dict[str, str]:
    if not wave.size:
        return {"name": _("Catch-up"), "detail": ""}
    return {
        "name": _("Wave %(number)s", number=wave.ordinal),
        "detail": ngettext("%(num)s asset", "%(num)s assets", wave.size),
    }


def _own_first(tenants: Iterable[Tenant]) -> list[Tenant]:
    return sorted(tenants, key=lambda tenant: (tenant.kind != "own", tenant.name))


def _sums(tallies: Any) -> Tally:
    total = Tally()
    for one in tallies:
        for name in ("ok", "bad", "gone", "aside", "open", "not_started"):
            setattr(total, name, getattr(total, name) + getattr(one, name))
        for reason, count in one.reasons.items():
            total.reasons[reason] = total.reasons.get(reason, 0) + count
    return total


@dataclass(frozen=True, slots=True)
class _Board:
    """What the rows of waves × clients are drawn from."""

    campaign: Campaign
    lanes: Sequence[WaveLane]
    tallies: Mapping[int, Tally]
    parts: Mapping[int, CampaignTenant]
    retried: Mapping[int, int]
    timing: plans.Timing
    now: datetime

    def row(self, tenant: Tenant, waves: Sequence[Wave]) -> dict[str, Any]:
        """A client with its consent and its lanes."""
        mine = {lane.ordinal: lane for lane in self.lanes if lane.tenant_id == tenant.id}
        part = self.parts.get(tenant.id)
        return {
            "tenant": tenant.name,
            "url": url_for("console.show_tenant", slug=tenant.slug),
            "consent": part.consent if part else "",
            "consent_words": self._said(part, tenant) if part else "",
            "lanes": [self._cell(mine.get(wave.ordinal), tenant) for wave in waves],
        }

    def _said(self, part: CampaignTenant, tenant: Tenant) -> str:
        """Who decided when and why, in the client's zone."""
        said = []
        if part.consent == "postponed" and part.postponed_until is not None:
            said.append(
                _("until %(moment)s", moment=moment(part.postponed_until, tenant.time_zone, self.now))
            )
        if part.decided_by and part.decided_at is not None:
            at = moment(part.decided_at, tenant.time_zone, self.now)
            said.append(_("%(name)s, %(moment)s", name=part.decided_by, moment=at))
        elif part.consent == "asked" and part.asked_at is not None:
            said.append(_("asked %(moment)s", moment=moment(part.asked_at, tenant.time_zone, self.now)))
        if part.reason:
            said.append(_("“%(reason)s”", reason=part.reason))
        return " · ".join(said)

    def _cell(self, lane: WaveLane | None, tenant: Tenant) -> dict[str, Any] | None:
        if lane is None:
            return None
        tally = self.tallies.get(lane.id, Tally())
        return {
            "state": lane.state,
            "reason": lane.reason or "",
            "ok": tally.ok,
            "bad": tally.bad,
            "gone": tally.gone,
            "open": tally.open,
            "total": lane.member_count,
            "note": self._note(lane, tenant),
            "url": url_for("campaigns.list_actions", campaign=self.campaign.public_id, lane=lane.public_id),
        }

    def _note(self, lane: WaveLane, tenant: Tenant) -> str:
        """Why a lane ended or goes on so, its next window in the client's zone, and second attempts."""
        said = []
        if lane.state in ("failed", "inconclusive", "skipped") or lane.reason == "waived":
            said.append(reason_words(lane.reason))
        if lane.state in ("waiting", "open") and lane.room:
            said.append(self._next_room(lane, tenant))
        count = self.retried.get(lane.id, 0)
        if count:
            said.append(ngettext("%(num)s at another attempt", "%(num)s at another attempt", count))
        return " · ".join(one for one in said if one)

    def _next_room(self, lane: WaveLane, tenant: Tenant) -> str:
        reserve = lane.timing.get("reserve_seconds", self.timing.reserve_seconds)
        room = rooms.next_room(lane, self.now, reserve)
        if room is None:
            return _("no window ahead")
        begin, end = room
        if begin > self.now:
            return _("next window %(moment)s", moment=moment(begin, tenant.time_zone, self.now))
        is_window = end - begin < rooms.NO_LIMIT
        return (
            _("window until %(moment)s", moment=moment(end, tenant.time_zone, self.now)) if is_window else ""
        )


@bp.get("/<campaign>/decisions")
@require(Permission.VIEW_CAMPAIGNS)
def list_decisions(campaign: str) -> Any:
    """Every decision with the numbers behind it, newest first."""
    found = queries.find_campaign(campaign)
    after, limit = asked(int)
    rows = queries.list_decisions(found.id, before=after[0] if after else None, limit=limit)
    return render_template(
        "campaigns/list_decisions.html",
        campaign=found,
        page=cut(rows, limit, lambda decision: [decision.id]),
        tenants=names_of(found.tenant_ids),
    )
