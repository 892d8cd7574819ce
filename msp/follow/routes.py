"""A requester without an account follows one ticket by a link: reads, answers, confirms, reopens, rates."""

from datetime import timedelta
from typing import Any

from flask import Flask, flash, g, redirect, render_template, request, url_for
from flask_babel import gettext as _

from contracts.timers.queries import badges
from msp.follow import asking
from msp.follow.blueprint import bp
from msp.follow.reach import Reach, find_file, list_own_words, reach_of, without_third
from msp.intake.receiving import receive_ticket
from msp.mail import followers
from msp.portal.forms import FollowUpForm, ReopenForm
from msp.threads.acting import acted, form_status, hand_out, keep_uploads
from msp.threads.entries import asked_line, tell
from msp.threads.forms import ActForm, MessageForm, RatingForm
from msp.web.access import actor, credential
from msp.web.limits import limiter
from tenants.foundation import time
from tenants.foundation.actor import Actor, ActorKind
from tenants.foundation.db import db
from tenants.foundation.errors import Conflict, Forbidden, NotFound
from tenants.foundation.permissions import MemberRole
from tenants.foundation.scope import Role, Scope, enter
from tenants.tenancy.queries import find_tenant_by_id
from tenants.tickets import queries, rules, services
from tenants.tickets.attachments import FileOnTicket, list_files
from tenants.tickets.follow_ups import follow_up_request, may_follow_up
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


def _reached() -> Reach:
    """What the link opens; one for rating opens that page alone. Raises NotFound."""
    if g.followed.purpose != "follow":
        raise NotFound
    reach = reach_of(followers.find_followed(g.followed))
    _refuse_old(reach.current)
    return reach


def _own(reach: Reach) -> Ticket:
    """The ticket, for what its requester alone decides. Raises Forbidden."""
    if reach.side != "requester":
        raise Forbidden
    return reach.shown


def _refuse_old(ticket: Ticket) -> None:
    if ticket.closed_at is not None and time.now() - ticket.closed_at > ENDS_AFTER:
        raise NotFound


@bp.get("/<token>")
@credential("follow")
@limiter.limit(TRIES)
def show_ticket(token: str) -> Any:
    """How the ticket stands, what was said, and what can be done."""
    return _page(token, _reached(), MessageForm(formdata=None))


def _page(token: str, reach: Reach, form: MessageForm) -> Any:
    ticket, now = reach.shown, time.now()
    story = read_story(ticket, by=actor(), before=asked_line())

    def file_url(file: FileOnTicket) -> str:
        return url_for("follow.download_file", token=token, public_id=file.public_id)

    rating = find_rating(ticket)
    is_own = reach.side == "requester"
    page = render_template(
        "follow/show_ticket.html",
        token=token,
        reach=reach,
        ticket=ticket,
        story=story,
        entries=tell(
            without_third(reach, story.told),
            list_files(ticket, by=actor()),
            audience="requester" if is_own else "colleague",
            file_url=file_url,
            merged=list_own_words(reach, story, by=actor()),
        ),
        steps=queries.list_steps(ticket, by=actor(), at=now) if is_own else (),
        may_say=rules.may_say(reach.current.state, "public"),
        may_follow_up=may_follow_up(reach.current, now),
        badge=badges([ticket], now).get((ticket.tenant_id, ticket.id)) if ticket.is_open else None,
        rating=rating if is_own else None,
        may_rate=is_own and may_rate(ticket, rating, now),
        form=form,
        act=ActForm(formdata=None, rev=str(ticket.rev)),
    )
    return page, form_status()


@bp.post("/<token>/messages")
@credential("follow")
@limiter.limit("10/minute")
def add_message(token: str) -> Any:
    """Answer: where the story goes on, also for whoever may not read it there."""
    reach, form = _reached(), MessageForm()
    if not rules.may_say(reach.current.state, "public"):
        # Before any file of theirs is stored.
        raise Conflict(_("This ticket is closed."))
    said = acted(
        form,
        lambda: services.add_message(
            reach.current,
            body=form.body.data or "",
            by=actor(),
            at=time.now(),
            files=keep_uploads(reach.current.tenant_id),
            request_key=form.request_key.data,
        ),
    )
    if said and reach.side == "outsider":
        flash(_("Your words have reached those who work on it."), "good")
    return redirect(url_for("follow.show_ticket", token=token)) if said else _page(token, reach, form)


@bp.get("/<token>/files/<public_id>")
@credential("follow")
def download_file(token: str, public_id: str) -> Any:
    """An attachment of a public message."""
    return hand_out(find_file(_reached(), public_id, by=actor()))


@bp.post("/<token>/confirm")
@credential("follow")
def confirm_ticket(token: str) -> Any:
    """It works: the ticket is closed."""
    ticket, form = _own(_reached()), ActForm()
    services.close_ticket(ticket, by=actor(), at=time.now(), rev=form.seen if form.validate() else -1)
    db.session.commit()
    flash(_("Thank you. The ticket is closed."), "good")
    return redirect(url_for("follow.show_ticket", token=token))


@bp.route("/<token>/reopen", methods=["GET", "POST"])
@credential("follow")
def reopen_ticket(token: str) -> Any:
    """It does not work after all."""
    ticket, form = _own(_reached()), ReopenForm()
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
    ticket = _ticket_to_rate()
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


def _ticket_to_rate() -> Ticket:
    if g.followed.purpose == "follow":
        return _own(_reached())
    ticket = followers.find_followed(g.followed)
    _refuse_old(ticket)
    return ticket


def _way_back(token: str, ticket: Ticket) -> str:
    if g.followed.purpose == "follow":
        return url_for("follow.show_ticket", token=token)
    return url_for("portal.show_ticket", code=ticket.code) if ticket.requester_user_id else ""


@bp.route("/<token>/follow-up", methods=["GET", "POST"])
@credential("follow")
@limiter.limit("5/hour", methods=["POST"])
def follow_up(token: str) -> Any:
    """Say what is wrong again with something that cannot be reopened any more."""
    reach, form = _reached(), FollowUpForm()
    if not may_follow_up(reach.current, time.now()):
        raise Conflict(_("This ticket is not closed for good. Answer on it, or reopen it."))
    opened: list[Ticket] = []
    if acted(form, lambda: opened.append(_follow_up(reach, form))):
        flash(_("Thank you. Your ticket is %(code)s; this page shows it.", code=opened[0].code), "good")
        return redirect(url_for("follow.show_ticket", token=followers.token_of(opened[0])))
    return (
        render_template("follow/follow_up.html", token=token, ticket=reach.shown, form=form),
        form_status(),
    )


def _follow_up(reach: Reach, form: FollowUpForm) -> Ticket:
    """Whoever may not read where it went on carries on the own ticket."""
    asked = follow_up_request(
        reach.shown,
        body=form.body.data or "",
        source="portal",
        requester=services.Requester(reach.own.requester_name, reach.own.requester_email),
        request_key=form.request_key.data,
    )
    return receive_ticket(find_tenant_by_id(reach.own.tenant_id), asked, by=actor(), at=time.now())


def install(app: Flask) -> None:
    """Let links be resolved, and mails carry them."""
    app.extensions["credentials"]["follow"] = resolve_link
    followers.install()
