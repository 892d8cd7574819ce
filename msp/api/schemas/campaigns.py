"""Campaigns as documents."""

from apiflask import Schema
from marshmallow import fields, validate

from msp.api.schemas.common import ListQuery, length, moment, moment_or_null, number, one_of, words
from msp.campaigns.phases import OUTCOMES, PHASES
from msp.campaigns.rules import CAMPAIGN_KINDS, CAMPAIGN_STATES, CONSENTS, LANE_STATES, PAUSE_CAUSES

TRANSITIONS = ("submit", "approve", "reject", "start", "pause", "resume", "abort", "withdraw", "retry")


class ReleaseOut(Schema):
    """What is rolled out."""

    id = fields.UUID(metadata={"description": "Public id."})
    name = words("Name.", "tool")
    version = words("Version.", "1.2")


class CampaignOut(Schema):
    """A rollout of one release to the assets of several clients."""

    id = fields.UUID(metadata={"description": "Public id."})
    title = words("Title.", "Tool 1.2 for everyone")
    kind = words("A rollout, or a rollback of one.", "rollout", validate=one_of(*CAMPAIGN_KINDS))
    state = words("Where it stands.", "running", validate=one_of(*CAMPAIGN_STATES))
    release = fields.Nested(ReleaseOut)
    tenants = fields.List(
        fields.String(), metadata={"description": "Slugs of the clients that take part and the caller sees."}
    )
    created_by = words("Who proposed it.", "Leo")
    created_at = moment("When.")
    submitted_at = moment_or_null("When its plan was frozen.")
    decided_by = words("Who approved or rejected it.", allow_none=True)
    decided_at = moment_or_null("When.")
    start_at = moment_or_null("For when it is scheduled.")
    started_at = moment_or_null("When it began.")
    ended_at = moment_or_null("When it ended.")
    deadline_at = moment_or_null("Until when clients without consent and assets out of reach are waited for.")
    pause_cause = words("What paused it.", allow_none=True, validate=one_of(*PAUSE_CAUSES))
    pause_reason = words("Why it was paused.", allow_none=True)
    plan_sha256 = words("Hash of the frozen plan: what the second person approves.", allow_none=True)
    allowed_transitions = fields.List(fields.String(validate=one_of(*TRANSITIONS)))


def _most(description: str) -> fields.Integer:
    return fields.Integer(
        strict=True,
        load_default=None,
        allow_none=True,
        validate=validate.Range(1, 1_000_000),
        metadata={"description": f"{description} Null: no limit.", "example": 20},
    )


class LimitsOut(Schema):
    """How many assets may be under way at once."""

    at_once = _most("In the whole campaign.")
    per_tenant = _most("At one client.")
    per_site = _most("At one site.")
    ramp_from = _most("At first; doubled each time that as many have succeeded.")
    per_service = fields.Integer(
        strict=True,
        load_default=1,
        validate=validate.Range(1, 1_000_000),
        metadata={"description": "Of assets that share a tag such as `service:directory`.", "example": 1},
    )


class ConsentOut(Schema):
    """What a client's administrators say to the campaign at their company."""

    tenant = words("Slug of the client.", "acme")
    consent = words("What was decided.", "consented", validate=one_of(*CONSENTS))
    assets = number("Assets of the client that take part.", 4)
    asked_at = moment_or_null("When the client was asked; null before the approval.")
    decided_by = words("Who decided.", "Alice", allow_none=True)
    decided_at = moment_or_null("When.")
    reason = words("Why.", allow_none=True)
    postponed_until = moment_or_null("Until when it was put off.")


class WaveOut(Schema):
    """A step of a campaign over all of its clients."""

    ordinal = number("From 1.", 1)
    name = words("Name.", "Wave 1")
    size = number("Assets.", 10)
    gate = fields.Dict(keys=fields.String(), metadata={"description": "The numbers that decide about it."})


class LaneOut(Schema):
    """One wave at one client, with its assets counted by how they ended."""

    id = fields.UUID(metadata={"description": "Public id."})
    tenant = words("Slug of the client.", "acme")
    wave = number("Ordinal of the wave.", 1)
    state = words("Where it stands.", "open", validate=one_of(*LANE_STATES))
    reason = words("Why; of a waiting lane: consent, previous, window or freeze.", allow_none=True)
    is_catch_up = fields.Boolean(metadata={"description": "Whether it is for assets that were out of reach."})
    members = number("Assets.", 4)
    ok = number("Good ends.", 3)
    bad = number("Bad ends.", 0)
    gone = number("Assets that were not heard of.", 0)
    open = number("Assets still on their way.", 1)
    planned_at = moment("When it was planned.")
    opened_at = moment_or_null("When it opened.")
    ended_at = moment_or_null("When it ended.")


