"""The isolation matrix: every route × every caller of Acme × every class of ids × every carrier.

Generated from the URL map: a new route is in it at once, and a path parameter that nobody declared fails the run. The
answer for Globex's id is byte for byte the one for an id that never existed; no word of Globex shows up in any answer;
no row of Globex changes. Run with both layers, with row security alone and with the query guard alone.
"""

from collections import Counter
from contextlib import contextmanager, nullcontext

import pytest

from tenants.foundation import guard
from tests.canaries import WORD
from tests.guarantees import isolation
from tests.guarantees.isolation import REFUSALS

CANARY = f"{WORD}-globex".encode()
SECRETS = (CANARY, b"Mallory", b"mallory@example.test", b"gus@example.test")


@contextmanager
def _row_security_off(connection):
    isolation.switch_row_security(connection, on=False)
    try:
        yield
    finally:
        isolation.switch_row_security(connection, on=True)


@pytest.fixture(params=["both layers", "row security alone", "query guard alone"])
def layers(request, superuser):
    """The layers in force for a run of the matrix."""
    if request.param == "row security alone":
        context = guard.disabled()
    elif request.param == "query guard alone":
        context = _row_security_off(superuser)
    else:
        context = nullcontext()
    with context:
        yield request.param


class _Run:
    """One run of the matrix: sends probes and keeps what was wrong."""

    def __init__(self, app, rows):
        self.app, self.rows = app, rows
        self.fields = isolation.foreign_fields(rows)
        self.leaks: list[str] = []
        self.probes = Counter()

    def send(self, caller, rule, method, id_class, carrier):
        """One probe; returns status and normalised body."""
        address = isolation.addresses(self.app, rule, self.rows, id_class)
        options = {"headers": dict(caller.headers)}
        if carrier == "query":
            options["query_string"] = self.fields
        elif carrier == "form":
            options["data"] = self.fields
        elif carrier == "json":
            options["json"] = self.fields
        answer = caller.client.open(address, method=method, **options)
        self.probes[carrier] += 1
        self.judge(caller, rule, method, id_class, carrier, answer)
        sent = [str(value) for value in self._sent(rule, id_class)]
        location = answer.headers.get("Location", "").encode()
        return (
            answer.status_code,
            isolation.normalised(answer.data, sent),
            isolation.normalised(location, sent),
        )

    def _sent(self, rule, id_class):
        return [isolation.value_of(rule, name, id_class, self.rows) for name in rule.arguments]

    def judge(self, caller, rule, method, id_class, carrier, answer):
        where = f"{caller.name}: {method} {rule.rule} ({id_class} id, {carrier}) -> {answer.status_code}"
        seen = answer.data + str(answer.headers).encode()
        if any(secret in seen for secret in SECRETS):
            self.leaks.append(f"{where}: shows what is Globex's")
        if answer.status_code >= 500:
            self.leaks.append(f"{where}: breaks")
        allowed = REFUSALS | OWN_ANSWERS.get(rule.endpoint, set())
        if rule.arguments and id_class == "foreign" and answer.status_code not in allowed:
            self.leaks.append(f"{where}: accepted")


# Endpoints whose path names no tenant's row: a token of a link, a page about the asker.
OWN_ANSWERS: dict[str, set[int]] = {
    "agents.ddi.show_nothing": {404},
    "agents.mender.show_nothing": {404},
}


def test_every_path_parameter_is_declared(app):
    unknown = {
        f"{rule.rule}: {name}"
        for rule, _method in isolation.rules(app)
        for name in rule.arguments
        if not isolation.is_declared(rule, name)
    }
    assert unknown == set()


def test_nobody_reaches_globex(app, cast, superuser, layers, record_property):
    rows = isolation.fill_globex(superuser, cast)
    callers = isolation.callers(app, cast)
    before = isolation.fingerprint(superuser, cast.tenants["globex"])
    run = _Run(app, rows)
    for caller in callers:
        for rule, method in isolation.rules(app):
            if rule.endpoint in ENDS_THE_CALLER or not caller.fits(rule):
                continue
            _probe(run, caller, rule, method, thorough=layers == "both layers")
    after = isolation.fingerprint(superuser, cast.tenants["globex"])
    changed = [table for table in before if before[table] != after[table]]
    print(f"isolation matrix ({layers}): {sum(run.probes.values())} probes, {len(run.leaks)} leaks")
    assert run.leaks == [], "\n".join(run.leaks)
    assert changed == []


# Signing out would turn the rest of the caller's probes into an outsider's.
ENDS_THE_CALLER = {"account.sign_out", "account.end_other_sessions"}


def _probe(run, caller, rule, method, *, thorough):
    if rule.arguments and not thorough:
        run.send(caller, rule, method, "foreign", "path" if method == "GET" else "form")
    elif rule.arguments:
        for carrier in ("path",) if method == "GET" else ("path", "form", "json"):
            foreign = run.send(caller, rule, method, "foreign", carrier)
            never = run.send(caller, rule, method, "random", carrier)
            if foreign != never:
                where = f"{caller.name}: {method} {rule.rule} ({carrier})"
                run.leaks.append(f"{where} tells a foreign id from an unknown one")
        for id_class in ("malformed", "other_type"):
            run.send(caller, rule, method, id_class, "path")
    for carrier in ("query",) if method == "GET" else ("form", "json"):
        if not rule.arguments:
            run.send(caller, rule, method, "foreign", carrier)
