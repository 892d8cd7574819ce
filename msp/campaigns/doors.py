"""Opening lanes, and closing them to what the client does not let in. Part of a tick; holds the campaign's row."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property

from msp.campaigns import attempts, moves, openings, plans, rooms, rules
from msp.campaigns.gates import Gate
from msp.campaigns.models import Wave, WaveLane
from msp.windows.queries import agreed_by
from tenants.foundation.db import db

CATCH_UP = "Catch-up"
CLOSED = ("planned", "waiting")


@dataclass(frozen=True)
class Doors:
    """The lanes of a campaign at one moment, and which of their clients let it in."""

    campaign_id: int
    lanes: list[WaveLane]
    waves: dict[int, Wave]
    consents: Mapping[int, str]
    timing: plans.Timing
    at: datetime

    @cached_property
    def consenting(self) -> frozenset[int]:
        """The tenants that let the campaign in."""
        return frozenset(one for one, consent in self.consents.items() if consent in rules.LET_IN)

    def close_unwanted(self) -> list[WaveLane]:
        """Shut the lanes of clients that took their consent back, end those that declined; returns the ended ones."""
        declined = {one for one, consent in self.consents.items() if consent == "declined"}
        shut = [
            lane
            for lane in self.lanes
            if lane.state in rules.ACTIVE_LANES and lane.tenant_id not in self.consenting | declined
        ]
        for lane in shut:
            lane.state, lane.reason, lane.rev = "waiting", "consent", lane.rev + 1
        if shut:
            moves.hold(self.campaign_id, [lane.id for lane in shut])
        over = [lane for lane in self.lanes if lane.tenant_id in declined]
        return self.end([one for one in over if one.state not in rules.TERMINAL_LANES], "consent")

    def end(self, lanes: Sequence[WaveLane], reason: str) -> list[WaveLane]:
        """Skip lanes and what has not begun in them."""
        for lane in lanes:
            lane.state, lane.reason, lane.ended_at, lane.rev = "skipped", reason, self.at, lane.rev + 1
        if lanes:
            moves.skip_lanes(self.campaign_id, [lane.id for lane in lanes], reason, self.at)
        return list(lanes)

    def end_at_deadline(self) -> list[WaveLane]:
        """What has not opened by the campaign's deadline never will."""
        waiting = [lane for lane in self.lanes if lane.state in ("planned", "waiting")]
        closed = [lane for lane in waiting if lane.tenant_id not in self.consenting]
        return self.end(closed, "consent") + self.end(
            [one for one in waiting if one not in closed], "deadline"
        )

    def open_those_that_may(self) -> list[WaveLane]:
        """Open what may open now and say of the others what they wait for; returns the opened and the empty ones."""
        known = {lane.id: plain(lane) for lane in self.lanes if not lane.is_catch_up}
        waiting = [one for one in self.lanes if one.id in known and known[one.id].state in CLOSED]
        roomless = self._roomless(waiting)
        blocks = openings.blocked_by(
            (known[lane.id] for lane in waiting), list(known.values()), self.consenting, roomless
        )
        opening = []
        for lane in waiting:
            blocked = blocks[lane.id]
            if blocked is None:
                opening.append(lane)
            elif (lane.state, lane.reason) != ("waiting", blocked):
                lane.state, lane.reason, lane.rev = "waiting", blocked, lane.rev + 1
        if opening:
            self._open(opening)
        return opening

    def _roomless(self, waiting: Sequence[WaveLane]) -> dict[int, str]:
        """Tenants in which nothing can be begun now, and whether a window or a freeze is why."""
        reserve = self.timing.reserve_seconds
        without = {
            lane.tenant_id for lane in waiting if not rooms.has_room(lane.room, self.at, reserve)
        } & self.consenting
        if not without:
            return {}
        agreed = agreed_by(without, self.at)
        return {one: "freeze" if agreed[one].freeze_at(self.at) else "window" for one in without}

    def _open(self, lanes: Sequence[WaveLane]) -> None:
        """Open lanes; one that was open before goes on with the members that it had."""
        deadlines = {lane.id: self.start_deadline(lane) for lane in lanes}
        fresh = [lane for lane in lanes if lane.opened_at is None]
        counts = (
            moves.make_eligible([one.id for one in fresh], self.campaign_id, self.at, deadlines)
            if fresh
            else {}
        )
        again = {lane.id: deadlines[lane.id] for lane in lanes if lane.opened_at is not None}
        if again:
            moves.renew_deadlines(self.campaign_id, again)
        for lane in lanes:
            if lane.opened_at is None:
                lane.member_count = counts.get(lane.id, 0)
                lane.opened_at = self.at
            lane.state = "open" if lane.member_count else "skipped"
            lane.reason = None if lane.member_count else "no members"
            lane.ended_at = None if lane.member_count else self.at
            lane.deadline_at = self.lane_deadline(lane)
            lane.rev += 1

    def start_deadline(self, lane: WaveLane) -> datetime:
        """By when a machine has to begin: time in which the client's window is closed gives it the next one."""
        return rooms.deadline_in(lane, self.at + timedelta(seconds=self.timing.start_seconds))

    def lane_deadline(self, lane: WaveLane) -> datetime:
        """By when the lane has to be decided."""
        gate = Gate.of(self.waves[lane.wave_id].gate)
        after_start = max(0, gate.lane_seconds - self.timing.start_seconds)
        return self.start_deadline(lane) + timedelta(seconds=after_start)

    def roomy(self) -> list[int]:
        """The lanes in which an installation may be begun now."""
        return [
            lane.id
            for lane in self.lanes
            if lane.state == "open"
            and lane.tenant_id in self.consenting
            and rooms.has_room(lane.room, self.at, self.timing.reserve_seconds)
        ]

    def catch_up(self, until: datetime) -> list[WaveLane]:
        """Give machines that were out of reach in passed lanes their client's catch-up lane; returns new lanes."""
        passed = [lane.id for lane in self.lanes if lane.state == "passed" and not lane.is_catch_up]
        tenants = (
            set(db.session.scalars(attempts.has_unreachable(self.campaign_id, passed))) if passed else set()
        )
        known = {lane.tenant_id: lane for lane in self.lanes if lane.is_catch_up}
        made = [self._add_catch_up(tenant_id, until) for tenant_id in sorted(tenants - known.keys())]
        self.lanes.extend(made)
        for lane in [*(known[one] for one in sorted(tenants & known.keys())), *made]:
            lane.member_count += attempts.catch_up(self.campaign_id, passed, lane, self.at, until)
            lane.state, lane.ended_at, lane.rev = "open", None, lane.rev + 1
        return made

    def _add_catch_up(self, tenant_id: int, until: datetime) -> WaveLane:
        like = next(lane for lane in self.lanes if lane.tenant_id == tenant_id)
        wave = self._catch_up_wave()
        lane = WaveLane(
            tenant_id=tenant_id,
            campaign_id=self.campaign_id,
            wave_id=wave.id,
            ordinal=wave.ordinal,
            is_catch_up=True,
            title=like.title,
            release_name=like.release_name,
            release_version=like.release_version,
            planned_at=like.planned_at,
            state="open",
            opened_at=self.at,
            deadline_at=until,
            timing=like.timing,
            room=like.room,
            room_until=like.room_until,
        )
        db.session.add(lane)
        db.session.flush()
        return lane

    def _catch_up_wave(self) -> Wave:
        last = max(self.waves.values(), key=lambda wave: wave.ordinal)
        if last.name == CATCH_UP:
            return last
        wave = Wave(
            campaign_id=self.campaign_id, ordinal=last.ordinal + 1, name=CATCH_UP, size=0, gate=last.gate
        )
        db.session.add(wave)
        db.session.flush()
        self.waves[wave.id] = wave
        return wave


def plain(lane: WaveLane) -> openings.Lane:
    """What counts of a lane for opening others."""
    return openings.Lane(
        lane.id, lane.tenant_id, lane.ordinal, lane.state, lane.is_waived, lane.reason != "no members"
    )


def over(lanes: Collection[WaveLane]) -> bool:
    """Whether every lane has ended."""
    return all(lane.state in rules.TERMINAL_LANES for lane in lanes)
