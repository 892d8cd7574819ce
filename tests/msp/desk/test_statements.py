"""Pages cost the same number of statements however much there is to show."""

from contextlib import contextmanager

import pytest
from sqlalchemy import event

from tenants.foundation.db import db
from tenants.tickets import services
from tests import personas
from tests.tickets import MONDAY, bob, leo, open_in_scope


@contextmanager
def counted(app):
    seen = []

    def note(_connection, _cursor, statement, *_rest):
        seen.append(statement)

    with app.app_context():
        engine = db.engine
    event.listen(engine, "before_cursor_execute", note)
    try:
        yield seen
    finally:
        event.remove(engine, "before_cursor_execute", note)


def fill(app, cast, tickets, messages):
    with personas.within(app, cast, "Leo"):
        for _ in range(tickets):
            ticket = open_in_scope(cast, bob(cast))
            for number in range(messages):
                services.add_message(ticket, body=f"{number}", by=leo(cast), at=MONDAY)
        db.session.commit()
        return ticket.code


@pytest.mark.parametrize(
    ("name", "path", "most"),
    [("Leo", "/desk/", 8), ("Leo", "/desk/tickets/{code}", 8), ("Bob", "/portal/", 7), ("Bob", "/portal/tickets", 7),
     ("Bob", "/portal/tickets/{code}", 8)],
)  # fmt: skip
def test_statements_are_few_and_constant(app, cast, sign_in, name, path, most):
    counts = []
    for tickets, messages in ((1, 0), (12, 5)):
        code = fill(app, cast, tickets, messages)
        client = sign_in(name)
        with counted(app) as seen:
            assert client.get(path.format(code=code)).status_code == 200
        counts.append(len(seen))
    assert counts[0] == counts[1], seen
    assert counts[1] <= most, "\n\n".join(seen)
