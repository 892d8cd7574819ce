"""New terms from today, written with a row more than the page had, and applied to the tickets that are open."""

import re
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from tests.journeys.visitor import Visitor


@pytest.fixture
def without_scripts(portal, browser, request):
    context = browser.new_context(java_script_enabled=False, viewport={"width": 1440, "height": 900})
    visitor = Visitor(portal, context, "Owen", request.node.name)
    visitor.sign_in()
    yield visitor
    context.close()
    assert not visitor.faults


def test_terms_are_written_without_scripts_and_applied(scene, without_scripts, visit):
    owen = without_scripts
    owen.go(f"/console/contracts/{scene.contract}/versions/new")
    owen.page.fill("[name=note]", "Faster solutions")
    owen.page.fill("[name=P2_resolution]", "10")
    rows = owen.page.locator("[name^=freeze_][name$=_name]").count()
    for _ in range(2):
        owen.press("Add a freeze")
    assert owen.page.locator("[name^=freeze_][name$=_name]").count() == rows + 2
    assert owen.page.url.endswith("#more-freeze")
    owen.picture("rows-were-added")
    today = datetime.now(ZoneInfo("Asia/Jakarta")).date().isoformat()
    owen.page.fill("[name=in_force_on]", today)
    owen.page.fill(f"[name=freeze_{rows + 1}_name]", "Year end")
    for part in ("from", "to"):
        owen.page.fill(f"[name=freeze_{rows + 1}_{part}]", today)
    owen.press("Add these terms")
    assert "The new terms are in the book." in owen.text
    assert "Year end" in owen.text
    owen.follow("Apply to open tickets")
    owen.picture("what-would-change")
    button = owen.page.locator("main form button[type=submit]")
    assert re.search(r"Apply version \d+ to \d+ tickets? of Acme", button.inner_text())
    owen.press(button.inner_text())
    assert re.search(r"Version \d+ measures \d+ more open tickets? from now on", owen.text)
    bob = visit("Bob", width=360).sign_in()
    bob.go(f"/portal/tickets/{scene.waiting}")
    assert re.search(r"Measured by version \d+ of the contract since", bob.text)
    bob.picture("the-requester-reads-it")
