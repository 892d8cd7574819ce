"""Files that nobody should open: programs, scripts, bombs, two kinds at once, and those that lie about their kind.

Standard library only, and no byte is unpacked beyond a bound: it also runs in the child that reads mails.
"""

import io
import re
import zipfile
import zlib

from tenants.files.storage import media_type_of

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
_ACTIVE = re.compile(rb"<\s*(script|svg|iframe|object|embed|html|body)\b|javascript:|<\?php", re.IGNORECASE)
_PDF_ACTIVE = re.compile(rb"/(JavaScript|JS|Launch|OpenAction|EmbeddedFile|AA)\b")
MOST_MEMBERS = 2000
MOST_UNPACKED = 500 * 1024 * 1024
MOST_TIMES = 100
LOOKED_AT = 256 * 1024
# Pictures may have no end mark of an archive behind them.
_ARCHIVE_END = b"PK\x05\x06"


def danger_of(name: str, content: bytes) -> str:
    """Why a file is not handed out: `program`, `script`, `misnamed`, `polyglot` or `bomb`; else empty."""
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
        return "polyglot" if hidden else ""
    return "script" if _ACTIVE.search(content[:LOOKED_AT]) else ""


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
