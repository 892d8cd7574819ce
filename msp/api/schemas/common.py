"""Pieces of documents: moments, pages, problems and the words that outsiders rely on."""

from datetime import datetime
from typing import Any, cast

from apiflask import Schema
from marshmallow import fields, validate

from contracts.clock.instants import format_instant
from msp.web.paging import LARGEST, PAGE

ZULU = "2026-11-20T09:30:00Z"


class Moment(fields.DateTime):
    """An instant, written as `2026-11-20T09:30:00Z`."""

    def _serialize(self, value: datetime | None, attr: str | None, obj: Any, **kwargs: Any) -> str | None:
        return None if value is None else format_instant(value)


def one_of(*words: str) -> validate.OneOf:
    """One of the words, named in the message."""
    return validate.OneOf(words, error="Use one of: {choices}.")


def length(most: int, least: int = 1) -> validate.Length:
    """Between so many characters."""
    return validate.Length(min=least, max=most)


def moment(description: str, **more: Any) -> Moment:
    """A moment that is always there."""
    return Moment(metadata={"description": description, "example": ZULU, **more})


def moment_or_null(description: str) -> Moment:
    """A moment that may not have come."""
    return Moment(allow_none=True, metadata={"description": description, "example": ZULU})


def words(description: str, example: str | None = None, **options: Any) -> fields.String:
    """A text with what it means."""
    metadata = {"description": description} | ({"example": example} if example is not None else {})
    return fields.String(metadata=metadata, **options)


def number(description: str, example: int | None = None, **options: Any) -> fields.Integer:
    """A whole number with what it means; text and fractions are none."""
    metadata = {"description": description} | ({"example": example} if example is not None else {})
    return fields.Integer(strict=True, metadata=metadata, **options)


class ListQuery(Schema):
    """Paging: what every list understands."""

    limit = fields.Integer(
        validate=validate.Range(min=1, max=LARGEST),
        load_default=PAGE,
        metadata={"description": "How many items at most."},
    )
    after = words("The `next` of the page before.")


def page_of(item: type[Schema]) -> type[Schema]:
    """A page of a list."""
    page = Schema.from_dict(
        {
            "items": fields.List(fields.Nested(item), required=True),
            "next": words(
                "Cursor of the next page for `after`; null on the last one.", allow_none=True, required=True
            ),
        },
        name=f"{item.__name__.removesuffix('Out')}Page",
    )
    return cast("type[Schema]", page)


class FieldProblem(Schema):
    """One field at fault."""

    field = words("The field, like `calendar.hours.3.from`, or the header's name.", "subject", required=True)
    message = words("What is wrong, for people.", "Write one line of at most 200 characters.", required=True)


class Problem(Schema):
    """Why a request was refused, by RFC 9457."""

    type = words(
        "What sort of problem; `about:blank` says that the title is all there is.",
        "about:blank",
        required=True,
    )
    title = words("The problem in a few words.", "Invalid input", required=True)
    status = number("The HTTP status.", 422, required=True)
    detail = words("The problem in a sentence, for people.")
    errors = fields.List(fields.Nested(FieldProblem), metadata={"description": "Fields at fault."})
    allowed = fields.List(
        fields.String(), metadata={"description": "With 409: what would be allowed instead."}
    )
