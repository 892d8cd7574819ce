"""The client's tickets: seeing, opening, answering, confirming, reopening, withdrawing."""

from datetime import datetime
from typing import Any

from flask import Response, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _

from contracts.timers.queries import badges
from msp.intake.receiving import receive_ticket
from msp.knowledge.reading_pages import count_unanswered, list_offers
from msp.portal.blueprint import bp
from msp.portal.forms import ReopenForm, WithdrawForm
from msp.portal.home import narrowed_to_tenant
from msp.threads.acting import acted, form_status, hand_out, keep_uploads
from msp.threads.choices import category_options
from msp.threads.entries import asked_line, audience_of, tell
from msp.threads.forms import ActForm, MessageForm, RatingForm, RequestForm
from msp.web.access import actor, require, tenant
from msp.web.fields import options
from msp.web.paging import asked, cut
from msp.web.panels import panels
from tenants.assets.queries import list_choices
from tenants.foundation import time
from tenants.foundation.db import db
from tenants.foundation.errors import NotFound
from tenants.foundation.permissions import Permission
from tenants.tenancy.queries import find_tenant_by_id
from tenants.tickets import merging, queries, rules, services
from tenants.tickets.attachments import FileOnTicket, find_file_of
from tenants.tickets.categories import Tree, read_tree
from tenants.tickets.follow_ups import may_follow_up
from tenants.tickets.models import Ticket
from tenants.tickets.ratings import rate_ticket as keep_rating
from tenants.tickets.stories import list_merged_messages, read_story


@bp.get("/tickets")
@require(Permission.VIEW_PORTAL)
def list_tickets() -> Any:
    """All tickets that one may see, newest first."""
    after, limit = asked(datetime, int)
    state = request.args.get("state", "")
    narrowed = narrowed_to_tenant(
        state=state if state in ("open", *rules.TRANSITIONS) else "all",
        requester=actor().id if request.args.get("mine") else None,
        q=request.args.get("q", "")[:100],
    )
    rows = queries.list_tickets(narrowed, by=actor(), after=after, limit=limit)
    page = cut(rows, limit, queries.opened_key)
    return render_template(
        "portal/list_tickets.html",
        page=page,
        badges=badges(page.items, time.now()),
        asked=request.args,
        states=tuple(rules.TRANSITIONS),
    )


@bp.route("/tickets/new", methods=["GET", "POST"])
@require(Permission.OPEN_OWN_TICKETS)
def open_ticket() -> Any:
    """Say what is wrong or what is needed."""
    company = find_tenant_by_id(tenant())
    may_choose = actor().may(Permission.VIEW_COMPANY_ASSETS)
    assets = list_choices(company.id) if may_choose else []
    form = RequestForm()
    form.asset.choices = options(
        [("", _("None, or not known")), *((str(one.public_id), one.name) for one in assets)]
    )
    tree = read_tree()
    form.category.choices = options([("", _("I do not know")), *category_options(tree, top_only=True)])
    opened: list[Ticket] = []
    looked = "look" in request.form
    if not looked and acted(form, lambda: opened.append(_open(company, form, assets, tree))):
        flash(
            _("Thank you. Your ticket is %(code)s; we answer here and by mail.", code=opened[0].code), "good"
        )
        return redirect(url_for("portal.show_ticket", code=opened[0].code))
    hits = list_offers(form.subject.data or "") if looked else []
    page = render_template(
        "portal/open_ticket.html", form=form, with_assets=bool(assets), hits=hits, looked=looked
    )
    return page, form_status()


def _open(company: Any, form: RequestForm, assets: Any, tree: Tree) -> Ticket:
    place = tree.named(form.category.data or "")
    requester = queries.find_requester(company.id, actor().id)
    if requester is None:
        raise NotFound
    asked_for = services.Request(
        subject=form.subject.data or "",
        body=form.body.data or "",
        impact=form.impact.data,
        urgency=form.urgency.data,
        kind=form.kind.data,
        requester=requester,
        source="portal",
        asset=next((one for one in assets if str(one.public_id) == form.asset.data), None),
        category=place.category if place else None,
        files=keep_uploads(company.id),
        request_key=form.request_key.data,
    )
    count_unanswered(asked_for.subject)
    return receive_ticket(company, asked_for, by=actor(), at=time.now())


@bp.get("/tickets/<code>")
@require(Permission.VIEW_PORTAL)
def show_ticket(code: str) -> Any:
    """The ticket as its requester may see it: without what staff note among themselves."""
    return render_ticket(code, MessageForm(formdata=None))


