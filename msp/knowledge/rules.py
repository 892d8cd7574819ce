"""What articles, searches and runbooks may be. Pure: words in, decisions out."""

import re
import unicodedata
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date

LANGUAGES = ("id", "en")
KINDS = ("article", "known_error", "runbook")
# From everybody to few. `chosen`: people of the named clients; `tier`: staff of that tier and above.
AUDIENCES = ("public", "clients", "chosen", "staff", "tier")
FOR_CLIENTS = ("public", "clients", "chosen")
STATES = ("draft", "published", "retired")
TIERS = ("L1", "L2", "L3")
# What parts of an article hold text, in the order in which they are shown.
PARTS = ("title", "symptom", "cause", "workaround", "body")
ONLY_KNOWN_ERRORS = ("symptom", "cause", "workaround")
# What the portal can see by itself, so that a step of a runbook ticks itself.
CHECKS = (
    "state:in_progress",
    "state:waiting",
    "state:resolved",
    "state:closed",
    "requester_told",
    "hand_over_made",
    "hand_over_accepted",
    "vendor_asked",
    "vendor_answered",
    "remote_session_ended",
    "visit_done",
    "asset_seen",
)
LINKS = ("drafted", "used", "problem")
LONGEST_TITLE = 160
LONGEST_PART = 20_000
LONGEST_STEP = 300
MOST_STEPS = 60
LONGEST_PHRASE = 80
MOST_WORDS = 12

_WORD = re.compile(r"[^\W_]+", re.UNICODE)
_UNWANTED = re.compile(r"[^a-z0-9]+")
_ADDRESS = re.compile(r"\S+@\S+")
_DIGITS = re.compile(r"\d{4,}")
# Words that say nothing of the matter; PostgreSQL has no such list for Indonesian.
_EMPTY_WORDS = frozenset(
    re.findall(
        r"\w+",
        "yang tidak bisa saya kami di ke dari dan atau ini itu ada untuk dengan pada mau ingin tolong mohon sudah"
        " belum lagi juga kalau jika apa cara bagaimana kenapa mengapa the and or not can cannot is are was my our"
        " your with for from this that have has does do did how why what when please an to of in on at it we",
    )
)


def slug_of(title: str) -> str:
    """The part of an address that a title gives; empty where the title has no Latin letter."""
    plain = unicodedata.normalize("NFKD", title).encode("ascii", "ignore").decode().lower()
    return _UNWANTED.sub("-", plain).strip("-")[:60].strip("-")


def is_slug(typed: str) -> bool:
    """Whether something can be an article's address."""
    return re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", typed) is not None and len(typed) <= 64


def words_of(phrase: str) -> list[str]:
    """The words of a phrase that say something of the matter, at most twelve, each once."""
    found = [word for word in _WORD.findall(phrase.lower()) if len(word) > 1 and word not in _EMPTY_WORDS]
    return list(dict.fromkeys(word[:40] for word in found))[:MOST_WORDS]


def phrase_of(typed: str) -> str:
    """A search as it is counted: small letters, single spaces, no addresses or long numbers, cut to 80 characters."""
    plain = _DIGITS.sub("#", _ADDRESS.sub("@", typed.lower()))
    kept = "".join(one if one.isprintable() else " " for one in plain)
    return " ".join(kept.split())[:LONGEST_PHRASE].strip()


def is_past_review(review_on: date | None, today: date) -> bool:
    """Whether somebody should look at it again."""
    return review_on is not None and review_on <= today


def may_read_tier(person: str | None, tier: str | None) -> bool:
    """Whether staff of one tier read what is for another and above."""
    return tier is None or (person in TIERS and TIERS.index(str(person)) >= TIERS.index(tier))


def may_concern(audience: str, tenant_ids: Collection[int], tenant_id: int) -> bool:
    """Whether something may be tied to a client's matters: what was chosen for others is none of theirs."""
    return audience != "chosen" or tenant_id in tenant_ids


@dataclass(frozen=True, slots=True)
class Secret:
    """What has to be left out of a text, and the words that stand for it."""

    words: str
    instead: str


_CODES = re.compile(r"\b[A-Z][A-Z0-9]{1,5}-[2-9A-HJKMNP-Z]{4}-[2-9A-HJKMNP-Z]{4}\b", re.IGNORECASE)
_IP = re.compile(r"\b\d{1,3}(?:\.\d{1,3}){3}\b")
_PHONE = re.compile(r"(?<!\w)\+?\d(?:[\s().-]?\d){7,}(?!\w)")
_LINK = re.compile(r"\b[a-z][a-z0-9+.-]*://\S+", re.IGNORECASE)
LEFT_OUT = "[…]"


def leave_out(text: str, secrets: Iterable[Secret]) -> str:
    """A text without names that are given, and without codes, addresses and numbers that name somebody or something."""
    for pattern in (_LINK, _ADDRESS, _CODES, _IP, _PHONE):
        text = pattern.sub(LEFT_OUT, text)
    folded = text.casefold()
    for secret in sorted(secrets, key=lambda one: -len(one.words)):
        # A client has thousands of names, and a text holds few of them.
        if len(secret.words.strip()) > 1 and secret.words.strip().casefold() in folded:
            whole = re.compile(rf"(?<!\w){re.escape(secret.words.strip())}(?!\w)", re.IGNORECASE)
            text = whole.sub(secret.instead.replace("\\", r"\\"), text)
    return text


def names_in(name: str) -> list[str]:
    """A person's name whole, and each part of it that is long enough to mean that person."""
    return [name, *(part for part in re.split(r"[\s.,]+", name) if len(part) > 2)]


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a runbook in both languages, and what ticks it by itself (empty: a person does)."""

    id: str
    en: str
    check: str = ""

    def words(self, language: str) -> str:
        """The step in a language, or in the other where that one is missing."""
        return (self.en or self.id) if language == "en" else (self.id or self.en)


def steps_from(indonesian: str, english: str) -> list[Step]:
    """Steps from two texts, a step a line; a line may end with what ticks it: `… {state:resolved}`.

    The check is read from either text. Empty lines are left out on both sides.
    """
    lines = [[_split(line) for line in text.splitlines() if line.strip()] for text in (indonesian, english)]
    count = max(len(lines[0]), len(lines[1]))
    padded = [[*side, *[("", "")] * (count - len(side))] for side in lines]
    return [Step(a[0], b[0], a[1] or b[1]) for a, b in zip(*padded, strict=True)]


def _split(line: str) -> tuple[str, str]:
    found = re.fullmatch(r"(.*?)\s*\{([a-z_:]+)\}\s*", line.strip())
    return (found[1].strip(), found[2]) if found else (line.strip(), "")


def written(steps: Iterable[Step], language: str) -> str:
    """The steps of one language as lines of a form."""
    return "\n".join(
        getattr(step, language) + (f" {{{step.check}}}" if step.check and getattr(step, language) else "")
        for step in steps
    )


def unknown_checks(steps: Iterable[Step], known: Collection[str] = CHECKS) -> list[str]:
    """What steps name and the portal cannot see."""
    return sorted({step.check for step in steps if step.check and step.check not in known})
