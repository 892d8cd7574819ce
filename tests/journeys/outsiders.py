"""Somebody of another client beside a journey: asks for every address that the others came by, and finds nothing."""

import re
from collections.abc import Sequence
from urllib.parse import quote

from tenants.tickets import codes
from tests.journeys.visitor import Visitor

# Where a client's people see tickets, conversations, machines and what was done.
OWN_PAGES = (
    "/portal/",
    "/portal/tickets",
    "/portal/tickets?scope=all&state=all",
    "/portal/assets",
    "/portal/articles",
    "/portal/audit",
)
# Beneath a ticket, although nobody comes by who has no account.
PORTAL_PAGES = ("", "/reopen", "/withdraw", "/follow-up")


class Outsider:
    """Mallory of Globex. What she must never read are `words`, which a journey adds to as it goes on."""

    def __init__(self, visitor: Visitor, others: Sequence[Visitor], *, words: Sequence[str]) -> None:
        self.visitor, self.words = visitor, list(words)
        self._known: set[str] = set()
        self._new: set[str] = set()
        for other in others:
            self.watch(other)

    def watch(self, other: Visitor) -> None:
        """Remember every address that somebody comes by."""
        other.page.on("framenavigated", lambda frame: self._note(frame.url))

    def _note(self, url: str) -> None:
        path = url.removeprefix(self.visitor.portal.url).partition("#")[0]
        # A link is for whoever holds it.
        if path.startswith(("/desk/", "/console/", "/portal/")) and _names_something(path):
            self._new |= {path} - self._known

    def finds_nothing(self, code: str = "") -> None:
        """Ask for what was new, look through her own lists, and search for what was said last."""
        for path in sorted(self._new):
            self._refused(path)
        self._known |= self._new
        self._new.clear()
        self._looks(OWN_PAGES[:2], self.words[-2:], code)

    def _looks(self, pages: Sequence[str], words: Sequence[str], code: str) -> None:
        if code:
            self._refused(f"/portal/search?q={code}")
        for path in pages:
            self._says_nothing(path, self._page(path), code)
        for word in words:
            self._says_nothing(word, self._page(f"/portal/search?q={quote(word)}").replace(word, ""), "ACME-")

    def finds_nothing_anywhere(self, code: str) -> None:
        """Once more every address of the whole journey, as well as one that never was; and every page and word."""
        self._new |= self._known | {f"/portal/tickets/{code}{page}" for page in PORTAL_PAGES}
        self.finds_nothing(code)
        self._looks(OWN_PAGES, self.words, code)
        for path in sorted(self._known):
            never = re.sub(r"[A-Z]{3,4}-\w{4}-\w{4}", codes.new_code("ACME"), path)
            assert self._ask(never)[0] == self._ask(path)[0], never
        for mail in self.visitor.portal.mails_to("mallory@example.test"):
            self._says_nothing(str(mail["Subject"]), mail.as_string(), code)

    @property
    def asked(self) -> int:
        """How many addresses she has tried."""
        return len(self._known)

    def _refused(self, path: str) -> None:
        """A foreign address is answered as one that never existed: by 404, or by 403 where only staff come."""
        status, text = self._ask(path)
        assert status == (404 if path.startswith("/portal/") else 403), (path, status)
        self._says_nothing(path, text, "")

    def _page(self, path: str) -> str:
        status, text = self._ask(path)
        assert status == 200, (path, status)
        return text

    def _ask(self, path: str) -> tuple[int, str]:
        answer = self.visitor.context.request.get(self.visitor.portal.url + path)
        return answer.status, answer.text()

    def _says_nothing(self, path: str, text: str, code: str) -> None:
        said = [word for word in (*self.words, code) if word and word in text]
        assert not said, (path, said)


def _names_something(path: str) -> bool:
    """Whether an address names one thing, as against a list or a form of everybody's."""
    return bool(re.search(r"[A-Z]{3,4}-\w{4}-\w{4}|[0-9a-f]{8}-[0-9a-f]{4}-|/articles/[\w-]+", path))
