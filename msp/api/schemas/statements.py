"""Statements as documents."""

from apiflask import Schema
from marshmallow import fields, validate

from msp.api.schemas.common import ListQuery, length, moment, number, one_of, words

_MONTH = "2026-11"


class FigureOut(Schema):
    """Targets of one clock and priority that were decided in the month."""

    clock = words("response, update or resolution.", "resolution")
    priority = words("P1 to P4; empty for all together.", "P3")
    met = number("Met.", 19)
    missed = number("Missed.", 1)
    set_aside = number("Missed, and set aside by an amendment: counts neither way.", 0)
    attained = words(
        "met / (met + missed) as an exact quotient; null where nothing was decided.", "19/20", allow_none=True
    )


class CreditOut(Schema):
    """What follows from the statement by the contract's table of credits, and what was decided."""

    amount = number("In whole units of the currency.", 700_000)
    currency = words("Three letters.", "IDR")
    state = words(
        "proposed, approved, declined or replaced.",
        "proposed",
        validate=one_of("proposed", "approved", "declined", "replaced"),
    )
    reason = words("Why it was decided so; null while it is not.", allow_none=True)


class StatementOut(Schema):
    """A frozen month of a contract; a correction is another one with the next number."""

    id = fields.UUID(metadata={"description": "Public id."})
    tenant = words("Slug of the client.", "acme")
    contract = words("Public id of the contract.")
    month = words("The month, as the contract's zone counts it.", _MONTH)
    line_count = number("Lines behind the figures.", 20)
    number = number("1 for the closing, 2 and on for amendments.", 1)
    reason = words("Why it was amended; null for the closing.", allow_none=True)
    closed_at = moment("When it was frozen.")
    sha256 = words("Digest of the head and every line.")
    figures = fields.List(fields.Nested(FigureOut), metadata={"description": "By clock and priority."})
    totals = fields.List(fields.Nested(FigureOut), metadata={"description": "By clock."})
    credit = fields.Nested(CreditOut, allow_none=True, metadata={"description": "Null where none is due."})


class StatementQuery(ListQuery):
    """What a list of statements is narrowed to."""

    tenant = words("Slug of a client.", "acme", load_default="")
    month = words(
        "A month such as 2026-11.",
        _MONTH,
        load_default="",
        validate=[
            length(7, 0),
            validate.Regexp(r"^(20\d\d-(0[1-9]|1[0-2]))?\Z", error="Use a month such as 2026-11."),
        ],
    )
