"""Pages of plans for staff: the list, a plan with its history, and the form with the dates that follow from it."""

from datetime import datetime
from typing import Any

from flask import render_template, request, url_for
from flask_babel import gettext as _

from msp.upkeep import queries, services
from msp.upkeep.answers import answer_done, answer_form
from msp.upkeep.blueprint import bp
from msp.upkeep.forms import PlanForm
from msp.upkeep.models import MaintenancePlan
from msp.upkeep.rules import day_of
from msp.upkeep.words import BECOMES_WORDS
from msp.web.access import actor, require
from msp.web.paging import asked, cut
from msp.windows.forms import values_of
from msp.windows.rules import Recurring, next_spans
from tenants.assets.queries import list_choices
from tenants.foundation import time
from tenants.foundation.permissions import Permission
from tenants.foundation.spans import Span
from tenants.people.models import StaffMember
from tenants.tenancy.models import Tenant
from tenants.tenancy.queries import find_tenant, list_all_tenants, list_sites, names_of, site_of
from tenants.tickets.assignments import list_engineers

# Where a service's refusal is shown, if its field is called otherwise on the form.
SHOWN_AT = {"person": "who", "tier": "who"}


@bp.get("/console/upkeep")
@require(Permission.VIEW_CAMPAIGNS)
def list_plans() -> Any:
    """Recurring maintenance of the clients one is granted, or of one of them."""
    tenant = find_tenant(request.args["tenant"]) if request.args.get("tenant") else None
    tenants = {one.id: one for one in list_all_tenants()}
    return render_template(
        "upkeep/list_plans.html",
        plans=queries.list_plans([tenant.id] if tenant else sorted(tenants)),
        tenants=tenants,
        clients=[(one.slug, one.name) for one in tenants.values()],
        tenant=tenant,
        next_of=_next_of,
    )


def _next_of(plan: MaintenancePlan) -> Span | None:
    """The plan's next time; None while it is paused."""
    if plan.look_at is None:
        return None
    found = next_spans(queries.recurring(plan), max(plan.settled_until, time.now()), 1)
    return found[0] if found else None


@bp.get("/console/upkeep/<plan>")
@require(Permission.VIEW_CAMPAIGNS)
def show_plan(plan: str) -> Any:
    """One plan: what it says, when it comes next, and what became of each time."""
    found = queries.find_plan(plan)
    after, limit = asked(datetime)
    rows = queries.list_occurrences(found, by=actor(), before=after[0] if after else None, limit=limit)
    return render_template(
        "upkeep/show_plan.html",
        tenant=names_of([found.tenant_id])[found.tenant_id],
        page=cut(rows, limit, lambda row: [row[0].begins_at]),
        **plan_parts(found),
    )


def plan_parts(found: MaintenancePlan) -> dict[str, Any]:
    """What pages of staff and of clients show of a plan."""
    is_live = found.ended_at is None and found.paused_at is None
    after = max(found.settled_until, time.now())
    return {
        "plan": found,
        "dates": next_spans(queries.recurring(found), after, 5) if is_live else [],
        "assets": queries.assets_of(found),
        "site": site_of(found.tenant_id, found.site_id),
        "becomes_words": BECOMES_WORDS,
    }


@bp.route("/console/tenants/<slug>/upkeep/new", methods=["GET", "POST"])
@require(Permission.ASSIGN_TICKETS)
def add_plan(slug: str) -> Any:
    """Plan upkeep at a client; the dates are looked at before it is saved."""
    tenant = find_tenant(slug)
    form = PlanForm(data=_begun(tenant) if request.method == "GET" else None)
    return _answer(form, tenant, None)


def _begun(tenant: Tenant) -> dict[str, Any]:
    today = day_of(time.now(), tenant.time_zone)
    return {"first_on": today, "time_zone": tenant.time_zone, "repeat": "monthly", "who": "L1"}


