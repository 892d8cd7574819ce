"""Reading another system's incident log: one row per event, as in the public ServiceNow incident event log.

Pure: text in, rows and faults out. Times are the client's local ones; `?` means unknown.
"""

import csv
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import NamedTuple, TypeVar
from zoneinfo import ZoneInfo

NEEDED = (
    "number",
    "incident_state",
    "sys_mod_count",
    "opened_at",
    "sys_updated_at",
    "impact",
    "urgency",
    "priority",
)
UNKNOWN = "?"
SORTED_BY = ("category", "subcategory")
MOMENT = "%d-%m-%Y %H:%M"
LEVELS = {"1 - High": "high", "2 - Medium": "medium", "3 - Low": "low"}
PRIORITIES = {"1 - Critical": "P1", "2 - High": "P2", "3 - Moderate": "P3", "4 - Low": "P4"}
# The state here, and while waiting for what. A problem behind the incident is mended by a change of the provider's.
STATES: dict[str, tuple[str, str | None]] = {
    "New": ("new", None),
    "Active": ("in_progress", None),
    "Awaiting User Info": ("waiting", "requester"),
    "Awaiting Evidence": ("waiting", "requester"),
    "Awaiting Vendor": ("waiting", "vendor"),
    "Awaiting Problem": ("waiting", "change"),
    "Resolved": ("resolved", None),
    "Closed": ("closed", None),
}
# Rows of one number that carry the same count are told apart by adding this to the later ones.
TWIN = 1_000_000
T = TypeVar("T")


class Fault(NamedTuple):
    """A row that cannot be used: its line in the file, and why."""

    line: int
    reason: str


