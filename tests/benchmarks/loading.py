"""A provider's years in a few statements: set-based SQL, every column from a hash of its own.

Columns that are made by arithmetic sequences correlate and flatter the planner; independent hashes don't. A tenth of
the tickets is open and at most two weeks old, assignees are granted the client, and each row belongs where it says.
"""

import hashlib
import json
import random
from dataclasses import dataclass

import psycopg

from contracts.terms.document import default_terms
from tenants.tickets.codes import new_code

TENANTS = 200
PEOPLE = 5  # of each client
STAFF = 20
SAMPLE = 2000  # tickets that are opened during the measures; they have valid codes and a longer story
SCALES = {"10k": 10_000, "100k": 100_000, "1m": 1_000_000}
MOST_AGENTS = 100_000


@dataclass(frozen=True)
class Loaded:
    """What the measures ask for."""

    session: str
    tokens: list[str]
    codes: list[str]
    agents: list[tuple[str, str, str]]


def h(salt: str, column: str = "i") -> str:
    """An SQL expression: a number below 2^28 that depends on the row and the salt only."""
    return f"(('x' || substr(md5('{salt}' || {column}::text), 1, 7))::bit(28)::int)"


def pick(salt: str, words: list[str]) -> str:
    """An SQL expression that picks one of the words."""
    listed = ", ".join(f"'{word}'" for word in words)
    return f"(ARRAY[{listed}])[1 + {h(salt)} % {len(words)}]"


def load(dsn: str, tickets: int) -> Loaded:
    """Fill an empty database that has tables and wall, as a superuser."""
    agents = min(tickets, MOST_AGENTS)
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute("SET session_replication_role = replica")
        for statement in [*_people(), *_contracts(), *_assets(agents), *_tickets(tickets)]:
            connection.execute(statement)  # type: ignore[call-overload]
        codes = _give_valid_codes(connection, tickets)
        for statement in _texts():
            connection.execute(statement)  # type: ignore[call-overload]
        connection.execute("SET session_replication_role = origin")
        connection.execute("VACUUM ANALYZE")
        rows = connection.execute(
            "SELECT t.slug, c.controller_id FROM agent_credentials c JOIN tenants t ON t.id = c.tenant_id"
            f" ORDER BY {h('agents', 'c.id')} LIMIT 2000"
        ).fetchall()
    seen = [(slug, name, f"agent token {name.removeprefix('pc-')}") for slug, name in rows]
    tokens = [f"api token {number}" for number in range(1, TENANTS * PEOPLE + 1)]
    return Loaded("session token 1", tokens, codes, seen)


def _digest(prefix: str, column: str = "i") -> str:
    return f"sha256(convert_to('{prefix} ' || {column}, 'UTF8'))"


def _people() -> list[str]:
    client_rights = json.dumps(["api.use", "portal.view", "portal.open_tickets", "account.use"])
    people = TENANTS * PEOPLE
    return [
        "INSERT INTO tenants (public_id, slug, prefix, name, kind, state, time_zone, language, address, created_at)"
        " SELECT gen_random_uuid(), 'client-' || i, 'C' || upper(lpad(to_hex(i), 4, '0')), 'Client ' || i,"
        " CASE i WHEN 1 THEN 'own' ELSE 'client' END, 'active', 'Asia/Jakarta', 'id', '', now()"
        f" FROM generate_series(1, {TENANTS}) i",
        "INSERT INTO users (public_id, email, name, state, language, time_zone, created_at)"
        " SELECT gen_random_uuid(), 'person-' || i || '@example.test', 'Person ' || i, 'active', 'en',"
        f" 'Asia/Jakarta', now() FROM generate_series(1, {people + STAFF}) i",
        "INSERT INTO memberships (tenant_id, user_id, public_id, name, email, role, state, joined_at)"
        " SELECT t.id, u.id, gen_random_uuid(), u.name, u.email, 'client_user', 'active', now()"
        f" FROM generate_series(1, {people}) i JOIN users u ON u.email = 'person-' || i || '@example.test'"
        f" JOIN tenants t ON t.slug = 'client-' || (1 + (i - 1) / {PEOPLE})",
        "INSERT INTO staff_members (user_id, public_id, name, email, role, state, all_tenants, joined_at)"
        " SELECT u.id, gen_random_uuid(), u.name, u.email, 'l2', 'active', true, now()"
        f" FROM generate_series({people + 1}, {people + STAFF}) i"
        " JOIN users u ON u.email = 'person-' || i || '@example.test'",
        "INSERT INTO sign_in_sessions (public_id, token_hash, user_id, second_factor_at, created_at, last_seen_at,"
        f" expires_at, address, agent) SELECT gen_random_uuid(), {_digest('session token')}, u.id, now(), now(),"
        " now() + interval '1 hour', now() + interval '1 day', '', '' FROM generate_series(1, 1) i"
        f" JOIN users u ON u.email = 'person-{people + 1}@example.test'",
        "INSERT INTO api_tokens (public_id, token_hash, user_id, tenant_id, name, permissions, created_at, expires_at,"
        f" last_used_on) SELECT gen_random_uuid(), {_digest('api token')}, m.user_id, m.tenant_id, 'bench',"
        f" '{client_rights}', now(), now() + interval '1 day', now() FROM generate_series(1, {people}) i"
        " JOIN memberships m ON m.email = 'person-' || i || '@example.test'",
    ]


