"""Contracts as documents."""

from apiflask import Schema
from marshmallow import fields

from msp.api.schemas.common import ListQuery, moment, number, words


class ContractOut(Schema):
    """What a client was promised."""

    id = fields.UUID(metadata={"description": "Public id."})
    tenant = words("Slug of the client.", "acme")
    name = words("Name.", "Managed service")
    time_zone = words("The zone of its days and months.", "Asia/Jakarta")
    starts_on = fields.Date(metadata={"description": "First day."})
    ends_on = fields.Date(allow_none=True, metadata={"description": "Last day; null while it goes on."})
    monthly_fee = number("In whole units of the currency.", 2_500_000)
    currency = words("Three letters.", "IDR")


class ContractVersionOut(Schema):
    """Terms from one day on until the next version's; never changed."""

    number = number("From 1.", 1)
    in_force_on = fields.Date(metadata={"description": "The day it begins, in the contract's zone."})
    in_force_from = moment("The instant it begins.")
    note = words("Why it was made.")
    terms = fields.Dict(
        keys=fields.String(),
        metadata={
            "description": "Calendar, service levels, pause reasons and rules, which the clock reads; and what is "
            "promised beside them: actions, credits, windows, freezes. A member left out has its default."
        },
    )
    created_at = moment("When it was written.")
    created_by = words("By whom.", "Mia")


class ContractQuery(ListQuery):
    """What a list of contracts is narrowed to."""

    tenant = words("Slug of a client.", "acme", load_default="")
