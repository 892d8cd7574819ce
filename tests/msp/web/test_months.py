"""Any month since 2000 is reached from any page that shows one."""

from datetime import UTC, date, datetime

import pytest
from flask import Flask

from msp.web.months import chosen_month, month_links
from tenants.foundation import time
from tenants.foundation.errors import Invalid

# In Jakarta it is December already.
NOW = datetime(2026, 11, 30, 17, 30, tzinfo=UTC)


@pytest.fixture
def pages():
    app = Flask(__name__)
    app.add_url_rule("/figures", "figures")
    return app


def _links(app, month):
    with app.test_request_context("/figures"), time.frozen(NOW):
        return month_links(month, "Asia/Jakarta", "figures")


def test_the_last_twelve_months_are_offered_the_present_one_first(pages):
    links = _links(pages, date(2026, 12, 1)).links
    assert [day for day, _url in links][:2] == [date(2026, 12, 1), date(2026, 11, 1)]
    assert links[-1] == (date(2026, 1, 1), "/figures?month=2026-01")


@pytest.mark.parametrize(
    ("month", "before", "after"),
    [
        (date(2026, 12, 1), "/figures?month=2026-11", ""),
        (date(2016, 1, 1), "/figures?month=2015-12", "/figures?month=2016-02"),
        (date(2000, 1, 1), "", "/figures?month=2000-02"),
    ],
)
def test_the_months_beside_an_old_one(pages, month, before, after):
    found = _links(pages, month)
    assert (found.before, found.after) == (before, after)


def test_a_month_is_chosen_by_the_zone_or_by_the_address(pages):
    with pages.test_request_context("/figures"), time.frozen(NOW):
        assert chosen_month("Asia/Jakarta") == date(2026, 12, 1)
        assert chosen_month("UTC") == date(2026, 11, 1)
    with pages.test_request_context("/figures?month=2016-03"):
        assert chosen_month("Asia/Jakarta") == date(2016, 3, 1)


@pytest.mark.parametrize("typed", ["2026-13", "1999-12", "2026-1", "March", "2026-11-01"])
def test_what_is_no_month_is_refused(pages, typed):
    with pages.test_request_context(f"/figures?month={typed}"), pytest.raises(Invalid) as refused:
        chosen_month("Asia/Jakarta")
    assert refused.value.field == "month"
