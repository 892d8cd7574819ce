"""Rollouts: what is installed, in which waves, on whose machines, and what came of it.

Campaign, Wave, Decision and Release are the provider's; what a client may know of them is copied into its lane.
"""

from datetime import datetime
from typing import Any, ClassVar

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    String,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from msp.campaigns.phases import OPEN, OUTCOMES, PHASES
from msp.campaigns.release_models import Artifact, Release
from msp.campaigns.rules import (
    CAMPAIGN_KINDS,
    CAMPAIGN_STATES,
    CONSENTS,
    LANE_STATES,
    LET_IN,
    PAUSE_CAUSES,
)
from tenants.foundation.db import (
    AllForClient,
    Base,
    ProviderOwned,
    TenantOwned,
    belongs,
    choice,
    moment,
    public_id,
)
from tenants.foundation.scope import Role

__all__ = [
    "Action",
    "ActionEvent",
    "Artifact",
    "Campaign",
    "CampaignMember",
    "CampaignTenant",
    "CampaignTicket",
    "Decision",
    "Numbering",
    "Release",
    "Wave",
    "WaveLane",
]
_OPEN = ", ".join(f"'{phase}'" for phase in OPEN)


class Campaign(ProviderOwned, Base):
    """One release on its way to the assets of several tenants; its plan is frozen and hashed when it is submitted."""

    __tablename__ = "campaigns"
    __grants__: ClassVar[dict[Role, str]] = {
        # Agents lock the row for the moment of an offer, which needs the right to update one column.
        Role.AGENTS: "SELECT (id, state), UPDATE (rev)",
        Role.GATE: "SELECT (id, state)",
        Role.SWEEPER: "SELECT",
    }
    public_id: Mapped[Any] = public_id()
    kind: Mapped[str] = mapped_column(default="rollout", server_default="rollout")
    title: Mapped[str] = mapped_column(String(120))
    release_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("releases.id"))
    # The campaign that a rollback undoes.
    rollback_of_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("campaigns.id"))
    state: Mapped[str] = mapped_column(default="draft")
    rev: Mapped[int] = mapped_column(default=0)
    # Whose assets take part: the scope in which the campaign is evaluated.
    tenant_ids: Mapped[list[int]] = mapped_column(ARRAY(BigInteger), default=list)
    wishes: Mapped[dict[str, Any]] = mapped_column(default=dict)
    plan: Mapped[dict[str, Any] | None]
    plan_sha256: Mapped[str | None] = mapped_column(String(64))
    plan_version: Mapped[int] = mapped_column(default=0)
    created_by: Mapped[str] = mapped_column(String(120))
    # Null: a policy proposed it.
    created_by_id: Mapped[int | None] = mapped_column(BigInteger)
    created_at: Mapped[datetime] = moment()
    submitted_at: Mapped[datetime | None] = moment(nullable=True)
    decided_by: Mapped[str | None] = mapped_column(String(120))
    decided_by_id: Mapped[int | None] = mapped_column(BigInteger)
    decided_at: Mapped[datetime | None] = moment(nullable=True)
    start_at: Mapped[datetime | None] = moment(nullable=True)
    started_at: Mapped[datetime | None] = moment(nullable=True)
    ended_at: Mapped[datetime | None] = moment(nullable=True)
    # Until when clients that have not consented and machines out of reach are waited for.
    deadline_at: Mapped[datetime | None] = moment(nullable=True)
    pause_cause: Mapped[str | None]
    pause_reason: Mapped[str | None]
    # After an automatic stop one person asks to resume, and another one does.
    resume_asked_by: Mapped[str | None] = mapped_column(String(120))
    resume_asked_by_id: Mapped[int | None] = mapped_column(BigInteger)
    resume_reason: Mapped[str | None]
    grace_until: Mapped[datetime | None] = moment(nullable=True)
    next_eval_at: Mapped[datetime | None] = moment(nullable=True)
    __table_args__ = (
        choice("kind", CAMPAIGN_KINDS),
        choice("state", CAMPAIGN_STATES),
        CheckConstraint("(kind = 'rollback') = (rollback_of_id IS NOT NULL)", name="rollback_of_a_campaign"),
        CheckConstraint(
            "pause_cause IN (" + ", ".join(f"'{one}'" for one in PAUSE_CAUSES) + ")", name="pause_cause"
        ),
        Index("ix_campaigns_next_eval_at", "next_eval_at", postgresql_where=text("next_eval_at IS NOT NULL")),
    )


