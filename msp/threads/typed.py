"""Ticket codes as people type them into a search box."""

from flask import flash
from flask_babel import gettext as _

from tenants.tickets.codes import Mistyped, looks_like_code, parse


def as_code(words: str) -> str | None:
    """The code that was typed, or None; what looks like a code but cannot be one is told as a typing error."""
    try:
        return parse(words) if words else None
    except Mistyped:
        if looks_like_code(words):
            flash(_("“%(code)s” cannot be a ticket's code: check your typing.", code=words[:40]), "risk")
        return None
