"""The pages of figures: who may read them, what they say, and that files hold the same lines."""

import csv
import io
import re

import pytest

from tenants.foundation.db import db
from tenants.tickets import categories
from tests import personas
from tests.msp.figures.conftest import DAY, MONDAY, resolved
from tests.tickets import open_in_scope

BASE = "/console/figures"
PAGES = ("", "/load", "/trends", "/repeated", "/tickets?of=resolved&by=client&key=acme")
FILES = ("/resolved.csv", "/load.csv", "/trends.csv", "/repeated.csv")
DAYS = "from=2026-10-01&to=2026-12-01"


@pytest.fixture
def history(app, cast):
    with personas.within(app, cast, "Mia") as mia:
        printer = categories.add_category(
            name_en="Printer", name_id="Pencetak", parent=None, by=mia, at=MONDAY
        )
        for number in range(12):
            resolved(cast, mia, at=MONDAY + number * DAY, category=printer, subject=f"Paper jam {number}")
        open_in_scope(cast, mia, at=MONDAY, subject="=1+1")
        db.session.commit()
        return str(printer.public_id)


def rows_of(answer):
    return list(csv.reader(io.StringIO(answer.text.removeprefix("\ufeff"))))


@pytest.mark.parametrize("path", [*PAGES, *FILES])
def test_managers_and_dispatchers_read_them(sign_in, path):
    for name, status in (("Mia", 200), ("Owen", 200), ("Dana", 200), ("Leo", 403), ("Alice", 403)):
        assert sign_in(name).get(BASE + path).status_code == status


def test_empty_pages_say_what_to_do(sign_in):
    mia = sign_in("Mia")
    assert "Choose other days or another client." in mia.get(BASE).text
    assert "Trends show here as soon as tickets come in." in mia.get(f"{BASE}/trends").text
    assert "Choose more days or fewer tickets." in mia.get(f"{BASE}/repeated").text


def cells_of_page(text):
    """The numbers of the first line of the page's list."""
    body = text[text.rindex('<table class="table list-table') :]
    line = re.search(r"<tbody><tr>(.*?)</tr>", body, re.S).group(1)
    spans = re.findall(r'<span class="cell-words">(.*?)</t[dh]>', line, re.S)
    return [re.sub(r"[ \n]+", " ", re.sub(r"<[^>]+>", " ", one)).strip() for one in spans]


@pytest.mark.parametrize("by", ["technician", "client", "category"])
def test_a_file_holds_the_lines_of_the_page(sign_in, history, by):
    mia = sign_in("Mia")
    page, (_head, *rows) = (
        mia.get(f"{BASE}?by={by}&{DAYS}").text,
        rows_of(mia.get(f"{BASE}/resolved.csv?by={by}&{DAYS}")),
    )
    name, resolved_, stayed, reopened, back, first, *_rest, returned = cells_of_page(page)
    (row,) = rows
    assert row[0] == name
    assert (resolved_, stayed, reopened, back) == (row[1], f"{row[2]} 100\u202f%", row[4], row[5])
    assert first == f"{row[6]} {float(row[7]) * 100:.0f}\u202f%"
    assert returned == row[-1]
    assert row[1] == "12"


def test_a_number_leads_to_its_tickets(sign_in, history):
    mia = sign_in("Mia")
    page = mia.get(f"{BASE}?by=category&{DAYS}").text
    link = (
        re.search(r'href="(/console/figures/tickets\?of=stayed[^"]*)"', page).group(1).replace("&amp;", "&")
    )
    shown = mia.get(f"{link}&limit=10").text
    assert "Stayed resolved: Printer" in shown
    assert shown.count("Paper jam") == 10
    following = re.search(r'rel="next" href="([^"]*)"', shown).group(1).replace("&amp;", "&")
    assert mia.get(f"{BASE}/tickets{following[following.index('?') :]}").text.count("Paper jam") == 2


@pytest.mark.parametrize(
    "query",
    [
        "of=all&by=client&key=acme",
        "of=resolved&by=client&key=initech",
        "of=resolved&by=category&key=7",
        "category=7",
        "weekday=7&hour=1&zone=UTC",
        "weekday=0&hour=24&zone=UTC",
        "weekday=0&hour=1&zone=Mars",
        "",
    ],
)
def test_numbers_that_are_none_are_not_found(sign_in, query):
    assert sign_in("Mia").get(f"{BASE}/tickets?{query}").status_code == 404


def test_an_hour_and_a_month_lead_to_their_tickets(sign_in, history):
    mia = sign_in("Mia")
    hour = mia.get(f"{BASE}/tickets?weekday=0&hour=8&zone=Asia/Jakarta&{DAYS}").text
    assert "Opened on Monday, 08:00–09:00 (Asia/Jakarta)" in hour
    assert hour.count("Paper jam") == 2
    assert mia.get(f"{BASE}/tickets?category={history}&from=2026-11-01&to=2026-11-30").text.count("jam") == 12
    assert mia.get(f"{BASE}/tickets?category=none&{DAYS}").text.count("=1+1") == 1


def test_load_trends_and_repetition_say_the_same_in_their_files(sign_in, history):
    mia = sign_in("Mia")
    load = rows_of(mia.get(f"{BASE}/load.csv?{DAYS}"))
    assert len(load) == 169
    assert sum(int(row[2]) for row in load[1:]) == 13
    page = mia.get(f"{BASE}/load?{DAYS}").text
    assert "Most tickets are opened on Monday, 08:00–09:00: 2" in page
    trends = rows_of(mia.get(f"{BASE}/trends.csv"))
    assert {row[0]: sum(map(int, row[1:13])) for row in trends[1:]} == {
        "Printer": 12,
        "Without a category": 1,
    }
    assert "12 after 0: too few to tell" in mia.get(f"{BASE}/trends").text
    repeated = rows_of(mia.get(f"{BASE}/repeated.csv?{DAYS}"))
    assert repeated[1][:3] == ["Acme", "Printer", "12"]
    assert "1 of " in mia.get(f"{BASE}/repeated?{DAYS}").text