def render_ticket(code: str, form: MessageForm) -> Any:
    """The ticket's page with a composer as it was filled in."""
    view = queries.find_ticket_view(code, by=actor())
    story = read_story(view.ticket, by=actor(), before=asked_line())
    audience = audience_of(view.ticket, actor())

    def file_url(file: FileOnTicket) -> str:
        return url_for("portal.download_file", code=view.ticket.code, public_id=file.public_id)

    page = render_template(
        "portal/show_ticket.html",
        view=view,
        ticket=view.ticket,
        entries=tell(
            story.told,
            view.files,
            audience=audience,
            file_url=file_url,
            merged=list_merged_messages(view.ticket, story, by=actor()),
        ),
        audience=audience,
        story=story,
        steps=queries.list_steps(view.ticket, by=actor(), at=time.now()),
        may_say=_may_answer(view.ticket),
        may_follow_up=may_follow_up(view.ticket, time.now()),
        form=form,
        act=ActForm(formdata=None, rev=str(view.ticket.rev)),
        panels=panels(
            "ticket", ticket=view.ticket, view=view, history=story.lines, said=story.said, staff=False
        ),
    )
    return page, form_status()


def _may_answer(ticket: Ticket) -> bool:
    """Answers land where the story goes on, which the reader may have stopped to follow."""
    current = services.current_of(ticket)
    is_seen = current is ticket or queries.may_see(current, actor())
    return is_seen and rules.may_say(current.state, "public")


@bp.post("/tickets/<code>/messages")
@require(Permission.OPEN_OWN_TICKETS)
def add_message(code: str) -> Any:
    """Answer."""
    ticket = merging.find_current(code, by=actor())
    form = MessageForm()
    said = acted(
        form,
        lambda: services.add_message(
            ticket,
            body=form.body.data or "",
            kind=form.kind.data,
            by=actor(),
            at=time.now(),
            files=keep_uploads(ticket.tenant_id),
            request_key=form.request_key.data,
        ),
    )
    return redirect(url_for("portal.show_ticket", code=code)) if said else render_ticket(code, form)


@bp.get("/tickets/<code>/files/<public_id>")
@require(Permission.VIEW_PORTAL)
def download_file(code: str, public_id: str) -> Response:
    """An attachment of a message that one may read."""
    return hand_out(find_file_of(queries.find_ticket(code, by=actor()), public_id, by=actor()))


@bp.post("/tickets/<code>/confirm")
@require(Permission.OPEN_OWN_TICKETS)
def confirm_ticket(code: str) -> Any:
    """It works: the ticket is closed."""
    ticket, form = queries.find_ticket(code, by=actor()), ActForm()
    seen = form.seen if form.validate() else -1
    services.close_ticket(ticket, by=actor(), at=time.now(), rev=seen)
    db.session.commit()
    flash(_("Thank you. The ticket is closed."), "good")
    return redirect(url_for("portal.show_ticket", code=ticket.code))


@bp.route("/tickets/<code>/reopen", methods=["GET", "POST"])
@require(Permission.OPEN_OWN_TICKETS)
def reopen_ticket(code: str) -> Any:
    """It does not work after all."""
    ticket, form = queries.find_ticket(code, by=actor()), ReopenForm()
    if acted(
        form,
        lambda: services.reopen_ticket(
            ticket, because=form.because.data or "", by=actor(), at=time.now(), rev=form.seen
        ),
    ):
        flash(_("The ticket is open again."), "good")
        return redirect(url_for("portal.show_ticket", code=ticket.code))
    form.rev.data = str(ticket.rev)
    return render_template("portal/reopen_ticket.html", ticket=ticket, form=form), form_status()


@bp.route("/tickets/<code>/withdraw", methods=["GET", "POST"])
@require(Permission.OPEN_OWN_TICKETS)
def withdraw_ticket(code: str) -> Any:
    """It is not needed any more."""
    ticket, form = queries.find_ticket(code, by=actor()), WithdrawForm()
    if acted(
        form,
        lambda: services.cancel_ticket(
            ticket, reason=form.reason.data or "", by=actor(), at=time.now(), rev=form.seen
        ),
    ):
        flash(_("The ticket is cancelled."), "good")
        return redirect(url_for("portal.show_ticket", code=ticket.code))
    form.rev.data = str(ticket.rev)
    return render_template("portal/withdraw_ticket.html", ticket=ticket, form=form), form_status()


@bp.post("/tickets/<code>/rating")
@require(Permission.OPEN_OWN_TICKETS)
def rate_ticket(code: str) -> Any:
    """Say whether the solution was good."""
    ticket, form = queries.find_ticket(code, by=actor()), RatingForm()
    score, comment = form.score.data or "", form.comment.data or ""
    if acted(form, lambda: keep_rating(ticket, score=score, comment=comment, by=actor(), at=time.now())):
        flash(_("Thank you for telling us."), "good")
    for words in form.errors.values():
        flash(" ".join(map(str, words)), "risk")
    return redirect(url_for("portal.show_ticket", code=ticket.code))
