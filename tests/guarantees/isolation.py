"""The pieces of the isolation matrix: principals of Acme, ids of Globex, carriers, and what counts as a leak."""

import hashlib
import random
import re
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import psycopg
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.routing import IntegerConverter, Rule

from tenants.foundation.kinds import Kind, kind_of, models, tenant_column, tenant_models
from tests import canaries, personas
from tests.msp.campaigns import fleet
from tests.personas import Cast

ID_CLASSES = ("foreign", "random", "malformed", "other_type")
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
# What a stranger may be told: never 2xx with a foreign id in the path, and never a server's error.
REFUSALS = {301, 302, 303, 308, 400, 401, 403, 404, 405, 409, 413, 415, 422, 428, 429}


@dataclass(frozen=True)
class Caller:
    """A principal of Acme (or nobody) with the headers that carry its credential."""

    name: str
    client: FlaskClient
    headers: dict[str, str]

    def fits(self, rule: Rule) -> bool:
        """Tokens open the API only, and sessions everything else: the other way round they are nobody's."""
        return not self.headers or rule.rule.startswith("/api/")


Rows = dict[str, dict[str, Any]]

# What a path parameter names, by the part of the address around it: the first that fits. The matrix refuses addresses
# that none of them fits; None is a value that names no tenant's row (a link's token, one of the provider's people).
NAMED: tuple[tuple[str, tuple[str, str] | None], ...] = (
    ("<token>", None),
    ("<path:anything>", None),
    # Public by nature: whoever has the key of a website's chat sees the chat's form, and nothing else.
    ("chat/<key>", None),
    ("visitors/<key>", None),
    ("messages/<key>", None),
    ("account/sessions/<public_id>", None),
    ("account/tokens/<public_id>", None),
    ("console/staff/invitations/<public_id>", None),
    ("console/staff/<public_id>", None),
    ("invitations/<public_id>", ("invitations", "public_id")),
    ("people/<public_id>", ("memberships", "public_id")),
    ("files/<public_id>", ("stored_files", "public_id")),
    ("mails/<public_id>", ("outgoing_mails", "public_id")),
    ("enrolments/<public_id>", ("enrolment_tokens", "public_id")),
    ("chats/<chat>", ("chats", "public_id")),
    ("portal/chat/<chat>", ("chats", "public_id")),
    ("calls/<call>", ("calls", "public_id")),
    ("desk/messages/<text>", ("incoming_texts", "public_id")),
    ("tickets/<code>", ("tickets", "code")),
    ("tickets/new/<slug>", ("tenants", "slug")),
    ("tenants/<slug>", ("tenants", "slug")),
    ("ddi/<tenant>", ("tenants", "slug")),
    ("controller/v1/<controller>", ("assets", "controller_id")),
    ("maintenance/<part>", ("campaign_tenants", "public_id")),
    ("maintenance/<maintenance_id>", ("maintenance_intervals", "public_id")),
    ("watchers/<watcher_id>", ("watchers", "public_id")),
    ("links/<link_id>", ("ticket_links", "public_id")),
    ("checklist/<item_id>", ("checklist_items", "public_id")),
    ("categories/<category_id>", None),
    ("replies/<reply_id>", None),
    ("checklists/<template_id>", None),
    ("desk/views/<view_id>", None),
    ("time/<entry_id>", ("time_entries", "public_id")),
    ("remote/<session_id>", ("remote_sessions", "public_id")),
    ("visits/<visit_id>", ("visits", "public_id")),
    ("vendor-cases/<case_id>", ("vendor_cases", "public_id")),
    ("vendors/<vendor>", ("vendors", "public_id")),
    ("softwaremodules/<module>", ("releases", "id")),
    ("artifacts/<file>", None),
    ("artifacts/<path:file>", None),
    ("<action>", ("actions", "id")),
    ("campaigns/<campaign>", ("campaigns", "public_id")),
    ("campaigns/<id>", ("campaigns", "public_id")),
    ("contracts/<id>", ("contracts", "public_id")),
    ("contracts/<contract_id>", ("contracts", "public_id")),
    ("assets/<id>", ("assets", "public_id")),
    ("assets/<asset_id>", ("assets", "public_id")),
    ("agents/enrol/<asset_id>", ("assets", "public_id")),
    ("agents/admit/<asset_id>", ("assets", "public_id")),
    ("agents/revoke/<asset_id>", ("assets", "public_id")),
    ("agents/hand-out/<asset_id>", ("assets", "public_id")),
    ("agents/rotate/<asset_id>", ("assets", "public_id")),
    ("agents/client/<asset_id>", ("assets", "public_id")),
    ("agents/clients/<slug>", ("tenants", "slug")),
    ("agents/shared/<shared_id>", ("shared_credentials", "public_id")),
    ("agents/keys/<key>", ("device_keys", "public_id")),
    ("sites/<site_id>", ("sites", "public_id")),
    ("what-if/<trial_id>", ("term_trials", "public_id")),
    ("exports/<export_id>", ("tenant_exports", "public_id")),
    ("statements/<id>", ("statements", "public_id")),
    ("statements/<statement_id>", ("statements", "public_id")),
    ("releases/<release>", ("releases", "public_id")),
    ("windows/<window>", ("maintenance_windows", "public_id")),
    ("tenants/<slug>/freezes/<freeze>", ("freezes", "public_id")),
    ("console/freezes/<freeze>", ("provider_freezes", "public_id")),
    ("upkeep/<plan>", ("maintenance_plans", "public_id")),
    ("policies/<policy>", ("patch_policies", "public_id")),
    ("mailboxes/<mailbox>", ("mailboxes", "public_id")),
    ("intake/mail/<mailbox>", ("mailboxes", "public_id")),
    ("mailboxes/domains/<domain_id>", ("mail_domains", "public_id")),
    ("quarantine/<mail>", ("incoming_mails", "public_id")),
    ("mails/<mail_id>", ("incoming_mails", "public_id")),
    ("calendar/link/<slug>", ("tenants", "slug")),
    # The provider's own, which all of its staff may see.
    ("staff/skills/<skill>", None),
    ("staff/certificates/<certificate>", None),
    ("staff/teams/<team>", None),
    ("staff/people/<person>", None),
    ("roster/shifts/<shift>", None),
    ("roster/patterns/<pattern>", None),
    ("roster/absences/<absence>", None),
    ("roster/notes/<note>", None),
    ("articles/<slug>", ("articles", "slug")),
    ("versions/<int:number>", None),
    ("runs/<run>", ("runbook_runs", "public_id")),
    ("steps/<int:place>", None),
    ("training/classes/<class_id>", ("training_classes", "public_id")),
    ("portal/training/<class_id>", ("training_classes", "public_id")),
    ("materials/<material_id>", ("training_materials", "public_id")),
)
# Names under which forms and documents of ours take ids.
FIELDS: dict[str, tuple[str, str]] = {
    "ticket": ("tickets", "code"),
    "code": ("tickets", "code"),
    "asset": ("assets", "public_id"),
    "assets": ("assets", "public_id"),
    "site": ("sites", "public_id"),
    "contract": ("contracts", "public_id"),
    "statement": ("statements", "public_id"),
    "campaign": ("campaigns", "public_id"),
    "release": ("releases", "public_id"),
    "trial": ("term_trials", "public_id"),
    "chat": ("chats", "public_id"),
    "call": ("calls", "public_id"),
    "whose": ("tenants", "slug"),
    "whose_company": ("tenants", "slug"),
    "file": ("stored_files", "public_id"),
    "membership": ("memberships", "public_id"),
    "person": ("memberships", "public_id"),
    "requester": ("memberships", "public_id"),
    "assignee": ("memberships", "user_id"),
    "requester_user_id": ("memberships", "user_id"),
    "to_user_id": ("memberships", "user_id"),
    "article": ("articles", "slug"),
    "runbook": ("articles", "slug"),
}


