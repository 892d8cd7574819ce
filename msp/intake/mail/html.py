"""An HTML mail as a page may show it: cleaned each time it is shown, so that a better list works for old mails too."""

import re
from collections.abc import Mapping

import nh3
from markupsafe import Markup

# Raised whenever the list changes: what was judged by an older one is judged again.
VERSION = 1
_TAGS = frozenset(
    re.findall(
        r"\w+",
        "a abbr b blockquote br caption center cite code col colgroup dd del div dl dt em font h1 h2 h3 h4 h5 h6 hr i"
        " img ins li ol p pre q s small span strike strong sub sup table tbody td tfoot th thead tr tt u ul",
    )
)
_ATTRIBUTES: dict[str, set[str]] = {
    "a": {"href"},
    "img": {"src", "alt", "width", "height"},
    "td": {"colspan", "rowspan"},
    "th": {"colspan", "rowspan"},
    "ol": {"start"},
}
_NUMBER = re.compile(r"\d{1,4}")


def cleaned(html: str, images: Mapping[str, str]) -> tuple[Markup, bool]:
    """The mail's HTML without anything that acts or loads, and whether images were left out.

    `images` gives the address of each image that came with the mail, by its content id. Colours and layout go: the
    page's own look stays in force.
    """
    left_out: list[str] = []

    def judge(tag: str, name: str, value: str) -> str | None:
        if tag == "img" and name == "src":
            known = images.get(value[4:].strip("<>")) if value.lower().startswith("cid:") else None
            left_out.extend([] if known else [value])
            return known
        if name in ("width", "height", "colspan", "rowspan", "start"):
            return value if _NUMBER.fullmatch(value) else None
        return value

    safe = nh3.clean(
        html,
        tags=set(_TAGS),
        attributes=_ATTRIBUTES,
        attribute_filter=judge,
        url_schemes={"http", "https", "mailto", "tel", "cid"},
        link_rel="noopener noreferrer nofollow",
        strip_comments=True,
    )
    # An image without a source shows nothing; it goes, so that no broken mark stays.
    shown = re.sub(r"<img(?![^>]*\bsrc=)[^>]*>", "", safe)
    return Markup(shown), bool(left_out)  # noqa: S704