class CampaignDetailOut(CampaignOut):
    """A campaign with its waves and lanes."""

    waves = fields.List(fields.Nested(WaveOut))
    lanes = fields.List(fields.Nested(LaneOut))
    consents = fields.List(fields.Nested(ConsentOut))
    limits = fields.Nested(LimitsOut)
    rollback_of = fields.UUID(
        allow_none=True, metadata={"description": "Public id of the campaign that a rollback undoes."}
    )
    resume_asked_by = words("Who asked to resume, while a second person is needed.", allow_none=True)


class CampaignQuery(ListQuery):
    """What a list of campaigns is narrowed to."""

    state = words("A state.", validate=one_of(*CAMPAIGN_STATES))
    q = words("Words in the title.", load_default="", validate=length(120, 0))


class CampaignIn(Schema):
    """A campaign to draft. Assets are chosen by id, or by client, and narrowed by the rest."""

    title = words("Title.", "Tool 1.2 for everyone", required=True, validate=length(120))
    release = words("Public id of the release.", required=True)
    tenants = fields.List(
        fields.String(),
        load_default=list,
        validate=validate.Length(max=1000),
        metadata={
            "description": "Slugs of the clients whose active assets with an agent take part.",
            "example": ["acme"],
        },
    )
    kind = words("Only assets of this kind.", load_default="", validate=length(40, 0))
    tag = words("Only assets with this tag.", load_default="", validate=length(40, 0))
    software = words("Only assets that have this package.", load_default="", validate=length(200, 0))
    version = words("How that package's version begins.", load_default="", validate=length(120, 0))
    assets = fields.List(
        fields.UUID(),
        load_default=list,
        validate=validate.Length(max=10_000),
        metadata={"description": "Public ids of assets, instead of whole clients."},
    )
    percents = fields.List(
        fields.Integer(strict=True, validate=validate.Range(1, 100)),
        load_default=None,
        allow_none=True,
        validate=validate.Length(min=1, max=10),
        metadata={
            "description": "Cumulative percentages of the waves, rising to 100.",
            "example": [5, 25, 100],
        },
    )
    limits = fields.Nested(LimitsOut, load_default=None, allow_none=True)


class CampaignTransitionIn(Schema):
    """A step of a campaign."""

    to = words("The step.", "submit", required=True, validate=one_of(*TRANSITIONS))
    reason = words(
        "Why; needed to reject, resume, abort and retry.", load_default="", validate=length(1000, 0)
    )
    plan_sha256 = words(
        "With `approve`: the hash of the plan that was looked at.", load_default=None, allow_none=True
    )
    start_at = fields.AwareDateTime(
        load_default=None, allow_none=True, metadata={"description": "With `start`: not before this moment."}
    )
    actions = fields.List(
        fields.Integer(strict=True, validate=validate.Range(1, 2**31 - 1)),
        load_default=None,
        allow_none=True,
        validate=validate.Length(min=1, max=10_000),
        metadata={
            "description": "With `retry`: the actions that get another attempt. Null: all that ended badly in waves"
            " that are not over.",
            "example": [17],
        },
    )


class RollbackIn(Schema):
    """Where a rollback takes the assets that a campaign touched."""

    release = words("Public id of another version of the same release.", required=True)


class ActionOut(Schema):
    """What came of one asset: the attempt that counts."""

    id = number("Number, as the asset's agent knows it.", 1)
    tenant = words("Slug of the client.", "acme")
    asset = fields.UUID(allow_none=True, metadata={"description": "Public id of the asset."})
    asset_name = words("Name of the asset.", "acme-pc-1", allow_none=True)
    wave = number("Ordinal of the wave.", 1, allow_none=True)
    attempt = number("From 1; earlier attempts do not count any more.", 1)
    reboot_pending = fields.Boolean(metadata={"description": "Whether a restart is still needed."})
    phase = words("How far it is.", "closed", validate=one_of(*PHASES))
    outcome = words("How it ended.", "success", allow_none=True, validate=one_of(*OUTCOMES))
    reason = words("Why.", allow_none=True)
    detail = words("What the agent said last.", allow_none=True)
    offered_at = moment_or_null("When it was offered.")
    started_at = moment_or_null("When the agent began.")
    reported_at = moment_or_null("When the agent said that it was done.")
    verified_at = moment_or_null("When the asset showed the release.")
    closed_at = moment_or_null("When it ended.")


class ActionQuery(ListQuery):
    """What a list of actions is narrowed to."""

    outcome = words("An outcome or a phase.", validate=one_of(*OUTCOMES, *PHASES))


class DecisionOut(Schema):
    """A decision of a gate or of a person, with the numbers behind it."""

    id = number("Number.", 1)
    at = moment("When.")
    actor = words("Who, or which rule.", "evaluation")
    kind = words("About what.", "gate")
    tenant = words("Slug of the client it is about; null when it is about all.", allow_none=True)
    wave = number("Ordinal of the wave.", 1, allow_none=True)
    inputs = fields.Dict(keys=fields.String(), metadata={"description": "The numbers it was based on."})
    result = words("What was decided.", "pass")