class Unreadable(Exception):
    """The file as a whole is not such a log."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LogRow:
    """One event of one incident, in our words."""

    line: int
    number: str
    sequence: int
    at: datetime
    opened_at: datetime | None
    resolved_at: datetime | None
    state: str
    reason: str | None
    impact: str
    urgency: str
    priority: str
    reopens: int
    by: str
    group: str | None
    caller: str
    subject: str
    details: tuple[tuple[str, str], ...]
    # What the log calls this kind of incident, from the top down.
    sort: tuple[str, ...]


def read_log(lines: Iterable[str], time_zone: str, now: datetime) -> tuple[list[LogRow], list[Fault]]:
    """Every usable row in the order of the incidents' events, and every fault in the order of the file.

    Raises Unreadable when columns are missing.
    """
    rows: list[LogRow] = []
    faults: list[Fault] = []
    for line, cells in _cells(lines):
        try:
            rows.append(_row(line, cells, ZoneInfo(time_zone), now))
        except ValueError as wrong:
            faults.append(Fault(line, str(wrong)))
    return list(_numbered(sorted(rows, key=_order))), faults


def _order(row: LogRow) -> tuple[str, datetime, int, int]:
    return row.number, row.at, row.sequence, row.line


def _cells(lines: Iterable[str]) -> Iterator[tuple[int, Mapping[str, str] | str]]:
    """Rows by column with the line they begin at; a row that is no such row comes as the reason why."""
    reader = csv.reader(lines, strict=True)
    columns: list[str] | None = None
    while True:
        line = reader.line_num + 1
        try:
            cells = next(reader)
        except StopIteration:
            break
        except csv.Error as wrong:
            yield line, f"is no row of a CSV file: {wrong}"
            continue
        if columns is None:
            columns = _columns(cells)
        elif cells:
            yield line, _by_column(columns, cells)
    if columns is None:
        raise Unreadable("the file is empty")


def _columns(cells: list[str]) -> list[str]:
    names = [cell.strip().removeprefix("\ufeff") for cell in cells]
    missing = [name for name in NEEDED if name not in names]
    if missing:
        raise Unreadable(f"the file has no column {', '.join(missing)}")
    return names


def _by_column(columns: list[str], cells: list[str]) -> Mapping[str, str] | str:
    if len(cells) != len(columns):
        return f"has {len(cells)} cells instead of {len(columns)}"
    if any("\x00" in cell or (not cell.isprintable() and not _is_text(cell)) for cell in cells):
        return "has characters that are no text in UTF-8"
    return {name: cell.strip() for name, cell in zip(columns, cells, strict=True)}


def _is_text(cell: str) -> bool:
    try:
        cell.encode()
    except UnicodeEncodeError:
        return False
    return True


def _row(line: int, cells: Mapping[str, str] | str, zone: ZoneInfo, now: datetime) -> LogRow:
    if isinstance(cells, str):
        raise ValueError(cells)
    at = _moment(cells, "sys_updated_at", zone)
    if at is None:
        raise ValueError("sys_updated_at is unknown")
    if at > now:
        raise ValueError(f"sys_updated_at {cells['sys_updated_at']} lies in the future")
    state, reason = _word(cells, "incident_state", STATES)
    return LogRow(
        line=line,
        number=_number(cells["number"]),
        sequence=_count(cells, "sys_mod_count"),
        at=at,
        opened_at=_moment(cells, "opened_at", zone),
        resolved_at=_moment(cells, "resolved_at", zone),
        state=state,
        reason=reason,
        impact=_word(cells, "impact", LEVELS),
        urgency=_word(cells, "urgency", LEVELS),
        priority=_word(cells, "priority", PRIORITIES),
        reopens=_count(cells, "reopen_count") if _known(cells, "reopen_count") else 0,
        by=_known(cells, "sys_updated_by") or "import",
        group=_known(cells, "assignment_group"),
        caller=_known(cells, "caller_id") or UNKNOWN,
        subject=_subject(cells),
        details=_details(cells),
        sort=tuple(word for name in SORTED_BY if (word := _known(cells, name))),
    )


def _number(word: str) -> str:
    if word in ("", UNKNOWN) or len(word) > 80:
        raise ValueError("number must have 1 to 80 characters")
    return word


def _known(cells: Mapping[str, str], name: str) -> str | None:
    word = cells.get(name, UNKNOWN)
    return None if word in ("", UNKNOWN) else word


def _count(cells: Mapping[str, str], name: str) -> int:
    word = cells[name]
    if not word.isascii() or not word.isdigit() or int(word) >= TWIN:
        raise ValueError(f'{name} "{word[:40]}" is no number below {TWIN}')
    return int(word)


def _word(cells: Mapping[str, str], name: str, known: Mapping[str, T]) -> T:
    word = cells[name]
    if word not in known:
        raise ValueError(f'{name} "{word[:40]}" is not known')
    return known[word]


def _moment(cells: Mapping[str, str], name: str, zone: ZoneInfo) -> datetime | None:
    word = _known(cells, name)
    if word is None:
        return None
    try:
        return datetime.strptime(word, MOMENT).replace(tzinfo=zone).astimezone(UTC)
    except (ValueError, OverflowError):
        raise ValueError(f'{name} "{word[:40]}" is no time like 29-02-2016 01:16') from None


def _subject(cells: Mapping[str, str]) -> str:
    words = [_known(cells, name) for name in ("category", "u_symptom")]
    if words[1] is None:
        words[1] = _known(cells, "subcategory")
    return ": ".join(word for word in words if word)[:200] or cells["number"]


def _details(cells: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    """What else the log says of the matter: column and value."""
    names = (
        "category",
        "subcategory",
        "u_symptom",
        "cmdb_ci",
        "location",
        "contact_type",
        "problem_id",
        "vendor",
    )
    return tuple((name, word[:200]) for name in names if (word := _known(cells, name)))


def _numbered(rows: Iterable[LogRow]) -> Iterator[LogRow]:
    """Each event once: a row that repeats another word by word is left out, one that only repeats its count is kept."""
    seen: dict[tuple[str, int], list[LogRow]] = {}
    for row in rows:
        twins = seen.setdefault((row.number, row.sequence), [])
        if any(replace(twin, line=row.line) == row for twin in twins):
            continue
        twins.append(row)
        yield replace(row, sequence=row.sequence + TWIN * (len(twins) - 1))