@bp.route("/console/upkeep/<plan>/edit", methods=["GET", "POST"])
@require(Permission.ASSIGN_TICKETS)
def change_plan(plan: str) -> Any:
    """Change a plan for the times that have not become tickets yet."""
    found = queries.find_plan(plan)
    tenant = names_of([found.tenant_id])[found.tenant_id]
    form = PlanForm(data=_values(found) if request.method == "GET" else None)
    return _answer(form, tenant, found)


def _values(found: MaintenancePlan) -> dict[str, Any]:
    site = site_of(found.tenant_id, found.site_id)
    people = {one.user_id: str(one.public_id) for one in list_engineers(found.tenant_id)}
    return {
        **values_of(queries.recurring(found)),
        "title": found.title,
        "checklist": "\n".join(found.checklist),
        "becomes": found.becomes,
        "lead_days": found.lead_days,
        "who": people.get(found.user_id or 0, found.tier),
        "site": str(site.public_id) if site else "",
        "assets": [str(one.public_id) for one in queries.assets_of(found)],
    }


def _answer(form: PlanForm, tenant: Tenant, found: MaintenancePlan | None) -> Any:
    people = list_engineers(tenant.id)
    form.offer(people, list_sites(tenant.id), list_choices(tenant.id))
    return answer_form(
        form,
        "upkeep/edit_plan.html",
        lambda recurring: _save(tenant, found, _said(form, tenant, people, recurring)),
        places=SHOWN_AT,
        tenant=tenant,
        plan=found,
    )


def _said(form: PlanForm, tenant: Tenant, people: Any, recurring: Recurring) -> services.Plan:
    person: StaffMember | None = next((one for one in people if str(one.public_id) == form.who.data), None)
    sites = {str(one.public_id): one for one in list_sites(tenant.id)}
    chosen = set(form.assets.data or ())
    return services.Plan(
        title=form.title.data or "",
        rule=recurring,
        checklist=form.lines(),
        becomes=form.becomes.data,
        tier=(person.tier if person else form.who.data) or "L1",
        user_id=person.user_id if person else None,
        site=sites.get(form.site.data or ""),
        assets=[one for one in list_choices(tenant.id) if str(one.public_id) in chosen],
        lead_days=form.lead_days.data,
    )


def _save(tenant: Tenant, found: MaintenancePlan | None, said: services.Plan) -> Any:
    if found is None:
        found = services.add_plan(tenant.id, said, by=actor(), at=time.now())
    else:
        services.change_plan(found, said, by=actor(), at=time.now())
    return _done(found, _("%(name)s is saved.", name=found.title))


@bp.post("/console/upkeep/<plan>/pause")
@require(Permission.ASSIGN_TICKETS)
def pause_plan(plan: str) -> Any:
    """Let nothing come of a plan for now."""
    found = queries.find_plan(plan)
    services.pause_plan(found, by=actor(), at=time.now())
    return _done(found, _("The plan is paused. Tickets that are open stay open."))


@bp.post("/console/upkeep/<plan>/resume")
@require(Permission.ASSIGN_TICKETS)
def resume_plan(plan: str) -> Any:
    """Let a plan go on from now."""
    found = queries.find_plan(plan)
    services.resume_plan(found, by=actor(), at=time.now())
    return _done(found, _("The plan goes on."))


@bp.route("/console/upkeep/<plan>/end", methods=["GET", "POST"])
@require(Permission.ASSIGN_TICKETS)
def end_plan(plan: str) -> Any:
    """End a plan for good, after saying what that means."""
    found = queries.find_plan(plan)
    if request.method == "GET":
        tenant = names_of([found.tenant_id])[found.tenant_id]
        return render_template("upkeep/end_plan.html", plan=found, tenant=tenant)
    services.end_plan(found, by=actor(), at=time.now())
    return _done(found, _("The plan has ended. Its history stays."))


def _done(found: MaintenancePlan, words: str) -> Any:
    return answer_done(words, url_for("upkeep.show_plan", plan=found.public_id))
