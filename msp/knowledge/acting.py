"""What pages of knowledge share."""

from flask_babel import get_locale

from msp.web.acting import acted, form_status

__all__ = ["acted", "form_status", "language"]


def language() -> str:
    """The reader's language: `id` or `en`."""
    return "en" if str(get_locale() or "id").startswith("en") else "id"
