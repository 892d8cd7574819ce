"""Places on pages that others fill: a page names the place, features add what to show there.

A builder gets what the page passes on and returns `(template, context)`, or None for nothing. The template sees what
was passed on, its own context and the components as `ui`. Places so far: `ticket` (`ticket`, `view`, `history`,
`said`, `staff`), on the ticket pages of desk and portal, and `portal_home` (`actor`).
"""

from collections.abc import Callable
from typing import Any

from flask import Flask, current_app, render_template
from markupsafe import Markup

Panel = tuple[str, dict[str, Any]]
Builder = Callable[..., Panel | None]


def add(app: Flask, place: str, build: Builder) -> None:
    """Let a feature show something in a place."""
    app.extensions.setdefault("panels", {}).setdefault(place, []).append(build)


def panels(place: str, **given: Any) -> list[Markup]:
    """What there is to show in a place, rendered, in the order in which it was added."""
    builders: list[Builder] = current_app.extensions.get("panels", {}).get(place, [])
    built = (build(**given) for build in builders)
    components = current_app.jinja_env.get_template("components/ui.html").module
    return [
        # Rendered by our own template with escaping on; nothing is taken as markup that was not.
        Markup(render_template(panel[0], ui=components, **{**given, **panel[1]}))  # noqa: S704
        for panel in built
        if panel is not None
    ]
