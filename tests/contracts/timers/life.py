"""The life of a ticket as a machine: every verb in any order, with time passing, and what must hold after each step."""

from collections import Counter
from contextlib import ExitStack
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from sqlalchemy import select

from contracts.clock.clock import State
from contracts.clock.history import ClockKind
from contracts.clock.strip import IntervalKind
from contracts.terms.document import default_terms
from contracts.terms.models import Contract
from contracts.terms.queries import list_versions
from contracts.terms.services import add_contract, add_version
from contracts.timers import sweep
from contracts.timers.applying import apply_version
from contracts.timers.models import TicketTimer, TimerMark
from contracts.timers.queries import read_clocks_of
from contracts.timers.verifying import compare_tickets
from tenants.foundation import time
from tenants.foundation.db import db
from tenants.foundation.errors import Conflict, Forbidden, Invalid
from tenants.foundation.scope import enter, of_tenant
from tenants.tenancy.models import Tenant
from tenants.tickets import services
from tenants.tickets.models import WAITING_REASONS, Ticket
from tenants.tickets.queries import list_history
from tests.personas import Cast
from tests.tickets import bob, leo, request, tina

# Wednesday, 15:40 in Jakarta, so that closing time, nights and a weekend come soon.
START = datetime(2026, 11, 18, 8, 40, 0, 400_000, tzinfo=UTC)
BRIEFING = services.Briefing("It drops", "Another cable", "A specialist looks at it")
FACTORS = {"response": 1, "update": 2, "resolution": 4}
MINUTES = st.one_of(st.integers(0, 90), st.sampled_from([0, 1, 30, 240, 900, 4_320]))


def odd_terms(reopen: str, change: str, start: str, reasons: list[str]) -> dict[str, Any]:
    """Terms under which everything happens soon; P4 is not promised, P1 runs around the clock."""
    levels = {
        name: {"response_minutes": minutes, "update_minutes": minutes * 2, "resolution_minutes": minutes * 4}
        for name, minutes in (("P1", 15), ("P2", 45), ("P3", 120))
    }
    levels["P1"]["always"] = True
    return default_terms("Asia/Jakarta") | {
        "service_levels": levels | {"P4": {}},
        "pause_reasons": {"response": reasons[:1], "update": reasons, "resolution": reasons},
        "reopen": reopen,
        "change": change,
        "update_start": start,
    }


