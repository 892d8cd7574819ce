"""Bytes on disk, addressed by what they are: `<root>/<tenant id>/<first two of the digest>/<digest>`.

A file appears under its final name only when it is whole. The same bytes are kept once per tenant, and never shared
between tenants, so that nobody learns from a digest what another client stores.
"""

import hashlib
import os
import re
import tempfile
import unicodedata
from dataclasses import dataclass
from pathlib import Path
from typing import IO

CHUNK = 256 * 1024
LONGEST_NAME = 120
OPAQUE = "application/octet-stream"
_SIGNATURES: tuple[tuple[bytes, str], ...] = (
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
    (b"%PDF-", "application/pdf"),
    (b"PK\x03\x04", "application/zip"),
    (b"\x1f\x8b", "application/gzip"),
)
_MARKUP = re.compile(rb"<\s*(!doctype|html|script|svg|\?xml|body|iframe)", re.IGNORECASE)


class TooLarge(ValueError):
    """More bytes than the limit; what was written so far is gone."""


@dataclass(frozen=True, slots=True)
class Kept:
    """Bytes that are on disk: their SHA-256, size in bytes and media type as found."""

    sha256: str
    size: int
    media_type: str


def path_of(root: Path, tenant_id: int, sha256: str) -> Path:
    """Where bytes lie. Raises ValueError for anything that is not a digest."""
    if not re.fullmatch(r"[0-9a-f]{64}", sha256):
        raise ValueError("not a SHA-256")
    return root / str(int(tenant_id)) / sha256[:2] / sha256


def keep(root: Path, tenant_id: int, stream: IO[bytes], *, limit: int) -> Kept:
    """Store what the stream gives, `limit` bytes at most. Raises TooLarge."""
    folder = root / str(int(tenant_id))
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    handle, name = tempfile.mkstemp(prefix=".incoming-", dir=folder)
    try:
        with os.fdopen(handle, "wb") as target:
            kept = _copy(stream, target, limit)
        final = path_of(root, tenant_id, kept.sha256)
        final.parent.mkdir(exist_ok=True, mode=0o700)
        Path(name).replace(final)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
    return kept


def _copy(stream: IO[bytes], target: IO[bytes], limit: int) -> Kept:
    digest, size, head = hashlib.sha256(), 0, b""
    while chunk := stream.read(CHUNK):
        size += len(chunk)
        if size > limit:
            raise TooLarge(limit)
        head = head or chunk[:4096]
        digest.update(chunk)
        target.write(chunk)
    target.flush()
    os.fsync(target.fileno())
    return Kept(digest.hexdigest(), size, media_type_of(head))


def media_type_of(head: bytes) -> str:
    """The media type by content, from a short list; whatever is not on it is opaque, markup too."""
    for signature, media_type in _SIGNATURES:
        if head.startswith(signature):
            return media_type
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "image/webp"
    return "text/plain" if _is_plain_text(head) else OPAQUE


def _is_plain_text(head: bytes) -> bool:
    try:
        # A character may be cut at the end of what was looked at.
        head.decode("utf-8", errors="strict")
    except UnicodeDecodeError as wrong:
        if wrong.start < len(head) - 3:
            return False
    return bool(head) and b"\x00" not in head and not _MARKUP.search(head)


def clean_name(name: str) -> str:
    """A name that is safe to show and to offer: no folders, control characters, direction marks or leading dots."""
    last = re.split(r"[/\\]", unicodedata.normalize("NFC", name))[-1]
    plain = "".join(one if unicodedata.category(one)[0] != "C" else "_" for one in last)
    plain = re.sub(r'[<>:"|?*;]', "_", plain).strip(" .")
    stem, dot, ending = plain.rpartition(".")
    if dot and len(ending) <= 10:
        plain = f"{stem[: LONGEST_NAME - len(ending) - 1]}.{ending}"
    return plain[:LONGEST_NAME] or "file"
