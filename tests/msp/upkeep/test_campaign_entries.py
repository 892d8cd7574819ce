"""Campaigns in the calendar lead to the page that is about them, for staff and for the client."""

import re

from tests.msp.campaigns import fleet


def test_an_entry_of_a_campaign_leads_on(app, cast, sign_in):
    fleet.enrol(app, cast.tenants["provider"], "provider", ["provider-1"])
    fleet.enrol(app, cast.tenants["acme"], "acme", ["acme-1", "acme-2"])
    fleet.start(fleet.draft(app, cast))
    for who, page, target in (
        ("Alice", "/portal/calendar", r"/portal/maintenance/[0-9a-f-]{36}"),
        ("Owen", "/console/calendar", r"/console/campaigns/[0-9a-f-]{36}"),
    ):
        browser = sign_in(who)
        link = re.search(target, browser.get(page).text)
        assert link, who
        assert "Welcome" in browser.get(link[0]).text