def callers(app: Flask, cast: Cast) -> list[Caller]:
    """Everybody who must never see Globex, by every kind of credential."""
    found = [Caller("nobody", app.test_client(), {})]
    for name in ("Alice", "Bob", "Tina"):
        found.append(Caller(name, personas.sign_in(app, cast, name), {}))
        bearer = {"Authorization": f"Bearer {personas.mint_token(app, cast, name)}"}
        found.append(Caller(f"{name}'s token", app.test_client(), bearer))
    found.append(Caller("acme-pc-1's agent", app.test_client(), _agent_of_acme(app, cast)))
    return found


def _agent_of_acme(app: Flask, cast: Cast) -> dict[str, str]:
    """The header of an enrolled machine of Acme."""
    (agent,) = fleet.enrol(app, cast.tenants["acme"], "acme", ["acme-pc-1"])
    return {"Authorization": f"TargetToken {agent.token}"}


def fill_globex(connection: "psycopg.Connection[Any]", cast: Cast) -> Rows:
    """A row of Globex in every table."""
    rows = canaries.Filler(connection, cast.tenants["globex"], "globex").fill()
    rows["tenants"] = {"slug": "globex", "id": cast.tenants["globex"]}
    return rows


def rules(app: Flask) -> list[tuple[Rule, str]]:
    """Every route with each of its methods."""
    return [
        (rule, method)
        for rule in sorted(app.url_map.iter_rules(), key=lambda one: one.rule)
        for method in METHODS
        if method in (rule.methods or ()) and rule.endpoint != "static"
    ]


