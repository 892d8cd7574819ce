"""What mails bring along: made anew when a mail is sent, so that the outbox keeps a name and no file.

Whoever knows how to make an enclosure says so while the app is built; what a mail encloses is written as `kind/id`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Enclosure:
    """A file as it is attached; `media_type` as in `application/pdf`, `parameters` as in `method=REQUEST`.

    One with parameters is UTF-8 text and stands beside the mail's text as well.
    """

    name: str
    media_type: str
    content: bytes
    parameters: Mapping[str, str] = field(default_factory=dict)


class NotMade(RuntimeError):
    """The file could not be made; trying again later may help."""


# For a row's id and a language. Raises NotMade.
Maker = Callable[[int, str], Enclosure]
_MAKERS: dict[str, Maker] = {}


def provide(kind: str, maker: Maker) -> None:
    """Say who makes enclosures of a kind, in the scope of the mail's tenant; called while the app is built."""
    _MAKERS[kind] = maker


def named(kind: str, row_id: int) -> str:
    """What the outbox keeps of an enclosure."""
    return f"{kind}/{row_id}"


def make(name: str, language: str) -> Enclosure:
    """The file. Raises NotMade, and KeyError for a kind that nobody makes."""
    kind, _, row_id = name.partition("/")
    return _MAKERS[kind](int(row_id), language)
