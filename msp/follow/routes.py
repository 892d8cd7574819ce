"""A requester without an account follows one ticket by a link: reads, answers, confirms, reopens, rates."""

from datetime import timedelta
from typing import Any

from flask import Flask, flash, g, redirect, render_template, request, url_for
from flask_babel import gettext as _

from contracts.timers.queries import badges
from msp.follow import asking
from msp.follow.blueprint import bp
from msp.mail import followers
from msp.portal.forms import ReopenForm
from msp.threads.acting import acted, form_status, hand_out, keep_uploads
from msp.threads.entries import asked_line, tell
from msp.threads.forms import ActForm, MessageForm, RatingForm
from msp.web.access import actor, credential
from msp.web.limits import limiter
from tenants.foundation import time
from tenants.foundation.actor import Actor, ActorKind
from tenants.foundation.db import db
from tenants.foundation.errors import Conflict, NotFound
from tenants.foundation.permissions import MemberRole
from tenants.foundation.scope import Role, Scope, enter
from tenants.tickets import queries, rules, services
from tenants.tickets.models import Ticket
from tenants.tickets.ratings import find_rating, may_rate
from tenants.tickets.ratings import rate_ticket as keep_rating
from tenants.tickets.stories import read_story

__all__ = ["asking", "bp"]
# A link in an old mail opens nothing any more.
ENDS_AFTER = timedelta(days=180)
TRIES = "60/minute"


def resolve_link() -> Scope:
    """The scope of a genuine link: its one tenant, as its client. Raises NotFound."""
    followed = followers.read_token((request.view_args or {}).get("token", ""))
    scope = Scope(Role.CLIENT, frozenset({followed.tenant_id}))
    with enter(scope):
        ticket = followers.find_followed(followed)
        name = ticket.requester_name
    g.followed = followed
    g.budget = f"follow:{followed.tenant_id}:{followed.ticket_id}"
    g.actor = Actor(
        ActorKind.USER, name, role=MemberRole.CLIENT_USER, tenants=frozenset({followed.tenant_id}), via="link"
    )
    return scope


def _ticket(*, to_rate: bool = False) -> Ticket:
    """The ticket that the link opens; one for rating opens that page alone."""
    if g.followed.purpose != "follow" and not to_rate:
        raise NotFound
    ticket = followers.find_followed(g.followed)
    if ticket.closed_at is not None and time.now() - ticket.closed_at > ENDS_AFTER:
        raise NotFound
    return ticket


@bp.get("/<token>")
@credential("follow")
@limiter.limit(TRIES)
def show_ticket(token: str) -> Any:
    """How the ticket stands, what was said, and what can be done."""
    return _page(token, _ticket(), MessageForm(formdata=None))


def _page(token: str, ticket: Ticket, form: MessageForm) -> Any:
    story = read_story(ticket, by=actor(), before=asked_line())

    def file_url(file: queries.FileOnTicket) -> str:
        return url_for("follow.download_file", token=token, public_id=file.public_id)

    now = time.now()
    page = render_template(
        "follow/show_ticket.html",
        token=token,
        ticket=ticket,
        story=story,
        entries=tell(
            story.told, queries.list_files(ticket, by=actor()), audience="requester", file_url=file_url
        ),
        steps=queries.list_steps(ticket, by=actor(), at=now),
        may_say=rules.may_say(ticket.state, "public"),
        badge=badges([ticket], now).get((ticket.tenant_id, ticket.id)) if ticket.is_open else None,
        rating=(rating := find_rating(ticket)),
        may_rate=may_rate(ticket, rating, now),
        form=form,
        act=ActForm(formdata=None, rev=str(ticket.rev)),
    )
    return page, form_status()


@bp.post("/<token>/messages")
@credential("follow")
@limiter.limit("10/minute")
def add_message(token: str) -> Any:
    """Answer."""
    ticket, form = _ticket(), MessageForm()
    if not rules.may_say(ticket.state, "public"):
        # Before any file of theirs is stored.
        raise Conflict(_("This ticket is closed. Open a new one and mention this one's code."))
    said = acted(
        form,
        lambda: services.add_message(
            ticket,
            body=form.body.data or "",
            by=actor(),
            at=time.now(),
            files=keep_uploads(ticket.tenant_id),
            request_key=form.request_key.data,
        ),
    )
    return redirect(url_for("follow.show_ticket", token=token)) if said else _page(token, ticket, form)


@bp.get("/<token>/files/<public_id>")
@credential("follow")
def download_file(token: str, public_id: str) -> Any:
    """An attachment of a public message."""
    return hand_out(queries.find_file_of(_ticket(), public_id, by=actor()))


@bp.post("/<token>/confirm")
@credential("follow")
def confirm_ticket(token: str) -> Any:
    """It works: the ticket is closed."""
    ticket, form = _ticket(), ActForm()
    services.close_ticket(ticket, by=actor(), at=time.now(), rev=form.seen if form.validate() else -1)
    db.session.commit()
    flash(_("Thank you. The ticket is closed."), "good")
    return redirect(url_for("follow.show_ticket", token=token))


@bp.route("/<token>/reopen", methods=["GET", "POST"])
@credential("follow")
def reopen_ticket(token: str) -> Any:
    """It does not work after all."""
    ticket, form = _ticket(), ReopenForm()
    if acted(
        form,
        lambda: services.reopen_ticket(
            ticket, because=form.because.data or "", by=actor(), at=time.now(), rev=form.seen
        ),
    ):
        flash(_("The ticket is open again."), "good")
        return redirect(url_for("follow.show_ticket", token=token))
    form.rev.data = str(ticket.rev)
    return render_template("follow/reopen_ticket.html", token=token, ticket=ticket, form=form), form_status()


@bp.route("/<token>/rating", methods=["GET", "POST"])
@credential("follow")
@limiter.limit(TRIES)
def rate_ticket(token: str) -> Any:
    """Say whether the solution was good; looking at the page keeps nothing, so that a mail scanner rates nothing."""
    ticket = _ticket(to_rate=True)
    form = RatingForm(score=request.args.get("score"))
    if acted(
        form,
        lambda: keep_rating(
            ticket, score=form.score.data, comment=form.comment.data or "", by=actor(), at=time.now()
        ),
    ):
        flash(_("Thank you for telling us."), "good")
        return redirect(url_for("follow.rate_ticket", token=token))
    rating = find_rating(ticket)
    return (
        render_template(
            "follow/rate_ticket.html",
            token=token,
            ticket=ticket,
            form=form,
            rating=rating,
            may_rate=may_rate(ticket, rating, time.now()),
            back=_way_back(token, ticket),
        ),
        form_status(),
    )


def _way_back(token: str, ticket: Ticket) -> str:
    if g.followed.purpose == "follow":
        return url_for("follow.show_ticket", token=token)
    return url_for("portal.show_ticket", code=ticket.code) if ticket.requester_user_id else ""


def install(app: Flask) -> None:
    """Let links be resolved, and mails carry them."""
    app.extensions["credentials"]["follow"] = resolve_link
    followers.install()
