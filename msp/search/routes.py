"""One search box on every page: a code leads to its ticket, words to what is written on tickets, names to the rest."""

from typing import Any

from flask import Flask, redirect, render_template, request, url_for

from msp.knowledge.queries import Reader
from msp.knowledge.searching import Hit, search_whole
from msp.search.blueprint import bp
from msp.search.snippets import snippets
from msp.threads.typed import as_code
from msp.web import navigation
from msp.web.access import actor, require
from msp.web.languages import reader_language
from tenants.assets.models import Asset
from tenants.assets.queries import list_named
from tenants.foundation.permissions import Permission
from tenants.tenancy.queries import TenantName, list_tenant_names
from tenants.tickets import queries
from tenants.tickets.texts import LONGEST_QUESTION

# The newest; whoever does not find it among them has more words to say.
TICKETS = 25
OTHERS = 8
ARTICLES = 5


@bp.get("/desk/search")
@require(Permission.VIEW_DESK)
def find_for_staff() -> Any:
    """Tickets of any state, assets and clients, across all clients that one is granted."""
    return _found("search/find_for_staff.html", "desk.show_ticket")


@bp.get("/portal/search")
@require(Permission.VIEW_PORTAL)
def find_for_client() -> Any:
    """The tickets that one may see, and the company's assets where one may see those."""
    return _found("search/find_for_client.html", "portal.show_ticket")


def _found(template: str, ticket_page: str) -> Any:
    words = " ".join(request.args.get("q", "").replace("\x00", "").split())[:LONGEST_QUESTION]
    if (code := as_code(words)) is not None:
        return redirect(url_for(ticket_page, code=code))
    tickets = queries.list_found(words, by=actor(), most=TICKETS)
    shown = tickets[:TICKETS]
    tenants = list_tenant_names() if actor().is_staff else []
    return render_template(
        template,
        search_words=words,
        tickets=shown,
        more=len(tickets) > TICKETS,
        snippets=snippets(shown, words, by=actor()),
        assets=_assets(words),
        tenants={one.id: one for one in tenants},
        clients=_clients(tenants, words),
        articles=_articles(words),
    )


def _articles(words: str) -> list[Hit]:
    """For staff, the articles with all of the words; the client's people have a page of their own for them."""
    if not words or not actor().is_staff:
        return []
    return search_whole(words, Reader.of(actor()), reader_language(), limit=ARTICLES)


def _assets(words: str) -> list[Asset]:
    sees = actor().may(Permission.VIEW_ASSETS) or actor().may(Permission.VIEW_COMPANY_ASSETS)
    return list_named(words, limit=OTHERS) if words and sees else []


def _clients(tenants: list[TenantName], words: str) -> list[TenantName]:
    if not words or not actor().may(Permission.VIEW_TENANTS):
        return []
    alike = (one for one in tenants if words.lower() in one.name.lower() or words.lower() == one.slug)
    return list(alike)[:OTHERS]


def install(app: Flask) -> None:
    """Let the search box of every page lead here."""
    navigation.search_leads_to(app, staff="search.find_for_staff", client="search.find_for_client")
