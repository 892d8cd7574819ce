"""Watchers at once: what somebody took away meanwhile is not found any more."""

import pytest

from tenants.foundation.db import db
from tenants.foundation.errors import NotFound
from tenants.tickets import queries, watching
from tests import personas
from tests.tickets import MONDAY, opened


@pytest.mark.parametrize("verb", [watching.confirm_watcher, watching.unwatch])
def test_a_watcher_who_is_gone_by_then_is_not_found(app, cast, verb):
    """Tina's page still shows the address that Leo has taken off."""
    code = opened(app, cast)
    with personas.within(app, cast, "Leo") as leo:
        ticket = queries.find_ticket(code, by=leo)
        watching.watch_by_mail(ticket, "boss@example.test", by=leo, at=MONDAY, is_confirmed=False)
        db.session.commit()
    with personas.within(app, cast, "Tina") as tina:
        ticket = queries.find_ticket(code, by=tina)
        (watcher,) = watching.list_watchers(ticket)
        with personas.within(app, cast, "Leo") as leo:
            same = queries.find_ticket(code, by=leo)
            watching.unwatch(same, watching.list_watchers(same)[0], by=leo, at=MONDAY)
            db.session.commit()
        with pytest.raises(NotFound):
            verb(ticket, watcher, by=tina, at=MONDAY)
    with personas.within(app, cast, "Tina") as tina:
        last = queries.list_history(queries.find_ticket(code, by=tina).id)[-1]
        assert (last.kind, list(last.data)) == ("watchers_changed", ["removed"])