def _contracts() -> list[str]:
    terms = json.dumps(default_terms("Asia/Jakarta"))
    return [
        "INSERT INTO contracts (tenant_id, public_id, name, time_zone, starts_on, monthly_fee, currency, created_at)"
        " SELECT id, gen_random_uuid(), 'Managed services', 'Asia/Jakarta', '2020-01-01', 0, 'IDR', now() FROM tenants",
        "INSERT INTO contract_versions (tenant_id, contract_id, number, in_force_on, in_force_from, terms, note,"
        " created_at, created_by) SELECT tenant_id, id, 1, '2020-01-01', '2019-12-31T17:00Z',"
        f" '{terms}'::jsonb, '', now(), 'bench' FROM contracts",
    ]


def _assets(agents: int) -> list[str]:
    return [
        "INSERT INTO assets (tenant_id, public_id, name, kind, state, tags, notes, created_at, controller_id,"
        " last_seen_at, facts, facts_at, trust_level)"
        f" SELECT (SELECT min(id) FROM tenants) + {h('asset')} % {TENANTS}, gen_random_uuid(), 'pc-' || i,"
        " 'workstation', 'active', '[]', '', now(), 'pc-' || i, now(), '{}', now(), 'tls-only'"
        f" FROM generate_series(1, {agents}) i",
        "INSERT INTO agent_credentials (tenant_id, asset_id, controller_id, token_hash, slot, created_at, facts_due_at)"
        f" SELECT tenant_id, id, controller_id, {_digest('agent token', 'substr(name, 4)')}, 1, now(),"
        " now() + interval '1 day' FROM assets",
    ]


def _tickets(tickets: int) -> list[str]:
    state = (
        f"CASE WHEN {h('open')} % 10 > 0 THEN 'closed'"
        f" ELSE {pick('state', ['new', 'in_progress', 'in_progress', 'waiting'])} END"
    )
    priority = pick("priority", ["P1", "P2", "P3", "P3", "P3", "P4", "P4"])
    levels = ["high", "medium", "medium", "low"]
    return [
        "INSERT INTO tickets (tenant_id, code, kind, subject, state, waiting_reason, impact, urgency, priority,"
        " priority_overridden, tier, rev, assignee_user_id, assignee_name, requester_user_id, requester_name,"
        " requester_email, source, opened_at, waiting_since, closed_at, contract_version_id, next_due_at,"
        " next_due_kind, sla_state)"
        " SELECT d.tenant_id, d.code, 'incident', d.subject, d.state,"
        " CASE d.state WHEN 'waiting' THEN 'requester' END, d.impact, d.urgency, d.priority, false, 'L1', 1,"
        " s.user_id, s.name, m.user_id, m.name, m.email, 'portal', d.opened_at,"
        " CASE d.state WHEN 'waiting' THEN d.opened_at END, CASE d.state WHEN 'closed' THEN d.opened_at END, v.id,"
        " CASE WHEN d.state IN ('new', 'in_progress') THEN d.due_at END,"
        " CASE WHEN d.state <> 'closed' THEN 'resolution' END,"
        " CASE d.state WHEN 'waiting' THEN 'paused' WHEN 'closed' THEN NULL ELSE 'running' END"
        f" FROM (SELECT i, (SELECT min(id) FROM tenants) + {h('tenant')} % {TENANTS} AS tenant_id, 'X' || i AS code,"
        f" 'Matter ' || {h('subject')} || ' at desk ' || {h('desk')} % 500 AS subject, {state} AS state,"
        f" {pick('impact', levels)} AS impact, {pick('urgency', levels)} AS urgency, {priority} AS priority,"
        f" now() - {h('opened')} % (CASE WHEN {h('open')} % 10 > 0 THEN 63072000 ELSE 1209600 END)"
        " * interval '1 second' AS opened_at,"
        f" now() + ({h('due')} % 1209600 - 172800) * interval '1 second' AS due_at,"
        f" CASE WHEN {h('held')} % 4 > 0 THEN {TENANTS * PEOPLE} + 1 + {h('holder')} % {STAFF} END AS holder,"
        f" {h('requester')} % {PEOPLE} AS requester FROM generate_series(1, {tickets}) i) d"
        " LEFT JOIN contract_versions v ON v.tenant_id = d.tenant_id"
        " LEFT JOIN staff_members s ON s.email = 'person-' || d.holder || '@example.test'"
        " JOIN memberships m ON m.tenant_id = d.tenant_id AND m.email = 'person-' ||"
        f" ((d.tenant_id - (SELECT min(id) FROM tenants)) * {PEOPLE} + 1 + d.requester) || '@example.test'",
        "INSERT INTO messages (tenant_id, ticket_id, kind, author_kind, author_user_id, author_name, via, body,"
        " spoke_with_caller, at) SELECT tenant_id, id, 'public', 'requester', requester_user_id, requester_name,"
        f" 'portal', 'It does not work since ' || opened_at::date || '. Please help. ' || {_said()}, false,"
        " opened_at FROM tickets",
        "INSERT INTO ticket_events (tenant_id, ticket_id, seq, kind, at, actor_kind, actor_user_id, actor_name,"
        " message_id, data) SELECT t.tenant_id, t.id, 1, 'opened', t.opened_at, 'requester', t.requester_user_id,"
        " t.requester_name, m.id, jsonb_build_object('priority', t.priority, 'source', t.source)"
        " FROM tickets t JOIN messages m ON m.tenant_id = t.tenant_id AND m.ticket_id = t.id",
    ]