class Wave(ProviderOwned, Base):
    """A step of a campaign, over all of its tenants; `gate` holds the numbers that decide about it."""

    __tablename__ = "waves"
    campaign_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("campaigns.id"))
    ordinal: Mapped[int] = mapped_column(Integer)
    name: Mapped[str] = mapped_column(String(60))
    size: Mapped[int]
    gate: Mapped[dict[str, Any]]
    __table_args__ = (UniqueConstraint("campaign_id", "ordinal"),)


class CampaignMember(TenantOwned, Base):
    """An asset that a draft was given; which wave it falls into is decided when the plan is frozen."""

    __tablename__ = "campaign_members"
    campaign_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("campaigns.id"))
    asset_id: Mapped[int]
    wave: Mapped[int | None] = mapped_column(Integer)
    __table_args__ = (
        belongs("assets", "asset_id"),
        Index("uq_campaign_members_asset", "tenant_id", "campaign_id", "asset_id", unique=True),
    )


class CampaignTenant(AllForClient, TenantOwned, Base):
    """A campaign at one tenant: whether its administrator lets it in. What a client may know of it is copied here."""

    __tablename__ = "campaign_tenants"
    __grants__: ClassVar[dict[Role, str]] = {
        # Agents lock the row for the moment of an offer, which needs the right to update one column.
        Role.AGENTS: "SELECT, UPDATE (rev)",
        Role.CLIENT: (
            "SELECT, UPDATE (consent, decided_by, decided_by_id, decided_at, reason, postponed_until, rev)"
        ),
    }
    public_id: Mapped[Any] = public_id()
    campaign_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("campaigns.id"))
    title: Mapped[str] = mapped_column(String(120))
    kind: Mapped[str] = mapped_column(default="rollout")
    release_kind: Mapped[str]
    release_name: Mapped[str] = mapped_column(String(80))
    release_version: Mapped[str] = mapped_column(String(80))
    severity: Mapped[str]
    references: Mapped[list[Any]] = mapped_column(default=list)
    notes: Mapped[str] = mapped_column(default="")
    asset_count: Mapped[int]
    consent: Mapped[str] = mapped_column(default="asked")
    decided_by: Mapped[str | None] = mapped_column(String(120))
    decided_by_id: Mapped[int | None] = mapped_column(BigInteger)
    decided_at: Mapped[datetime | None] = moment(nullable=True)
    reason: Mapped[str | None] = mapped_column(String(1000))
    # When a client that postponed is asked again.
    postponed_until: Mapped[datetime | None] = moment(nullable=True)
    # Null until the campaign is approved: before that the client is told nothing.
    asked_at: Mapped[datetime | None] = moment(nullable=True)
    # When it was asked again after it had postponed, and when it was reminded of the time until which it may decide.
    asked_again_at: Mapped[datetime | None] = moment(nullable=True)
    reminded_at: Mapped[datetime | None] = moment(nullable=True)
    begins_at: Mapped[datetime | None] = moment(nullable=True)
    deadline_at: Mapped[datetime | None] = moment(nullable=True)
    ended_at: Mapped[datetime | None] = moment(nullable=True)
    # The version that a rollback brings assets down from; agents refuse to go down without it.
    downgrade_from: Mapped[str | None]
    rev: Mapped[int] = mapped_column(default=0)
    # Up to which decision of the client the campaign's ledger has been written.
    noted_rev: Mapped[int] = mapped_column(default=0)
    __table_args__ = (
        choice("consent", CONSENTS),
        CheckConstraint("(consent = 'postponed') = (postponed_until IS NOT NULL)", name="postponed_until"),
        Index("uq_campaign_tenants", "tenant_id", "campaign_id", unique=True),
        Index("ix_campaign_tenants_asked", "tenant_id", "asked_at", "id"),
    )

    @property
    def lets_in(self) -> bool:
        """Whether the client's lanes may open."""
        return self.consent in LET_IN


