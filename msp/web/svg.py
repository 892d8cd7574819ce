"""SVG as a tree of elements: built with xml.etree, so every text is escaped, and without a single inline style.

Drawings have no viewBox: positions across are percents and positions down are pixels, so text keeps its size on
a phone and on a wide screen, and nothing needs to be measured.
"""

from xml.etree.ElementTree import Element, SubElement, tostring

from markupsafe import Markup

Value = str | int | float


def drawing(name: str, height: int, *, title: str, desc: str = "") -> Element:
    """An empty drawing as wide as its place, `height` pixels high, with its words for those who don't see it."""
    root = Element("svg", {"class": f"drawing {name}", "width": "100%", "height": str(height), "role": "img"})
    root.set("aria-label", f"{title}. {desc}" if desc else title)
    add(root, "title", title)
    if desc:
        add(root, "desc", desc)
    return root


def add(parent: Element, tag: str, text: str = "", **attributes: Value) -> Element:
    """A child element; `_` in a name stands for `-`, and a trailing one is dropped (`class_`)."""
    names = {key.rstrip("_").replace("_", "-"): plain(value) for key, value in attributes.items()}
    child = SubElement(parent, tag, names)
    child.text = text or None
    return child


def plain(value: Value) -> str:
    """A number with at most two decimals and no trailing noughts; a string as it is."""
    if isinstance(value, float):
        return f"{value:.2f}".rstrip("0").rstrip(".")
    return str(value)


def across(part: float, whole: float) -> str:
    """A position or width as percent of the drawing; nothing of nothing is nothing."""
    share = 100 * part / whole if whole else 0.0
    return f"{plain(min(max(share, 0.0), 100.0))}%"


def markup(root: Element) -> Markup:
    """The drawing as text that templates print as it is; the tree has escaped everything in it."""
    return Markup(tostring(root, encoding="unicode"))  # noqa: S704 - serialised from a tree, never pasted
