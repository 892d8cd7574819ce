"""Clients as documents."""

from apiflask import Schema
from marshmallow import fields

from msp.api.schemas.common import ListQuery, moment, one_of, words
from tenants.tenancy.models import KINDS, STATES


class TenantOut(Schema):
    """A client company, or the provider itself."""

    slug = words("Its name in addresses and filters; never changes.", "acme")
    prefix = words("What its ticket codes begin with; never changes.", "ACME")
    name = words("Its name.", "Acme")
    kind = words("`client`, or `own` for the provider.", "client", validate=one_of(*KINDS))
    state = words("Whether it is served.", "active", validate=one_of(*STATES))
    time_zone = words("Its time zone.", "Asia/Jakarta")
    language = words("The language it is written to in.", "id")
    created_at = moment("Since when it is known here.")


class TenantQuery(ListQuery):
    """What a list of clients is narrowed to."""

    q = words("Words in name or slug.", load_default="")
    state = words("Only in this state; without it those who left are hidden.", validate=one_of(*STATES))


class Named(Schema):
    """Something by id and name."""

    id = fields.UUID(metadata={"description": "Public id."})
    name = words("Its name.")
