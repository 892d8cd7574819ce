"""What a campaign's actions are at, in one statement: a tick leaves out what could find nothing."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select

from msp.campaigns.models import Action
from msp.campaigns.phases import AMENDABLE
from tenants.foundation.db import among, db
from tenants.foundation.scope import narrowed


@dataclass(frozen=True, slots=True)
class Glance:
    """The phases and outcomes that occur, and the earliest deadline of them all."""

    phases: frozenset[str]
    outcomes: frozenset[str]
    earliest: datetime | None

    @property
    def has_guesses(self) -> bool:
        """Whether an outcome may have to be corrected."""
        return bool(self.outcomes & AMENDABLE)

    @property
    def has_begun(self) -> bool:
        """Whether any machine has been offered anything, ever."""
        return bool(self.outcomes or self.phases - {"planned", "eligible"})

    def is_due(self, at: datetime) -> bool:
        """Whether something has run out of time."""
        return self.earliest is not None and self.earliest <= at


def glance(campaign_id: int) -> Glance:
    """One look at the actions in scope."""
    asked = select(
        Action.phase, Action.outcome, func.min(func.least(Action.deadline_at, Action.hard_deadline_at))
    ).where(Action.campaign_id == campaign_id, among(Action.tenant_id, narrowed()))
    rows = db.session.execute(asked.group_by(Action.phase, Action.outcome)).all()
    return Glance(
        frozenset(phase for phase, _outcome, _earliest in rows),
        frozenset(outcome for _phase, outcome, _earliest in rows if outcome is not None),
        min((earliest for _phase, _outcome, earliest in rows if earliest is not None), default=None),
    )
