"""The XML that inventory agents send (OCS, FusionInventory): inflated under a cap, and read without any entity.

Only the sections that the portal uses are kept; what a document says about itself is a claim.
"""

import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from xml.parsers import expat

from flask_babel import lazy_gettext as _l

from msp.agents.parsing import Malformed

MOST_BYTES = 20 * 1024 * 1024
STEP = 64 * 1024
DEEPEST, LONGEST_TEXT, MOST_ENTRIES = 12, 4096, 20_000
# Reading costs time per element and attribute, not per byte: 400,000 take about half a second.
MOST_ELEMENTS, MOST_TEXT = 400_000, 8 * 1024 * 1024
# The parser tells of a tag when it is whole: a longer one is refused before that.
LONGEST_TAG = 4 * STEP
SECTIONS = frozenset({"SOFTWARES", "OPERATINGSYSTEM", "HARDWARE", "BIOS"})


@dataclass
class Document:
    """What was read: the kind of question, whose it claims to be, and the entries of each section."""

    query: str = ""
    device_id: str = ""
    sections: dict[str, list[dict[str, str]]] = field(default_factory=dict)

    def first(self, section: str) -> dict[str, str]:
        """The only entry of a section, or an empty one."""
        return next(iter(self.sections.get(section, ())), {})


def inflate(data: bytes) -> Iterator[bytes]:
    """The document in pieces. Raises Malformed once it grows beyond the cap, without inflating further."""
    if data.lstrip()[:1] == b"<":
        yield from (data[place : place + STEP] for place in range(0, len(data), STEP))
        return
    stream, total, rest = zlib.decompressobj(), 0, data
    try:
        while rest and not stream.eof:
            piece = stream.decompress(rest, STEP)
            rest, total = stream.unconsumed_tail, total + len(piece)
            if total > MOST_BYTES:
                raise Malformed(_l("The body is too large."))
            yield piece
        # What the decompressor still held back when the input ended.
        while not stream.eof and (piece := stream.decompress(b"", STEP)):
            total += len(piece)
            if total > MOST_BYTES:
                raise Malformed(_l("The body is too large."))
            yield piece
    except zlib.error as wrong:
        raise Malformed(_l("The body is not compressed XML.")) from wrong
    if not stream.eof:
        raise Malformed(_l("The body is not compressed XML."))


def read_document(data: bytes) -> Document:
    """The document in a request's body. Raises Malformed for anything that is not plain XML of the kind."""
    reader = _Reader()
    try:
        for piece in inflate(data):
            reader.take(piece)
        reader.parser.Parse(b"", True)
    except (expat.ExpatError, ValueError) as wrong:
        raise Malformed(_l("The body is not compressed XML.")) from wrong
    return reader.found


class _Reader:
    """Collects `REQUEST/QUERY`, `REQUEST/DEVICEID` and `REQUEST/CONTENT/<section>/<member>`."""

    def __init__(self) -> None:
        self.found = Document()
        self.path: list[str] = []
        self.text: list[str] = []
        self.length = self.entries = self.elements = self.characters = self.taken = 0
        self.parser = parser = expat.ParserCreate()
        # Otherwise each end of a line is told by itself.
        parser.buffer_text = True
        parser.StartElementHandler = self._begin
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._read
        # Without a document type there is no entity to expand and no file to fetch.
        parser.StartDoctypeDeclHandler = _refuse
        parser.EntityDeclHandler = _refuse
        parser.ExternalEntityRefHandler = _refuse

    def take(self, piece: bytes) -> None:
        """Read on. Raises Malformed for what would take too long to read."""
        self.parser.Parse(piece, False)
        self.taken += len(piece)
        if self.taken - self.parser.CurrentByteIndex > LONGEST_TAG:
            raise Malformed(_l("The body is too large."))

    def _begin(self, name: str, attributes: dict[str, str]) -> None:
        self.path.append(name)
        self.text, self.length = [], 0
        self.elements += 1 + len(attributes)
        if len(self.path) > DEEPEST:
            raise Malformed(_l("The body is nested too deeply."))
        if self._is_section():
            self.entries += 1
            self.found.sections.setdefault(name, []).append({})
        if self.entries > MOST_ENTRIES or self.elements > MOST_ELEMENTS:
            raise Malformed(_l("The body is too large."))

    def _is_section(self) -> bool:
        return len(self.path) == 3 and self.path[:2] == ["REQUEST", "CONTENT"] and self.path[2] in SECTIONS

    def _read(self, text: str) -> None:
        self.characters += len(text)
        if self.characters > MOST_TEXT:
            raise Malformed(_l("The body is too large."))
        if self.length < LONGEST_TEXT:
            self.text.append(text)
            self.length += len(text)

    def _end(self, name: str) -> None:
        text = "".join(self.text).strip()[:LONGEST_TEXT]
        if self.path == ["REQUEST", "QUERY"]:
            self.found.query = text
        elif self.path == ["REQUEST", "DEVICEID"]:
            self.found.device_id = text
        elif len(self.path) == 4 and self.path[:2] == ["REQUEST", "CONTENT"] and self.path[2] in SECTIONS:
            self.found.sections[self.path[2]][-1].setdefault(name, text)
        self.path.pop()
        self.text, self.length = [], 0


def _refuse(*_anything: Any) -> int:
    raise Malformed(_l("The body declares a document type, which is not taken."))


def packages_of(document: Document) -> list[tuple[str, str, str]]:
    """Installed Debian packages as name, version and architecture."""
    return [
        (one["NAME"], one.get("VERSION", ""), one.get("ARCH", ""))
        for one in document.sections.get("SOFTWARES", ())
        if one.get("FROM", "deb").lower() == "deb" and one.get("NAME")
    ]


_FACTS = (
    ("hostname", "HARDWARE", "NAME"),
    ("memory_mb", "HARDWARE", "MEMORY"),
    ("kernel", "HARDWARE", "OSVERSION"),
    ("machine_uuid", "HARDWARE", "UUID"),
    ("os_release", "OPERATINGSYSTEM", "FULL_NAME"),
    ("os_version", "OPERATINGSYSTEM", "VERSION"),
    ("kernel", "OPERATINGSYSTEM", "KERNEL_VERSION"),
    ("architecture", "OPERATINGSYSTEM", "ARCH"),
    ("boot_time", "OPERATINGSYSTEM", "BOOT_TIME"),
    ("serial", "BIOS", "SSN"),
    ("model", "BIOS", "SMODEL"),
    ("manufacturer", "BIOS", "SMANUFACTURER"),
)


def facts_of(document: Document) -> dict[str, str]:
    """What the inventory says about the machine, under the names that the portal's own agent uses."""
    found = {}
    for fact, section, member in _FACTS:
        if text := document.first(section).get(member):
            found[fact] = text
    return found


def reply(members: dict[str, str]) -> bytes:
    """An answer, never empty: the agents take an empty one for an error of the protocol."""
    content = "".join(f"<{name}>{text}</{name}>" for name, text in members.items())
    return zlib.compress(f'<?xml version="1.0" encoding="UTF-8"?>\n<REPLY>{content}</REPLY>\n'.encode())
