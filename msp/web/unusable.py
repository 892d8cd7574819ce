"""What no person types and the database cannot hold: refused in words where no form has noticed it before."""

from typing import Any

from flask import Flask, request
from flask_babel import gettext as _
from sqlalchemy.exc import DataError
from werkzeug.routing import IntegerConverter

from msp.web import errors
from tenants.foundation.db import db

NUL = "\x00"


class Countable(IntegerConverter):
    """A number in an address that the database can count to; any other is not found."""

    regex = r"\d{1,18}"


def _refuse_nul(error: DataError) -> Any:
    """A statement with a character that no text can hold (PostgreSQL 18, 8.3); any other fault of data is ours."""
    sent = [
        *(request.view_args or {}).items(),
        *request.args.items(multi=True),
        *request.form.items(multi=True),
    ]
    wrong = sorted({name.replace(NUL, "") for name, value in sent if NUL in f"{name}{value}"})
    if not wrong:
        return errors.crash(error)
    db.session.rollback()
    words = _("This text has characters that cannot be stored.")
    return errors.answer_status(
        422, detail=words, errors=[{"field": name, "message": words} for name in wrong]
    )


def install(app: Flask) -> None:
    """Attach it."""
    app.url_map.converters["int"] = Countable
    app.register_error_handler(DataError, _refuse_nul)