class Life(RuleBasedStateMachine):
    """One ticket of Acme's; `cast` is given by the test, `steps` counts what was really done."""

    cast: Cast
    steps: Counter[str] = Counter()

    def __init__(self) -> None:
        super().__init__()
        self.now = START
        self.acme = self.cast.tenants["acme"]
        self.bob, self.tina, self.leo = bob(self.cast), tina(self.cast), leo(self.cast)
        self.missed: dict[tuple[str, int], tuple[datetime, str]] = {}
        self.ticket_id = 0
        self.scope = ExitStack()
        self.scope.enter_context(enter(of_tenant(self.acme)))
        Life.steps["lives"] += 1

    # -- beginning ---------------------------------------------------------------------------------------

    @initialize(
        reopen=st.sampled_from(["continue", "count", "new_cycle"]),
        change=st.sampled_from(["from_creation", "from_change"]),
        start=st.sampled_from(["requester_reply", "staff_reply"]),
        reasons=st.lists(st.sampled_from(WAITING_REASONS), unique=True),
        impact=st.sampled_from(["high", "medium", "low"]),
        spoke=st.booleans(),
    )
    def open(self, reopen, change, start, reasons, impact, spoke):
        add_contract(
            self.acme,
            name=f"Life {Life.steps['lives']}",
            time_zone="Asia/Jakarta",
            starts_on=date(2026, 11, 18),
            ends_on=None,
            terms=odd_terms(reopen, change, start, reasons),
            by=self.tina,
            at=START,
        )
        acme = db.session.scalars(select(Tenant).where(Tenant.id == self.acme)).one()
        by = self.tina if spoke else self.bob
        asked = request(self.cast, impact=impact, urgency="medium")
        ticket = services.open_ticket(acme, asked, by=by, at=self.now, spoke_with_caller=spoke)
        db.session.commit()
        self.ticket_id = ticket.id

    def teardown(self):
        self.scope.close()

    # -- verbs -------------------------------------------------------------------------------------------

    @property
    def ticket(self) -> Ticket:
        return db.session.get_one(Ticket, (self.acme, self.ticket_id))

    def _do(self, verb: str, act: Any) -> None:
        """Try a verb; one that the ticket's state refuses leaves nothing behind."""
        try:
            act()
        except (Conflict, Forbidden, Invalid):
            db.session.rollback()
            verb = "refused"
        else:
            db.session.commit()
        Life.steps[verb] += 1

    @rule(minutes=MINUTES, seconds=st.integers(0, 59))
    def let_time_pass(self, minutes, seconds):
        self.now += timedelta(minutes=minutes, seconds=seconds)

    @rule()
    def sweep(self):
        db.session.rollback()
        with time.frozen(self.now):
            sweep.sweep_due_timers()
        Life.steps["swept"] += 1

    @rule(kind=st.sampled_from(["public", "internal"]), spoke=st.booleans())
    def reply_as_staff(self, kind, spoke):
        self._do(
            f"staff {kind}",
            lambda: services.add_message(
                self.ticket, body="Hello.", by=self.tina, at=self.now, kind=kind, spoke_with_caller=spoke
            ),
        )

    @rule()
    def reply_as_requester(self):
        self._do(
            "requester", lambda: services.add_message(self.ticket, body="And?", by=self.bob, at=self.now)
        )

    @rule(seconds=st.integers(1, 5))
    def reply_having_waited_for_the_ticket(self, seconds):
        at = max(START, self.now - timedelta(seconds=seconds))
        self._do("late", lambda: services.add_message(self.ticket, body="Hm.", by=self.tina, at=at))

    @rule(reason=st.sampled_from(WAITING_REASONS))
    def wait(self, reason):
        self._do("wait", lambda: self._move("waiting", reason))

    @rule()
    def resume(self):
        self._do("resume", lambda: self._move("in_progress"))

    def _move(self, to: str, reason: str | None = None) -> None:
        services.change_state(self.ticket, to=to, reason=reason, by=self.tina, at=self.now)

    @rule(priority=st.sampled_from(["P1", "P2", "P3", "P4"]))
    def reprioritise(self, priority):
        self._do(
            "reprioritise",
            lambda: services.set_priority(
                self.ticket, priority=priority, reason="Because", by=self.tina, at=self.now
            ),
        )

    @rule(impact=st.sampled_from(["high", "medium", "low"]))
    def reassess(self, impact):
        def act() -> None:
            acme = db.session.scalars(select(Tenant).where(Tenant.id == self.acme)).one()
            services.reassess(
                self.ticket, impact=impact, urgency="high", tenant=acme, by=self.tina, at=self.now
            )

        self._do("reassess", act)

    @rule()
    def assign(self):
        self._do("assign", lambda: services.take_ticket(self.ticket, by=self.leo, at=self.now))

    @rule()
    def hand_over(self):
        self._do(
            "hand over",
            lambda: services.hand_over(self.ticket, BRIEFING, to_tier="L2", by=self.tina, at=self.now),
        )

    @rule(accepts=st.booleans())
    def decide_hand_over(self, accepts):
        if accepts:
            self._do("accept", lambda: services.accept_hand_over(self.ticket, by=self.leo, at=self.now))
        else:
            self._do(
                "return",
                lambda: services.return_hand_over(self.ticket, reason="More!", by=self.leo, at=self.now),
            )

    @rule()
    def resolve(self):
        self._do(
            "resolve",
            lambda: services.resolve_ticket(self.ticket, solution="Done.", by=self.tina, at=self.now),
        )

    @rule()
    def reopen(self):
        self._do(
            "reopen", lambda: services.reopen_ticket(self.ticket, because="No.", by=self.bob, at=self.now)
        )

    @rule(really=st.integers(0, 5))
    def close(self, really):
        if not really:
            self._do("close", lambda: services.close_ticket(self.ticket, by=self.bob, at=self.now))

    @rule(really=st.integers(0, 7))
    def cancel(self, really):
        if not really:
            self._do(
                "cancel",
                lambda: services.cancel_ticket(self.ticket, reason="Never mind", by=self.bob, at=self.now),
            )

    @rule(
        hours=st.sampled_from([0.25, 0.5, 2, 4]),
        change=st.sampled_from(["from_creation", "from_change"]),
        reasons=st.lists(st.sampled_from(WAITING_REASONS), unique=True),
        promised=st.booleans(),
    )
    def apply_terms(self, hours, change, reasons, promised):
        """Terms with other targets and pauses; some promise nothing for P3, and something for P4."""
        levels = {
            name: {f"{clock}_minutes": round(minutes * hours * factor) for clock, factor in FACTORS.items()}
            for name, minutes in (("P1", 15), ("P2", 45), ("P3", 120), ("P4", 240))
        }
        terms = odd_terms("continue", change, "requester_reply", reasons)
        terms["service_levels"] = levels if promised else levels | {"P3": {}}

        def act() -> None:
            db.session.refresh(self.ticket)
            contract = db.session.scalars(select(Contract).order_by(Contract.id.desc())).first()
            (latest, *_) = list_versions(contract)
            version = add_version(
                contract,
                in_force_on=latest.in_force_on + timedelta(days=1),
                terms=terms,
                by=self.tina,
                at=START,
            )
            apply_version(version, by=self.tina, at=self.now)

        self._do("apply terms", act)

    # -- what must hold ----------------------------------------------------------------------------------

    @precondition(lambda self: self.ticket_id)
    @invariant()
    def stored_is_recomputed(self):
        owed = max(self.now, START)
        found = compare_tickets(self.acme, [self.ticket_id], now=min(owed, self._looked_until()))
        assert not found, found

    def _looked_until(self) -> datetime:
        """Nobody may have swept yet: what the sweep owes is no difference before it lags."""
        looks = [row.look_at for row in self._rows(TicketTimer) if row.look_at]
        return min(looks, default=self.now)

    def _rows(self, model: Any) -> list[Any]:
        asked = select(model).where(model.ticket_id == self.ticket_id)
        return list(db.session.scalars(asked.execution_options(populate_existing=True)))

    @precondition(lambda self: self.ticket_id)
    @invariant()
    def run_and_paused_and_outside_are_the_wall_time(self):
        for reading in self._readings():
            clock = reading.verdict.clock
            parts = reading.verdict.intervals
            lengths = dict.fromkeys(IntervalKind, 0)
            for part in parts:
                lengths[part.kind] += int((part.to_at - part.from_at).total_seconds())
            assert clock is not None
            assert sum(lengths.values()) == clock.end - clock.timeline.started
            assert lengths[IntervalKind.COUNTED] == reading.verdict.elapsed_seconds
            assert all(before.to_at == after.from_at for before, after in pairwise(parts))

    @precondition(lambda self: self.ticket_id)
    @invariant()
    def a_miss_never_vanishes(self):
        now_missed = {
            (one.kind.value, one.cycle): (one.verdict.missed_at, str(one.verdict.cause))
            for one in self._readings()
            if one.verdict.state is State.MISSED
        }
        measured = {(one.kind.value, one.cycle) for one in self._readings()}
        for key, miss in self.missed.items():
            assert now_missed.get(key) == miss or key not in measured, (key, miss)
        self.missed |= now_missed
        recorded = {(row.clock, row.cycle): row.at for row in self._rows(TimerMark) if row.mark == "missed"}
        timers = [row for row in self._rows(TicketTimer) if row.state == "missed"]
        assert all(recorded[row.clock, row.cycle] == row.missed_at for row in timers)

    def _readings(self):
        ticket = self.ticket
        read = read_clocks_of(ticket, list_history(ticket.id), self.now)
        assert {one.kind for one in read} <= set(ClockKind)
        return read
