"""Pages for those who write: the list, an article with its versions and figures, and the editor with its preview."""

from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from flask import flash, redirect, render_template, request, url_for
from flask_babel import gettext as _

from msp.knowledge import queries, reading, services
from msp.knowledge.blueprint import bp
from msp.knowledge.forms import ArticleForm, KeepForm, LinkForm, TieForm, begun, values_of
from msp.knowledge.models import Article
from msp.knowledge.rendering import compare
from msp.knowledge.rules import KINDS, LANGUAGES, PARTS, Step, is_past_review, written
from msp.web.access import actor, require
from msp.web.acting import acted, form_status
from msp.web.fields import options
from msp.web.languages import choose_time_zone, reader_language
from msp.web.paging import asked, cut
from tenants.foundation import time
from tenants.foundation.db import db
from tenants.foundation.errors import NotFound
from tenants.foundation.permissions import Permission
from tenants.tenancy.queries import list_all_tenants
from tenants.tickets.categories import read_tree
from tenants.tickets.models import Ticket

FIRST = "article"


def today() -> date:
    """The day it is for whoever looks."""
    return time.now().astimezone(ZoneInfo(choose_time_zone())).date()


@bp.get("/console/knowledge")
@require(Permission.VIEW_DESK)
def list_articles() -> Any:
    """Everything that is written down, drafts too; what has to be looked at again says so."""
    after, limit = asked(datetime, int)
    narrowed = queries.Filter(
        q=request.args.get("q", ""),
        kind=request.args.get("kind", ""),
        state=request.args.get("state", ""),
        audience=request.args.get("audience", ""),
        due_on=today() if request.args.get("due") else None,
    )
    rows = queries.list_articles(narrowed, by=actor(), after=after, limit=limit)
    if not rows and after is None and narrowed == queries.Filter(q=narrowed.q):
        reading.ask_to_count_miss(narrowed.q, reader_language())
    page = cut(rows, limit, queries.changed_key)
    return render_template(
        "knowledge/list_articles.html",
        page=page,
        asked=request.args,
        figures=queries.figures_of([one.id for one in page.items]),
        title_of=title_of,
        is_due=lambda one: one.state != "retired" and is_past_review(one.review_on, today()),
    )


def title_of(article: Article) -> str:
    """An article's title in the reader's language, or in the other."""
    titles = (article.title_en, article.title_id)
    first, second = titles if reader_language() == "en" else reversed(titles)
    return first or second or article.slug


@bp.get("/console/knowledge/misses")
@require(Permission.VIEW_DESK)
def list_misses() -> Any:
    """What clients' people looked for in vain: what should be written next."""
    return render_template("knowledge/list_misses.html", misses=queries.list_misses())


@bp.route("/console/knowledge/new", methods=["GET", "POST"])
@require(Permission.WRITE_ARTICLES)
def add_article() -> Any:
    """Write something new. Nobody reads it before it is published."""
    kind = request.args.get("kind", FIRST)
    if kind not in KINDS:
        raise NotFound
    form = ArticleForm(data=begun(today(), slug="") if request.method == "GET" else None)
    return edit(form, None, kind)


@bp.route("/console/knowledge/articles/<slug>/edit", methods=["GET", "POST"])
@require(Permission.WRITE_ARTICLES)
def change_article(slug: str) -> Any:
    """Write another version."""
    article = queries.find_article(slug, by=actor())
    version = queries.find_version(article, article.version_number)
    slugs = {one.id: one.slug for one in list_all_tenants()}
    category = read_tree().key(article.category_id)
    form = ArticleForm(data=values_of(article, version, slugs, category) if request.method == "GET" else None)
    return edit(form, article, article.kind)


def edit(form: ArticleForm, article: Article | None, kind: str, **context: Any) -> Any:
    """The editor: shows what it will look like, or saves. `saved` in the context is called with a new article."""
    tenants, tree = list_all_tenants(), read_tree()
    form.offer(tenants, tree.choices(reader_language(), keep=_held(article, context.get("ticket"))))
    slugs, saved = {one.slug: one.id for one in tenants}, context.pop("saved", None)
    previewed, kept = request.form.get("preview") is not None, []

    def save() -> None:
        place = tree.named(form.category.data or "")
        said = form.draft(kind, slugs, place.category.id if place else None)
        if article is None:
            kept.append(services.add_article(said, by=actor(), at=time.now()))
            if saved is not None:
                saved(kept[0])
        else:
            seen = int(form.seen.data) if form.seen.data else None
            services.change_article(article, said, by=actor(), at=time.now(), seen=seen)
            kept.append(article)

    if not previewed and acted(form, save):
        flash(_("Saved. Readers see it once it is published."), "good")
        return redirect(url_for("knowledge.show_article", slug=kept[0].slug))
    page = render_template(
        "knowledge/edit_article.html",
        form=form,
        article=article,
        kind=kind,
        parts=form.parts(kind),
        texts=form.texts(kind) if previewed else None,
        steps=form.steps(kind),
        title_of=title_of,
        **context,
    )
    return page, 200 if previewed else form_status()


