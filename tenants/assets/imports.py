"""Assets from a table: first what would happen, line by line, then doing it."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from flask_babel import lazy_gettext as _l
from sqlalchemy.exc import IntegrityError

from tenants.assets import queries, rules
from tenants.assets.models import Asset
from tenants.assets.rules import Entered
from tenants.assets.services import changes
from tenants.assets.sheets import Line, Sheet, pick
from tenants.audit import services as audit
from tenants.foundation.actor import Actor
from tenants.foundation.db import db
from tenants.foundation.errors import Conflict, Invalid
from tenants.tenancy.queries import list_sites

Problem = tuple[int, str, Any]


@dataclass(frozen=True, slots=True)
class Step:
    """What a row asks for: a new asset, or changed columns of one that exists."""

    line: int
    entered: Entered
    asset: Asset | None
    changed: Mapping[str, Any]


@dataclass(slots=True)
class Plan:
    """What an import would do: additions, changes, rows that change nothing, and problems by line."""

    added: list[Step] = field(default_factory=list)
    changed: list[Step] = field(default_factory=list)
    unchanged: int = 0
    problems: list[Problem] = field(default_factory=list)


def plan_import(tenant_id: int, sheet: Sheet, mapping: Mapping[str, int]) -> Plan:
    """Work out what each row means for this client's assets; nothing is written. Raises Invalid without a name column.

    A row means the asset with its serial number, else the one with its name unless both have serial numbers. Columns
    that the file lacks stay as they are.
    """
    if "name" not in mapping:
        raise Invalid("mapping", _l("Choose the column that holds the asset's name."))
    return _Planner(tenant_id, sheet, mapping).plan()


def apply_import(
    tenant_id: int, plan: Plan, *, skip_bad: bool, file_name: str, by: Actor, at: datetime
) -> tuple[int, int]:
    """Do what was planned: all or nothing, or with `skip_bad` the good rows. Returns how many were added and changed.

    Raises Invalid when there are bad rows that are not to be skipped, and Conflict when somebody was faster.
    """
    if plan.problems and not skip_bad:
        raise Invalid("file", _l("Nothing was imported, because some rows need mending."))
    try:
        with db.session.begin_nested():
            _write(tenant_id, plan, at)
    except IntegrityError as error:
        raise Conflict(_l("Somebody else changed these assets meanwhile. Check the file again.")) from error
    counts = {"added": len(plan.added), "changed": len(plan.changed), "skipped": len(plan.problems)}
    detail = {"file": file_name[:200], **counts}
    audit.record("assets.imported", tenant_id=tenant_id, by=by, object="assets", at=at, detail=detail)
    return counts["added"], counts["changed"]


def _write(tenant_id: int, plan: Plan, at: datetime) -> None:
    for step in plan.changed:
        assert step.asset is not None
        for name, value in step.changed.items():
            setattr(step.asset, name, value)
        step.asset.rev += 1
    db.session.add_all([_new(tenant_id, step.entered, at) for step in plan.added])
    db.session.flush()


def _new(tenant_id: int, entered: Entered, at: datetime) -> Asset:
    return Asset(
        tenant_id=tenant_id,
        name=entered.name,
        kind=entered.kind,
        site_id=entered.site_id,
        serial=entered.serial or None,
        tags=list(entered.tags),
        notes=entered.notes,
        controller_id=entered.controller_id or None,
        created_at=at,
    )


class _Planner:
    """Holds what rows are compared with: the client's sites, assets alike, and what earlier rows took."""

    def __init__(self, tenant_id: int, sheet: Sheet, mapping: Mapping[str, int]) -> None:
        self._sheet = sheet
        self._mapping = mapping
        self._sites = {site.name.casefold(): site.id for site in list_sites(tenant_id)}
        alike = queries.list_matching(
            tenant_id,
            names=self._column("name"),
            serials=self._column("serial"),
            controllers=self._column("controller_id"),
        )
        living = [asset for asset in alike if asset.state != "retired"]
        self._by_serial = {asset.serial: asset for asset in living if asset.serial}
        self._by_controller = {asset.controller_id: asset for asset in alike if asset.controller_id}
        self._by_name: dict[str, list[Asset]] = {}
        for asset in living:
            self._by_name.setdefault(asset.name, []).append(asset)
        self._seen: dict[tuple[str, str], int] = {}

    def _column(self, name: str) -> Sequence[str]:
        return sorted({text for line in self._sheet.lines if (text := pick(line, self._mapping, name))})

    def plan(self) -> Plan:
        plan = Plan()
        for line in self._sheet.lines:
            asset, ambiguous = self._meant(line)
            entered, problems = self._entered(line, asset)
            problems += [*rules.problems(entered), *self._clashes(line, entered, asset)]
            if ambiguous:
                problems.append(("name", _l("Several assets have this name. Add a serial number.")))
            if problems:
                plan.problems += [(line.number, name, message) for name, message in problems]
            else:
                self._sort(plan, Step(line.number, entered, asset, changes(asset, entered) if asset else {}))
        return plan

    @staticmethod
    def _sort(plan: Plan, step: Step) -> None:
        if step.asset is None:
            plan.added.append(step)
        elif step.changed:
            plan.changed.append(step)
        else:
            plan.unchanged += 1

    def _text(self, line: Line, name: str) -> str:
        return pick(line, self._mapping, name) or ""

    def _meant(self, line: Line) -> tuple[Asset | None, bool]:
        serial = self._text(line, "serial")
        if serial in self._by_serial:
            return self._by_serial[serial], False
        named = [
            one for one in self._by_name.get(self._text(line, "name"), []) if not (serial and one.serial)
        ]
        return (named[0] if named else None), len(named) > 1

    def _entered(self, line: Line, asset: Asset | None) -> tuple[Entered, list[tuple[str, Any]]]:
        """The row as people would have entered it; what the file lacks is the asset's own."""
        has = {name for name in self._mapping if pick(line, self._mapping, name) is not None}
        site_id, problems = self._site(line) if "site" in has else (asset.site_id if asset else None, [])
        kind = self._text(line, "kind").lower()
        kept = asset or Asset(kind="workstation", serial=None, tags=[], notes="")
        entered = Entered(
            name=self._text(line, "name"),
            kind=kind or kept.kind,
            site_id=site_id,
            serial=(self._text(line, "serial") if "serial" in has else kept.serial) or None,
            tags=rules.split_tags(self._text(line, "tags")) if "tags" in has else tuple(kept.tags),
            notes=self._text(line, "notes") if "notes" in has else kept.notes,
            controller_id=self._text(line, "controller_id") or None,
        )
        return entered, problems

    def _site(self, line: Line) -> tuple[int | None, list[tuple[str, Any]]]:
        name = self._text(line, "site")
        if not name:
            return None, []
        found = self._sites.get(name.casefold())
        unknown = _l("This client has no site of this name. Add the site first.")
        return found, [] if found else [("site", unknown)]

    def _clashes(self, line: Line, entered: Entered, asset: Asset | None) -> Iterator[tuple[str, Any]]:
        yield from self._twice(line, entered, asset)
        holder = self._by_controller.get(entered.controller_id or "")
        if holder is not None and holder is not asset:
            yield "controller_id", _l("Another asset of this client has this agent id.")
        if asset and asset.controller_id and entered.controller_id not in (None, asset.controller_id):
            yield "controller_id", _l("The agent id of an asset never changes.")

    def _twice(self, line: Line, entered: Entered, asset: Asset | None) -> Iterator[tuple[str, Any]]:
        unnumbered = None if entered.serial else entered.name
        keys = {
            "serial": entered.serial,
            "controller_id": entered.controller_id,
            "name": f"\0{asset.id}" if asset else unnumbered,
        }
        for name, value in keys.items():
            if value:
                first = self._seen.setdefault((name, value), line.number)
                if first != line.number:
                    yield name, _l("Line %(number)s means the same asset.", number=first)
