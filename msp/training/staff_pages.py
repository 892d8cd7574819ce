"""Pages of training for staff: what is proposed, what is planned, and what came of what was held."""

from typing import Any

from flask import Response, redirect, render_template, request, url_for
from flask_babel import gettext as _

from msp.training.blueprint import bp
from msp.training.effects import effects_of
from msp.training.forms import RefuseForm
from msp.training.planning import Planning
from msp.training.proposals import list_proposals, list_refusals, refuse_proposal
from msp.training.queries import Listed, list_classes
from msp.training.rules import LEAST_REQUESTERS, LEAST_TICKETS
from msp.training.services import plan_class as keep_class
from msp.training.words import STATES, Told, each_words, head_words, language, tell_effect
from msp.web.access import actor, require
from msp.web.acting import acted, form_status
from tenants.assets.sheets import write_sheet
from tenants.foundation import time
from tenants.foundation.errors import NotFound
from tenants.foundation.permissions import Permission
from tenants.tenancy.queries import find_tenant, list_tenant_names, names_of
from tenants.tickets.categories import find_category, read_tree


@bp.get("/training")
@require(Permission.VIEW_DESK)
def show_training() -> Any:
    """What clients ask again and again, the classes ahead, and those that are over."""
    now = time.now()
    proposals, refusals = list_proposals(at=now), list_refusals(at=now)
    planned, over = list_classes("planned"), list_classes("held", "cancelled", limit=25)
    shown = [one.tenant_id for one in proposals.items] + [one.tenant_id for one in refusals]
    shown += [one.row.tenant_id for one in (*planned, *over)]
    return render_template(
        "training/show_training.html",
        proposals=proposals,
        refusals=refusals,
        coming=[one for one in planned if one.row.begins_at > now],
        begun=[one for one in planned if one.row.begins_at <= now],
        over=over,
        tenants=names_of(shown),
        clients=[(one.slug, one.name) for one in list_tenant_names() if one.kind == "client"],
        tree=read_tree(),
        language=language(),
        least=(LEAST_TICKETS, LEAST_REQUESTERS),
        states=STATES,
        each=each_words,
    )


@bp.get("/training/plan")
@require(Permission.MANAGE_TRAINING)
def choose_client() -> Any:
    """From the choice of a client to the form of a class for it."""
    tenant = find_tenant(request.args.get("tenant", ""))
    return redirect(url_for("training.plan_class", slug=tenant.slug))


@bp.route("/training/tenants/<slug>/plan", methods=["GET", "POST"])
@require(Permission.MANAGE_TRAINING)
def plan_class(slug: str) -> Any:
    """Plan a class for a client."""
    tenant = find_tenant(slug)
    if tenant.kind != "client":
        raise NotFound
    page, made = Planning(tenant, None, request.args.get("category", "")), []

    def plan() -> None:
        key = page.form.request_key.data
        made.append(
            keep_class(tenant.id, page.category, page.typed, by=actor(), at=time.now(), request_key=key)
        )

    if acted(page.form, plan):
        return redirect(url_for("training.invite_people", class_id=made[0].public_id))
    return render_template("training/edit_class.html", form=page.form, tenant=tenant, row=None), form_status()


@bp.route("/training/tenants/<slug>/refuse", methods=["GET", "POST"])
@require(Permission.MANAGE_TRAINING)
def refuse_class(slug: str) -> Any:
    """Not now: put a proposal off."""
    tenant, category = find_tenant(slug), find_category(request.args.get("category", ""))
    form = RefuseForm()
    if acted(
        form,
        lambda: refuse_proposal(
            tenant.id, category, reason=form.reason.data or "", by=actor(), at=time.now()
        ),
    ):
        return redirect(url_for("training.show_training"))
    name = read_tree().path(category.id, language())
    return render_template(
        "training/refuse_class.html", form=form, tenant=tenant, category=name
    ), form_status()


@bp.get("/training/results")
@require(Permission.VIEW_DESK)
def list_results() -> Any:
    """What came of every class that was held."""
    held, told = _results()
    return render_template(
        "training/list_results.html",
        held=held,
        told=told,
        tenants=names_of([one.row.tenant_id for one in held]),
        tree=read_tree(),
        language=language(),
        each=each_words,
    )


@bp.get("/training/results.csv")
@require(Permission.VIEW_DESK)
def export_results() -> Response:
    """The same as a file: two lines for each class."""
    held, told = _results()
    tenants, tree = names_of([one.row.tenant_id for one in held]), read_tree()
    head = [_("Client"), _("Category"), _("Title"), _("Begins at"), *head_words(), _("Finding")]
    rows = [
        [
            tenants[one.row.tenant_id].name if one.row.tenant_id in tenants else "",
            tree.path(one.row.category_id, language()),
            one.row.title,
            one.row.begins_at.isoformat(),
            *line,
            told[one.row.id].finding,
        ]
        for one in held
        for line in told[one.row.id].rows
    ]
    return csv_answer(head, rows, "training")


def _results() -> tuple[list[Listed], dict[int, Told]]:
    held, now = list(list_classes("held")), time.now()
    effects = effects_of([one.row.id for one in held], at=now)
    told = {one.row.id: tell_effect(effects[one.row.id], one.row.begins_at, now) for one in held}
    return held, told


def csv_answer(head: list[str], rows: list[list[Any]], name: str) -> Response:
    """Figures as a file."""
    answer = Response(write_sheet(head, rows), mimetype="text/csv")
    answer.headers["Content-Disposition"] = f'attachment; filename="{name}-{time.now():%Y%m%d}.csv"'
    answer.headers["Cache-Control"] = "no-store"
    return answer