def _held(article: Article | None, ticket: Ticket | None) -> int | None:
    """The category that an article has, or takes over from its ticket: offered although it is retired."""
    one = article or ticket
    return one.category_id if one else None


@bp.get("/console/knowledge/articles/<slug>")
@require(Permission.VIEW_DESK)
def show_article(slug: str) -> Any:
    """One article: its latest version, who reads it, what came of it, and what it is tied to."""
    return render_article(queries.find_article(slug, by=actor()))


def render_article(article: Article, **forms: Any) -> Any:
    """The article's page with its forms as they were filled in."""
    tenants = list_all_tenants()
    tie, link = forms.get("tie") or TieForm(formdata=None), forms.get("link") or LinkForm(formdata=None)
    tie.client.choices = options((one.slug, one.name) for one in tenants)
    named = {one.id: one.name for one in tenants}
    page = render_template(
        "knowledge/show_article.html",
        article=article,
        version=queries.find_version(article, article.version_number),
        versions=queries.list_versions(article),
        figures=queries.figures_of([article.id]).get(article.id, queries.Figures()),
        readers=[named[one] for one in article.tenant_ids if one in named],
        hidden_readers=sum(one not in named for one in article.tenant_ids),
        assets=queries.list_tied_assets(article) if article.kind == "known_error" else [],
        tickets=queries.list_linked_tickets(article),
        category=read_tree().path(article.category_id, reader_language()),
        clients=named,
        step_words=lambda step: Step(**step).words(reader_language()),
        title_of=title_of,
        is_due=is_past_review(article.review_on, today()),
        tie=tie,
        link=link,
        keep=forms.get("keep") or KeepForm(formdata=None, until=article.review_on),
    )
    return page, form_status()


@bp.get("/console/knowledge/articles/<slug>/versions/<int:number>")
@require(Permission.VIEW_DESK)
def show_version(slug: str, number: int) -> Any:
    """One version, line by line against the one before or another."""
    article = queries.find_article(slug, by=actor())
    version = queries.find_version(article, number)
    other = request.args.get("against", str(max(number - 1, 1)))
    is_number = other.isascii() and other.isdigit() and len(other) < 10
    against = queries.find_version(article, int(other) if is_number else 0)
    return render_template(
        "knowledge/show_version.html",
        article=article,
        version=version,
        against=against,
        versions=queries.list_versions(article),
        title_of=title_of,
        differences=_differences(against, version),
    )


def _differences(before: Any, after: Any) -> list[tuple[str, str, list[tuple[str, str]]]]:
    """Language, part and lines of everything that the two say differently."""
    found = []
    for one in LANGUAGES:
        pairs = [
            (part, *(each.texts.get(one, {}).get(part, "") for each in (before, after))) for part in PARTS
        ]
        steps = [written([Step(**step) for step in each.steps], one) for each in (before, after)]
        pairs.append(("steps", steps[0], steps[1]))
        found += [(one, part, compare(old, new)) for part, old, new in pairs if old != new]
    return found


@bp.post("/console/knowledge/articles/<slug>/versions/<int:number>/restore")
@require(Permission.WRITE_ARTICLES)
def restore_version(slug: str, number: int) -> Any:
    """Write an earlier version once more, as the newest."""
    article = queries.find_article(slug, by=actor())
    services.restore_version(article, number, by=actor(), at=time.now())
    return done(
        article, _("The earlier text is the newest version now. Readers see it once it is published.")
    )


@bp.post("/console/knowledge/articles/<slug>/publish")
@require(Permission.PUBLISH_ARTICLES)
def publish_article(slug: str) -> Any:
    """Let its readers read the latest version."""
    article = queries.find_article(slug, by=actor())
    services.publish_article(article, by=actor(), at=time.now())
    return done(article, _("Published."))


@bp.post("/console/knowledge/articles/<slug>/retire")
@require(Permission.PUBLISH_ARTICLES)
def retire_article(slug: str) -> Any:
    """Let nobody but staff find it."""
    article = queries.find_article(slug, by=actor())
    services.retire_article(article, by=actor(), at=time.now())
    return done(article, _("Retired. Its versions stay."))


@bp.post("/console/knowledge/articles/<slug>/keep")
@require(Permission.WRITE_ARTICLES)
def keep_article(slug: str) -> Any:
    """It is still true."""
    article, form = queries.find_article(slug, by=actor()), KeepForm()
    if acted(form, lambda: services.keep_article(article, until=form.until.data, by=actor(), at=time.now())):
        return done(article, _("Noted."))
    return render_article(article, keep=form)


def done(article: Article, words: str) -> Any:
    """Back to the article, saying what was done."""
    db.session.commit()
    flash(words, "good")
    return redirect(url_for("knowledge.show_article", slug=article.slug))
