"""What campaigns promise at every moment (I1 to I12), read from the rows and held against what really happened.

Nothing here asks the code under test: rows come from a connection that sees everything, rules are written out anew.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import psycopg
from psycopg.rows import dict_row

from msp.campaigns.plans import plan_hash

OPEN = ("offered", "running", "rebooting", "verifying", "cancelling")
GUESSES = ("timeout", "indeterminate", "cancelled", "unreachable")
# What a phase may become in one step or in several; an offer that nobody fetched may be taken back.
AFTER = {
    "planned": {"eligible", "offered", "running", "verifying", "cancelling", "closed"},
    "eligible": {"offered", "running", "verifying", "cancelling", "closed"},
    "offered": {"eligible", "running", "rebooting", "verifying", "cancelling", "closed"},
    "running": {"rebooting", "verifying", "cancelling", "closed"},
    "rebooting": {"verifying", "cancelling", "closed"},
    "verifying": {"closed"},
    "cancelling": {"offered", "running", "rebooting", "verifying", "closed"},
    "closed": set(),
}
Rows = Mapping[int, dict[str, Any]]


@dataclass(frozen=True)
class Picture:
    """All rows of campaigns at one moment, by id."""

    campaigns: Rows
    parts: Rows
    lanes: Rows
    actions: Rows
    events: Mapping[int, int]
    facts: Rows
    decisions: int

    @property
    def told(self) -> list[Any]:
        """Everything that has to stay the same where nothing may change; when to look again is no promise."""
        campaigns = [{**one, "next_eval_at": None} for one in self.campaigns.values()]
        rows = [campaigns, *(list(one.values()) for one in (self.parts, self.lanes, self.actions))]
        return [*rows, dict(self.events), self.decisions]


TABLES = {"campaigns": "campaigns", "parts": "campaign_tenants", "lanes": "wave_lanes", "actions": "actions"}
FACTS = "SELECT id, tenant_id, state, facts_at, installed_release FROM assets WHERE controller_id IS NOT NULL"


class Watcher:
    """Takes pictures."""

    def __init__(self, dsn: str) -> None:
        self._connection = psycopg.connect(dsn, autocommit=True, row_factory=dict_row)

    def close(self) -> None:
        self._connection.close()

    def look(self) -> Picture:
        """The rows as they are committed now."""
        ask = self._connection.execute
        rows = {
            name: {row["id"]: row for row in ask(f"SELECT * FROM {table} ORDER BY id")}  # type: ignore[call-overload]
            for name, table in TABLES.items()
        }
        counted = ask("SELECT action_id, count(*) AS events FROM action_events GROUP BY 1")
        events = {row["action_id"]: row["events"] for row in counted}
        facts = {row["id"]: row for row in ask(FACTS)}
        decided = ask("SELECT count(*) AS decisions FROM decisions").fetchone()
        assert decided is not None
        return Picture(events=events, facts=facts, decisions=decided["decisions"], **rows)

    def write(self, statement: str, *values: Any) -> None:
        """Have something happen to the rows that the portal does not do by itself."""
        self._connection.execute(statement, values)  # type: ignore[call-overload]


@dataclass
class World:
    """What the test knows of the world outside of the portal."""

    # (asset, moment, label): what machines told, whatever the portal made of it.
    told: list[tuple[int, datetime, str]] = field(default_factory=list)
    night: tuple[int, bool] | None = None  # the tenant with a nightly window, and whether it still stands
    freezes: list[tuple[int | None, datetime, datetime]] = field(default_factory=list)
    withdrawn: set[int] = field(default_factory=set)
    reserve: timedelta = timedelta(seconds=1_800)

    def has_room(self, tenant_id: int, at: datetime) -> bool:
        """Whether an installation may be begun: the window and no freeze, for the whole reserve."""
        until = at + self.reserve
        if any(
            tenant in (None, tenant_id) and begins < until and ends > at
            for tenant, begins, ends in self.freezes
        ):
            return False
        if self.night != (tenant_id, True):
            return True
        # 22:00 to 04:00 in Jakarta is 15:00 to 21:00 of the same day here.
        opens = at.replace(hour=15, minute=0, second=0, microsecond=0)
        return opens <= at and until <= opens + timedelta(hours=6)


def check_step(before: Picture, after: Picture, world: World, at: datetime) -> None:
    """What holds between two pictures, and in the second one."""
    for broken in (*_actions(after, world), *_lanes(before, after), *_plans(before, after)):
        raise AssertionError(broken)
    for broken in (*_moves(before, after), *_offers(before, after, world, at)):
        raise AssertionError(broken)


def _actions(now: Picture, world: World) -> Iterator[str]:
    open_ = Counter(
        (one["tenant_id"], one["asset_id"]) for one in now.actions.values() if one["phase"] in OPEN
    )
    yield from (f"I1: {count} open actions on {asset}" for asset, count in open_.items() if count > 1)
    good = Counter(
        (one["campaign_id"], one["asset_id"]) for one in now.actions.values() if one["outcome"] == "success"
    )
    yield from (f"{key} succeeded {count} times" for key, count in good.items() if count > 1)
    last = Counter((one["campaign_id"], one["asset_id"]) for one in now.actions.values() if one["is_last"])
    yield from (f"{key} has {count} last attempts" for key, count in last.items() if count != 1)
    for one in now.actions.values():
        yield from _action(one, now, world)


def _action(one: dict[str, Any], now: Picture, world: World) -> Iterator[str]:
    lane, campaign = now.lanes[one["lane_id"]], now.campaigns[one["campaign_id"]]
    if one["phase"] == "closed" and not now.events.get(one["id"]):
        yield f"I5: action {one['id']} closed as {one['outcome']} without an event"
    mixed = {one["tenant_id"], lane["tenant_id"], now.facts[one["asset_id"]]["tenant_id"]}
    if len(mixed) > 1 or one["tenant_id"] not in campaign["tenant_ids"]:
        yield f"I9: action {one['id']} mixes tenants {mixed}"
    if one["outcome"] == "success":
        label = f"{lane['release_name']}/{lane['release_version']}"
        begun = one["started_at"] or one["retrieved_at"] or one["offered_at"]
        proven = begun is not None and any(
            asset == one["asset_id"] and begun < at <= one["closed_at"] and said == label
            for asset, at, said in world.told
        )
        if not proven:
            yield f"I11: action {one['id']} succeeded without a proof"


def _plans(before: Picture, now: Picture) -> Iterator[str]:
    for one in now.campaigns.values():
        if one["plan"] is not None and plan_hash(one["plan"]) != one["plan_sha256"]:
            yield f"I7: the plan of campaign {one['id']} is not the hashed one"
        old = before.campaigns.get(one["id"])
        if old and old["decided_at"] and old["plan_sha256"] != one["plan_sha256"]:
            yield f"I7: the approved plan of campaign {one['id']} was replaced"


def _lanes(before: Picture, now: Picture) -> Iterator[str]:
    for lane in now.lanes.values():
        old = before.lanes.get(lane["id"])
        was = old["state"] if old else "planned"
        if was == "passed" and lane["state"] != "passed" and not lane["is_catch_up"]:
            yield f"lane {lane['id']} passed and is {lane['state']} now"
        opened = was in ("planned", "waiting") and lane["state"] in ("open", "soaking", "passed", "failed")
        if opened and not lane["is_catch_up"]:
            yield from _opened(lane, before, now)
        if lane["opened_at"] is not None and lane["state"] != "planned":
            yield from _members(lane, now)


def _opened(lane: dict[str, Any], before: Picture, now: Picture) -> Iterator[str]:
    others = [one for one in now.lanes.values() if one["campaign_id"] == lane["campaign_id"]]
    for one in others:
        is_own = one["tenant_id"] == lane["tenant_id"] and one["ordinal"] < lane["ordinal"]
        is_before = one["ordinal"] == lane["ordinal"] - 1 and not one["is_catch_up"]
        if is_own and not _let_on(one, own=True):
            yield f"I3: lane {lane['id']} opened while wave {one['ordinal']} of its client is {one['state']}"
        if is_before and _consents(one, now) and not _let_on(one, own=False):
            yield f"I3: lane {lane['id']} opened while lane {one['id']} before it is {one['state']}"
    if now.campaigns[lane["campaign_id"]]["started_at"] is None:
        yield f"lane {lane['id']} opened before its campaign"
    if not _consents(lane, before):
        yield f"lane {lane['id']} opened without consent"


def _let_on(lane: dict[str, Any], *, own: bool) -> bool:
    """Passed, or looked at by people, or without anybody in it."""
    empty = lane["reason"] == "no members" or not own
    return lane["state"] == "passed" or (lane["state"] == "skipped" and (lane["is_waived"] or empty))


def _consents(lane: dict[str, Any], picture: Picture) -> bool:
    return any(
        part["consent"] in ("consented", "not_needed")
        for part in picture.parts.values()
        if (part["campaign_id"], part["tenant_id"]) == (lane["campaign_id"], lane["tenant_id"])
    )


def _members(lane: dict[str, Any], now: Picture) -> Iterator[str]:
    """N is who was there at the opening, and stays so (I6)."""
    here = [one for one in now.actions.values() if one["lane_id"] == lane["id"]]
    absent = {one["asset_id"] for one in here if one["reason_code"] == "asset not active"}
    there = {one["asset_id"] for one in here} - absent
    early = {
        one["asset_id"]
        for one in here
        if one["phase"] == "closed" and one["closed_at"] < lane["opened_at"] and one["asset_id"] in there
    }
    if lane["member_count"] != len(there - early):
        yield f"I6: lane {lane['id']} shows {lane['member_count']} members and has {sorted(there - early)}"


def _moves(before: Picture, now: Picture) -> Iterator[str]:
    for one in now.actions.values():
        old = before.actions.get(one["id"])
        if old is None or old["phase"] == one["phase"] == "closed":
            yield from _amended(old, one)
        elif old["phase"] != one["phase"] and one["phase"] not in AFTER[old["phase"]]:
            yield f"I4: action {one['id']} went from {old['phase']} to {one['phase']}"
        elif (old["phase"], one["phase"]) == ("offered", "eligible") and old["retrieved_at"]:
            yield f"I4: action {one['id']} was taken back after it was fetched"


def _amended(old: dict[str, Any] | None, one: dict[str, Any]) -> Iterator[str]:
    """An end stays, but for the one way in which a guess is corrected."""
    if old is None or old["outcome"] == one["outcome"]:
        return
    if old["outcome"] not in GUESSES or one["outcome"] not in ("success", "failed"):
        yield f"action {one['id']} ended as {old['outcome']} and then as {one['outcome']}"


def _offers(before: Picture, now: Picture, world: World, at: datetime) -> Iterator[str]:
    for one in now.actions.values():
        old = before.actions.get(one["id"])
        is_offered = one["offers"] > (old["offers"] if old else 0)
        is_fetched = one["phase"] == "offered" and one["retrieved_at"] and not (old and old["retrieved_at"])
        if is_offered or is_fetched:
            what = f"action {one['id']} was {'offered' if is_offered else 'handed out'}"
            yield from _unfounded(what, one, before, now, world, at)


def _unfounded(
    what: str, one: dict[str, Any], before: Picture, now: Picture, world: World, at: datetime
) -> Iterator[str]:
    for picture in (before, now):
        yield from _closed_door(what, one, picture)
    if not world.has_room(one["tenant_id"], at):
        yield f"I2: {what} outside the window"
    if now.facts[one["asset_id"]]["state"] != "active":
        yield f"{what} to a machine that is {now.facts[one['asset_id']]['state']}"
    if one["campaign_id"] in world.withdrawn:
        yield f"{what} though its release was withdrawn"
    if one["not_before"] and one["not_before"] > at:
        yield f"{what} before its time"


def _closed_door(what: str, one: dict[str, Any], picture: Picture) -> Iterator[str]:
    lane, campaign = picture.lanes[one["lane_id"]], picture.campaigns[one["campaign_id"]]
    if campaign["state"] != "running":
        yield f"I2, I8: {what} while its campaign was {campaign['state']}"
    if lane["state"] != "open":
        yield f"I2: {what} while its lane was {lane['state']}"
    if not _consents(lane, picture):
        yield f"I2: {what} without consent"
