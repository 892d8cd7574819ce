"""Every view declares who may use it; every queue has a worker; every table and job is known."""

import pytest
from flask import Flask

from msp.background.doorbell import QUEUES
from msp.background.jobs import JOBS, job
from msp.web.access import UndeclaredView, access_of, check_declared, public


def test_every_view_declares_its_access(app):
    check_declared(app)
    assert all(access_of(app, endpoint) for endpoint in app.view_functions)


def test_an_undeclared_view_refuses_the_start():
    bare = Flask("bare")
    bare.add_url_rule("/open", view_func=lambda: "hello", endpoint="open")
    with pytest.raises(UndeclaredView, match="open"):
        check_declared(bare)


def test_a_view_declares_once():
    def view():
        return ""

    with pytest.raises(UndeclaredView):
        public("one")(public("two")(view))


def test_reasons_for_being_public_are_sentences(app):
    for endpoint in app.view_functions:
        declared = access_of(app, endpoint)
        assert declared.public is None or len(declared.public) > 10, endpoint


def test_no_person_s_view_lies_outside_its_side(app):
    """Client pages ask for portal rights, staff pages for staff rights: a role of the other side holds none of them."""
    for rule in app.url_map.iter_rules():
        permission = access_of(app, rule.endpoint).permission
        if permission is None:
            continue
        if rule.rule.startswith("/portal"):
            assert permission.startswith(("portal.", "account.", "tokens.", "console.view_audit")), rule.rule
        if rule.rule.startswith("/desk"):
            assert permission.startswith("desk."), rule.rule


def test_every_job_has_a_queue_with_a_worker():
    assert JOBS
    assert {one.queue for one in JOBS.values()} <= set(QUEUES)
    with pytest.raises(ValueError, match="no worker"):
        job("stray", queue="nobody-listens")


def test_every_reaction_is_to_a_known_event():
    from msp import reactions
    from tenants.foundation.events import Event

    for table in (reactions.WITHIN, reactions.AFTER):
        assert all(issubclass(event, Event) for event in table)
