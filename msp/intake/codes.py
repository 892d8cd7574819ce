"""Codes of tickets as somebody hears them and types them into a form."""

from flask_babel import lazy_gettext as _l

from tenants.foundation.errors import Invalid
from tenants.tickets.codes import Mistyped, parse


def read_code(typed: str) -> str:
    """The code in its usual form. Raises Invalid on `code` for what was never any ticket's, so it tells nothing."""
    try:
        return parse(typed)
    except Mistyped:
        raise Invalid("code", _l("This cannot be a ticket's code: check your typing.")) from None
