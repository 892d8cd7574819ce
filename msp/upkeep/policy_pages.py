"""Pages of policies: the list, a policy with what it proposed, and the form with the days that follow from it."""

from typing import Any

from flask import render_template, request, url_for
from flask_babel import gettext as _

from msp.upkeep import policies, queries
from msp.upkeep.answers import answer_done, answer_form
from msp.upkeep.blueprint import bp
from msp.upkeep.forms import PolicyForm
from msp.upkeep.models import PatchPolicy
from msp.upkeep.rules import day_of
from msp.upkeep.words import SEVERITY_WORDS
from msp.web.access import actor, require
from msp.web.languages import choose_time_zone
from msp.web.paging import asked, cut
from msp.windows.rules import Recurring, next_spans
from tenants.assets.words import KIND_WORDS
from tenants.foundation import time
from tenants.foundation.permissions import Permission
from tenants.tenancy.queries import list_all_tenants, names_of


@bp.get("/console/policies")
@require(Permission.VIEW_CAMPAIGNS)
def list_policies() -> Any:
    """Policies that propose campaigns for the clients one is granted."""
    found = queries.list_policies()
    return render_template(
        "upkeep/list_policies.html",
        policies=found,
        counts=queries.count_proposals([one.id for one in found]),
        severity_words=SEVERITY_WORDS,
    )


@bp.get("/console/policies/<policy>")
@require(Permission.VIEW_CAMPAIGNS)
def show_policy(policy: str) -> Any:
    """One policy, its next days, and what it proposed."""
    found = queries.find_policy(policy)
    after, limit = asked(int)
    rows = queries.list_proposals(found, before=after[0] if after else None, limit=limit)
    named = names_of(found.tenant_ids)
    coming = next_spans(queries.recurring(found), max(found.settled_until, time.now()), 5)
    return render_template(
        "upkeep/show_policy.html",
        policy=found,
        dates=[] if found.paused_at else coming,
        page=cut(rows, limit, lambda row: [row[0].id]),
        tenants=sorted(named.values(), key=lambda one: one.name),
        hidden_clients=len(found.tenant_ids) - len(named),
        covers_all=len(named) == len(found.tenant_ids),
        asset_kinds=KIND_WORDS,
        severity_words=SEVERITY_WORDS,
    )


@bp.route("/console/policies/new", methods=["GET", "POST"])
@require(Permission.PROPOSE_CAMPAIGNS)
def add_policy() -> Any:
    """Let campaigns be proposed by themselves; the days are looked at before it is saved."""
    zone = choose_time_zone()
    begun = {"first_on": day_of(time.now(), zone), "time_zone": zone, "repeat": "monthly"}
    form = PolicyForm(data=begun if request.method == "GET" else None)
    tenants = list_all_tenants()
    form.offer(tenants)
    slugs = {tenant.slug: tenant.id for tenant in tenants}
    return answer_form(form, "upkeep/add_policy.html", lambda recurring: _save(form, slugs, recurring))


def _save(form: PolicyForm, slugs: dict[str, int], recurring: Recurring) -> Any:
    found = policies.add_policy(
        policies.Policy(
            name=form.name.data or "",
            tenant_ids=[slugs[slug] for slug in form.tenants.data or () if slug in slugs],
            rule=recurring,
            severity=form.severity.data,
            least_age_days=form.least_age_days.data,
            asset_kind=form.kind.data or "",
            tag=(form.tag.data or "").strip().lower(),
        ),
        by=actor(),
        at=time.now(),
    )
    return _done(found, _("%(name)s is saved.", name=found.name))


@bp.post("/console/policies/<policy>/pause")
@require(Permission.PROPOSE_CAMPAIGNS)
def pause_policy(policy: str) -> Any:
    """Let a policy propose nothing for now."""
    found = queries.find_policy(policy)
    policies.pause_policy(found, by=actor(), at=time.now())
    return _done(found, _("The policy is paused. What it proposed stays."))


@bp.post("/console/policies/<policy>/resume")
@require(Permission.PROPOSE_CAMPAIGNS)
def resume_policy(policy: str) -> Any:
    """Let a policy propose again from now on."""
    found = queries.find_policy(policy)
    policies.resume_policy(found, by=actor(), at=time.now())
    return _done(found, _("The policy goes on."))


def _done(found: PatchPolicy, words: str) -> Any:
    return answer_done(words, url_for("upkeep.show_policy", policy=found.public_id))