def _said() -> str:
    """A word in a tenth of all messages, one in a hundredth, and some of thirty thousand."""
    rare = " || ' ' || ".join(
        f"'kata' || {h(salt, 'id')} % 30000" for salt in ("one", "two", "three", "four")
    )
    common = f"CASE WHEN {h('common', 'id')} % 10 = 0 THEN 'printer ' ELSE '' END"
    seldom = f"CASE WHEN {h('seldom', 'id')} % 100 = 0 THEN 'genting ' ELSE '' END"
    return f"{common} || {seldom} || {rare}"


def _texts() -> list[str]:
    """The words of every ticket, and the name of a file on each; the indexes are built once, at the end."""
    columns = ("words", "notes")
    drop = [f"DROP INDEX ix_ticket_texts_{one}" for one in columns]
    build = [
        f"CREATE INDEX ix_ticket_texts_{one} ON ticket_texts USING gin (marks, {one})" for one in columns
    ]
    told = (
        "t.code || ' ' || t.subject || ' ' || t.requester_name || ' ' || m.body"
        " || ' berkas-' || t.id % 30000 || '.pdf kasir-' || t.id % 3000"
    )
    day = "'d:' || floor(extract(epoch FROM t.opened_at) / 86400)::bigint"
    fill = (
        "INSERT INTO ticket_texts (tenant_id, ticket_id, opened_at, marks, words, notes) SELECT d.tenant_id, d.id,"
        " d.opened_at, d.marks, d.words, d.words FROM (SELECT t.tenant_id, t.id, t.opened_at,"
        f" ARRAY['t:' || t.tenant_id, {day}, 'p:' || t.requester_user_id] AS marks, lexemes_of({told}) AS words"
        " FROM tickets t JOIN messages m ON m.tenant_id = t.tenant_id AND m.ticket_id = t.id"
        " AND m.author_kind = 'requester' AND m.at = t.opened_at) d"
    )
    return [*drop, fill, *build]


def _give_valid_codes(connection: "psycopg.Connection[tuple[object, ...]]", tickets: int) -> list[str]:
    """Codes with check characters and four more messages for the open tickets that are looked at."""
    chosen = connection.execute(
        "SELECT t.tenant_id, t.id, c.prefix FROM tickets t JOIN tenants c ON c.id = t.tenant_id WHERE t.is_open"
        f" ORDER BY {h('sample', 't.id')} LIMIT {min(SAMPLE, tickets // 20)}"
    ).fetchall()
    dice = random.Random(7)
    codes = [new_code(str(prefix), dice.choice) for _tenant, _id, prefix in chosen]
    ids = [row[1] for row in chosen]
    connection.execute(
        "UPDATE tickets t SET code = d.code, rev = 5 FROM unnest(%s::bigint[], %s::text[]) AS d(id, code)"
        " WHERE t.id = d.id",
        (ids, codes),
    )
    connection.execute(
        "WITH said AS (INSERT INTO messages (tenant_id, ticket_id, kind, author_kind, author_user_id, author_name,"
        " via, body, spoke_with_caller, at) SELECT t.tenant_id, t.id, 'public',"
        " CASE n %% 2 WHEN 0 THEN 'requester' ELSE 'staff' END, NULL, 'Somebody', 'web',"
        " repeat('One more thing to say. ', 10), false, t.opened_at + n * interval '1 hour'"
        " FROM tickets t, generate_series(1, 4) n WHERE t.id = ANY(%s::bigint[])"
        " RETURNING tenant_id, ticket_id, id, author_kind, at)"
        " INSERT INTO ticket_events (tenant_id, ticket_id, seq, kind, at, actor_kind, actor_name, message_id, data)"
        " SELECT tenant_id, ticket_id, 1 + row_number() OVER (PARTITION BY tenant_id, ticket_id ORDER BY at),"
        " 'message_added', at, author_kind, 'Somebody', id,"
        " jsonb_build_object('kind', 'public', 'author_kind', author_kind, 'spoke_with_caller', false) FROM said",
        (ids,),
    )
    return codes


def token_digest(token: str) -> bytes:
    """What the tables hold of a token."""
    return hashlib.sha256(token.encode()).digest()
