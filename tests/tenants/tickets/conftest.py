"""A ticket of Bob's, a desk that sees it, and what was announced meanwhile."""

import pytest

from tenants.foundation import events
from tenants.tickets import events as happened
from tests.tickets import bob, open_in_scope


@pytest.fixture
def heard(app):
    """Events recorded, in order; the application's reactions are set aside."""
    found = []
    kinds = [
        kind
        for kind in vars(happened).values()
        if isinstance(kind, type) and issubclass(kind, happened.OnTicket)
    ]
    before = dict(events._within), dict(events._after)
    events.connect(dict.fromkeys(kinds, (found.append,)), {})
    yield found
    events.connect(*before)


@pytest.fixture
def desk(cast, heard, within):
    """The scope of a staff member who is granted everything."""
    with within("Leo"):
        yield cast


@pytest.fixture
def ticket(desk):
    return open_in_scope(desk, bob(desk))
