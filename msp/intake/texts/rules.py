"""What a text does on the ticket that was talked about last. Pure."""

import re
from datetime import timedelta
from typing import Literal

# A conversation that rested this long is over.
RUNNING = timedelta(days=7)
# How far back one is looked for at all.
REMEMBERED = timedelta(days=30)

# say: a message; note: for staff only; leave: it is about something else.
Step = Literal["say", "reopen", "note", "follow_up", "leave"]

_SIGNS = frozenset("👍👌🙏😊🙂")
_CORE = frozenset(
    {
        "kasih",
        "makasih",
        "trims",
        "thx",
        "thanks",
        "thank",
        "ok",
        "oke",
        "okay",
        "sip",
        "siap",
        "baik",
        "mantap",
    }
)
_AROUND = frozenset(
    {"terima", "banyak", "sekali", "ya", "pak", "bu", "bapak", "ibu", "mas", "mbak", "kak", "sudah", "beres"}
    | {"bisa", "lancar", "atas", "bantuannya", "you", "very", "much", "a", "lot", "so", "all", "good", "it"}
    | {"works", "now"}
)


def is_thanks(body: str) -> bool:
    """Whether somebody says thanks or agrees, in Indonesian or English, and nothing else."""
    words = re.findall(r"\w+", body.casefold())
    if not words:
        return any(one in _SIGNS for one in body)
    return len(words) <= 8 and bool(_CORE & set(words)) and set(words) <= _CORE | _AROUND


def next_step(state: str, *, is_reopenable: bool, is_running: bool, is_thanks: bool) -> Step:
    """What a text does on a ticket in this state; `is_running`: something was written within `RUNNING`."""
    if state in ("new", "in_progress", "waiting"):
        return "say" if is_running else "leave"
    if state == "resolved":
        return "say" if is_thanks else "reopen"
    if state != "closed" or not (is_reopenable or is_running):
        return "leave"
    if is_thanks:
        return "note"
    return "reopen" if is_reopenable else "follow_up"
