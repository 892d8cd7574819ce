"""Whoever can write to Redis can run nothing: planted bodies, names and callbacks are executed 0 times."""

import json
import os
import pickle
import uuid
import zlib

import pytest
from rq import Queue

from msp.background.doorbell import ENTRY, OnlyOurs, SignedJson, connect, queue
from tenants.foundation.db import db
from tenants.foundation.scope import enter, of_tenant, sweeper
from tenants.foundation.work import Work, request_work
from tests.guarantees.processes import running, until

QUEUE = "campaigns"


class _Touch:
    """Unpickled, it runs a command."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return os.system, (f"touch {self.path}",)


def plant(redis, body, **more):
    """A job as an attacker with Redis would write it."""
    job_id = uuid.uuid4().hex
    fields = {
        "data": zlib.compress(body),
        "status": "queued",
        "origin": QUEUE,
        "created_at": "2026-11-20T09:00:00Z",
        "timeout": "10",
    }
    redis.hset(f"rq:job:{job_id}", mapping={**fields, **more})
    redis.rpush(f"rq:queue:{QUEUE}", job_id)


@pytest.fixture
def canaries(tmp_path):
    return [tmp_path / f"canary-{number}" for number in range(12)]


def plant_all(app, redis, canaries):
    serializer, stranger = (
        app.extensions["job_serializer"],
        SignedJson("a key of somebody else, 32 long....."),
    )

    def system(path):
        return ["os.system", None, [f"touch {path}"], {}]

    touch = ["pathlib.Path.touch", None, [], {}]
    plant(redis, pickle.dumps(_Touch(canaries[0])))
    plant(redis, pickle.dumps(system(canaries[1])))
    plant(redis, json.dumps(system(canaries[2])).encode())
    plant(redis, stranger.dumps(system(canaries[3])))
    plant(redis, b"0" * 64 + b"." + json.dumps(system(canaries[4])).encode())
    # Even our own signature names no other function than ours.
    plant(redis, serializer.dumps(system(canaries[5])))
    plant(redis, serializer.dumps([f"touch {canaries[6]}", "os.system", [str(canaries[6])], {}]))
    plant(redis, serializer.dumps(["subprocess.check_call", None, [["touch", str(canaries[7])]], {}]))
    ours = serializer.dumps([ENTRY, None, [1, 10_000_000], {}])
    for name in ("success_callback_name", "failure_callback_name", "stopped_callback_name"):
        plant(
            redis,
            ours,
            **{name: "tests.guarantees.planted.touch", f"{name.removesuffix('_name')}_timeout": "10"},
        )
    plant(redis, ours, meta=pickle.dumps(_Touch(canaries[8])), result=pickle.dumps(_Touch(canaries[9])))
    plant(redis, ours, webhooks=json.dumps([{"url": "http://127.0.0.1:9/", "events": ["finished"]}]))
    # The worker ends at a job that RQ itself cannot read; whoever supervises it starts it again.
    plant(redis, serializer.dumps(touch), status="nonsense")
    redis.rpush(f"rq:queue:{QUEUE}", "no-such-job")


def test_planted_bodies_run_nothing_in_a_real_worker(app, cast, canaries):
    """And the worker, or the one that follows it, still does what was really asked for."""
    redis = app.extensions["redis"]
    plant_all(app, redis, canaries)
    planted = redis.llen(f"rq:queue:{QUEUE}")
    with app.app_context(), enter(of_tenant(cast.tenants["acme"])):
        request_work(
            "evaluate_campaign", tenant_id=cast.tenants["acme"], arguments={"campaign": 0}, queue=QUEUE
        )
        db.session.commit()

    def tried():
        with app.app_context(), enter(sweeper()):
            return db.session.query(Work.attempts).scalar() > 0

    with running(app, ("worker", QUEUE)) as (worker,):
        assert until(lambda: worker.keep() or tried(), seconds=90)
    print(f"{planted} planted jobs: 0 run, the worker was started {worker.starts} times")
    assert [one for one in canaries if one.exists()] == []


def test_bodies_are_refused_before_anything_of_them_is_read(app, canaries):
    serializer = app.extensions["job_serializer"]
    for body in (pickle.dumps(_Touch(canaries[0])), json.dumps(["os.system"]).encode(), b"", b".", b"x.y"):
        with pytest.raises(PermissionError):
            serializer.loads(body)
    assert not canaries[0].exists()


def test_our_signature_makes_no_other_name_ours(app, database):
    redis, serializer = app.extensions["redis"], app.extensions["job_serializer"]
    signed = Queue(QUEUE, connection=redis, serializer=serializer)
    job = signed.enqueue("os.system", "true")
    fetched = OnlyOurs.fetch(job.id, connection=redis, serializer=serializer)
    with pytest.raises(PermissionError):
        _ = fetched.func
    assert (fetched.success_callback, fetched.failure_callback, fetched.stopped_callback) == (
        None,
        None,
        None,
    )


def test_the_doorbell_s_connection_gives_up_soon(app):
    """A job never waits long for a Redis that is gone."""
    settings = connect(app.extensions["settings"].redis_url).connection_pool.connection_kwargs
    assert settings["socket_timeout"] <= 1
    assert queue(QUEUE, app.extensions["redis"], app.extensions["job_serializer"]).name == QUEUE
