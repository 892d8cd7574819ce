"""What is decided about a mail from its own words: who vouches for the sender, who wrote it, what it is about. Pure."""

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import timedelta

from msp.intake.mail.parsing import Parsed
from tenants.tickets.codes import Mistyped, parse

# Why a mail lies in quarantine or was dropped.
QUARANTINED = (
    "unreadable",
    "too_large",
    "no_sender",
    "forged",
    "token",
    "unverified",
    "several_tickets",
    "staff_unverified",
    "staff_closed",
    "several_clients",
    "unknown_sender",
    "client_not_served",
    "refused",
)
DROPPED = ("own", "automatic", "unknown_bounce", "by_hand")
REASONS = (*QUARANTINED, *DROPPED)
_DMARC = re.compile(r"dmarc(?:/\d+)?=([a-z]+)")
_FROM = "header.from="
# An escaped character, what begins or ends a quoted string or a comment, or what lies between.
_LEXEME = re.compile(r"\\.|[\\()\"]|[^\\()\"]+", re.DOTALL)
_CODE = re.compile(r"\b[A-Z0-9]{2,6}-[2-9A-Z]{4}-[2-9A-Z]{4}\b")
# Who was proven within this time cannot be believed without a proof.
PROVEN_FOR = timedelta(days=90)
# Automatic answers: to one proven address within an hour, to one that is not within a day.
MOST_IN_AN_HOUR = 5
MOST_UNVERIFIED_A_DAY = 5
# By one mailbox within a minute, and by all of them together.
MOST_OF_A_MAILBOX = 50
MOST_OF_ALL_FIVE_MINUTES = 120
MOST_OF_ALL_AN_HOUR = 600
PACE = 50
PACE_WINDOW = timedelta(minutes=1)


def judge(judged: Collection[str], edge: str, sender: str) -> str:
    """DMARC's result as our own edge found it: `pass`, `fail`, or `none` when it says nothing.

    Only the topmost line counts, and only when the edge wrote it: whatever stands below came with the mail.
    """
    newest = next(iter(judged), "").lower()
    plain = _without_asides(newest)
    server, *results = (plain or newest).split(";")
    if not edge or (server.split() or [""])[0] != edge.lower():
        return "none"
    if plain is None:
        return "fail"
    found = [one for one in map(_properties, results) if _DMARC.fullmatch(one[0])]
    if len(found) != 1:
        return "fail" if found else "none"
    return _result(*found[0], domain=domain_of(sender))


def _without_asides(line: str) -> str | None:
    """A line without comments, and with a mere mark for each quoted string; None when it is no sound line.

    Both may hold anything, a sender's own words included.
    """
    depth, quoted, kept = 0, False, list[str]()
    for lexeme in _LEXEME.findall(line):
        if quoted:
            quoted = lexeme != '"'
        elif lexeme == "(":
            depth += 1
            kept.append(" ")
        elif depth:
            depth -= lexeme == ")"
        elif lexeme == ")" or lexeme[0] == "\\":
            return None
        else:
            quoted = lexeme == '"'
            kept.append(lexeme)
    return None if depth or quoted else "".join(kept)


def _properties(result: str) -> list[str]:
    """`method=result` and the `name=value` pairs after it."""
    return re.sub(r"\s*([=/])\s*", r"\1", result).split() or [""]


def _result(method: str, *properties: str, domain: str) -> str:
    """What the edge found, as far as it says that it is about this very domain."""
    found = method.partition("=")[2]
    about = {one.removeprefix(_FROM) for one in properties if one.startswith(_FROM)}
    if about - {domain}:
        return "fail"
    if found == "pass":
        return "pass" if about else "none"
    return "fail" if found == "fail" else "none"


def is_auto_reply(mail: Parsed) -> bool:
    """Whether a program answers for somebody: such a mail is never a question."""
    return (
        mail.auto_submitted.startswith("auto-replied")
        or mail.is_auto
        or mail.precedence in ("auto_reply", "auto-reply")
        or mail.null_path
    )


def is_automatic(mail: Parsed) -> bool:
    """Whether a program wrote it or many got it: it may be a ticket, and is never answered by the portal itself."""
    auto = mail.auto_submitted not in ("", "no")
    crowd = mail.is_list or mail.precedence in ("bulk", "junk", "list")
    return auto or crowd or mail.suppresses or is_auto_reply(mail)


def is_own(mail: Parsed, addresses: Collection[str], host: str) -> bool:
    """Whether the portal itself wrote it, or so it claims: by address or by message id."""
    return mail.sender in addresses or mail.message_id.rpartition("@")[2].rstrip(">").lower() == host


def code_in(subject: str) -> str | None:
    """The one code of a ticket in a subject; None for none and for several."""
    found = set()
    for typed in _CODE.findall(subject.upper()):
        try:
            found.add(parse(typed))
        except Mistyped:
            continue
    return found.pop() if len(found) == 1 else None


@dataclass(frozen=True, kw_only=True)
class Answered:
    """How many automatic answers went out lately: to this sender, by this mailbox, and by all mailboxes."""

    sender_hour: int = 0
    sender_day: int = 0
    mailbox_minute: int = 0
    all_five_minutes: int = 0
    all_hour: int = 0


def may_acknowledge(answered: Answered, *, is_verified: bool) -> bool:
    """Whether a sender may get one more automatic answer after so many.

    Senders that nobody vouches for get at most half of what goes out, so that however many addresses are forged,
    there is something left for proven ones.
    """
    if is_verified:
        to_sender, share = answered.sender_hour < MOST_IN_AN_HOUR, 1
    else:
        to_sender, share = answered.sender_hour < 1 and answered.sender_day < MOST_UNVERIFIED_A_DAY, 2
    return (
        to_sender
        and answered.mailbox_minute < MOST_OF_A_MAILBOX // share
        and answered.all_five_minutes < MOST_OF_ALL_FIVE_MINUTES // share
        and answered.all_hour < MOST_OF_ALL_AN_HOUR // share
    )


def domain_of(address: str) -> str:
    """What stands behind the @."""
    return address.rpartition("@")[2]


def distinct(values: Iterable[str | None]) -> list[str]:
    """Each once, in order, without None."""
    return list(dict.fromkeys(one for one in values if one))
