"""What a reply by mail repeats: shown folded, and never cut away."""

import re

_BEGINS = re.compile(
    r"^(On .{5,200} wrote:|Pada .{5,200} menulis:|.{0,80}<[^<>@\s]+@[^<>\s]+> (wrote|menulis):|-- ?$|_{10,}$"
    r"|-{2,}\s*(Original Message|Pesan Asli|Forwarded message|Pesan terusan)\s*-{2,})",
    re.IGNORECASE,
)


def split_quoted(body: str) -> tuple[str, str]:
    """What was newly written, and the rest: the quoted mail and the signature. All of it when nothing else is there."""
    lines = body.split("\n")
    for place, line in enumerate(lines):
        if _BEGINS.match(line.strip()) or _only_quotes(lines[place:]):
            own = "\n".join(lines[:place]).rstrip()
            return (own, "\n".join(lines[place:]).strip()) if own else (body, "")
    return body, ""


def _only_quotes(lines: list[str]) -> bool:
    """Whether from here on everything is quoted."""
    if not lines[0].lstrip().startswith(">"):
        return False
    return all(not line.strip() or line.lstrip().startswith(">") for line in lines)
