"""Tickets as documents."""

from apiflask import Schema
from marshmallow import fields, validate

from msp.api.schemas.common import (
    ZULU,
    ListQuery,
    Moment,
    length,
    moment,
    moment_or_null,
    number,
    one_of,
    words,
)
from msp.api.schemas.tenants import Named
from tenants.tickets.models import (
    AUTHOR_KINDS,
    KINDS,
    LEVELS,
    MESSAGE_KINDS,
    PRIORITIES,
    SOURCES,
    STATES,
    TIERS,
    WAITING_REASONS,
)
from tenants.tickets.relation_models import LINKS

SLA_STATES = ("not_applicable", "running", "paused", "outside_hours", "met", "missed")


class Requester(Schema):
    """Who asks."""

    name = words("Name.", "Bob")
    email = words("E-mail address, if one is known.", "bob@example.test", allow_none=True)


class Assignee(Schema):
    """Who holds the ticket."""

    name = words("Name.", "Tina")


class TicketOut(Schema):
    """A ticket as lists show it."""

    code = words("Its code with a check character.", "ACME-7K3Q-XP4M")
    tenant = words("Slug of its client.", "acme")
    kind = words("What sort of matter.", "incident", validate=one_of(*KINDS))
    subject = words("One line.", "Printer on fire")
    state = words("Where it stands.", "in_progress", validate=one_of(*STATES))
    waiting_reason = words(
        "What it waits for, while waiting.", allow_none=True, validate=one_of(*WAITING_REASONS)
    )
    impact = words("How much is affected.", "medium", validate=one_of(*LEVELS))
    urgency = words("How soon it is needed.", "high", validate=one_of(*LEVELS))
    priority = words("By the client's matrix, or overridden.", "P2", validate=one_of(*PRIORITIES))
    tier = words("Where it is worked on.", "L1", validate=one_of(*TIERS))
    assignee = fields.Nested(Assignee, allow_none=True)
    requester = fields.Nested(Requester)
    source = words("How it came.", "api", validate=one_of(*SOURCES))
    opened_at = moment("When it was opened.")
    waiting_since = moment_or_null("Since when it waits.")
    resolved_at = moment_or_null("When it was resolved.")
    closed_at = moment_or_null("When it was closed or cancelled.")
    due_at = moment_or_null("When the next of its clocks runs out.")
    due_clock = words("Which clock that is.", "resolution", allow_none=True)
    category = words(
        "Path of its category, read-only.", "Hardware / Printer", allow_none=True, dump_only=True
    )
    sla_state = words(
        "State of its clocks when something last happened; `/timers` has the present.",
        "running",
        allow_none=True,
        validate=one_of(*SLA_STATES),
    )


class FileOut(Schema):
    """A file on a message."""

    id = words("Public id.")
    name = words("File name.", "screenshot.png")
    size = number("Bytes.", 48213)


class MessageOut(Schema):
    """Something said on a ticket."""

    id = number("Number of the message.", 1)
    kind = words("`internal` ones are for staff only.", "public", validate=one_of(*MESSAGE_KINDS))
    author_kind = words("On which side the author stands.", "staff", validate=one_of(*AUTHOR_KINDS))
    author = words("Name of the author.", "Tina")
    body = words("What was said.", "We are on it.")
    at = moment("When it was said.")
    files = fields.List(fields.Nested(FileOut))


class TimeWorkedOut(Schema):
    """Time worked on a ticket in a month."""

    month = words("The month.", "2026-11")
    minutes = number("All of it, in minutes.", 95)
    billable_minutes = number("What of it is billable beside the contract.", 20)


class LinkOut(Schema):
    """Another ticket of the same client."""

    kind = words(
        "How they belong together, read from the first to the other.", "parent", validate=one_of(*LINKS)
    )
    ticket = words("Code of the other ticket.", "ACME-7K3Q-XP4M")
    is_first = fields.Boolean(metadata={"description": "Whether this ticket is the first.", "example": True})


