"""A row in every tenant-owned table, driven by the registry, with words that may show up nowhere else.

A new table is filled without a change here; only where a plain value would not do does it need an entry in `SPECIAL`.
"""

import json
import re
import uuid
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import psycopg
from psycopg.types.json import Jsonb
from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Column,
    Date,
    DateTime,
    Integer,
    LargeBinary,
    String,
    Table,
    Uuid,
)
from sqlalchemy.dialects.postgresql import JSONB

from tenants.foundation.db import Base
from tenants.foundation.kinds import Kind, kind_of, models

AT = datetime(2026, 11, 2, 3, 0, tzinfo=UTC)
WORD = "canary"
AUDIT = {"audit_entries", "audit_heads", "system_audit_entries", "system_audit_heads"}
SKIPPED = {"tenants", "users", "staff_members"} | AUDIT
Special = Callable[["Filler"], Any]


class Filler:
    """Fills one tenant's tables through a superuser's connection and remembers each row."""

    def __init__(self, connection: "psycopg.Connection[Any]", tenant_id: int, marker: str) -> None:
        self.connection, self.tenant_id, self.marker = connection, tenant_id, marker
        self.rows: dict[str, dict[str, Any]] = {}
        self.user_id = self._ghost()

    def _ghost(self) -> int:
        """A person who belongs to nobody yet, so that every row may name somebody new."""
        found = self.connection.execute(
            "INSERT INTO users (public_id, email, name, state, created_at)"
            " VALUES (gen_random_uuid(), %s, %s, 'active', now()) RETURNING id",
            (f"{WORD}-{self.marker}@example.test", f"{WORD}-{self.marker}-person"),
        ).fetchone()
        assert found is not None
        return int(found[0])

    def fill(self) -> dict[str, dict[str, Any]]:
        """One row per table, parents first; the rows by table."""
        kinds = {model.__tablename__: kind_of(model) for model in models()}
        for table in Base.metadata.sorted_tables:
            if table.name not in SKIPPED and kinds[table.name] is not Kind.GLOBAL:
                self.rows[table.name] = self._insert(table)
        return self.rows

    def second_ticket(self) -> int:
        """Another ticket of the same tenant."""
        table = Base.metadata.tables["tickets"]
        return int(self._insert(table, external_number=None, request_key=None)["id"])

    def word(self, table: str, column: str) -> str:
        """A word that names its tenant and place."""
        return f"{WORD}-{self.marker}-{table}-{column}"

    def _insert(self, table: Table, **instead: Any) -> dict[str, Any]:
        written = [column for column in table.columns if self._is_written(table, column)]
        values = {column.name: self._value(table, column) for column in written} | instead
        names = ", ".join(f'"{name}"' for name in values)
        marks = ", ".join(["%s"] * len(values))
        cursor = self.connection.cursor(row_factory=psycopg.rows.dict_row)
        found = cursor.execute(
            f"INSERT INTO {table.name} ({names}) VALUES ({marks}) RETURNING *",
            [self._plain_json(table.columns[name], value) for name, value in values.items()],
        ).fetchone()
        assert found is not None
        return dict(found)

    @staticmethod
    def _plain_json(column: Column[Any], value: Any) -> Any:
        return Jsonb(value) if isinstance(column.type, JSONB) else value

    def _is_written(self, table: Table, column: Column[Any]) -> bool:
        if column.identity is not None or column.computed is not None:
            return False
        if (table.name, column.name) in SPECIAL or self._parent(table, column):
            return True
        plain_text = isinstance(column.type, String) and not self._choices(table, column)
        return not column.nullable or plain_text

    def _value(self, table: Table, column: Column[Any]) -> Any:
        special = SPECIAL.get((table.name, column.name))
        if special is not None:
            return special(self)
        if column.name == "tenant_id":
            return self.tenant_id
        parent = self._parent(table, column)
        if parent is not None:
            if parent in ("users", "tenants"):
                return self.user_id if parent == "users" else self.tenant_id
            return self.rows.get(parent, {}).get("id")
        choices = self._choices(table, column)
        return choices[0] if choices else self._plain(table, column)

    @staticmethod
    def _parent(table: Table, column: Column[Any]) -> str | None:
        for key in table.foreign_key_constraints:
            if column.name != "tenant_id" and column.name in key.column_keys:
                return str(key.referred_table.name)
        return None

    @staticmethod
    def _choices(table: Table, column: Column[Any]) -> list[str]:
        for check in table.constraints:
            if isinstance(check, CheckConstraint):
                listed = re.fullmatch(rf"{column.name} IN \((.*)\)", str(check.sqltext))
                if listed:
                    return re.findall(r"'([^']*)'", listed.group(1))
        return []

    def _plain(self, table: Table, column: Column[Any]) -> Any:
        kind = column.type
        if isinstance(kind, String):
            text = self.word(table.name, column.name)
            return (
                text
                if kind.length is None or len(text) <= kind.length
                else f"{WORD}-{self.marker}"[: kind.length]
            )
        plain: dict[type, Any] = {
            Boolean: False,
            Integer: 1,
            DateTime: AT,
            Date: date(2026, 11, 2),
            Uuid: uuid.uuid4(),
            LargeBinary: uuid.uuid4().bytes,
            JSONB: {},
        }
        found = [value for sort, value in plain.items() if isinstance(kind, sort)]
        assert found, f"{table.name}.{column.name}: say in SPECIAL how to fill {kind!r}"
        return found[0]


