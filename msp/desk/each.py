"""One act upon many tickets: each in a savepoint of its own, and a word on every one of them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from tenants.foundation.db import db
from tenants.foundation.errors import Forbidden, Refused
from tenants.tickets.models import Ticket


@dataclass(frozen=True, slots=True)
class Tried:
    """A ticket by code, and why it was left as it was; None when the act was done."""

    code: str
    subject: str
    refusal: Any = None


def try_each(tickets: Sequence[Ticket], act: Callable[[Ticket], Any]) -> list[Tried]:
    """Do something with each ticket; what one refuses does not touch the others. Raises Forbidden.

    In the order of their ids, so that two people who act upon the same tickets do not wait for each other.
    """
    named = {one.id: (one.code, one.subject) for one in tickets}
    refusals: dict[int, Any] = {}
    for ticket in sorted(tickets, key=lambda one: one.id):
        row_id = ticket.id
        try:
            with db.session.begin_nested():
                act(ticket)
        except Forbidden:
            raise
        except Refused as refused:
            refusals[row_id] = refused.message
    return [Tried(code, subject, refusals.get(row_id)) for row_id, (code, subject) in named.items()]
