"""Broken uniqueness becomes a refusal that names the field, and the transaction goes on."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from sqlalchemy.exc import IntegrityError

from tenants.foundation.db import db
from tenants.foundation.errors import Invalid


def broken_constraint(error: IntegrityError) -> str:
    """The name of the constraint or unique index that a write broke."""
    name: str | None = getattr(getattr(error.orig, "diag", None), "constraint_name", None)
    return name or ""


@contextmanager
def naming_clashes(known: Mapping[str, tuple[str, Any]]) -> Iterator[None]:
    """A savepoint for changes that may clash, flushed at its end; make the changes inside it.

    `known` gives field and sentence for each constraint. Raises Invalid for those, and any other error as it is.
    """
    try:
        with db.session.begin_nested():
            yield
            db.session.flush()
    except IntegrityError as error:
        name = broken_constraint(error)
        if name not in known:
            raise
        raise Invalid(*known[name]) from error