class WaveLane(AllForClient, TenantOwned, Base):
    """One wave at one tenant: what opens, soaks and closes. Title, release and times are copied for the client."""

    __tablename__ = "wave_lanes"
    __grants__: ClassVar[dict[Role, str]] = {
        Role.AGENTS: "SELECT, UPDATE (rev)",
        # A freeze that a client's administrator asks for takes room away at once.
        Role.CLIENT: "SELECT, UPDATE (room, room_until, rev)",
    }
    public_id: Mapped[Any] = public_id()
    campaign_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("campaigns.id"))
    wave_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("waves.id"))
    ordinal: Mapped[int] = mapped_column(Integer)
    title: Mapped[str] = mapped_column(String(120))
    release_name: Mapped[str] = mapped_column(String(80))
    release_version: Mapped[str] = mapped_column(String(80))
    planned_at: Mapped[datetime] = moment()
    state: Mapped[str] = mapped_column(default="planned")
    reason: Mapped[str | None]
    opened_at: Mapped[datetime | None] = moment(nullable=True)
    soak_until: Mapped[datetime | None] = moment(nullable=True)
    deadline_at: Mapped[datetime | None] = moment(nullable=True)
    ended_at: Mapped[datetime | None] = moment(nullable=True)
    # Assets when the lane was planned; counted anew when it opens, and fixed from then on.
    member_count: Mapped[int] = mapped_column(default=0)
    # People looked at a failed or undecided lane and let the campaign go on.
    is_waived: Mapped[bool] = mapped_column(default=False)
    # The lane for machines that were out of reach in the waves before; no gate decides about it.
    is_catch_up: Mapped[bool] = mapped_column(default=False, server_default="false")
    # When an offer may be made: pairs of moments from the client's windows less its freezes, known up to `room_until`.
    room: Mapped[list[Any]] = mapped_column(default=list, server_default="[]")
    room_until: Mapped[datetime | None] = moment(nullable=True)
    # The plan's times in seconds, so that agents' requests need not read the plan.
    timing: Mapped[dict[str, Any]] = mapped_column(default=dict)
    rev: Mapped[int] = mapped_column(default=0)
    __table_args__ = (
        choice("state", LANE_STATES),
        Index("uq_wave_lanes_wave", "tenant_id", "campaign_id", "ordinal", unique=True),
    )


class Action(AllForClient, TenantOwned, Base):
    """One attempt to bring the release to one asset. Its id goes over the wire, where clients keep 31 bits of it."""

    __tablename__ = "actions"
    __grants__: ClassVar[dict[Role, str]] = {
        Role.AGENTS: "SELECT, UPDATE",
        # A poll that has nothing to do is answered from the credential's own lookup.
        Role.GATE: "SELECT (tenant_id, id, asset_id, campaign_id, phase, ready_at, retrieved_at, offers)",
    }
    campaign_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("campaigns.id"))
    lane_id: Mapped[int]
    asset_id: Mapped[int]
    release_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("releases.id"))
    attempt: Mapped[int] = mapped_column(Integer, default=1)
    phase: Mapped[str] = mapped_column(default="planned")
    outcome: Mapped[str | None]
    # Where a cancellation that the device refuses returns to.
    phase_before: Mapped[str | None]
    sub_state: Mapped[str | None] = mapped_column(String(40))
    reason_code: Mapped[str | None] = mapped_column(String(60))
    detail: Mapped[str | None] = mapped_column(String(500))
    is_ambiguous: Mapped[bool] = mapped_column(default=False)
    has_late_failure: Mapped[bool] = mapped_column(default=False)
    # A later attempt stands for the asset once there is one.
    is_last: Mapped[bool] = mapped_column(default=True, server_default="true")
    # From when it may be offered: set by the tick within the limits on what is under way at once.
    ready_at: Mapped[datetime | None] = moment(nullable=True)
    # Not before then: a retry waits longer each time.
    not_before: Mapped[datetime | None] = moment(nullable=True)
    boot_id_before: Mapped[str | None] = mapped_column(String(80))
    boots: Mapped[int] = mapped_column(Integer, default=0, server_default="0")
    reboot_pending: Mapped[bool] = mapped_column(default=False, server_default="false")
    rolled_back: Mapped[bool] = mapped_column(default=False, server_default="false")
    # The version that was there before, for a rollback to name.
    version_before: Mapped[str | None] = mapped_column(String(200))
    cannot_stop: Mapped[bool] = mapped_column(default=False)
    offers: Mapped[int] = mapped_column(Integer, default=0)
    deferrals: Mapped[int] = mapped_column(Integer, default=0)
    event_count: Mapped[int] = mapped_column(Integer, default=0)
    offered_at: Mapped[datetime | None] = moment(nullable=True)
    retrieved_at: Mapped[datetime | None] = moment(nullable=True)
    started_at: Mapped[datetime | None] = moment(nullable=True)
    reported_at: Mapped[datetime | None] = moment(nullable=True)
    verified_at: Mapped[datetime | None] = moment(nullable=True)
    closed_at: Mapped[datetime | None] = moment(nullable=True)
    # By when the present phase has to end, and by when the whole action has.
    deadline_at: Mapped[datetime | None] = moment(nullable=True)
    hard_deadline_at: Mapped[datetime | None] = moment(nullable=True)
    rev: Mapped[int] = mapped_column(default=0)
    __table_args__ = (
        choice("phase", PHASES),
        CheckConstraint("outcome IN (" + ", ".join(f"'{one}'" for one in OUTCOMES) + ")", name="outcome"),
        CheckConstraint("(phase = 'closed') = (outcome IS NOT NULL)", name="closed_with_outcome"),
        CheckConstraint("id < 2147483648", name="id_of_31_bits"),
        belongs("wave_lanes", "lane_id"),
        belongs("assets", "asset_id"),
        Index("uq_actions_attempt", "tenant_id", "campaign_id", "asset_id", "attempt", unique=True),
        Index(
            "uq_actions_open_asset",
            "tenant_id",
            "asset_id",
            unique=True,
            postgresql_where=text(f"phase IN ({_OPEN})"),
        ),
        Index(
            "ix_actions_waiting",
            "tenant_id",
            "asset_id",
            "id",
            postgresql_where=text(f"phase IN ('eligible', {_OPEN})"),
        ),
        Index("ix_actions_lane", "tenant_id", "lane_id", "id"),
    )


