"""Pages for those who read: the client's people in the portal, and anybody for what is public."""

from typing import Any

from flask import flash, redirect, render_template, request, url_for
from flask_babel import gettext as _

from msp.knowledge import reading
from msp.knowledge.blueprint import bp
from msp.knowledge.queries import Reader, find_editions, has_voted, in_language, list_editions
from msp.knowledge.searching import Hit, is_answered, offer, search
from msp.web.access import actor, public, require, tenant
from msp.web.languages import reader_language
from msp.web.limits import limiter
from tenants.foundation import time
from tenants.foundation.db import db
from tenants.foundation.permissions import Permission

LONGEST_QUERY = 200
SEARCHES = "120/minute"


def _asked() -> str:
    return request.args.get("q", "").replace("\x00", "")[:LONGEST_QUERY]


def _reader() -> Reader:
    return Reader.of(actor(), tenant())


@bp.get("/portal/articles")
@limiter.limit(SEARCHES)
@require(Permission.VIEW_PORTAL)
def find_answers() -> Any:
    """What is written down for one's company, and looking for something in it."""
    q, reader = _asked(), _reader()
    hits, is_miss = search(q, reader, reader_language())
    if is_miss:
        reading.note_miss(tenant(), q, reader_language(), at=time.now())
        db.session.commit()
    articles = [] if q.strip() else list_editions(reader, reader_language())
    return render_template("knowledge/find_answers.html", q=q, hits=hits, articles=articles)


@bp.get("/portal/articles/<slug>")
@require(Permission.VIEW_PORTAL)
def read_article(slug: str) -> Any:
    """One article, in one's language or the other."""
    editions = find_editions(slug, _reader())
    shown = in_language(editions, request.args.get("language") or reader_language())
    reading.count_view(tenant(), shown.article_id, at=time.now())
    db.session.commit()
    return render_template(
        "knowledge/read_article.html",
        article=shown,
        editions=editions,
        wanted=reader_language(),
        voted=has_voted(shown.article_id, tenant(), actor().id),
    )


@bp.post("/portal/articles/<slug>/helped")
@require(Permission.VIEW_PORTAL)
def say_helped(slug: str) -> Any:
    """Whether it helped."""
    shown = in_language(find_editions(slug, _reader()), reader_language())
    helped = request.form.get("helped") == "yes"
    reading.vote(tenant(), shown.article_id, helped=helped, by=actor(), at=time.now())
    db.session.commit()
    flash(_("Thank you for telling us."), "good")
    return redirect(url_for("knowledge.read_article", slug=slug))


@bp.post("/portal/articles/<slug>/solved")
@require(Permission.OPEN_OWN_TICKETS)
def say_solved(slug: str) -> Any:
    """It solved what a ticket was about to be opened for: none is."""
    shown = in_language(find_editions(slug, _reader()), reader_language())
    reading.count_deflection(tenant(), shown.article_id, by=actor(), at=time.now())
    db.session.commit()
    flash(_("Good to hear. No ticket was opened."), "good")
    return redirect(url_for("portal.home"))


def list_offers(subject: str) -> list[Hit]:
    """What might answer the ticket that is being written in the portal."""
    return offer(subject.replace("\x00", "")[:LONGEST_QUERY], _reader(), reader_language())


def count_unanswered(subject: str) -> None:
    """A ticket is opened: what was typed last, if no text answers it, is what should be written about."""
    asked = subject.replace("\x00", "")[:LONGEST_QUERY]
    if not is_answered(asked, _reader()):
        reading.note_miss(tenant(), asked, reader_language(), at=time.now())


@bp.get("/portal/article-offers")
@limiter.limit(SEARCHES)
@require(Permission.OPEN_OWN_TICKETS)
def offer_answers() -> Any:
    """The piece of the form for a new ticket that is renewed while somebody types."""
    return render_template(
        "knowledge/offer_answers.html", hits=list_offers(request.args.get("subject", "")), looked=False
    )


@bp.get("/help/articles")
@limiter.limit(SEARCHES)
@public("what the provider wrote for everybody, before anybody signs in")
def find_help() -> Any:
    """What is written down for everybody, and looking for something in it."""
    q = _asked()
    hits, is_miss = search(q, None, reader_language())
    if is_miss:
        reading.ask_to_count_miss(q, reader_language())
    articles = [] if q.strip() else list_editions(None, reader_language())
    return render_template("knowledge/find_help.html", q=q, hits=hits, articles=articles)


@bp.get("/help/articles/<slug>")
@public("what the provider wrote for everybody, before anybody signs in")
def read_help(slug: str) -> Any:
    """One article for everybody."""
    editions = find_editions(slug, None)
    shown = in_language(editions, request.args.get("language") or reader_language())
    return render_template(
        "knowledge/read_help.html", article=shown, editions=editions, wanted=reader_language()
    )
