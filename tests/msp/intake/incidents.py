"""Small logs of incidents, as another system would write them."""

from pathlib import Path

COLUMNS = (
    "number", "incident_state", "reopen_count", "sys_mod_count", "caller_id", "opened_at", "sys_updated_by",
    "sys_updated_at", "contact_type", "category", "subcategory", "u_symptom", "impact", "urgency", "priority",
    "assignment_group", "resolved_at",
)  # fmt: skip
USUAL = {
    "number": "INC1",
    "incident_state": "New",
    "reopen_count": "0",
    "sys_mod_count": "0",
    "caller_id": "Caller 7",
    "opened_at": "02-03-2026 10:00",
    "sys_updated_by": "Updated by 3",
    "sys_updated_at": "02-03-2026 10:05",
    "contact_type": "Phone",
    "category": "Category 5",
    "subcategory": "Subcategory 1",
    "u_symptom": "Symptom 2",
    "impact": "2 - Medium",
    "urgency": "2 - Medium",
    "priority": "3 - Moderate",
    "assignment_group": "Group 1",
    "resolved_at": "?",
}


def row(**changes: str) -> dict[str, str]:
    """An event with some cells of its own."""
    return USUAL | changes


def write(path: Path, *rows: dict[str, str], columns: tuple[str, ...] = COLUMNS) -> Path:
    """A log with these events."""
    lines = [",".join(columns), *(",".join(one.get(name, "?") for name in columns) for one in rows)]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def course(number: str = "INC1", *steps: tuple[str, str], **changes: str) -> list[dict[str, str]]:
    """An incident's events: pairs of state and time, counted from 0."""
    return [
        row(number=number, incident_state=state, sys_updated_at=at, sys_mod_count=str(count), **changes)
        for count, (state, at) in enumerate(steps)
    ]