class CampaignTicket(AllForClient, TenantOwned, Base):
    """The ticket about one cause of a campaign's failures at one client."""

    __tablename__ = "campaign_tickets"
    campaign_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("campaigns.id"))
    lane_id: Mapped[int]
    ticket_id: Mapped[int]
    cause: Mapped[str] = mapped_column(String(60))
    opened_at: Mapped[datetime] = moment()
    __table_args__ = (
        belongs("wave_lanes", "lane_id"),
        belongs("tickets", "ticket_id"),
        Index("uq_campaign_tickets_cause", "tenant_id", "campaign_id", "cause", unique=True),
        Index("uq_campaign_tickets_ticket", "tenant_id", "ticket_id", unique=True),
        Index("ix_campaign_tickets_lane", "tenant_id", "lane_id"),
    )


class ActionEvent(TenantOwned, Base):
    """What was reported about an action, by whom, and whether it counted. Only grows."""

    __tablename__ = "action_events"
    __grants__: ClassVar[dict[Role, str]] = {
        Role.CLIENT: "",
        Role.AGENTS: "SELECT, INSERT",
        Role.STAFF: "SELECT, INSERT",
        Role.WORKER: "SELECT, INSERT",
    }
    # Null: feedback about an action that is not this asset's; what it named is in the body.
    action_id: Mapped[int | None]
    asset_id: Mapped[int]
    source: Mapped[str]
    channel: Mapped[str]
    execution: Mapped[str | None] = mapped_column(String(40))
    finished: Mapped[str | None] = mapped_column(String(40))
    code: Mapped[int | None]
    received_at: Mapped[datetime] = moment()
    device_time: Mapped[str | None] = mapped_column(String(60))
    digest: Mapped[bytes] = mapped_column(LargeBinary)
    is_terminal: Mapped[bool] = mapped_column(default=False)
    body: Mapped[dict[str, Any]] = mapped_column(default=dict)
    accepted: Mapped[bool] = mapped_column(default=True)
    reason: Mapped[str | None] = mapped_column(String(60))
    __table_args__ = (
        choice("source", ("device", "portal", "person")),
        belongs("actions", "action_id"),
        belongs("assets", "asset_id"),
        Index(
            "uq_action_events_terminal",
            "tenant_id",
            "action_id",
            "digest",
            unique=True,
            postgresql_where=text("is_terminal"),
        ),
        Index("ix_action_events_action", "tenant_id", "action_id", "id"),
    )


class Numbering(ProviderOwned, Base):
    """A database in which actions were numbered. In the next one numbers begin far beyond: none is given twice."""

    __tablename__ = "numberings"
    __grants__: ClassVar[dict[Role, str]] = {Role.STAFF: "SELECT", Role.WORKER: "SELECT, INSERT"}
    epoch: Mapped[str] = mapped_column(String(16), unique=True)
    begun_at: Mapped[datetime] = moment()


class Decision(ProviderOwned, Base):
    """A decision of a gate or of a person, with the numbers it was based on."""

    __tablename__ = "decisions"
    __grants__: ClassVar[dict[Role, str]] = {
        Role.STAFF: "SELECT, INSERT",
        Role.WORKER: "SELECT, INSERT",
    }
    campaign_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("campaigns.id"))
    # Whose lane it is about; null when it is about the whole campaign.
    tenant_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("tenants.id"))
    wave: Mapped[int | None] = mapped_column(Integer)
    at: Mapped[datetime] = moment()
    actor: Mapped[str] = mapped_column(String(120))
    kind: Mapped[str] = mapped_column(String(40))
    inputs: Mapped[dict[str, Any]] = mapped_column(default=dict)
    result: Mapped[str] = mapped_column(String(40))
    __table_args__ = (Index("ix_decisions_campaign", "campaign_id", "id"),)
