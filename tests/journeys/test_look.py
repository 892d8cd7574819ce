"""Every page fits every screen, says what it is, in the reader's language, and troubles nobody who cannot see it."""

import os
from pathlib import Path

import pytest

from tests.journeys import pages
from tests.journeys.pages import NOBODY, Look

SLICE = os.environ.get("PROVE") == "slice"
WIDTHS = (1440, 360) if SLICE else (1440, 768, 360)
THEMES = ("light",) if SLICE else ("light", "dark")
AXE = Path(os.environ.get("AXE", "msp/web/frontend/node_modules/axe-core/axe.min.js"))
# Pages with parameters that are looked at in every run; the others belong to the proofs.
MAIN = (
    "portal.show_ticket",
    "portal.show_asset",
    "desk.show_ticket",
    "console.show_tenant",
    "console.show_asset",
    "console.show_contract",
    "campaigns.show_campaign",
    "campaigns.list_actions",
)
MEASURE = """() => ({
    title: document.title,
    language: document.documentElement.lang,
    headings: document.querySelectorAll("h1").length,
})"""
OVERFLOW = """() => {
    const width = document.documentElement.clientWidth;
    if (document.documentElement.scrollWidth <= window.innerWidth) return "";
    const wide = [...document.body.querySelectorAll("*")].filter(one => one.getBoundingClientRect().right > width + 1);
    return wide.slice(0, 3).map(one => one.tagName.toLowerCase() + "." + one.className).join(" ") || "something";
}"""
SERIOUS = """async () => (await axe.run(document, {resultTypes: ["violations"]})).violations
    .filter(one => ["serious", "critical"].includes(one.impact))
    .map(one => one.id + ": " + one.nodes.slice(0, 2).map(node => node.target.join(" ")).join(" | "))"""


def open_page(visitor, look: Look, language: str) -> list[str]:
    """What is wrong with the page whatever the screen."""
    answer = visitor.go(look.path)
    if answer.status != 200:
        return [f"status {answer.status}"]
    found = visitor.page.evaluate(MEASURE)
    wrong = []
    if found["headings"] != 1:
        wrong.append(f"{found['headings']} main headings")
    if found["language"] != language:
        wrong.append(f"says it is in {found['language']}")
    if len(found["title"].split(" · ")) < 2:
        wrong.append(f"is called {found['title']!r}")
    return wrong


def fit(visitor, look: Look, width: int, what: str) -> list[str]:
    """What sticks out at this width; a picture is kept."""
    visitor.page.set_viewport_size({"width": width, "height": 900})
    visitor.shoot(f"{look.name}-{what}-{width}")
    wide = visitor.page.evaluate(OVERFLOW)
    return [f"scrolls sideways at {width}: {wide}"] if wide else []


def serious(visitor) -> list[str]:
    """What axe finds serious or critical, where it is installed."""
    if not AXE.is_file():
        return []
    visitor.page.evaluate(AXE.read_text())
    found: list[str] = visitor.page.evaluate(SERIOUS)
    return found


def viewers(visit, looks):
    """A browser for each person who looks, signed in."""
    found = {}
    for name in sorted({look.viewer for look in looks}):
        found[name] = visit(name)
        if name != NOBODY:
            found[name].sign_in()
    return found


def test_main_pages_fit_and_say_what_they_are(portal, visit, scene):
    looks = [
        look for look in pages.all_looks(portal.app, scene) if not look.has_parameters or look.name in MAIN
    ]
    wrong = {}
    people = viewers(visit, looks)
    for visitor in people.values():
        visitor.page.set_viewport_size({"width": 360, "height": 900})
    for look in looks:
        visitor = people[look.viewer]
        # The narrowest screen is where things stick out; the proof below looks at all of them.
        found = open_page(visitor, look, "en") + fit(visitor, look, 360, "light")
        if found:
            wrong[f"{look.name} {look.path}"] = found
    assert not wrong


@pytest.mark.prove
@pytest.mark.parametrize("language", ["en", "id"])
def test_every_page_at_every_width_in_both_themes(portal, visit, scene, language):
    looks = pages.all_looks(portal.app, scene)
    wrong = {}
    people = viewers(visit, looks)
    for visitor in people.values():
        switch(visitor, language)
    for look in looks:
        visitor = people[look.viewer]
        visitor.page.set_viewport_size({"width": 1440, "height": 900})
        found = open_page(visitor, look, language)
        for theme in THEMES:
            visitor.page.emulate_media(color_scheme=theme)
            visitor.page.locator(f"html[data-bs-theme={theme}]").wait_for(state="attached")
            for width in WIDTHS:
                found += fit(visitor, look, width, theme)
            found += [f"{theme}: {each}" for each in serious(visitor)]
        if found:
            wrong[f"{look.name} {look.path}"] = found
    pictures = len(looks) * len(WIDTHS) * len(THEMES)
    print(
        f"{len(looks)} pages in {language}, {pictures} pictures, axe {'asked' if AXE.is_file() else 'not installed'}"
    )
    assert not wrong


def switch(visitor, language: str) -> None:
    """Choose the language with the page's own switch."""
    if visitor.name == NOBODY:
        visitor.go("/sign-in")
    visitor.page.locator(f"form.language button[value={language}]").click()
    visitor.page.locator(f"html[lang={language}]").wait_for(state="attached")
