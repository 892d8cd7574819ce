"""The tick: reads a campaign's rows, moves what has to move, writes why, and says when to look again.

It may run twice, at the same time in two places, or late: it holds the campaign's row, derives everything from rows,
and its writes are conditional on the phase or state they leave.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import func, select

from msp.campaigns import moves, plans, rules
from msp.campaigns.gates import Counts, Gate, GlobalRule, Verdict, judge, judge_all
from msp.campaigns.models import Action, Campaign, Wave, WaveLane
from msp.campaigns.queries import Tally, count_actions, list_lanes, list_waves
from msp.campaigns.steps import decide
from tenants.assets.models import Asset
from tenants.audit import services as audit
from tenants.foundation.actor import Actor
from tenants.foundation.db import db

PORTAL = Actor.system("campaigns")
LOOK_AGAIN = timedelta(seconds=5)
LOOK_AGAIN_PAUSED = timedelta(seconds=15)


def evaluate(campaign_id: int, *, at: datetime, is_silence_known: bool = True) -> bool:
    """Look at one campaign; False when somebody else is at it or there is nothing to look at.

    Runs in the scope of the campaign's tenants. `is_silence_known`: whether it is known who has called lately.
    """
    asked = select(Campaign).where(Campaign.id == campaign_id).with_for_update(skip_locked=True)
    campaign = db.session.scalar(asked)
    if campaign is None or campaign.plan is None:
        return False
    tick = Tick(campaign, at, is_silence_known)
    tick.run()
    db.session.flush()
    return True


@dataclass(slots=True)
class Tick:
    """One look at one campaign."""

    campaign: Campaign
    at: datetime
    is_silence_known: bool
    timing: plans.Timing = field(init=False)
    rule: GlobalRule = field(init=False)

    def __post_init__(self) -> None:
        self.timing = plans.timing_of(self.campaign.plan or {})
        self.rule = plans.rule_of(self.campaign.plan or {})

    def run(self) -> None:
        """Everything that is due in the campaign's state; a state reached on the way is looked at too."""
        campaign = self.campaign
        if campaign.state == "scheduled":
            self._start()
        if campaign.state in rules.EVALUATED | rules.ENDED and campaign.started_at is not None:
            self._settle()
        if campaign.state == "running":
            self._advance()
        if campaign.state == "paused":
            moves.withdraw_offers(campaign.id)
        if campaign.state == "aborting":
            self._abort()
        if campaign.state == "completing":
            self._complete()
        self._look_again()

    def _start(self) -> None:
        if self.campaign.start_at is None or self.campaign.start_at > self.at:
            return
        moves.plan_actions(self.campaign)
        moves.wait_for_previous(self.campaign.id)
        self.campaign.started_at = self.at
        self._to("running", {})

    def _settle(self) -> None:
        """Verified, expired and amended actions, whatever the campaign is doing."""
        moves.verify_reported(self.campaign.id, self.at)
        for lane_id, count in moves.skip_retired(self.campaign.id, self.at).items():
            inputs = {"lane": lane_id, "actions": count, "because": "asset retired"}
            decide(self.campaign, at=self.at, actor="portal", kind="skip", inputs=inputs, result="skipped")
        moves.expire(self.campaign.id, self.at, is_offering=self.campaign.state == "running")
        for outcome, count in moves.amend(self.campaign.id, self.at).items():
            inputs = {"outcome": outcome, "actions": count}
            decide(self.campaign, at=self.at, actor="portal", kind="amend", inputs=inputs, result="amended")

    def _advance(self) -> None:
        """Judge what is open, stop if that went wrong, else open what may open."""
        db.session.flush()
        lanes = list_lanes(self.campaign.id)
        waves = {wave.id: wave for wave in list_waves(self.campaign.id)}
        tallies = count_actions(self.campaign.id)
        silent = self._count_silent(lanes)
        for lane in lanes:
            if lane.state in rules.ACTIVE_LANES:
                tally = tallies.get(lane.id, Tally())
                self._judge(lane, waves[lane.wave_id], tally, silent.get(lane.id, 0))
        if self.campaign.state == "running":
            self._judge_all(lanes, waves, tallies, silent)
        if self.campaign.state == "running":
            self._open(lanes, waves)
        if self.campaign.state == "running" and all(one.state in rules.TERMINAL_LANES for one in lanes):
            self.campaign.grace_until = self.at + timedelta(seconds=self.timing.grace_seconds)
            self._to("completing", {})

    def _count_silent(self, lanes: list[WaveLane]) -> dict[int, int]:
        """Successes that have not been heard of: lately, in an open lane; never since, in a passed one."""
        if not self.is_silence_known:
            return {}
        long_ago = self.at - timedelta(seconds=self.timing.silent_seconds)
        found: dict[int, int] = {}
        lately, since = Asset.last_seen_at >= long_ago, Asset.last_seen_at > Action.closed_at
        for states, heard in ((rules.ACTIVE_LANES, lately), ({"passed"}, since)):
            ids = [lane.id for lane in lanes if lane.state in states and not lane.is_waived]
            alive = select(Asset.id).where(
                Asset.tenant_id == Action.tenant_id, Asset.id == Action.asset_id, heard
            )
            if ids:
                found |= moves.count_silent(self.campaign.id, ids, long_ago, alive.correlate(Action))
        return found

    def _judge(self, lane: WaveLane, wave: Wave, tally: Tally, silent: int) -> None:
        gate = Gate.of(wave.gate)
        counts = tally.counts(members=lane.member_count, silent=silent)
        if lane.is_waived:
            verdict = self._judge_waived(lane, counts)
        else:
            if tally.last_ok_at is not None:
                lane.soak_until = tally.last_ok_at + timedelta(seconds=gate.soak_seconds)
            verdict = judge(
                gate,
                counts,
                is_soaked=lane.soak_until is None or self.at >= lane.soak_until,
                is_late=lane.deadline_at is not None and self.at >= lane.deadline_at,
                is_silence_known=self.is_silence_known,
            )
        self._apply(lane, gate, counts, verdict)

    def _judge_waived(self, lane: WaveLane, counts: Counts) -> Verdict:
        """People let it go on: what is still open is waited for, nothing else."""
        is_late = lane.deadline_at is not None and self.at >= lane.deadline_at
        return Verdict("wait", "open") if counts.open and not is_late else Verdict("pass", "waived")

    def _apply(self, lane: WaveLane, gate: Gate, counts: Counts, verdict: Verdict) -> None:
        if verdict.kind == "wait":
            soaking = verdict.reason == "soaking"
            lane.state = "soaking" if soaking else "open"
            lane.reason = None if soaking or not lane.is_waived else "waived"
            return
        state = {"pass": "passed", "fail": "failed", "inconclusive": "inconclusive"}[verdict.kind]
        lane.state, lane.reason, lane.rev = state, verdict.reason, lane.rev + 1
        lane.ended_at = None if state == "inconclusive" else self.at
        inputs = {"counts": counts.stored(), "gate": gate.stored(), "reason": verdict.reason}
        self._decide_lane(lane, inputs, state)
        if state == "failed":
            self._pause("failure", verdict.reason)
        elif state == "inconclusive":
            self._pause("inconclusive", verdict.reason)

    def _judge_all(
        self,
        lanes: list[WaveLane],
        waves: dict[int, Wave],
        tallies: dict[int, Tally],
        silent: dict[int, int],
    ) -> None:
        """What concerns more than one lane, and what came late in lanes that had passed."""
        judged = [lane for lane in lanes if lane.id in tallies and not lane.is_waived]
        common: dict[str, set[int]] = {}
        for lane in judged:
            for reason in tallies[lane.id].reasons:
                common.setdefault(reason, set()).add(lane.tenant_id)
        cause = judge_all(
            self.rule,
            bad=sum(tallies[lane.id].bad for lane in judged),
            failed_lanes=sum(lane.state == "failed" for lane in judged),
            tenants_by_reason={reason: len(tenants) for reason, tenants in common.items()},
        )
        cause = cause or self._late_failure(judged, waves, tallies, silent)
        if cause is not None:
            self._pause("global", cause)

    def _late_failure(
        self,
        lanes: list[WaveLane],
        waves: dict[int, Wave],
        tallies: dict[int, Tally],
        silent: dict[int, int],
    ) -> str | None:
        for lane in lanes:
            if lane.state == "passed":
                counts = tallies[lane.id].counts(members=lane.member_count, silent=silent.get(lane.id, 0))
                gate = Gate.of(waves[lane.wave_id].gate)
                if judge(gate, counts, is_soaked=True, is_late=True).kind == "fail":
                    return f"wave {lane.ordinal} failed after it had passed"
        return None

    def _open(self, lanes: list[WaveLane], waves: dict[int, Wave]) -> None:
        """Open the lanes of the lowest wave that is not done, once every wave below it is."""
        done = {"passed", "skipped"}
        for ordinal in sorted({lane.ordinal for lane in lanes}):
            here = [lane for lane in lanes if lane.ordinal == ordinal]
            fresh = [lane for lane in here if lane.state in ("planned", "waiting")]
            if fresh:
                self._open_lanes(fresh, Gate.of(waves[fresh[0].wave_id].gate))
            if not all(lane.state in done for lane in here):
                return

    def _open_lanes(self, lanes: list[WaveLane], gate: Gate) -> None:
        deadline = self.at + timedelta(seconds=self.timing.start_seconds)
        counts = moves.make_eligible([lane.id for lane in lanes], self.campaign.id, self.at, deadline)
        for lane in lanes:
            lane.member_count = counts.get(lane.id, 0)
            lane.state = "open" if lane.member_count else "skipped"
            lane.reason = None if lane.member_count else "no members"
            lane.opened_at = self.at
            lane.ended_at = None if lane.member_count else self.at
            lane.deadline_at = self.at + timedelta(seconds=gate.lane_seconds)
            lane.rev += 1
            self._decide_lane(lane, {"members": lane.member_count, "gate": gate.stored()}, lane.state)

    def _abort(self) -> None:
        moves.abort(self.campaign.id, self.at, self.timing.cancel_seconds)
        for lane in list_lanes(self.campaign.id):
            if lane.state not in rules.TERMINAL_LANES:
                lane.state, lane.reason, lane.ended_at = "skipped", "aborted", self.at
                self._decide_lane(lane, {}, "skipped")
        if not moves.has_open(self.campaign.id):
            self.campaign.ended_at = self.at
            self._to("aborted", {})

    def _complete(self) -> None:
        is_over = self.campaign.grace_until is None or self.at >= self.campaign.grace_until
        if is_over and not moves.has_open(self.campaign.id):
            asked = select(Action.outcome, func.count().label("actions")).where(
                Action.campaign_id == self.campaign.id
            )
            rows = db.session.execute(asked.group_by(Action.outcome))
            outcomes = {row.outcome or "": row.actions for row in rows}
            self.campaign.ended_at = self.at
            self._to(rules.final_state(outcomes), {"outcomes": outcomes})

    def _look_again(self) -> None:
        state = self.campaign.state
        if state == "scheduled":
            self.campaign.next_eval_at = self.campaign.start_at
        elif state in rules.EVALUATED:
            self.campaign.next_eval_at = self.at + self._pause_between_looks(state)
        else:
            self.campaign.next_eval_at = None

    def _pause_between_looks(self, state: str) -> timedelta:
        usual = LOOK_AGAIN_PAUSED if state == "paused" else LOOK_AGAIN
        shortest = min(self.timing.step_seconds, self.timing.verify_seconds, self.timing.grace_seconds)
        return max(timedelta(seconds=1), min(usual, timedelta(seconds=shortest / 2)))

    def _pause(self, cause: str, reason: str) -> None:
        if self.campaign.state != "running":
            return
        self.campaign.pause_cause, self.campaign.pause_reason = cause, reason
        self._to("paused", {"cause": cause, "reason": reason})

    def _to(self, state: str, detail: Mapping[str, Any]) -> None:
        before, self.campaign.state = self.campaign.state, state
        self.campaign.rev += 1
        decide(self.campaign, at=self.at, actor="portal", kind=state, inputs=detail, result=state)
        audit.record(
            f"campaign.{state}",
            tenant_id=None,
            by=PORTAL,
            object=f"campaign:{self.campaign.public_id}",
            at=self.at,
            detail={**detail, "from": before, "to": state},
        )

    def _decide_lane(self, lane: WaveLane, inputs: Mapping[str, Any], result: str) -> None:
        decide(
            self.campaign, at=self.at, actor="portal", kind="lane", inputs=inputs, result=result, lane=lane
        )
        audit.record(
            f"lane.{result}",
            tenant_id=lane.tenant_id,
            by=PORTAL,
            object=f"lane:{lane.public_id}",
            at=self.at,
            detail={"title": lane.title, "wave": lane.ordinal, **inputs},
        )
