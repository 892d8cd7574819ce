"""Hostile text in every field of an article comes out as text, on every page that shows it."""

from html.parser import HTMLParser

import pytest

from msp.knowledge.rendering import render
from msp.knowledge.rules import Step
from tests.msp.knowledge.conftest import draft

CORPUS = (
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "<svg/onload=alert(1)>",
    '"><script>alert(1)</script>',
    "' onmouseover='alert(1)",
    "[x](javascript:alert(1))",
    "[x](JaVaScRiPt&colon;alert(1))",
    "[x](data:text/html;base64,PHNjcmlwdD4=)",
    '[x](vbscript:x "t" )',
    "![x](https://evil.test/track.gif)",
    "![x](javascript:alert(1))",
    '<https://ok.test/"onclick=alert(1)>',
    "<javascript:alert(1)>",
    "[a]: javascript:alert(1)\n\n[a]",
    "<iframe src=//evil.test></iframe>",
    "<a href='x' style='position:fixed'>x</a>",
    "<style>*{display:none}</style>",
    "<form action=//evil.test><input name=password>",
    "<math><mtext></p><script>alert(1)</script>",
    "```\n</code></pre><script>alert(1)</script>\n```",
    "`</code><script>alert(1)</script>`",
    "| <b onclick=x> | y |\n|---|---|\n| <script>x</script> | y |",
    "{{ 7*7 }} {% include '/etc/passwd' %} ${7*7} #{7*7} <%= 7*7 %>",
    "<meta http-equiv=refresh content=0;url=//evil.test>",
    "<base href=//evil.test>",
    "</textarea><script>alert(1)</script>",
    "</title><script>alert(1)</script>",
    "<!--><script>alert(1)</script>-->",
    "&lt;script&gt;alert(1)&lt;/script&gt;",
    "\u2028<script>alert(1)</script>",
)

NEVER = {"iframe", "object", "embed", "style", "base", "math", "form-foreign", "marquee", "video", "audio"}


class Reader(HTMLParser):
    """Collects what in a page would run, fetch or lead somewhere it should not."""

    def __init__(self):
        super().__init__()
        self.wrong = []

    def handle_starttag(self, tag, attributes):
        values = {name: (value or "").strip().lower() for name, value in attributes}
        if tag in NEVER or (tag == "script" and not values.get("src", "").startswith("/static/")):
            self.wrong.append((tag, values))
        if any(name.startswith("on") or name == "style" for name in values):
            self.wrong.append((tag, values))
        for name in ("href", "src", "action", "formaction"):
            where = values.get(name, "")
            if where.startswith(("javascript:", "data:", "vbscript:")) or (
                name != "href" and "evil.test" in where
            ):
                self.wrong.append((tag, values))
        if tag == "meta" and values.get("http-equiv"):
            self.wrong.append((tag, values))


def wrong_in(page):
    reader = Reader()
    reader.feed(page)
    return reader.wrong


@pytest.mark.parametrize("payload", CORPUS)
def test_rendered_text_has_no_more_than_its_list(payload):
    found = str(render(payload))
    assert wrong_in(found) == []
    assert "<img" not in found and "<input" not in found


def test_the_reader_of_pages_finds_what_it_should():
    for payload in ("<script>x</script>", "<img src=x onerror=y>", "<a href='javascript:x'>", "<iframe>"):
        assert wrong_in(payload), payload


def test_templates_in_texts_stay_texts():
    assert str(render("{{ 7+7 }} ${7+7} {% x %}")) == "<p>{{ 7+7 }} ${7+7} {% x %}</p>\n"


def test_links_lead_to_the_web_and_give_nothing_away():
    assert render("[x](https://ok.test/a?b=c)") == (
        '<p><a href="https://ok.test/a?b=c" rel="noopener noreferrer nofollow">x</a></p>\n'
    )


def test_every_page_shows_hostile_text_as_text(sign_in, write, client):
    """One article with the whole corpus in each of its fields."""
    everything = "\n\n".join(CORPUS)
    for number, payload in enumerate(CORPUS[:6]):
        texts = {"title": f"printer {payload}"[:160], "symptom": everything, "cause": everything}
        texts |= {"workaround": everything, "body": everything}
        slug = write(
            draft=draft(kind="known_error", audience="public", slug=f"evil-{number}", texts={"en": texts})
        )
    step = Step("", CORPUS[0])
    write(draft=draft(kind="runbook", audience="public", slug="evil-run", steps=[step], texts={"en": texts}))
    nadia, bob = sign_in("Nadia"), sign_in("Bob")
    pages = [
        nadia.get("/console/knowledge"),
        nadia.get(f"/console/knowledge/articles/{slug}"),
        nadia.get(f"/console/knowledge/articles/{slug}/edit"),
        nadia.get(f"/console/knowledge/articles/{slug}/versions/1"),
        nadia.get("/console/knowledge/articles/evil-run"),
        bob.get("/portal/articles"),
        bob.get("/portal/articles?q=printer"),
        bob.get("/portal/articles", query_string={"q": CORPUS[0]}),
        bob.get("/portal/article-offers?subject=printer"),
        bob.get(f"/portal/articles/{slug}"),
        bob.get("/portal/articles/evil-run"),
        client.get("/help/articles?q=printer"),
        client.get(f"/help/articles/{slug}"),
    ]
    assert {page.status_code for page in pages} == {200}
    assert [wrong for page in pages for wrong in wrong_in(page.text)] == []
