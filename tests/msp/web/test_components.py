"""Every component with every state, in every layout, with hostile values."""

import re
from collections.abc import Iterator
from html.parser import HTMLParser
from typing import Any

import pytest
from flask import Flask, flash, render_template, render_template_string
from jinja2 import StrictUndefined

from msp.campaigns import rules as campaigns
from msp.web import look, words
from msp.web.look import flash_with_undo, query
from tenants.assets import models as assets
from tenants.foundation.permissions import MemberRole
from tenants.tickets import models as tickets
from tests.msp.web.samples import HOSTILE, NOW, context, form, sample, small_app, verdict

LAYOUTS = ["layouts/staff.html", "layouts/client.html", "layouts/public.html"]
ERRORS = [400, 401, 403, 404, 409, 413, 422, 429, 500, 503]
VOID = {"meta", "link", "input", "br", "hr", "img"}


class Page(HTMLParser):
    """Reads a page strictly: tags closed in order, and what it refers to."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.ids: list[str] = []
        self.labels: list[str] = []
        self.attributes: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)
        assert not self.open, self.open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        self.attributes.append((tag, found))
        if found.get("id"):
            self.ids.append(str(found["id"]))
        if tag == "label" and found.get("for"):
            self.labels.append(str(found["for"]))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.attributes.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open, f"</{tag}> closes nothing"
        assert self.open.pop() == tag


@pytest.fixture
def shown() -> Iterator[Flask]:
    app = small_app()
    with app.test_request_context("/desk/?state=open&tier=L1"):
        yield app


def render(source: str, **values: Any) -> str:
    return render_template_string('{% import "components/ui.html" as ui %}' + source, **values)


def text(page: str) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", page).split())


@pytest.mark.parametrize("layout", LAYOUTS)
def test_the_style_guide_shows_everything_in_every_layout(shown: Flask, layout: str) -> None:
    flash_with_undo(HOSTILE, "/undo")
    flash(HOSTILE, "danger")
    page = render_template("styleguide/index.html", layout=layout, **context(), **sample())
    assert "<script>alert" not in page
    read = Page(page)
    assert not [
        each
        for each in read.attributes
        if "style" in each[1] or any(name.startswith("on") for name in each[1])
    ]
    assert [each["src"] for tag, each in read.attributes if tag == "script"]


@pytest.mark.parametrize("layout", LAYOUTS)
def test_pages_know_nobody_as_well(shown: Flask, layout: str) -> None:
    page = render_template("styleguide/index.html", layout=layout, **sample())
    assert "Service portal" in page
    assert "Sign out" not in page


def test_pages_speak_the_readers_language() -> None:
    with small_app("id").test_request_context("/"):
        page = render_template("styleguide/index.html", locale="id", **sample())
    assert '<html lang="id">' in page
    assert "Jumat, 20 November 2026" in page


@pytest.mark.parametrize("code", ERRORS)
def test_errors_need_nothing_and_touch_no_session(code: int) -> None:
    app = small_app.__wrapped__()
    app.jinja_env.undefined = StrictUndefined
    app.secret_key = None
    with app.test_request_context("/nowhere", method="POST"):
        page = render_template(f"errors/{code}.html")
    Page(page)
    assert f"Error {code}" in page
    assert "csrf_token" not in page
    assert 'href="/' in page


def test_an_error_tells_its_detail_but_not_found_never_does(shown: Flask) -> None:
    assert "Ticket is closed" in render_template(
        "errors/409.html", detail="Ticket is closed", reference="r-1"
    )
    plain = render_template("errors/404.html")
    assert render_template("errors/404.html", detail="Ticket is closed", reference="r-1") == plain
    assert "Wait 2 min" in render_template("errors/429.html", retry_after=120)


# -- words of states --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("table", "state"), [(table, state) for table, states in words.TABLES.items() for state in states]
)
def test_every_state_has_a_word_and_an_icon(shown: Flask, table: str, state: str) -> None:
    macro = {
        "ticket": "ticket_state",
        "campaign": "campaign_state",
        "lane": "lane_state",
        "outcome": "outcome",
        "consent": "consent_state",
        "asset": "asset_state",
        "mail": "mail_state",
    }[table]
    pill = render("{{ ui." + macro + "(state) }}", state=state)
    assert text(pill) == str(words.look_of(table, state).word)
    assert "<use href=" in pill


def test_states_are_the_ones_that_outsiders_rely_on() -> None:
    assert list(words.TICKET_STATES) == ["new", "in_progress", "waiting", "resolved", "closed", "cancelled"]
    assert list(words.WAITING) == ["requester", "vendor", "part", "visit", "change"]
    assert list(words.PRIORITIES) == ["P1", "P2", "P3", "P4"]
    assert list(words.TIERS) == ["L1", "L2", "L3", "vendor"]
    assert len(words.ROLES) == 8


def test_every_value_that_is_stored_has_a_word() -> None:
    assert set(assets.STATES) <= set(words.ASSET_STATES)
    assert set(assets.KINDS) <= set(words.ASSET_KINDS)
    assert set(tickets.KINDS) <= set(words.TICKET_KINDS)
    assert set(tickets.SOURCES) <= set(words.SOURCES)
    assert set(campaigns.CAMPAIGN_STATES) <= set(words.CAMPAIGN_STATES)
    assert set(campaigns.LANE_STATES) <= set(words.LANE_STATES)
    assert {each.value for each in MemberRole} <= set(words.ROLES)


def test_a_waiting_ticket_says_for_whom(shown: Flask) -> None:
    assert text(render('{{ ui.ticket_state("waiting", "requester") }}')) == "Waiting for the requester"
    assert (
        text(render('{{ ui.ticket_state("waiting", "requester", audience="requester") }}'))
        == "Waiting for you"
    )
    assert text(render('{{ ui.lane_state("waiting", "freeze") }}')) == "Waiting: change freeze"
    assert text(render('{{ ui.lane_state("waiting", "moon_phase") }}')) == "Waiting: moon_phase"


def test_an_unknown_state_is_shown_as_it_is(shown: Flask) -> None:
    assert text(render('{{ ui.ticket_state("on_the_moon") }}')) == "on the moon"
    assert text(render("{{ ui.asset_state(none) }}")) == ""


# -- time -------------------------------------------------------------------------------------------------


def test_red_and_amber_come_with_a_word(shown: Flask) -> None:
    missed = render("{{ ui.time_badge(v, now) }}", v=verdict("missed", 9 * 3600), now=NOW)
    risky = render("{{ ui.time_badge(v, now) }}", v=verdict("running", 7 * 3600), now=NOW)
    calm = render("{{ ui.time_badge(v, now) }}", v=verdict("running", 3600), now=NOW)
    assert "time-badge-missed" in missed
    assert text(missed) == "Missed by 1 h was due 12:30 WIB"
    assert "time-badge-risk" in risky
    assert text(risky) == "1 h left at risk due 14:30 WIB"
    assert "risk" not in calm
    assert "missed" not in calm


def test_a_moment_is_relative_and_absolute(shown: Flask) -> None:
    moment = render('{{ ui.moment(now, "Asia/Makassar", now) }}', now=NOW)
    assert text(moment) == "just now · 14:30 WITA"
    assert 'datetime="2026-11-20T06:30:00+00:00"' in moment


# -- lists ------------------------------------------------------------------------------------------------


def test_paging_keeps_the_filter_and_drops_the_other_cursor(shown: Flask) -> None:
    page = render('{{ ui.pager(next="abc=", previous="x", shown=25) }}')
    assert 'href="?state=open&amp;tier=L1&amp;after=abc%3D"' in page
    assert 'href="?state=open&amp;tier=L1&amp;before=x"' in page
    assert "25 shown" in page
    assert render("{{ ui.pager() }}").strip() == ""
    assert query(tier=None, state="") == "?"


def test_a_row_has_a_name_and_labels_for_its_card(shown: Flask) -> None:
    source = (
        '{% call(r) ui.list_table(["Name", {"label": "Due", "align": "end"}], rows, "All") %}'
        '{{ ui.cell("Name", r, main=true) }}{{ ui.cell("Due", "2 h", align="end") }}{% endcall %}'
    )
    page = render(source, rows=[HOSTILE])
    assert '<th scope="row" class="cell-main" data-label="Name">' in page
    assert '<td class="text-end" data-label="Due">' in page
    assert "<script" not in page
    assert "Nothing matches" in render(source, rows=[])


def test_a_filter_keeps_what_was_chosen(shown: Flask) -> None:
    fields = (
        '{{ ui.filter_select("t", "T", [(1, "one"), (2, "two")], "2") }}{{ ui.filter_search("q", "Q", v) }}'
    )
    page = render("{% call ui.filter_bar() %}" + fields + "{% endcall %}", v='"x')
    assert '<option value="2" selected>' in page
    assert 'value="&#34;x"' in page


# -- forms ------------------------------------------------------------------------------------------------


def test_a_field_ties_help_and_error_to_its_control(shown: Flask) -> None:
    page = render(
        "{{ ui.form_errors(f) }}{{ ui.field(f.subject) }}{{ ui.field(f.body) }}", f=form(wrong=True)
    )
    assert 'aria-describedby="subject-help subject-error"' in page
    assert 'aria-invalid="true"' in page
    assert '<a href="#subject">Subject</a>' in page
    assert "2 things need mending" in page
    assert "It says &lt;script&gt;" in page
    assert "required" in page


def test_every_control_has_a_label(shown: Flask) -> None:
    source = "".join("{{ ui.field(f." + name + ") }}" for name in form()._fields)
    read = Page(render(source, f=form()))
    controls = {str(each["id"]) for tag, each in read.attributes if tag in ("input", "select", "textarea")}
    assert controls == set(read.labels)


def test_public_and_internal_never_look_alike(shown: Flask) -> None:
    both = render('{{ ui.composer("/x", selected="internal", body=body) }}', body=HOSTILE)
    assert 'value="internal" checked' in both
    assert "The client never sees it" in both
    assert "<script" not in both
    client = render('{{ ui.composer("/x", internal=false) }}')
    assert "internal" not in client
    assert '<input type="hidden" name="kind" value="public">' in client


def test_a_confirmation_posts_its_values_and_can_be_left(shown: Flask) -> None:
    page = render(
        '{{ ui.confirm_page("Pause?", h, "/x", "Pause for 3 clients", hidden={"revision": 7}, back_url="/c") }}',
        h=HOSTILE,
    )
    assert '<form method="post" action="/x">' in page
    assert '<input type="hidden" name="revision" value="7">' in page
    assert "csrf_token" in page
    assert "Go back, change nothing" in page
    assert "<script" not in page


# -- frame ------------------------------------------------------------------------------------------------


def test_undo_is_a_form_that_posts(shown: Flask) -> None:
    flash_with_undo("Closed.", "/tickets/1/reopen")
    page = render("{{ ui.flash_messages() }}")
    assert '<form method="post" action="/tickets/1/reopen">' in page
    assert "flash-good" in page


def test_one_client_cannot_be_switched(shown: Flask) -> None:
    values = context()
    many = render_template("styleguide/index.html", layout=LAYOUTS[1], **values, **sample())
    values["companies"] = values["companies"][:1]
    one = render_template("styleguide/index.html", layout=LAYOUTS[1], **values, **sample())
    assert 'action="http://portal.test/switch_tenant"' in many or 'action="/switch_tenant"' in many
    assert "switch_tenant" not in one
    assert "Sagara Logistik" in one


def test_mails_render_in_both_forms(shown: Flask) -> None:
    values = {"provider_name": HOSTILE, "action_url": "https://portal.test/x", "action_label": "Open"}
    page = render_template("layouts/mail.html", **values)
    assert "<script" not in page
    assert 'href="https://portal.test/x"' in page
    assert "https://portal.test/x" in render_template("layouts/mail.txt", **values)


def test_the_components_are_installed_by_one_call() -> None:
    app = Flask("plain")
    look.install(app)
    assert "duration_words" in app.jinja_env.filters
    assert "draw_strip" in app.jinja_env.globals