class TicketDetailOut(TicketOut):
    """A ticket with what stands around it."""

    watchers = number("How many watch it; clients are told of their own side only.", 2)
    links = fields.List(fields.Nested(LinkOut), metadata={"description": "Linked tickets; staff only."})
    merged_into = words(
        "Code of the ticket where its story goes on, once it was merged.", "ACME-7K3Q-XP4M", allow_none=True
    )

    asset = fields.Nested(Named, allow_none=True)
    site = fields.Nested(Named, allow_none=True)
    allowed_transitions = fields.List(
        fields.String(validate=one_of(*STATES)),
        metadata={
            "description": "States that the caller may move it to.",
            "example": ["waiting", "resolved"],
        },
    )
    messages = fields.List(
        fields.Nested(MessageOut), metadata={"description": "What was said, at most the newest 200."}
    )
    earlier_messages = number(
        "Where more was said before these: what to give as `before` for them; else null.",
        4711,
        allow_none=True,
    )
    time_worked = fields.List(fields.Nested(TimeWorkedOut))


class StoryQuery(Schema):
    """Which part of what was said is read."""

    before = fields.Integer(
        load_default=None,
        validate=validate.Range(min=1, max=2**63 - 1),
        metadata={"description": "The `earlier_messages` of the answer before: what was said before that."},
    )


class TicketQuery(ListQuery):
    """What a list of tickets is narrowed to."""

    tenant = words("Slug of a client.", "acme", load_default="")
    state = words(
        "A state, `open` for every state in which work remains, sorted by what runs out first, or `all`.",
        validate=one_of(*STATES, "open", "all"),
        load_default="all",
    )
    tier = words("A tier.", validate=one_of(*TIERS))
    priority = words("A priority.", validate=one_of(*PRIORITIES))
    assignee = words(
        "`me`, `nobody`, or the e-mail address of one of the provider's people; staff only.", load_default=""
    )
    q = words("A code, or words in subject or requester's name.", load_default="", validate=length(200, 0))


class TicketIn(Schema):
    """A ticket to open."""

    tenant = words("Slug of the client; a client's token may leave it out.", "acme", load_default=None)
    subject = words("One line.", "Printer on fire", required=True, validate=length(200))
    body = words("What happens.", "It burns since this morning.", required=True, validate=length(20_000))
    impact = words("How much is affected.", "medium", required=True, validate=one_of(*LEVELS))
    urgency = words("How soon it is needed.", "high", required=True, validate=one_of(*LEVELS))
    kind = words("What sort of matter.", "incident", load_default="incident", validate=one_of(*KINDS))
    asset = words("Public id of the client's asset that it is about.", load_default=None, allow_none=True)
    requester = words(
        "Who asks: e-mail address of one of the client's people, or a name. Without it, the caller.",
        "bob@example.test",
        load_default=None,
        allow_none=True,
        validate=length(254),
    )


class MessageIn(Schema):
    """Something to say."""

    body = words("What to say.", "Did you try to turn it off?", required=True, validate=length(20_000))
    kind = words(
        "`internal` is for staff only.", "public", load_default="public", validate=one_of(*MESSAGE_KINDS)
    )


class TransitionIn(Schema):
    """A step to another state. The time is always the portal's own."""

    to = words("The state to move to.", "waiting", required=True, validate=one_of(*STATES))
    reason = words(
        "While waiting what for: "
        + ", ".join(f"`{one}`" for one in WAITING_REASONS)
        + "; else in your words.",
        "requester",
        load_default=None,
        allow_none=True,
        validate=length(2000),
    )


