"""From the raw bytes of a mail to plain data. Standard library only; runs in the child, which is limited.

Python's mail package raises nearly anything for a hostile mail, from any accessor. So each piece is asked for by
itself: what fails is left out, and only what no longer is a mail, or is too much, is refused as a whole.
"""

import codecs
import re
from collections.abc import Callable, Iterator
from email import message_from_bytes, policy
from email.header import decode_header
from email.message import Message
from email.utils import collapse_rfc2231_value, getaddresses
from html.parser import HTMLParser
from typing import Any, TypeVar

from tenants.files.dangers import danger_of
from tenants.files.storage import clean_name

MOST_PARTS = 500
MOST_DEPTH = 30
MOST_FILES = 30
LONGEST_TEXT = 400_000
LONGEST_HEADER = 2000
MOST_ADDRESSES = 200
_ADDRESS = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9.-]{1,189}")
_ID = re.compile(r"<[^<>\s]{1,300}>")
_Found = TypeVar("_Found")


class TooMuch(ValueError):
    """More parts, depth or files than are looked at; `args[0]` says what."""


def read_mail(raw: bytes) -> tuple[dict[str, Any], list[bytes]]:
    """What a mail says, as plain data, and the bytes of its files in that order. Raises what the parser does."""
    message = message_from_bytes(raw, policy=policy.compat32)
    parts = list(_walk(message))
    found, files = _split(parts)
    html = found["html"][:LONGEST_TEXT]
    text = found["text"][:LONGEST_TEXT]
    said = {
        **_headers(message),
        "text": text if text.strip() else text_of(html),
        "html": html,
        "files": [{key: one[key] for key in one if key != "content"} for one in files],
        "report": attempt(lambda: _report(message, parts), None),
    }
    return said, [one["content"] for one in files]


def attempt(ask: Callable[[], _Found], otherwise: _Found) -> _Found:
    """What an accessor gives, or the other when it raises: the package promises nothing for broken mails."""
    try:
        return ask()
    except TooMuch:
        raise
    except Exception:
        return otherwise


def clean(words: str, longest: int = LONGEST_HEADER) -> str:
    """Text that can be stored: no NULs, no halves of characters."""
    whole = words[: longest * 2].replace("\x00", "").encode("utf-8", "replace").decode("utf-8", "replace")
    return whole[:longest]


def _walk(message: Message) -> Iterator[Message]:
    """Every part that is no container, in the order of the mail. Raises TooMuch."""
    waiting: list[tuple[Message, int]] = [(message, 0)]
    seen = 0
    while waiting:
        part, depth = waiting.pop()
        seen += 1
        if seen > MOST_PARTS or depth > MOST_DEPTH:
            raise TooMuch("parts" if seen > MOST_PARTS else "depth")
        inside = part.get_payload() if part.is_multipart() else None
        kind = attempt(part.get_content_type, "text/plain")
        if isinstance(inside, list) and kind.startswith("multipart/"):
            waiting.extend((one, depth + 1) for one in reversed(inside) if isinstance(one, Message))
        else:
            yield part


def _split(parts: list[Message]) -> tuple[dict[str, str], list[dict[str, Any]]]:
    """The text, the HTML, and the files."""
    found = {"text": "", "html": ""}
    files: list[dict[str, Any]] = []
    for part in parts:
        kind = attempt(part.get_content_type, "text/plain")
        name = attempt(lambda part=part: _name(part), "")  # type: ignore[misc]
        attached = attempt(part.get_content_disposition, None) == "attachment" or bool(name)
        place = {"text/plain": "text", "text/html": "html"}.get(kind)
        if place and not attached:
            gap = "\n" if found[place] else ""
            found[place] += gap + clean(_text(part), LONGEST_TEXT)
        elif kind != "message/delivery-status":
            files.append(_file(part, name, kind))
        if len(files) > MOST_FILES:
            raise TooMuch("files")
    return found, files


def _name(part: Message) -> str:
    given = part.get_filename() or ""
    return decoded(collapse_rfc2231_value(given))


def _file(part: Message, name: str, kind: str) -> dict[str, Any]:
    content = attempt(lambda: _content(part), b"")
    if not name:
        name = "mail.eml" if kind.startswith("message/") else "file"
    name = clean_name(clean(name, 200))
    content_id = attempt(lambda: str(part.get("Content-ID", "")), "").strip().strip("<>")
    danger = attempt(lambda: danger_of(name, content), "unknown")
    return {"name": name, "cid": clean(content_id, 200), "danger": danger, "content": content}


def _content(part: Message) -> bytes:
    if part.is_multipart():
        inside = part.get_payload()
        return b"\n".join(one.as_bytes() for one in inside if isinstance(one, Message))
    content = part.get_payload(decode=True)
    return content if isinstance(content, bytes) else b""


def _text(part: Message) -> str:
    content = attempt(lambda: _content(part), b"")
    charset = attempt(lambda: str(part.get_content_charset() or "utf-8"), "utf-8")
    return decode(content, charset)


def decode(content: bytes, charset: str) -> str:
    """Bytes as text, whatever the mail calls their character set."""
    try:
        codec = codecs.lookup(charset)
        if codec._is_text_encoding and codec.name not in ("punycode", "idna", "unicode_escape"):
            return content.decode(codec.name, "replace")
    except (LookupError, ValueError, TypeError):
        pass
    return content.decode("utf-8", "replace")


