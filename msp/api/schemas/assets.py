"""Assets as documents."""

from apiflask import Schema
from marshmallow import fields, validate

from msp.api.schemas.common import ListQuery, length, moment, moment_or_null, one_of, words
from msp.api.schemas.tenants import Named
from tenants.assets.models import KINDS, STATES


class AssetOut(Schema):
    """A machine or device: what people entered, and what its agent reports."""

    id = fields.UUID(metadata={"description": "Public id."})
    tenant = words("Slug of its client.", "acme")
    name = words("Name.", "acme-pc-1")
    kind = words("What it is.", "workstation", validate=one_of(*KINDS))
    state = words("Whether it is in service.", "active", validate=one_of(*STATES))
    site = fields.Nested(Named, allow_none=True)
    serial = words("Serial number.", allow_none=True)
    tags = fields.List(fields.String(), metadata={"example": ["accounting"]})
    controller_id = words("The id under which its agent calls.", "acme-pc-1", allow_none=True)
    last_seen_at = moment_or_null("When its agent last called.")
    installed_release = words("What its agent says is installed.", "tool/1.2", allow_none=True)
    created_at = moment("When it was entered.")
    retired_at = moment_or_null("When it was taken out of service.")


class AssetDetailOut(AssetOut):
    """An asset with its notes and facts."""

    notes = words("What people noted; staff only.", allow_none=True)
    facts = fields.Dict(
        keys=fields.String(),
        metadata={"description": "What its agent reports.", "example": {"os.name": "Debian GNU/Linux 13"}},
    )
    facts_at = moment_or_null("When the facts were reported.")


class AssetQuery(ListQuery):
    """What a list of assets is narrowed to."""

    tenant = words("Slug of a client.", "acme", load_default="")
    name = words("Exactly this name.", load_default="", validate=length(120, 0))
    kind = words("A kind.", validate=one_of(*KINDS))
    state = words(
        "A state, or `all`; without it the retired are hidden. Clients never see those.",
        validate=one_of(*STATES, "all"),
    )
    q = words("Words in name, serial number or agent id.", load_default="", validate=length(200, 0))


class AssetIn(Schema):
    """An asset to enter."""

    tenant = words("Slug of the client.", "acme", required=True)
    name = words("Name.", "acme-pc-2", required=True, validate=length(120))
    kind = words("What it is.", "workstation", load_default="workstation", validate=one_of(*KINDS))
    site = words("Public id of the client's site.", load_default=None, allow_none=True)
    serial = words("Serial number.", load_default=None, allow_none=True, validate=length(120, 0))
    tags = fields.List(
        fields.String(),
        load_default=list,
        validate=validate.Length(max=20),
        metadata={"example": ["accounting"]},
    )
    notes = words("For people.", load_default="", validate=length(4000, 0))
    controller_id = words("The id under which its agent will call.", load_default=None, allow_none=True)
