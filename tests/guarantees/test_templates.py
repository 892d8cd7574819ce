"""No template carries a style, a script of its own, or unescaped text: the Content-Security-Policy would refuse the
first two, and an attacker would like the third."""

import re
from pathlib import Path

import pytest

TEMPLATES = Path(__file__).parents[2] / "templates"
ALL = sorted(path for path in TEMPLATES.rglob("*") if path.is_file())
COMMENT = re.compile(r"\{#.*?#\}", re.DOTALL)
FORBIDDEN = {
    "an inline style": re.compile(r"\sstyle\s*=", re.IGNORECASE),
    "a style element": re.compile(r"<style\b", re.IGNORECASE),
    "an inline script": re.compile(r"<script(?![^>]*\ssrc=)[^>]*>", re.IGNORECASE),
    "an event handler": re.compile(r"\son[a-z]+\s*=\s*[\"']", re.IGNORECASE),
    "a script address": re.compile(r"javascript:", re.IGNORECASE),
    "code in htmx": re.compile(r"\bhx-on\b|\bhx-vals\s*=\s*[\"']js:|\bhx-vars\b", re.IGNORECASE),
    "unescaped text": re.compile(r"\|\s*safe\b|autoescape\s+false|\bMarkup\("),
    "a foreign file": re.compile(
        r"<(?:script|link|img|iframe)\b[^>]*(?:src|href)=[\"'](?:https?:)?//", re.IGNORECASE
    ),
}


def body(path: Path) -> str:
    return COMMENT.sub("", path.read_text())


@pytest.mark.parametrize("path", ALL, ids=lambda path: str(path.relative_to(TEMPLATES)))
def test_templates_carry_no_code_and_trust_no_text(path: Path) -> None:
    text = body(path)
    found = [name for name, pattern in FORBIDDEN.items() if pattern.search(text)]
    assert not found


@pytest.mark.parametrize("path", [path for path in ALL if path.suffix == ".html"], ids=lambda path: path.name)
def test_forms_that_post_carry_the_token(path: Path) -> None:
    for form in re.findall(r"<form\b[^>]*method=\"post\".*?</form>", body(path), re.DOTALL | re.IGNORECASE):
        # The form for large files goes elsewhere: its address is signed for one person. Visitors of a website have no
        # cookie that somebody could ride on.
        assert re.search(r"csrf_token|ui\.csrf\(|hidden_tag\(|{{ (upload|visitors)_url }}", form), form[:120]


def test_the_search_for_forbidden_things_finds_them() -> None:
    samples = [
        ' style="x"',
        "<style>",
        "<script>x</script>",
        ' onclick="x"',
        'href="javascript:x"',
        ' hx-on:click="x"',
        "{{ x|safe }}",
        '<img src="//x">',
    ]
    for text, (name, pattern) in zip(samples, FORBIDDEN.items(), strict=True):
        assert pattern.search(text), name
    assert not FORBIDDEN["an inline script"].search("<script src=\"{{ asset('js/theme.js') }}\"></script>")
