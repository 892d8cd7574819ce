"""The queue by keyboard, and a canned reply that comes into the composer without a reload."""

from playwright.sync_api import expect

from tests.journeys.scene import Scene


def test_rows_are_ticked_by_keys_and_noted_at_once(portal, visit, scene: Scene):
    dana = visit("Dana")
    dana.sign_in()
    dana.go("/desk/")
    page = dana.page
    for key in ("j", "x", "j", "x"):
        page.keyboard.press(key)
    assert page.locator("input[name=codes]:checked").count() == 2
    page.locator("#bulk-act").select_option("note")
    page.locator("#bulk button[type=submit]").click()
    page.locator("textarea[name=note]").fill("Both are about the same cable.")
    dana.shoot("bulk-ahead")
    page.locator("main form[method=post] button.btn-primary").click()
    page.get_by_text("2 done, 0 left as they were").wait_for()
    dana.shoot("bulk-done")


def test_a_canned_reply_comes_without_a_reload(portal, visit, scene: Scene):
    nadia = visit("Nadia")
    nadia.sign_in()
    nadia.go(f"/desk/tickets/{scene.waiting}")
    page = nadia.page
    page.evaluate("window.stayed = true")
    page.get_by_role("button", name="Put it into the reply").click()
    expect(page.locator("#composer-body")).to_have_value("Hello Bob,")
    assert page.evaluate("window.stayed")
    nadia.shoot("canned-reply")