def decoded(value: Any) -> str:
    """A header in readable form."""
    plain = re.sub(r"\r?\n[ \t]*", " ", str(value))[: LONGEST_HEADER * 4]
    pieces = attempt(lambda: decode_header(plain), [(plain, None)])
    words = (one if isinstance(one, str) else decode(one, charset or "utf-8") for one, charset in pieces)
    return clean("".join(words))


def _all(message: Message, name: str) -> list[str]:
    return attempt(lambda: [str(one)[:20_000] for one in message.get_all(name, [])], [])


def _first(message: Message, name: str) -> str:
    return next((clean(re.sub(r"\s+", " ", one)).strip() for one in _all(message, name)), "")


def _addresses(message: Message, *names: str) -> list[tuple[str, str]]:
    """Readable names and addresses, lower case; what is no address is left out."""
    lines = [one for name in names for one in _all(message, name)]
    none: list[tuple[str, str]] = []
    pairs = attempt(lambda: getaddresses(lines), none)[:MOST_ADDRESSES]
    return [
        (decoded(name)[:120], address.lower())
        for name, address in pairs
        if _ADDRESS.fullmatch(address) and ".." not in address
    ]


def _headers(message: Message) -> dict[str, Any]:
    senders = _addresses(message, "From")
    path = _all(message, "Return-Path")
    return {
        # Nobody, or several at once, is no sender.
        "from": senders[0] if len(senders) == 1 and len(_all(message, "From")) == 1 else None,
        "to": [one for _name, one in _addresses(message, "To", "Cc")],
        "delivered_to": [
            one for _name, one in _addresses(message, "Delivered-To", "X-Original-To", "Envelope-To")
        ],
        "subject": decoded(" ".join(_all(message, "Subject")[:1]))[:300].strip(),
        "message_id": next(iter(_ids(message, "Message-ID")), ""),
        "references": _ids(message, "In-Reply-To", "References")[-100:],
        "judged": [one.strip() for one in _all(message, "Authentication-Results")[:20]],
        "null_path": any(one.strip() == "<>" for one in path),
        "auto_submitted": _first(message, "Auto-Submitted").lower(),
        "precedence": _first(message, "Precedence").lower(),
        "is_list": any(_all(message, one) for one in ("List-Id", "List-Unsubscribe", "List-Post")),
        "is_auto": any(_all(message, one) for one in ("X-Autoreply", "X-Autorespond", "X-Autoresponder")),
        "suppresses": bool(_all(message, "X-Auto-Response-Suppress")),
    }


def _ids(message: Message, *names: str) -> list[str]:
    return [clean(one, 300) for name in names for line in _all(message, name) for one in _ID.findall(line)]


def _report(message: Message, parts: list[Message]) -> dict[str, Any] | None:
    """What a program reports of a mail, or None when this is no report.

    `action` is what a server says that it did with it (`failed`, `delayed`…); it is `none` where no server says
    anything about delivery: somebody opened the mail, or complained about it.
    """
    if message.get_content_type() != "multipart/report":
        return None
    told: dict[str, Any] = {"action": "none", "detail": "", "recipients": [], "about": []}
    for part in parts:
        kind = part.get_content_type()
        if kind == "message/delivery-status":
            blocks = part.get_payload()
            for block in blocks if isinstance(blocks, list) else []:
                if isinstance(block, Message):
                    _note_delivery(told, block)
        elif kind in ("message/rfc822", "text/rfc822-headers"):
            inner = _returned(part, kind)
            told["about"] += _ids(inner, "Message-ID") + _ids(inner, "References")
    return told


def _note_delivery(told: dict[str, Any], block: Message) -> None:
    """What one block says, about the server or one recipient; a failure is not taken back by another recipient."""
    told["recipients"] += _ADDRESS.findall(_first(block, "Final-Recipient").lower())
    if told["action"] != "failed":
        told["action"] = _first(block, "Action").lower() or told["action"]
        told["detail"] = _first(block, "Diagnostic-Code") or _first(block, "Status") or told["detail"]


def _returned(part: Message, kind: str) -> Message:
    inside = part.get_payload()
    if kind == "message/rfc822" and isinstance(inside, list):
        first = inside[0]
        assert isinstance(first, Message)
        return first
    return message_from_bytes(_content(part), policy=policy.compat32)


_BREAKS = frozenset(re.findall(r"\w+", "p br div li tr table h1 h2 h3 h4 h5 h6 blockquote pre hr ul ol"))
_HIDDEN = frozenset(("script", "style", "head", "title", "template", "noscript"))


class _Words(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.words: list[str] = []
        self.hidden = 0

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        if tag in _HIDDEN:
            self.hidden += 1
        elif tag in _BREAKS:
            self.words.append("\n")

    def handle_endtag(self, tag: str) -> None:
        if tag in _HIDDEN:
            self.hidden = max(0, self.hidden - 1)

    def handle_data(self, data: str) -> None:
        if not self.hidden:
            self.words.append(re.sub(r"\s+", " ", data))


def text_of(html: str) -> str:
    """The words of an HTML mail that brings no text."""
    parser = _Words()
    attempt(lambda: parser.feed(html), None)
    lines = (" ".join(line.split()) for line in "".join(parser.words).splitlines())
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()