class HandOverIn(Schema):
    """What the next tier needs to know."""

    to_tier = words("The tier to hand it to.", "L2", required=True, validate=one_of(*TIERS))
    symptoms = words("What the requester sees.", "Smoke.", required=True, validate=length(5000))
    tried = words(
        "What was tried, and what came of it.", "Unplugged it.", required=True, validate=length(5000)
    )
    suspected_cause = words("What may be behind it.", "The fuser.", load_default="", validate=length(5000, 0))
    told_requester = words(
        "What the requester was told.", "To keep away.", required=True, validate=length(5000)
    )
    evidence = words("Where to look.", "", load_default="", validate=length(5000, 0))


class HandOverOut(Schema):
    """A ticket on its way to another tier."""

    ticket = words("Code of the ticket.", "ACME-7K3Q-XP4M")
    from_tier = words("Where it came from.", "L1", validate=one_of(*TIERS))
    to_tier = words("Where it waits to be accepted.", "L2", validate=one_of(*TIERS))
    state = words("Whether it was accepted.", "pending")
    symptoms = words("What the requester sees.")
    tried = words("What was tried.")
    suspected_cause = words("What may be behind it.")
    told_requester = words("What the requester was told.")
    evidence = words("Where to look.")
    made_by = words("Who handed it over.", "Tina")
    made_at = moment("When.")


class ActorOut(Schema):
    """Who did something."""

    kind = words(
        "`staff`, `requester` or `system`.", "staff", validate=one_of("staff", "requester", "system")
    )
    name = words("Name.", "Tina")


class EventOut(Schema):
    """One line of a ticket's history."""

    seq = number("Its number, from 1.", 1)
    kind = words("What happened.", "state_changed")
    at = moment("When the portal took it.")
    actor = fields.Nested(ActorOut)
    message_id = number("The message that was said, if one was.", allow_none=True)
    data = fields.Dict(
        keys=fields.String(),
        metadata={
            "description": "What changed.",
            "example": {"from_state": "new", "to_state": "in_progress"},
        },
    )


class StripOut(Schema):
    """A part of a clock's course; parts follow each other without gap or overlap."""

    begin = Moment(data_key="from", metadata={"description": "Its begin.", "example": ZULU})
    to = moment("Its end.")
    kind = words(
        "Whether it counted; `maintenance` was left out, `maintenance_counted` only stands apart.",
        "counted",
        validate=one_of(
            "counted", "paused", "maintenance", "maintenance_counted", "outside_hours", "holiday"
        ),
    )
    reason = words("Why the clock was paused, or the title of the maintenance.", allow_none=True)
    by = words("Who paused it.", allow_none=True)


class WarningOut(Schema):
    """A share of a target that was used up."""

    percent = number("Of the target.", 75)
    at = moment("When.")


class TimerOut(Schema):
    """One clock of a ticket at this moment; seconds are business time."""

    clock = words("What it measures.", "resolution", validate=one_of("response", "update", "resolution"))
    cycle = number("It may run several times; from 1.", 1)
    state = words("What it is now, exactly one of these.", "running", validate=one_of(*SLA_STATES))
    priority = words("By which it is measured.", "P2", allow_none=True)
    target_seconds = number("The target.", 28_800, allow_none=True)
    elapsed_seconds = number("Counted so far.", 5400, allow_none=True)
    remaining_seconds = number("Left of the target; negative when over.", 23_400, allow_none=True)
    paused_business_seconds = number("Business time that pauses covered.", 0, allow_none=True)
    maintenance_business_seconds = number(
        "Business time of planned maintenance; part of the pauses where the contract leaves it out.",
        0,
        allow_none=True,
    )
    started_at = moment_or_null("Since when it is measured.")
    stopped_at = moment_or_null("When it stopped.")
    due_at = moment_or_null("When it runs out if nothing else happens.")
    missed_at = moment_or_null("When the target ran out.")
    cause = words("Why it was missed.", allow_none=True)
    contract = words("Public id of the contract.", allow_none=True)
    contract_version = number("Number of the version that measures it.", 1, allow_none=True)
    warnings = fields.List(fields.Nested(WarningOut))
    intervals = fields.List(fields.Nested(StripOut))
