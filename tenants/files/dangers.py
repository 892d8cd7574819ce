"""Files that nobody should open: programs, scripts, bombs, two kinds at once, and those that lie about their kind.

Standard library only, and no byte is unpacked beyond a bound: it also runs in the child that reads mails.
"""

import io
import math
import re
import struct
import zipfile
import zlib

from tenants.files.storage import media_type_of

DANGERS = ("program", "script", "misnamed", "polyglot", "bomb", "unknown")
_PROGRAMS = (
    "ade adp apk app application appx bat chm cmd com cpl dll dmg docm dotm exe gadget hta htm "
    "html img inf ins iso jar js jse jsp lnk mht mhtml msc msi msix msp mst pif potm ppam ppsm "
    "pptm ps1 ps1xml psc1 psm1 py reg scf scr sct sh shtml sldm svg swf url vb vbe vbs vhd vhdx "
    "vxd ws wsc wsf wsh xhtml xht xlam xll xlsm xltm xml xps"
)
PROGRAMS = frozenset(_PROGRAMS.split())
_CLAIMED = {
    "png": "image/png",
    "jpg": "image/jpeg",
    "jpeg": "image/jpeg",
    "gif": "image/gif",
    "webp": "image/webp",
    "pdf": "application/pdf",
    "zip": "application/zip",
    "docx": "application/zip",
    "xlsx": "application/zip",
    "pptx": "application/zip",
    "odt": "application/zip",
    "ods": "application/zip",
    "gz": "application/gzip",
    "txt": "text/plain",
    "log": "text/plain",
    "csv": "text/plain",
}
_PROGRAM_STARTS = (b"MZ", b"\x7fELF", b"#!", b"\xca\xfe\xba\xbe", b"\xcf\xfa\xed\xfe", b"\xd0\xcf\x11\xe0")
_ACTIVE = re.compile(
    rb"<\s*(script|svg|iframe|object|embed|html|body|!entity)\b|javascript:|<\?php", re.IGNORECASE
)
# Not those that only say at which page to begin, or carry an invoice as data: half of all PDFs do.
_PDF_ACTIVE = re.compile(rb"/(JavaScript|JS|Launch)\b")
MOST_MEMBERS = 2000
MOST_UNPACKED = 500 * 1024 * 1024
MOST_TIMES = 100
# What a browser unpacks to four bytes each.
MOST_PIXELS = 100_000_000
LOOKED_AT = 256 * 1024
# Pictures may have no end mark of an archive behind them.
_ARCHIVE_END = b"PK\x05\x06"


def danger_of(name: str, content: bytes) -> str:
    """Why a file is not handed out, one of `DANGERS`; empty for nothing known."""
    found = media_type_of(content[:4096])
    ending = name.rpartition(".")[2].lower() if "." in name else ""
    if ending in PROGRAMS or content.startswith(_PROGRAM_STARTS):
        return "program"
    claimed = _CLAIMED.get(ending)
    if claimed and claimed != found and not (claimed == "text/plain" and not _is_marked(found, content)):
        return "misnamed"
    return _by_kind(found, content)


def _is_marked(found: str, content: bytes) -> bool:
    """Whether what calls itself text is another known kind, or markup; a text in an old character set is neither."""
    return found not in ("text/plain", "application/octet-stream") or bool(
        _ACTIVE.search(content[:LOOKED_AT])
    )


def _by_kind(found: str, content: bytes) -> str:
    if found == "application/zip":
        return _zip_danger(content)
    if found == "application/gzip":
        return "bomb" if _inflates(content) else ""
    if found == "application/pdf" and _PDF_ACTIVE.search(content):
        return "script"
    if found.startswith(("image/", "application/pdf")):
        hidden = _ARCHIVE_END in content[-65_557:] or _ACTIVE.search(content[:LOOKED_AT])
        return "polyglot" if hidden else "bomb" if _pixels(content) > MOST_PIXELS else ""
    return "script" if _ACTIVE.search(content[:LOOKED_AT]) else ""


def _pixels(content: bytes) -> int:
    """How many pixels a picture says it has; 0 for one that does not say."""
    if content.startswith(b"\x89PNG"):
        return _area(">II", content[16:24])
    if content.startswith(b"GIF8"):
        return _area("<HH", content[6:10])
    if content.startswith(b"\xff\xd8"):
        return _jpeg_pixels(content)
    return 0


def _jpeg_pixels(content: bytes) -> int:
    """By the first frame header (ITU T.81, B.2.2); what stands before it is skipped by its length."""
    at = 2
    while content[at : at + 1] == b"\xff" and at + 9 <= len(content):
        marker, (length,) = content[at + 1], struct.unpack_from(">H", content, at + 2)
        if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):
            return _area(">HH", content[at + 5 : at + 9])
        at += 2 + max(length, 2)
    return 0


def _area(layout: str, sides: bytes) -> int:
    try:
        return math.prod(struct.unpack(layout, sides))
    except struct.error:
        return 0


def _zip_danger(content: bytes) -> str:
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            members = archive.infolist()
    except (zipfile.BadZipFile, ValueError, OSError, EOFError, NotImplementedError, RuntimeError):
        return "misnamed"
    unpacked = sum(one.file_size for one in members)
    if len(members) > MOST_MEMBERS or unpacked > min(MOST_UNPACKED, MOST_TIMES * len(content) + 65_536):
        return "bomb"
    names = [one.filename for one in members]
    if any(".." in one.split("/") or one.startswith(("/", "\\")) for one in names):
        return "bomb"
    if any(one.endswith("vbaProject.bin") for one in names):
        return "program"
    inner = {one.rpartition(".")[2].lower() for one in names}
    # An office document is an archive of XML; a page or a program in an archive is none.
    return "program" if inner & (PROGRAMS - {"xml"}) else ""


def _inflates(content: bytes) -> bool:
    """Whether a packed stream gets out of hand, found out with a bounded buffer."""
    unpack, total, fed = zlib.decompressobj(31), 0, content
    try:
        while fed and total <= MOST_TIMES * len(content) + 65_536:
            total += len(unpack.decompress(fed, LOOKED_AT))
            fed = unpack.unconsumed_tail
    except zlib.error:
        return False
    return total > min(MOST_UNPACKED, MOST_TIMES * len(content) + 65_536)
