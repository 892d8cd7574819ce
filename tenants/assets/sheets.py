"""Reading and writing tables as CSV. Pure: bytes in, lines out; a cell never becomes a formula."""

import csv
import io
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from flask_babel import lazy_gettext as _l

from tenants.foundation.errors import Invalid

MOST_BYTES = 1024 * 1024
MOST_LINES = 5000
# What a spreadsheet would take for the beginning of a formula, full-width forms included, also behind white space.
_TRIGGER = re.compile(r"[\t\r\n]|\s*[=+\-@\uff1d\uff0b\uff0d\uff20]")
_GUARDED = re.compile(r"'(?:[\t\r\n]|\s*[=+\-@\uff1d\uff0b\uff0d\uff20]|')")
HEADERS: dict[str, tuple[str, ...]] = {
    "name": ("name", "nama", "asset", "aset", "hostname", "host name", "computer name"),
    "kind": ("kind", "type", "jenis", "tipe"),
    "site": ("site", "location", "lokasi", "situs", "cabang"),
    "serial": ("serial", "serial number", "serial no", "nomor seri", "no seri", "sn"),
    "tags": ("tags", "tag", "label", "labels"),
    "notes": ("notes", "note", "catatan", "keterangan", "description"),
    "controller_id": ("agent id", "agent", "controller id", "controller_id", "id agen"),
}


@dataclass(frozen=True, slots=True)
class Line:
    """A row of a file with the number of the line on which it begins."""

    number: int
    cells: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Sheet:
    """A file as read: the headers as written, and the rows below."""

    headers: tuple[str, ...]
    lines: tuple[Line, ...]


def guard(text: Any) -> str:
    """A cell's text that no spreadsheet takes for a formula; `unguard` gives the text back."""
    plain = "" if text is None else str(text)
    return f"'{plain}" if _TRIGGER.match(plain) or plain.startswith("'") else plain


def unguard(text: str) -> str:
    """The text of a guarded cell; other cells are as they are."""
    return text[1:] if _GUARDED.match(text) else text


def write_sheet(headers: Sequence[Any], rows: Iterable[Sequence[Any]]) -> str:
    """CSV as RFC 4180 has it, every cell quoted and guarded, with a byte order mark so that spreadsheets see UTF-8."""
    out = io.StringIO()
    writer = csv.writer(out, quoting=csv.QUOTE_ALL, lineterminator="\r\n")
    writer.writerow([guard(one) for one in headers])
    writer.writerows([guard(one) for one in row] for row in rows)
    return "\ufeff" + out.getvalue()


def decode(data: bytes) -> str:
    """The file's text. Raises Invalid naming `file` when it is too large, not UTF-8 or not text."""
    if len(data) > MOST_BYTES:
        raise Invalid("file", _l("The file is larger than 1 MB. Split it and import the parts."))
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as wrong:
        raise Invalid("file", _l("The file is not UTF-8. Save it as “CSV UTF-8” and try again.")) from wrong
    if "\0" in text:
        raise Invalid("file", _l("The file is not a CSV text file."))
    return text.replace("\r\n", "\n").replace("\r", "\n")


def read_sheet(text: str) -> Sheet:
    """Headers and rows; empty rows are left out. Raises Invalid naming `file`, with the line where reading ended."""
    rows = _rows(text)
    headers = next(rows, None)
    if headers is None:
        raise Invalid("file", _l("The file is empty. Its first line has to name the columns."))
    lines: list[Line] = []
    for line in rows:
        if len(lines) == MOST_LINES:
            raise Invalid("file", _l("The file has more than 5,000 rows. Split it and import the parts."))
        lines.append(line)
    return Sheet(headers.cells, tuple(lines))


def _rows(text: str) -> Iterator[Line]:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=_separator(text), strict=True)
    began = 1
    try:
        for cells in reader:
            if any(cell.strip() for cell in cells):
                yield Line(began, tuple(unguard(cell).strip() for cell in cells))
            began = reader.line_num + 1
    except csv.Error as wrong:
        raise Invalid(
            "file", _l("Line %(number)s cannot be read: a quotation mark is missing.", number=began)
        ) from wrong


def _separator(text: str) -> str:
    first = text.lstrip().split("\n", 1)[0]
    return max((",", ";", "\t"), key=first.count)


def guess_mapping(headers: Sequence[str]) -> dict[str, int]:
    """Which column holds which field, by the words that people use for them; the first of two equals wins."""
    words = {alias: field for field, aliases in HEADERS.items() for alias in aliases}
    found: dict[str, int] = {}
    for place, header in enumerate(headers):
        field = words.get(re.sub(r"[\s_.:-]+", " ", header).strip().lower())
        if field is not None:
            found.setdefault(field, place)
    return found


def pick(line: Line, mapping: Mapping[str, int], field: str) -> str | None:
    """The text of a field in a row; None when the file has no such column or the row ends before it."""
    place = mapping.get(field)
    return line.cells[place] if place is not None and place < len(line.cells) else None
