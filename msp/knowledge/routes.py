"""The pages of knowledge; each module puts its views on the one blueprint."""

from flask import Flask
from flask_babel import lazy_gettext as _l

from msp.knowledge import editor_pages, jobs, reading_pages, ticket_pages
from msp.knowledge.blueprint import bp
from msp.knowledge.rendering import render
from msp.knowledge.words import (
    AUDIENCE_WORDS,
    CHECK_WORDS,
    KIND_ICONS,
    KIND_WORDS,
    LANGUAGE_WORDS,
    LINK_WORDS,
    PART_WORDS,
    STATE_WORDS,
)
from msp.web import navigation, panels
from msp.web.navigation import Place
from tenants.foundation.permissions import Permission

__all__ = ["bp", "editor_pages", "jobs", "reading_pages", "ticket_pages"]

WORDS = {
    "kinds": KIND_WORDS,
    "kind_icons": KIND_ICONS,
    "audiences": AUDIENCE_WORDS,
    "states": STATE_WORDS,
    "languages": LANGUAGE_WORDS,
    "parts": PART_WORDS,
    "links": LINK_WORDS,
    "checks": CHECK_WORDS,
}


def install(app: Flask) -> None:
    """Put the pages into the navigation, what is known onto tickets, and Markdown into templates."""
    app.jinja_env.filters["article_text"] = render
    app.jinja_env.globals["knowledge_words"] = WORDS
    panels.add(app, "ticket", ticket_pages.build_panel)
    navigation.add(
        app,
        Place(
            _l("Knowledge"),
            "knowledge.list_articles",
            "file-earmark-text",
            Permission.VIEW_DESK,
            staff=True,
            order=20,
        ),
        Place(
            _l("Help"),
            "knowledge.find_answers",
            "question-circle",
            Permission.VIEW_PORTAL,
            staff=False,
            order=25,
        ),
    )