def _named(rule: Rule, parameter: str) -> tuple[bool, tuple[str, str] | None]:
    """Whether a parameter's place is known, and what it names there."""
    for place, named in NAMED:
        if place in rule.rule and re.search(rf"<(\w+:)?{parameter}>", place):
            return True, named
    return False, None


def is_declared(rule: Rule, parameter: str) -> bool:
    """Whether the matrix knows what a path parameter names."""
    return _named(rule, parameter)[0]


def value_of(rule: Rule, parameter: str, id_class: str, rows: Rows) -> str:
    """A value of one class for a path parameter."""
    named = _named(rule, parameter)[1]
    is_number = isinstance(rule._converters[parameter], IntegerConverter)
    known = str(rows[named[0]][named[1]]) if named and named[0] in rows else str(uuid.UUID(int=7))
    if is_number and not known.isdigit():
        known = "7000001"
    if id_class == "foreign":
        return known
    if id_class == "other_type":
        other = "assets" if named and named[0] != "assets" else "contracts"
        return str(rows[other]["id" if is_number else "public_id"])
    if id_class == "random":
        return _like(known)
    return "999999999999" if is_number else "%00'--;x"


def _like(known: str) -> str:
    """An id of the same form that never existed."""
    if re.fullmatch(r"[0-9a-f-]{36}", known):
        return str(uuid.UUID(bytes=hashlib.sha256(known.encode()).digest()[:16]))
    if re.fullmatch(r"[A-Z0-9]+-[A-Z0-9]{4}-[A-Z0-9]{4}", known):
        from tenants.tickets import codes

        return codes.new_code(known.split("-")[0], random.Random(known).choice)
    if known.isdigit():
        return str(int(known) + 7_000_000)
    return "never-was"


def addresses(app: Flask, rule: Rule, rows: Rows, id_class: str) -> str:
    """The route's address with every parameter of one id class."""
    values = {name: value_of(rule, name, id_class, rows) for name in rule.arguments}
    with app.test_request_context():
        from flask import url_for

        return url_for(rule.endpoint, **values)


def foreign_fields(rows: Rows) -> dict[str, str]:
    """A body that points at Globex with every name that a form or document of ours might read."""
    fields = {
        "tenant": "globex",
        "client": "globex",
        "tenant_id": str(rows["tenants"]["id"]),
        "company": str(rows["tenants"]["id"]),
        "subject": "probe",
        "body": "probe",
        "kind": "public",
        "impact": "low",
        "urgency": "low",
        "name": "probe",
        "reason": "probe",
        "note": "probe",
        "to": "resolved",
    }
    for name, (table, column) in FIELDS.items():
        fields[name] = fields[f"{name}_id"] = str(rows[table][column])
    return fields


def fingerprint(connection: "psycopg.Connection[Any]", tenant_id: int) -> dict[str, str]:
    """A digest of every row of a tenant, by table."""
    found = {}
    for model in tenant_models():
        table = model.__table__
        rows = "md5(coalesce(string_agg(t::text, '|' ORDER BY t::text), ''))"
        query = f"SELECT {rows} FROM {table.name} t WHERE {tenant_column(table)} = %s"
        row = connection.execute(query, (tenant_id,)).fetchone()  # type: ignore[call-overload]
        found[table.name] = row[0]
    return found


def switch_row_security(connection: "psycopg.Connection[Any]", *, on: bool) -> None:
    """Row security on or off for every table: off shows what the query guard does alone."""
    verb = "ENABLE" if on else "DISABLE"
    for model in models():
        if kind_of(model) is Kind.TENANT:
            connection.execute(f"ALTER TABLE {model.__tablename__} {verb} ROW LEVEL SECURITY")


def normalised(data: bytes, sent: Iterator[str] | list[str]) -> bytes:
    """An answer without what differs by nature: request ids, form tokens, and the id that was asked for."""
    text = re.sub(rb'name="csrf_token"[^>]*value="[^"]*"', b"", data)
    for one in sent:
        for written in (one, quote(one), quote(one, safe="")):
            if len(written) > 5:
                text = text.replace(written.encode(), b"")
            elif written:
                # A short number stands for itself only as the last part of an address.
                text = re.sub(rb"(/|%2F)" + re.escape(written.encode()) + rb"(?![\w./%-])", rb"\1", text)
    return text
