"""Whether anybody is there to answer: staff count as present for a minute after they were on the page of chats."""

from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from msp.intake.chats.models import ChatPresence
from tenants.foundation.db import db
from tenants.foundation.scope import enter, gate
from tenants.people.queries import list_granted

PRESENT = timedelta(minutes=1)


def note_presence(user_id: int, *, at: datetime) -> None:
    """Somebody of staff looks at the chats now; committed at once."""
    with enter(gate()):
        seen = insert(ChatPresence).values(user_id=user_id, seen_at=at)
        db.session.execute(
            seen.on_conflict_do_update(index_elements=[ChatPresence.user_id], set_={"seen_at": at})
        )
        db.session.commit()


def is_somebody_there(tenant_id: int, *, at: datetime) -> bool:
    """Whether one of staff who may serve this client was seen within the last minute."""
    with enter(gate()):
        seen = select(ChatPresence.user_id).where(ChatPresence.seen_at > at - PRESENT)
        present = set(db.session.scalars(seen))
        return bool(present) and any(one.user_id in present for one in list_granted(tenant_id))
