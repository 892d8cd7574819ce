"""The latest chats that ended are read from their index, however many there are."""

from sqlalchemy import event

from msp.intake.chats import queries
from tenants.foundation.db import db

MANY = """
INSERT INTO chats (tenant_id, public_id, channel, state, name, language, began_at, last_at, reason, rev, ending)
SELECT {tenant}, gen_random_uuid(), 'chat', 'ended', 'Bob', 'id', moment, moment, 'Done', 1, 'none'
FROM generate_series(timestamptz '2026-01-01', timestamptz '2026-03-01', interval '20 minutes') AS moment
"""


def test_they_are_read_from_their_index(app, cast, superuser, within):
    for slug in ("acme", "globex"):
        superuser.execute(MANY.format(tenant=cast.tenants[slug]))
    superuser.execute("ANALYZE chats")
    seen = []

    def note(_connection, _cursor, statement, parameters, *_more):
        seen.append((statement, parameters))

    with within("Leo"):
        connection = db.session.connection()
        event.listen(db.engine, "before_cursor_execute", note)
        try:
            found = queries.list_ended(10)
        finally:
            event.remove(db.engine, "before_cursor_execute", note)
        ((statement, parameters),) = seen
        plan = "\n".join(connection.exec_driver_sql(f"EXPLAIN {statement}", parameters).scalars())
    assert [one.last_at for one in found] == sorted((one.last_at for one in found), reverse=True)
    assert "ix_chats_ended" in plan, plan
    assert "Sort" not in plan, plan
