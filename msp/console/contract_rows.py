"""What a contract's form holds in rows: as many as the document has or the page was given, and a spare one."""

import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any, TypeVar, cast

from flask_babel import lazy_gettext as _l
from wtforms import SelectField

from contracts.terms.promise import LONGEST_NAME
from msp.console.contract_forms import NOTIFIED, TermsForm, add_action, day, whole, words
from msp.promises.words import CLOCK_WORDS
from msp.web.fields import options
from tenants.foundation.errors import InvalidMany

MOST_ROWS = 300
"""How many warnings, credits or freezes a form can hold: as many credits as three clocks have percentages."""
GROUPS = {
    "warning": ("percent", *NOTIFIED, "hand_to"),
    "credit": ("clock", "below", "credit"),
    "freeze": ("name", "from", "to"),
}
_ROW = re.compile(rf"({'|'.join(GROUPS)})_(\d{{1,9}})_(\w+)", re.ASCII)
Rows = Mapping[str, int]
F = TypeVar("F", bound=TermsForm)


def rows_in(names: Iterable[str]) -> dict[str, int]:
    """How many rows of each group these names of fields speak of."""
    found = dict.fromkeys(GROUPS, 0)
    for name in names:
        parts = _ROW.fullmatch(name)
        if parts and parts[3] in GROUPS[parts[1]]:
            found[parts[1]] = max(found[parts[1]], int(parts[2]) + 1)
    return found


def check_rows(rows: Rows) -> None:
    """Refuse more rows than a form can hold. Raises InvalidMany naming the last field of each group in question."""
    said = _l("At most %(count)s lines fit into this form.", count=MOST_ROWS)
    full = [group for group in GROUPS if rows[group] > MOST_ROWS]
    if full:
        raise InvalidMany([(f"{group}_{MOST_ROWS - 1}_{GROUPS[group][0]}", said) for group in full])


def rows_of(form: TermsForm, group: str, asked: int = 0) -> range:
    """The rows of a group that the page shows: those asked for, those with something in them, and one more."""
    count = form.row_counts[group]
    parts = GROUPS[group]
    used = [row for row in range(count) if any(_is_filled(form[f"{group}_{row}_{part}"]) for part in parts)]
    return range(min(max([1, asked, *(row + 2 for row in used)]), count))


def _is_filled(field: Any) -> bool:
    return field.data not in (None, "", False) or any(field.raw_data or ())


def form_with(kind: type[F], rows: Rows) -> type[F]:
    """The form with so many rows of each group, and a spare one."""
    counts = tuple(min(rows[group] + 1, MOST_ROWS) for group in GROUPS)
    return cast(type[F], _form_with(cast(Any, kind), counts))


@lru_cache(maxsize=64)
def _form_with(kind: type[TermsForm], counts: tuple[int, ...]) -> type[TermsForm]:
    made: type[TermsForm] = type(kind.__name__, (kind,), {})
    made.row_counts = dict(zip(GROUPS, counts, strict=True))
    add = {"warning": _add_warning, "credit": _add_credit, "freeze": _add_freeze}
    for group, count in made.row_counts.items():
        for row in range(count):
            add[group](made, row)
    return made


def _add_warning(form: type[TermsForm], row: int) -> None:
    label = _l("Warning %(number)s", number=row + 1)
    # A hundred percent is the miss, which has a line of its own.
    setattr(form, f"warning_{row}_percent", whole(_l("%(label)s: percent", label=label), 1, 99))
    add_action(f"warning_{row}", label, form)


def _add_credit(form: type[TermsForm], row: int) -> None:
    clocks = [("", _l("none")), *CLOCK_WORDS.items()]
    label = _l("Credit %(number)s", number=row + 1)
    setattr(form, f"credit_{row}_clock", SelectField(label, choices=options(clocks), default=""))
    setattr(form, f"credit_{row}_below", whole(_l("%(label)s: below percent", label=label), 1, 100))
    setattr(form, f"credit_{row}_credit", whole(_l("%(label)s: percent of the fee", label=label), 1, 100))


def _add_freeze(form: type[TermsForm], row: int) -> None:
    label = _l("Freeze %(number)s", number=row + 1)
    setattr(form, f"freeze_{row}_from", day(_l("%(label)s: first day", label=label)))
    setattr(form, f"freeze_{row}_to", day(_l("%(label)s: last day", label=label)))
    setattr(form, f"freeze_{row}_name", words(_l("%(label)s: name", label=label), LONGEST_NAME))
