"""What no person types and the database cannot hold: refused once, before any view looks at it."""

from flask import Flask, request
from flask_babel import lazy_gettext as _l
from werkzeug.routing import IntegerConverter

from msp.web.errors import is_for_machines
from tenants.foundation.errors import InvalidMany, NotFound

NUL = "\x00"


class Countable(IntegerConverter):
    """A number in an address that the database can count to; any other is not found."""

    regex = r"\d{1,18}"


def _refuse_nul() -> None:
    """Machines' own edges read what they get by rules of their own."""
    if is_for_machines():
        return
    if any(NUL in str(value) for value in (request.view_args or {}).values()):
        raise NotFound
    sent = [*request.args.items(multi=True), *request.form.items(multi=True)]
    wrong = {name.replace(NUL, "") for name, value in sent if NUL in name + value}
    if wrong:
        words = _l("This text has characters that cannot be stored.")
        raise InvalidMany([(name, words) for name in sorted(wrong)])


def install(app: Flask) -> None:
    """Attach it; after whoever asks was admitted."""
    app.url_map.converters["int"] = Countable
    app.before_request(_refuse_nul)
