"""Hostile words in every text that the database holds: driven by the registry, so that a new table is not forgotten.

Rows that people would write exist already (the scene); tables that it leaves empty get one of Acme's. Then every text
is written over, as if whatever checks forms, mails and machines had let it pass.
"""

import json
import re
import uuid
from collections.abc import Callable
from hashlib import sha256
from typing import Any

import psycopg
from psycopg.types.json import Jsonb
from sqlalchemy import Column, Index, LargeBinary, String, Table, UniqueConstraint
from sqlalchemy.dialects.postgresql import JSONB, TSVECTOR

from tenants.foundation.db import Base
from tests.canaries import Filler

# Words that only our own code writes, chooses or derives: another word there is a broken program, not a hostile text.
OURS = frozenset(
    re.findall(
        r"\w+",
        "slug prefix time_zone language sha256 sha1 md5 plan_sha256 code ticket_code currency rule starts_at"
        " password_hash permissions marks epoch key public_key request_key calendar_key source_key cause_key media_type"
        " next_due_kind sla_state trust_level queue tier template",
    )
)
OUR_WORDS = {
    ("outgoing_mails", "encloses"),
    ("ticket_timers", "priority"),
    ("timer_marks", "priority"),
    ("timer_marks", "cause"),
}
# JSON whose every text comes from people or machines; of any other JSON only what does not look like a word of ours.
WHOLE = {
    ("assets", "tags"),
    ("assets", "facts"),
    ("checklist_templates", "lines"),
    ("article_versions", "texts"),
    ("visits", "parts"),
    ("maintenance_plans", "checklist"),
}
ROOM = 100_000
_OURS = re.compile(
    r"[a-z0-9_:.+/-]*|L[123]|P[1-5]|[A-Z]{2,6}-[A-Z0-9-]+|\d{4}-\d\d-\d\d.*|[A-Z][A-Za-z]+/[A-Z]\w+|[A-Z]{3}"
)
# Given the room in characters and a seed: the same place and word before give the same seed.
Choose = Callable[[int, str], str]


class Rest(Filler):
    """Fills only the tables in which there is nothing yet, and remembers one row of each of the others."""

    def _insert(self, table: Table, **instead: Any) -> dict[str, Any]:
        found = None if instead else self._present(table)
        return found or super()._insert(table, **instead)

    def _present(self, table: Table) -> dict[str, Any] | None:
        cursor = self.connection.cursor(row_factory=psycopg.rows.dict_row)
        own = " WHERE tenant_id = %s" if "tenant_id" in table.columns else " WHERE %s > 0"
        return cursor.execute(f"SELECT * FROM {table.name}{own} LIMIT 1", [self.tenant_id]).fetchone()


class Poison:
    """Writes hostile words over the texts of a database through a superuser's connection, without its triggers."""

    def __init__(self, connection: "psycopg.Connection[Any]") -> None:
        self.connection = connection
        self.refused: set[tuple[str, str]] = set()
        self.columns: set[tuple[str, str]] = set()
        self._originals: dict[str, list[dict[str, Any]]] = {}

    def fill_gaps(self, tenant_id: int) -> None:
        """A row of this tenant in every table that is empty."""
        Rest(self.connection, tenant_id, "acme").fill()

    def write(self, choose: Choose) -> int:
        """Write over every text; returns how many."""
        return sum(self._write(table, choose) for table in Base.metadata.sorted_tables)

    def _write(self, table: Table, choose: Choose) -> int:
        columns = [one for one in table.columns if _is_text(table, one)]
        if not columns:
            return 0
        written = 0
        for row in self._rows(table):
            words = {one.name: self._word(table, one, row[one.name], choose) for one in columns}
            changed = {name: word for name, word in words.items() if word is not None}
            written += self._change(table, row, changed)
        return written

    def _rows(self, table: Table) -> list[dict[str, Any]]:
        """The rows as they were before anything was written over: what is ours is told by the first words."""
        if table.name not in self._originals:
            cursor = self.connection.cursor(row_factory=psycopg.rows.dict_row)
            self._originals[table.name] = cursor.execute(f"SELECT * FROM {table.name}").fetchall()
        return self._originals[table.name]

    def _change(self, table: Table, row: dict[str, Any], words: dict[str, Any]) -> int:
        """All at once; where the table refuses a word, one after another."""
        try:
            self._update(table, row, words)
        except psycopg.errors.CheckViolation:
            for name, word in words.items():
                try:
                    self._update(table, row, {name: word})
                except psycopg.errors.CheckViolation:
                    self.refused.add((table.name, name))
        self.columns.update((table.name, name) for name in words)
        return len(words)

    def _update(self, table: Table, row: dict[str, Any], words: dict[str, Any]) -> None:
        if not words:
            return
        keys = [one.name for one in table.primary_key]
        sets = ", ".join(f'"{name}" = %s' for name in words)
        which = " AND ".join(f'"{key}" = %s' for key in keys)
        with self.connection.transaction():
            self.connection.execute("SET LOCAL session_replication_role = replica")
            self.connection.execute(
                f"UPDATE {table.name} SET {sets} WHERE {which}",
                [*words.values(), *(row[key] for key in keys)],
            )

    def _word(self, table: Table, column: Column[Any], old: Any, choose: Choose) -> Any:
        """The hostile word, None to leave the old one."""
        if isinstance(column.type, JSONB):
            return None if old is None else Jsonb(self._leaves(table, column, old, choose))
        if old and old.startswith(("{", "[")):
            inside = _parsed(old)
            if inside is not None:
                return json.dumps(self._leaves(table, column, inside, choose))
        room = column.type.length or ROOM  # type: ignore[attr-defined]
        seed = f"{table.name}.{column.name}={old}"
        if not _is_unique(table, column):
            return choose(room, seed)[:room]
        # Words that were equal stay equal, and others stay different.
        mark = sha256((old or uuid.uuid4().hex).encode()).hexdigest()[:6]
        return f"{mark}{choose(room - 6, seed)}"[:room]

    def _leaves(self, table: Table, column: Column[Any], value: Any, choose: Choose) -> Any:
        if isinstance(value, dict):
            return {key: self._leaves(table, column, one, choose) for key, one in value.items()}
        if isinstance(value, list):
            return [self._leaves(table, column, one, choose) for one in value]
        is_whole = (table.name, column.name) in WHOLE
        if isinstance(value, str) and (is_whole or not _OURS.fullmatch(value)):
            return choose(ROOM, f"{table.name}.{column.name}={value}")
        return value


def _parsed(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return None


def _is_text(table: Table, column: Column[Any]) -> bool:
    if column.computed is not None or column.primary_key or column.name in OURS:
        return False
    if (
        (table.name, column.name) in OUR_WORDS
        or Filler._parent(table, column)
        or Filler._choices(table, column)
    ):
        return False
    if isinstance(column.type, (LargeBinary, TSVECTOR)):
        return False
    return isinstance(column.type, (String, JSONB))


def _is_unique(table: Table, column: Column[Any]) -> bool:
    rules = [one for one in table.constraints if isinstance(one, UniqueConstraint)]
    indexes = [one for one in table.indexes if isinstance(one, Index) and one.unique]
    return any(column.name in str(one.columns) for one in rules) or any(
        column.name in " ".join(str(part) for part in one.expressions) for one in indexes
    )
