"""The doorbell rings in the Redis of the application whose transaction ended."""

from msp.background import doorbell
from tenants.foundation.db import db
from tenants.foundation.scope import enter, of_tenant
from tenants.foundation.work import request_work
from tests import cluster


def waiting(app):
    return app.extensions["redis"].llen("rq:queue:default")


def test_each_application_rings_at_its_own_redis(app, cast, database_name, worker_number, tmp_path):
    other = cluster.make_app(database_name, redis_number=14 - worker_number, files=tmp_path)
    try:
        with app.app_context(), enter(of_tenant(cast.tenant("acme"))):
            request_work("export_tenant", tenant_id=cast.tenant("acme"), arguments={"export": 0})
            db.session.commit()
        assert (waiting(app), waiting(other)) == (1, 0)
    finally:
        other.extensions["redis"].flushdb()
        with other.app_context():
            db.engine.dispose()


def test_a_queue_is_behind_while_rings_wait_and_none_is_without_redis(app, cast, monkeypatch):
    assert doorbell.list_backlogged(app.extensions["redis"]) == []
    with app.app_context(), enter(of_tenant(cast.tenant("acme"))):
        request_work("export_tenant", tenant_id=cast.tenant("acme"), arguments={"export": 0})
        db.session.commit()
    assert doorbell.list_backlogged(app.extensions["redis"]) == ["default"]
    assert doorbell.list_backlogged(doorbell.connect("redis://127.0.0.1:1/0")) == []
