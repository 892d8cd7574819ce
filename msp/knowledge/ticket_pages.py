"""Where knowledge meets tickets: links, known errors of assets, drafts from what was resolved, runbooks at work."""

from typing import Any

from flask import flash, redirect, render_template, request, url_for
from flask_babel import gettext as _

from msp.knowledge import links, queries, runbooks
from msp.knowledge.blueprint import bp
from msp.knowledge.drafting import body_of, draft_from
from msp.knowledge.editor_pages import done, edit, render_article, title_of, today
from msp.knowledge.forms import ArticleForm, LinkForm, TieForm, begun
from msp.knowledge.models import Article
from msp.knowledge.searching import Hit, list_for_assets, list_for_category, list_for_problems, offer
from msp.knowledge.words import WHY_WORDS
from msp.web.access import actor, require
from msp.web.acting import acted
from msp.web.fields import options
from msp.web.languages import reader_language
from msp.web.panels import Panel
from tenants.assets.models import Asset
from tenants.assets.queries import list_choices
from tenants.foundation import time
from tenants.foundation.db import db
from tenants.foundation.errors import Conflict, Invalid, NotFound
from tenants.foundation.permissions import Permission
from tenants.tenancy.queries import find_tenant, list_all_tenants
from tenants.tickets.categories import read_tree
from tenants.tickets.models import Ticket
from tenants.tickets.places import list_further_assets
from tenants.tickets.queries import find_ticket

OFFERED = 4


def build_panel(*, staff: bool, **_given: Any) -> Panel | None:
    """On a ticket's page for staff: the place where `show_known` puts its answer."""
    return ("knowledge/ticket_panel.html", {}) if staff else None


@bp.get("/console/knowledge/tickets/<code>")
@require(Permission.VIEW_DESK)
def show_known(code: str) -> Any:
    """What is known of a ticket's matter, what it is linked with, and runbooks under way.

    A piece of the ticket's page for scripts, a page of its own without them.
    """
    ticket = find_ticket(code, by=actor())
    linked = queries.list_linked_articles(ticket, by=actor())
    known = {article.id for _link, article in linked}
    return render_template(
        "knowledge/_known.html" if "HX-Request" in request.headers else "knowledge/show_known.html",
        ticket=ticket,
        linked=linked,
        hits=[one for one in _offered(ticket) if one.edition.article_id not in known],
        runs=runbooks.list_runs(ticket),
        why=WHY_WORDS,
        article_title=title_of,
    )


def _offered(ticket: Ticket) -> list[Hit]:
    """What is known of its problem first, then of its assets, what was written for the category, and similar words."""
    reader = queries.reader_for(actor(), ticket.tenant_id)
    assets = [ticket.asset_id, *(one.id for one in list_further_assets(ticket))]
    found = [
        *list_for_problems(ticket, reader, reader_language()),
        *list_for_assets(ticket.tenant_id, [one for one in assets if one], reader, reader_language()),
        *list_for_category(ticket.category_id, reader, reader_language()),
        *offer(ticket.subject, reader, reader_language()),
    ]
    each = {one.edition.article_id: one for one in reversed(found)}
    return sorted(each.values(), key=found.index)[:OFFERED]


@bp.post("/console/knowledge/tickets/<code>/links")
@require(Permission.WORK_TICKETS)
def link_article(code: str) -> Any:
    """Say that an article helped, that the ticket's asset has a known error, or take a link back."""
    ticket = find_ticket(code, by=actor())
    article = queries.find_article(request.form.get("article", ""), by=actor())
    what = request.form.get("what", "used")
    if what == "remove":
        links.unlink_ticket(article, ticket, by=actor(), at=time.now())
    else:
        _link(article, ticket, what)
    db.session.commit()
    flash(_("The link is taken back.") if what == "remove" else _("Linked."), "good")
    return redirect(url_for("desk.show_ticket", code=ticket.code, _anchor="knowledge"))


def _link(article: Article, ticket: Ticket, what: str) -> None:
    if what == "asset":
        asset = next((one for one in list_choices(ticket.tenant_id) if one.id == ticket.asset_id), None)
        if asset is None:
            raise Conflict(_("The ticket has no asset."))
        links.tie_asset(article, asset, by=actor(), at=time.now())
    links.link_ticket(article, ticket, how="used" if what == "asset" else what, by=actor(), at=time.now())