def _ticket_code(filler: Filler) -> str:
    from tenants.tickets import codes

    return codes.new_code({"globex": "GLBX", "acme": "ACME"}[filler.marker])


def _terms(_filler: Filler) -> Any:
    from contracts.terms.document import default_terms

    return default_terms("Asia/Jakarta")


def _statement_head(filler: Filler) -> str:
    word = filler.word("statements", "head")
    return json.dumps(
        {
            "tenant": {"slug": filler.marker, "name": word},
            "contract": {"id": word, "name": word},
            "time_zone": "Asia/Jakarta",
            "reason": word,
            "replaces": None,
            "versions": [],
            "fee": 0,
            "currency": "IDR",
            "figures": [],
            "totals": [],
            "credit": None,
            "evidence": {},
        }
    )


def _statement_line(filler: Filler) -> str:
    return json.dumps({"ticket": filler.word("statement_lines", "body")})


SPECIAL: dict[tuple[str, str], Special] = {
    ("tickets", "code"): _ticket_code,
    ("tickets", "requester_email"): lambda filler: f"{WORD}-{filler.marker}@example.test",
    ("tickets", "contract_version_id"): lambda filler: None,
    ("ticket_texts", "marks"): lambda filler: [f"t:{filler.tenant_id}"],
    **{
        ("ticket_texts", column): lambda filler: f"'{WORD}-{filler.marker}-words'"
        for column in ("words", "notes")
    },
    ("campaigns", "tenant_ids"): lambda filler: [filler.tenant_id],
    ("patch_policies", "tenant_ids"): lambda filler: [filler.tenant_id],
    **{
        (table, column): value
        for table in ("maintenance_windows", "maintenance_plans", "patch_policies")
        for column, value in (
            ("rule", lambda _: "FREQ=DAILY"),
            ("starts_at", lambda _: "22:00"),
            ("time_zone", lambda _: "Asia/Jakarta"),
        )
    },
    **{
        (table, column): lambda _, at=at: at
        for table in ("freezes", "provider_freezes", "maintenance_occurrences")
        for column, at in (("begins_at", AT), ("ends_at", AT + timedelta(hours=2)))
    },
    # The provider's own, which all of its staff may read.
    ("provider_freezes", "name"): lambda _: "Closing of the year",
    ("provider_freezes", "created_by"): lambda _: "Mia",
    **{
        (table, column): lambda _, word=word: f"{word} {uuid.uuid4().hex[:8]}"
        for table, column, word in (
            ("skills", "name_en", "Networks"),
            ("skills", "name_id", "Jaringan"),
            ("teams", "name", "Day"),
        )
    },
    **{
        (table, column): lambda _, word=word: word
        for table, column, word in (
            ("certificates", "name", "Network basics"),
            ("certificates", "issuer", "An institute"),
            ("certificates", "number", "4711"),
            ("certificates", "added_by", "Mia"),
            ("shift_patterns", "rule", "FREQ=WEEKLY;BYDAY=MO"),
            ("shift_patterns", "starts_at", "08:00"),
            ("shift_patterns", "ends_at", "17:00"),
            ("shift_patterns", "country", "ID"),
            ("shift_patterns", "created_by", "Mia"),
            ("shifts", "note", "Bring the key"),
            ("shifts", "created_by", "Mia"),
            ("absences", "note", ""),
            ("absences", "created_by", "Mia"),
            ("shift_notes", "author_name", "Mia"),
            ("shift_notes", "body", "Watch the till."),
            *((table, "time_zone", "Asia/Jakarta") for table in ("shift_patterns", "shifts", "absences")),
        )
    },
    **{(table, "level"): lambda _: 2 for table in ("staff_skills", "category_skills")},
    ("certificates", "expires_on"): lambda _: date(2030, 1, 1),
    **{(table, "ends_at"): lambda _: AT + timedelta(hours=8) for table in ("shifts", "absences")},
    ("categories", "name_en"): lambda _: "Hardware",
    ("categories", "name_id"): lambda _: "Perangkat keras",
    ("canned_replies", "name"): lambda _: "Greeting",
    ("canned_replies", "body"): lambda _: "Hello $requester",
    ("canned_replies", "changed_by"): lambda _: "Mia",
    ("checklist_templates", "name"): lambda _: "New laptop",
    ("checklist_templates", "lines"): lambda _: ["Install the agent"],
    ("checklist_templates", "changed_by"): lambda _: "Mia",
    ("queue_views", "name"): lambda _: "Printers",
    ("ticket_links", "other_id"): lambda filler: filler.second_ticket(),
    ("tickets", "merged_into_id"): lambda filler: None,
    ("tickets", "follows_id"): lambda filler: None,
    ("maintenance_plans", "checklist"): lambda filler: [f"{WORD}-{filler.marker}-checklist"],
    # Written for this client: nobody of another one reads it, nor staff without its grant.
    **{
        (table, column): value
        for table in ("articles", "article_editions")
        for column, value in (
            # It is sent as a field of forms, which pages may show again: no word of its own.
            ("slug", lambda filler: f"written-for-{filler.marker}"),
            ("audience", lambda _: "chosen"),
            ("tier", lambda _: None),
            ("tenant_ids", lambda filler: [filler.tenant_id]),
        )
    },
    ("articles", "state"): lambda _: "published",
    ("article_versions", "texts"): lambda filler: {
        "en": {"title": filler.word("article_versions", "title"), "body": f"{WORD}-{filler.marker}"}
    },
    ("article_versions", "steps"): lambda _: [],
    ("article_editions", "steps"): lambda filler: [f"{WORD}-{filler.marker}-step"],
    ("contract_versions", "terms"): _terms,
    ("term_trials", "draft"): _terms,
    ("contracts", "time_zone"): lambda _: "Asia/Jakarta",
    ("contracts", "currency"): lambda _: "IDR",
    ("sites", "time_zone"): lambda _: None,
    ("statements", "head"): _statement_head,
    ("statement_lines", "body"): _statement_line,
    ("statement_credits", "currency"): lambda _: "IDR",
    # A directory that all of the provider's people may read.
    ("vendors", "name"): lambda _: f"Printco {uuid.uuid4().hex[:8]}",
    **{
        ("vendors", column): lambda _, words=words: words
        for column, words in (
            ("contact_name", "Ms. Sari"),
            ("email", "help@printco.test"),
            ("phone", "021 555"),
            ("support_hours", "8 to 17"),
        )
    },
    ("visits", "ends_at"): lambda _: AT + timedelta(hours=2),
    ("remote_sessions", "consent_at"): lambda _: AT,
    ("assets", "controller_id"): lambda filler: f"{filler.marker}-pc-7",
    ("assets", "tags"): lambda filler: [f"{WORD}-{filler.marker}-tag"],
    ("invitations", "granted_tenants"): lambda _: [],
    ("maintenance_intervals", "to_at"): lambda _: AT + timedelta(hours=1),
    ("freezes", "ends_at"): lambda _: AT + timedelta(hours=1),
    ("provider_freezes", "ends_at"): lambda _: AT + timedelta(hours=1),
    ("maintenance_windows", "starts_at"): lambda _: "22:00",
    ("maintenance_windows", "rule"): lambda _: "FREQ=WEEKLY;BYDAY=SA",
    ("maintenance_windows", "time_zone"): lambda _: "Asia/Jakarta",
    ("chats", "language"): lambda _: "id",
    ("chat_doors", "origins"): lambda filler: [f"https://{WORD}-{filler.marker}.test"],
    ("calls", "phone"): lambda _: "+628111",
    ("memberships", "phone"): lambda _: "+628112",
    ("memberships", "known_phone"): lambda _: "+628113",
    ("stored_files", "sha256"): lambda _: "0" * 64,
    ("incoming_mails", "sha256"): lambda _: "0" * 64,
    ("mailboxes", "address"): lambda filler: f"{WORD}-{filler.marker}@portal.test",
    ("stored_files", "media_type"): lambda _: "text/plain",
    ("training_classes", "minutes"): lambda _: 60,
    ("training_classes", "time_zone"): lambda _: "Asia/Jakarta",
    # A material is one of the two.
    ("training_materials", "article_id"): lambda _: None,
}
