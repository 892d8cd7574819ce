"""The tick: reads a campaign's rows, moves what has to move, writes why, and says when to look again.

It may run twice, at the same time in two places, or late: it holds the campaign's row, derives everything from rows,
and its writes are conditional on the phase or state they leave.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import func, select

from msp.campaigns import asking, attempts, health, moves, openings, plans, rooms, rules, tickets, turns
from msp.campaigns.doors import Doors, over, plain
from msp.campaigns.events import LaneStarted
from msp.campaigns.gates import OK, Counts, Gate, GlobalRule, Verdict, judge, judge_all, soak_seconds
from msp.campaigns.glances import Glance, glance
from msp.campaigns.lanes import change, list_lanes_to_judge
from msp.campaigns.models import Action, Campaign, Wave, WaveLane
from msp.campaigns.queries import Tally, count_actions, list_consents, list_lanes, list_parts, list_waves
from msp.campaigns.releases import find_release_by_id
from msp.campaigns.restored import enter_epoch
from msp.campaigns.steps import decide
from tenants.audit import services as audit
from tenants.foundation.actor import Actor
from tenants.foundation.db import db
from tenants.foundation.events import record

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
    seen: Glance = field(init=False)
    # When the next client is asked again, or reminded.
    asks_at: datetime | None = field(init=False, default=None)

    def __post_init__(self) -> None:
        self.timing = plans.timing_of(self.campaign.plan or {})
        self.rule = plans.rule_of(self.campaign.plan or {})

    def run(self) -> None:
        """Everything that is due in the campaign's state; a state reached on the way is looked at too."""
        campaign = self.campaign
        if campaign.state == "approved":
            self._expire()
        if campaign.state == "scheduled":
            self._start()
        self.seen = glance(campaign.id)
        if campaign.state in rules.EVALUATED | rules.ENDED and campaign.started_at is not None:
            self._settle()
        db.session.flush()
        self.asks_at = asking.attend(campaign, self.timing, self.at)
        if campaign.state == "running":
            self._advance()
        if campaign.state == "paused":
            moves.withdraw_offers(campaign.id)
        if campaign.state == "aborting":
            self._abort()
        if campaign.state == "completing":
            self._complete()
        self._look_again()

    def _expire(self) -> None:
        """An approval that nobody acted upon says nothing about the world of today."""
        if (
            self.campaign.decided_at is not None
            and self.at >= self.campaign.decided_at + rules.APPROVAL_HOLDS
        ):
            self.campaign.ended_at = self.at
            self._to("expired", {})
            self._end_parts()

    def _start(self) -> None:
        if self.campaign.start_at is None or self.campaign.start_at > self.at:
            return
        self.campaign.started_at = self.at
        self.campaign.deadline_at = self.at + timedelta(seconds=self.timing.campaign_seconds)
        epoch = enter_epoch()
        moves.plan_actions(self.campaign)
        release = find_release_by_id(self.campaign.release_id)
        replaced = attempts.supersede_older(self.campaign, release.name, self.at)
        self._to("running", {"epoch": epoch, **({"superseded": replaced} if replaced else {})})
        if release.withdrawn_at is not None:
            self._pause("operator", "release withdrawn")

    def _settle(self) -> None:
        """Verified, expired and amended actions, whatever the campaign is doing."""
        seen = self.seen
        if "verifying" in seen.phases:
            moves.verify_reported(self.campaign.id, self.at)
        if seen.phases & {"eligible", "offered"}:
            for lane_id, count in moves.skip_retired(self.campaign.id, self.at).items():
                self._note("skip", {"lane": lane_id, "actions": count, "because": "asset retired"}, "skipped")
        is_due = seen.is_due(self.at)
        if is_due:
            moves.expire(self.campaign.id, self.at, is_offering=self.campaign.state == "running")
        if seen.has_guesses or is_due:
            for outcome, count in moves.amend(self.campaign.id, self.at).items():
                self._note("amend", {"outcome": outcome, "actions": count}, "amended")

    def _advance(self) -> None:
        """Judge what is open, stop if that went wrong, else open what may open."""
        db.session.flush()
        lanes = list_lanes_to_judge(self.campaign.id)
        self._keep_rooms([one for one in lanes if one.state not in rules.TERMINAL_LANES])
        waves = {wave.id: wave for wave in list_waves(self.campaign.id)}
        consents = list_consents(self.campaign.id)
        doors = Doors(self.campaign.id, lanes, waves, consents, self.timing, self.at)
        for lane in doors.close_unwanted():
            self._decide_lane(lane, {"reason": lane.reason}, "skipped")
        if "failed" in self.seen.outcomes:
            self._retry(doors)
        tallies = count_actions(self.campaign.id)
        self._judge_lanes(doors, tallies)
        if self.campaign.state == "running":
            self._open(doors)
        if self.campaign.state == "running":
            self._give_turns(doors, tallies)
        if self.campaign.state == "running" and over(doors.lanes):
            self.campaign.grace_until = self.at + timedelta(seconds=self.timing.grace_seconds)
            self._to("completing", {})

    def _keep_rooms(self, lanes: Sequence[WaveLane]) -> None:
        """Copy the room and the reserve to lanes, where offers look; slow machines make the reserve longer."""
        rooms.refresh_rooms(lanes, self.at)
        slow = int(moves.longest_usual(self.campaign.id)) if self.seen.has_begun else 0
        self.timing = replace(self.timing, reserve_seconds=max(self.timing.reserve_seconds, slow))
        for lane in lanes:
            if lane.timing.get("reserve_seconds") != self.timing.reserve_seconds:
                lane.timing = {**lane.timing, "reserve_seconds": self.timing.reserve_seconds}

    def _retry(self, doors: Doors) -> None:
        active = [lane for lane in doors.lanes if lane.state in rules.ACTIVE_LANES]
        deadlines = {
            lane.id: min(doors.start_deadline(lane), lane.deadline_at or doors.start_deadline(lane))
            for lane in active
        }
        count = attempts.retry_failed(self.campaign.id, deadlines, self.at)
        if count:
            self._note("retry", {"actions": count}, "retried")

    def _judge_lanes(self, doors: Doors, tallies: dict[int, Tally]) -> None:
        """Verdicts on what is open; when one stops the campaign, every client concerned gets its tickets."""
        silent = {}
        if self.is_silence_known and self.seen.outcomes & OK:
            silent = health.count_silent(self.campaign.id, doors.lanes, self.timing.silent_seconds, self.at)
        self._judge_each(doors, tallies, silent)
        if self.campaign.state == "running":
            self._judge_all(list(doors.lanes), dict(doors.waves), tallies, silent)
        if self.campaign.pause_cause in rules.AUTOMATIC_FAILURES:
            tickets.ask_for_tickets(self.campaign.id, doors.lanes, tallies, silent)

    def _judge_each(self, doors: Doors, tallies: dict[int, Tally], silent: dict[int, int]) -> None:
        active = [lane for lane in doors.lanes if lane.state in rules.ACTIVE_LANES]
        vetoes = health.list_vetoes([lane.id for lane in active]) if self.seen.has_begun else {}
        waves = dict(doors.waves)
        for lane in active:
            tally = tallies.get(lane.id, Tally())
            self._judge(lane, waves[lane.wave_id], tally, silent.get(lane.id, 0), vetoes.get(lane.id, ()))

    def _open(self, doors: Doors) -> None:
        """Open what may be opened; a wave in which nobody took part proves nothing and is for people to look at."""
        if self.campaign.deadline_at is not None and self.at >= self.campaign.deadline_at:
            for lane in doors.end_at_deadline():
                self._decide_lane(lane, {"reason": lane.reason}, "skipped")
        elif self.timing.catches_up and self.campaign.deadline_at is not None:
            for lane in doors.catch_up(self.campaign.deadline_at):
                self._decide_lane(lane, {"members": lane.member_count}, "open")
        for lane in doors.open_those_that_may():
            gate = doors.waves[lane.wave_id].gate
            self._decide_lane(lane, {"members": lane.member_count, "gate": gate}, lane.state)
            if lane.state == "open":
                until = doors.start_deadline(lane)
                record(
                    LaneStarted(tenant_id=lane.tenant_id, at=self.at, by=PORTAL, lane_id=lane.id, until=until)
                )
        self._stop_without_proof(doors)

    def _stop_without_proof(self, doors: Doors) -> None:
        regular = [lane for lane in doors.lanes if not lane.is_catch_up]
        waiting = {lane.ordinal for lane in regular if lane.state in ("planned", "waiting")}
        for ordinal in sorted(waiting - {1}):
            before = [plain(lane) for lane in regular if lane.ordinal == ordinal - 1]
            if openings.proves_nothing(before):
                self._pause("inconclusive", "nobody took part")
            return

    def _give_turns(self, doors: Doors, tallies: dict[int, Tally]) -> None:
        """Within the limits, let machines be offered what their lane has."""
        roomy = doors.roomy()
        reached = {lane_id for lane_id, tally in tallies.items() if tally.within_reach}
        silent_since = self.at - timedelta(seconds=self.timing.silent_seconds)
        turns.give_turns(
            self.campaign.id,
            roomy,
            plans.limits_of(self.campaign.plan or {}),
            self.at,
            without=reached.difference(roomy),
            successes=sum(tally.ok for tally in tallies.values()),
            silent_since=silent_since if self.is_silence_known else None,
        )

    def _judge(
        self, lane: WaveLane, wave: Wave, tally: Tally, silent: int, vetoes: Sequence[str] = ()
    ) -> None:
        gate = Gate.of(wave.gate)
        counts = tally.counts(members=lane.member_count, silent=silent)
        if lane.is_waived:
            verdict = self._judge_waived(lane, counts)
        else:
            if tally.last_ok_at is not None:
                is_urgent = self.campaign.kind == "rollback"
                soak = soak_seconds(gate, silent_seconds=self.timing.silent_seconds, is_urgent=is_urgent)
                change(lane, soak_until=tally.last_ok_at + timedelta(seconds=soak))
            verdict = judge(
                gate,
                counts,
                is_soaked=lane.soak_until is None or self.at >= lane.soak_until,
                is_late=lane.deadline_at is not None and self.at >= lane.deadline_at,
                is_silence_known=self.is_silence_known,
                vetoes=vetoes,
            )
        if lane.is_catch_up and verdict.kind != "fail":
            # Nothing waits for it: it stays open for whoever comes, until nobody is missing.
            verdict = Verdict("wait", "open") if counts.open else Verdict("pass", "caught up")
        self._apply(lane, gate, counts, verdict)

    def _judge_waived(self, lane: WaveLane, counts: Counts) -> Verdict:
        """People let it go on: what is still open is waited for, nothing else."""
        is_late = lane.deadline_at is not None and self.at >= lane.deadline_at
        return Verdict("wait", "open") if counts.open and not is_late else Verdict("pass", "waived")

    def _apply(self, lane: WaveLane, gate: Gate, counts: Counts, verdict: Verdict) -> None:
        if verdict.kind == "wait":
            soaking = verdict.reason == "soaking"
            reason = None if soaking or not lane.is_waived else "waived"
            change(lane, state="soaking" if soaking else "open", reason=reason)
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

    def _abort(self) -> None:
        moves.abort(self.campaign.id, self.at, self.timing.cancel_seconds)
        for lane in list_lanes(self.campaign.id):
            if lane.state not in rules.TERMINAL_LANES:
                lane.state, lane.reason, lane.ended_at = "skipped", "aborted", self.at
                self._decide_lane(lane, {}, "skipped")
        if not moves.has_open(self.campaign.id):
            self.campaign.ended_at = self.at
            self._to("aborted", {})
            self._end_parts()

    def _complete(self) -> None:
        is_over = self.campaign.grace_until is None or self.at >= self.campaign.grace_until
        if is_over and not moves.has_open(self.campaign.id):
            asked = select(Action.outcome, func.count().label("actions")).where(
                Action.campaign_id == self.campaign.id, Action.is_last
            )
            rows = db.session.execute(asked.group_by(Action.outcome))
            outcomes = {row.outcome or "": row.actions for row in rows}
            self.campaign.ended_at = self.at
            self._to(rules.final_state(outcomes), {"outcomes": outcomes})
            lanes = list_lanes(self.campaign.id)
            tickets.ask_for_tickets(self.campaign.id, lanes, count_actions(self.campaign.id), {})
            self._end_parts()

    def _end_parts(self) -> None:
        for part in list_parts(self.campaign.id):
            part.ended_at = self.at

    def _look_again(self) -> None:
        state = self.campaign.state
        if state == "scheduled":
            self.campaign.next_eval_at = _earliest(self.campaign.start_at, self.asks_at)
        elif state == "approved" and self.campaign.decided_at is not None:
            expires_at = self.campaign.decided_at + rules.APPROVAL_HOLDS
            self.campaign.next_eval_at = _earliest(expires_at, self.asks_at)
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

    def _note(self, kind: str, inputs: Mapping[str, Any], result: str) -> None:
        decide(self.campaign, at=self.at, actor="portal", kind=kind, inputs=inputs, result=result)

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


def _earliest(*moments: datetime | None) -> datetime | None:
    return min((one for one in moments if one is not None), default=None)