@bp.route("/console/knowledge/tickets/<code>/draft", methods=["GET", "POST"])
@require(Permission.WRITE_ARTICLES)
def draft_article(code: str) -> Any:
    """Begin an article from a resolved ticket: somebody reads it before it is saved, and somebody publishes it."""
    ticket = find_ticket(code, by=actor())
    if ticket.state not in ("resolved", "closed"):
        raise Conflict(_("Articles are begun from tickets that are resolved."))
    kind = "known_error" if ticket.kind == "problem" else "article"
    form = ArticleForm(data=_begun(ticket, kind) if request.method == "GET" else None)
    how = "problem" if kind == "known_error" else "drafted"

    def saved(article: Article) -> None:
        links.link_ticket(article, ticket, how=how, by=actor(), at=time.now())

    return edit(form, None, kind, ticket=ticket, saved=saved)


def _begun(ticket: Ticket, kind: str) -> dict[str, Any]:
    told, own = draft_from(ticket, by=actor()), reader_language()
    values = {f"title_{own}": told.title[:160], "category": read_tree().key(ticket.category_id)}
    if kind == "known_error":
        parts = {"symptom": told.symptoms, "cause": told.cause, "workaround": told.solution}
        values |= {f"{part}_{own}": text for part, text in parts.items()}
    else:
        values[f"body_{own}"] = body_of(told)
    return begun(today(), slug="", **values)


@bp.route("/console/knowledge/tickets/<code>/runbooks", methods=["GET", "POST"])
@require(Permission.WORK_TICKETS)
def start_runbook(code: str) -> Any:
    """Choose a runbook for a ticket; its steps are copied."""
    ticket = find_ticket(code, by=actor())
    if request.method == "GET":
        reader = queries.reader_for(actor(), ticket.tenant_id)
        found = queries.list_editions(reader, reader_language(), kinds=("runbook",))
        return render_template("knowledge/start_runbook.html", ticket=ticket, runbooks=found)
    article = queries.find_article(request.form.get("runbook", ""), by=actor())
    run = runbooks.start_runbook(ticket, article, language=reader_language(), by=actor(), at=time.now())
    db.session.commit()
    flash(_("The runbook is started. Each step is told in the ticket, among staff."), "good")
    return redirect(url_for("knowledge.show_run", run=run.public_id))


@bp.get("/console/knowledge/runs/<run>")
@require(Permission.VIEW_DESK)
def show_run(run: str) -> Any:
    """A runbook under way: what is done, by whom, and what comes next."""
    view, ticket = runbooks.find_run(run)
    return render_template("knowledge/show_run.html", view=view, ticket=ticket)


@bp.post("/console/knowledge/runs/<run>/steps/<int:place>")
@require(Permission.WORK_TICKETS)
def tick_step(run: str, place: int) -> Any:
    """A step is done, or was not after all."""
    view, ticket = runbooks.find_run(run)
    if request.form.get("what") == "back":
        runbooks.take_back_step(view.run, ticket, place, by=actor(), at=time.now())
    else:
        note = request.form.get("note", "")
        runbooks.tick_step(view.run, ticket, place, note=note, by=actor(), at=time.now())
    db.session.commit()
    return redirect(url_for("knowledge.show_run", run=run, _anchor=f"step-{place}"))


@bp.post("/console/knowledge/articles/<slug>/tickets")
@require(Permission.WORK_TICKETS)
def link_ticket(slug: str) -> Any:
    """Link an article with a ticket, by its code."""
    article, form = queries.find_article(slug, by=actor()), LinkForm()

    def link() -> None:
        try:
            ticket = find_ticket(form.code.data or "", by=actor())
        except NotFound as wrong:
            raise Invalid("code", _("This code is not known. Check your typing.")) from wrong
        links.link_ticket(article, ticket, how=form.how.data, by=actor(), at=time.now())

    return done(article, _("Linked.")) if acted(form, link) else render_article(article, link=form)


@bp.post("/console/knowledge/articles/<slug>/assets")
@require(Permission.WORK_TICKETS)
def tie_asset(slug: str) -> Any:
    """Tie a known error to an asset, by its client and name, or take that back."""
    article, form = queries.find_article(slug, by=actor()), TieForm()
    form.client.choices = options((one.slug, one.name) for one in list_all_tenants())

    def tie() -> None:
        act = links.untie_asset if request.form.get("what") == "remove" else links.tie_asset
        act(article, _asset(form), by=actor(), at=time.now())

    return done(article, _("Noted.")) if acted(form, tie) else render_article(article, tie=form)


def _asset(form: TieForm) -> Asset:
    tenant = find_tenant(form.client.data or "")
    typed = (form.asset.data or "").strip().lower()
    found = [one for one in list_choices(tenant.id) if one.name.lower() == typed]
    if not found:
        raise Invalid("asset", _("This client has no asset of that name."))
    return found[0]
