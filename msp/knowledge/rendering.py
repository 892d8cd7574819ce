"""Stored text as markup: Markdown without HTML of its own, then only what is on a list of tags."""

import re
from collections.abc import Sequence
from difflib import SequenceMatcher

import nh3
from markdown_it import MarkdownIt
from markdown_it.token import Token
from markupsafe import Markup, escape

# Whatever becomes markup here was escaped, or passed the list of tags below.
# ruff: noqa: S704

_TAGS = frozenset(
    "p h2 h3 h4 h5 h6 ul ol li strong em s code pre blockquote hr br a table thead tbody tr th td".split()  # noqa: SIM905
)
_ATTRIBUTES = {"a": {"href", "title"}, "ol": {"start"}}
_SCHEMES = {"http", "https", "mailto"}
_markdown = MarkdownIt("commonmark", {"html": False, "maxNesting": 20}).enable(["table", "strikethrough"])
# Around what was found: signs that no text holds, since control characters are refused when it is written.
FOUND, END = "\x02", "\x03"
_SIGNS = re.compile(r"[#*_`>|~]+|\]\([^)]*\)|[\[\]]|-{3,}")


def render(text: str) -> Markup:
    """Markdown as safe markup. Pictures are left out, links lead to web and mail addresses only."""
    tokens = _markdown.parse(text)
    _lower_headings(tokens)
    written = _markdown.renderer.render(tokens, _markdown.options, {})
    return Markup(
        nh3.clean(
            written,
            tags=set(_TAGS),
            attributes=_ATTRIBUTES,
            url_schemes=_SCHEMES,
            link_rel="noopener noreferrer nofollow",
        )
    )


def _lower_headings(tokens: Sequence[Token]) -> None:
    """A page has one main heading, its title: those of the text stand below it."""
    for token in tokens:
        if token.type in ("heading_open", "heading_close"):
            token.tag = f"h{min(int(token.tag[1]) + 1, 6)}"


def render_snippet(found: str) -> Markup:
    """A passage in which a search marked what it found, as text with marks and nothing else."""
    parts = re.split(f"({FOUND}|{END})", _SIGNS.sub(" ", found))
    written, is_open = Markup(""), False
    for part in parts:
        if part == FOUND and not is_open:
            written, is_open = written + Markup("<mark>"), True
        elif part == END and is_open:
            written, is_open = written + Markup("</mark>"), False
        elif part not in (FOUND, END):
            written += escape(part)
    return written + Markup("</mark>") if is_open else written


def compare(before: str, after: str) -> list[tuple[str, str]]:
    """Two texts line by line: pairs of `same`, `gone` or `new` and the line."""
    old, new = before.splitlines(), after.splitlines()
    found: list[tuple[str, str]] = []
    for what, a, b, c, d in SequenceMatcher(a=old, b=new, autojunk=False).get_opcodes():
        if what == "equal":
            found += [("same", line) for line in old[a:b]]
        else:
            found += [("gone", line) for line in old[a:b]]
            found += [("new", line) for line in new[c:d]]
    return found
