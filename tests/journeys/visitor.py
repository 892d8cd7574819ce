"""A person at a browser: goes, clicks, fills in, looks, and keeps pictures of what is seen."""

import os
import re
from pathlib import Path
from typing import Any

from playwright.sync_api import BrowserContext, ConsoleMessage, Locator, Page, Response

from tests import personas
from tests.journeys.served import Portal

# JPEG costs half as much; PNG where a viewer wants it.
KIND: Any = "png" if os.environ.get("PICTURES") == "png" else "jpeg"
SCREENSHOTS = Path(os.environ.get("SCREENSHOTS") or "var/screenshots")
# A picture of a whole page takes as long as three pages do: a run keeps them when somebody wants to look at them.
KEEPS = bool(os.environ.get("SCREENSHOTS") or os.environ.get("PROVE"))


class Visitor:
    """A person with a browser of her own; what the browser complains about is kept in `faults`."""

    def __init__(self, portal: Portal, context: BrowserContext, name: str, journey: str) -> None:
        self.portal, self.context, self.name = portal, context, name
        self.folder = SCREENSHOTS / re.sub(r"[^\w-]+", "-", journey.removeprefix("test_")).strip("-")
        self.page: Page = context.new_page()
        self.faults: list[str] = []
        self.page.on("console", self._hear)
        self.page.on("pageerror", lambda error: self.faults.append(f"{self.page.url}: {error}"))
        self.page.on("response", self._weigh)
        self._pictures = 0

    def _hear(self, message: ConsoleMessage) -> None:
        # The portal's refusals (403, 404, 409, 422) are answers; what a journey expects of them it asserts.
        if message.type == "error" and "status of 4" not in message.text:
            self.faults.append(f"{self.page.url}: {message.text}")

    def _weigh(self, answer: Response) -> None:
        if answer.status >= 500 or (answer.status >= 400 and answer.request.resource_type != "document"):
            self.faults.append(f"{answer.status} {answer.url}")

    def go(self, path: str) -> Response:
        """Open an address of the portal, absolute or from its root; returns the answer."""
        answer = self.page.goto(path if path.startswith("http") else self.portal.url + path)
        assert answer is not None
        return answer

    def sign_in(self, email: str | None = None, password: str = personas.PASSWORD) -> "Visitor":
        """Sign in through the form."""
        self.go("/sign-in")
        self.fill("E-mail address", email or personas.email(self.name))
        self.fill("Password", password)
        self.page.locator("main button[type=submit]").click()
        self.page.wait_for_url(re.compile(r"/(desk|console|portal|account)"))
        return self

    def control(self, label: str) -> Locator:
        """The field with this label, whether or not it is marked as required."""
        return self.page.get_by_label(re.compile(rf"^\s*{re.escape(label)}(\s+required)?\s*$"))

    def fill(self, label: str, words: str) -> None:
        """Type into the field of this label."""
        self.control(label).fill(words)

    def choose(self, label: str, option: str) -> None:
        """Choose from the list of this label."""
        self.control(label).select_option(label=option)

    def press(self, words: str) -> None:
        """Press the button of these words, and wait for the page that follows."""
        with self.page.expect_navigation():
            self.page.get_by_role("button", name=words, exact=True).click()

    def follow(self, words: str) -> None:
        """Follow the first link of these words on the page's own part."""
        with self.page.expect_navigation():
            self.page.locator("main").get_by_role("link", name=words, exact=True).first.click()

    def picture(self, what: str) -> None:
        """Keep a picture of the whole page, numbered in the order of the journey."""
        self._pictures += 1
        self.shoot(f"{self.name.lower()}-{self._pictures:02}-{what}")

    def shoot(self, name: str) -> None:
        """Keep a picture of the whole page under this name, in a run that keeps them."""
        if KEEPS:
            self._keep(name)

    def keep_fault(self) -> None:
        """Keep a picture of how the page stood when a test failed, in any run."""
        self._keep(f"{self.name.lower()}-when-it-failed")

    def _keep(self, name: str) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        quality = None if KIND == "png" else 80
        self.page.screenshot(path=self.folder / f"{name}.{KIND}", type=KIND, quality=quality, full_page=True)

    @property
    def path(self) -> str:
        """Where the browser stands, from the portal's root."""
        return self.page.url.removeprefix(self.portal.url)

    @property
    def heading(self) -> str:
        """The page's one heading."""
        return self.page.locator("h1").inner_text()

    @property
    def text(self) -> str:
        """What the page's own part says."""
        return self.page.locator("main").inner_text()

    def part(self, heading: str) -> str:
        """What the section under this heading says."""
        title = self.page.get_by_role("heading", level=2, name=heading, exact=True)
        return self.page.locator("section").filter(has=title).first.inner_text()
