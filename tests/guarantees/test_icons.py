"""Every icon that pages name is in the sprite, and the sprite carries none that nobody names."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from jinja2 import Environment, nodes

ROOT = Path(__file__).parents[2]
TEMPLATES = sorted((ROOT / "templates").rglob("*.html"))
MODULES = sorted((ROOT / "msp").rglob("*.py"))
SCRIPTS = sorted((ROOT / "msp" / "static" / "js").rglob("*.js"))
SPRITE = (ROOT / "msp" / "web" / "frontend" / "icons.txt").read_text().split()

# Where a call takes the name of an icon: the place of the argument; `icon` and `icon_name` are keywords everywhere.
IN_TEMPLATES = {"icon": 0, "act_button": 2, "act_link": 2}
IN_MODULES = {"draw_icon": 0, "Look": 1, "Place": 2}
KEYWORDS = ("icon", "icon_name")
READER = Environment(autoescape=True)


def test_every_icon_that_is_named_is_in_the_sprite() -> None:
    missing = {name: place for place, name in named() if name not in SPRITE}
    assert missing == {}


def test_every_icon_in_the_sprite_is_named_somewhere() -> None:
    said = set(
        re.findall(r"[\"']([a-z0-9-]+)[\"']", "\n".join(map(Path.read_text, TEMPLATES + MODULES + SCRIPTS)))
    )
    assert sorted(set(SPRITE) - said) == []


def test_the_list_is_in_order_and_says_nothing_twice() -> None:
    assert sorted(set(SPRITE)) == SPRITE


def test_the_search_finds_what_it_must() -> None:
    found = {name for _place, name in named()}
    assert {"telephone", "check-circle", "hand-index", "inboxes", "asterisk", "person-check"} <= found


def named() -> Iterator[tuple[str, str]]:
    """Where, and which."""
    for path in TEMPLATES:
        for name in _in_template(READER.parse(path.read_text())):
            yield path.name, name
    for path in MODULES:
        for name in _in_module(ast.parse(path.read_text())):
            yield path.name, name


def _in_template(tree: nodes.Template) -> Iterator[str]:
    for call in tree.find_all(nodes.Call):
        callee = call.node.attr if isinstance(call.node, nodes.Getattr) else getattr(call.node, "name", "")
        place = IN_TEMPLATES.get(callee)
        if place is not None and place < len(call.args):
            yield from _results(call.args[place])
        for one in call.kwargs:
            if one.key in KEYWORDS:
                yield from _results(one.value)


def _results(given: nodes.Node) -> Iterator[str]:
    """The words that an expression may come to; what it only asks about is left out."""
    if isinstance(given, nodes.CondExpr):
        for branch in (given.expr1, given.expr2):
            yield from _results(branch) if branch is not None else ()
    elif isinstance(given, nodes.Or):
        yield from (*_results(given.left), *_results(given.right))
    elif isinstance(given, nodes.Const) and isinstance(given.value, str):
        yield given.value


def _in_module(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            place = IN_MODULES.get(getattr(node.func, "id", getattr(node.func, "attr", "")))
            given = [node.args[place]] if place is not None and place < len(node.args) else []
            yield from _constants([*given, *(one.value for one in node.keywords if one.arg in KEYWORDS)])
        elif isinstance(node, ast.Assign | ast.AnnAssign) and isinstance(node.value, ast.Dict):
            target = node.targets[0] if isinstance(node, ast.Assign) else node.target
            if "ICON" in getattr(target, "id", ""):
                yield from _constants(node.value.values)


def _constants(values: list[ast.expr]) -> Iterator[str]:
    for value in values:
        if isinstance(value, ast.Constant) and isinstance(value.value, str) and value.value:
            yield value.value
