"""A manager takes on a client, agrees a contract, and its first administrator finds a home that says what to do."""

import re

PASSWORD = "seven yellow boats leave at dawn"


def take_on(mia):
    """Fill in the guided page; names that never change are suggested first and confirmed then."""
    mia.go("/console/")
    mia.follow("Take on a client")
    mia.picture("guided-page")
    mia.fill("Company name", "Sinar Jaya Abadi")
    mia.fill("Address", "Jalan Melati 7, Bandung")
    mia.page.get_by_label("English").check()
    mia.fill("Site 1, name", "Head office")
    mia.fill("Site 1, address", "Jalan Melati 7, Bandung")
    mia.page.get_by_label("None yet").check()
    mia.fill("Name", "Sari Dewi")
    mia.control("E-mail address").fill("sari@sinarjaya.test")
    mia.press("Take on this client")
    assert mia.control("Short name").input_value() == "sinar-jaya-abadi"
    mia.picture("names-suggested")
    mia.fill("Short name", "sinar-jaya")
    mia.fill("Prefix of ticket codes", "SINAR")
    mia.press("Take on this client")
    assert mia.path == "/console/tenants/sinar-jaya"


def add_contract(mia):
    mia.follow("Contract")
    assert "Nothing is promised yet" in mia.text
    mia.picture("no-contract")
    mia.follow("New contract")
    mia.fill("Name", "Managed workplaces")
    mia.fill("Monthly fee, in whole units", "12500000")
    mia.picture("contract-form")
    mia.press("Add the contract")
    assert mia.path == "/console/tenants/sinar-jaya/contract"
    assert "Managed workplaces" in mia.text
    mia.picture("contract")


def invitation(portal):
    """The link in the mail that went out."""
    portal.work()
    (mail,) = portal.mails_to("sari@sinarjaya.test")
    words = mail.get_body(("plain",)).get_content()
    return re.search(r"https?://\S+/invitations/\S+", words)[0]


def test_a_client_is_taken_on(portal, visit):
    mia = visit("Mia").sign_in()
    take_on(mia)
    assert mia.heading == "Sinar Jaya Abadi"
    assert "Head office" in mia.text
    mia.picture("client")
    add_contract(mia)
    mia.go("/console/tenants/sinar-jaya/people")
    assert "sari@sinarjaya.test" in mia.text
    mia.picture("people-invited")

    link = invitation(portal)
    sari = visit("Sari")
    sari.go(link)
    assert sari.heading == "Join Sinar Jaya Abadi"
    sari.picture("invitation")
    assert sari.control("Your name").input_value() == "Sari Dewi"
    sari.fill("Password", PASSWORD)
    sari.press("Make my account")
    sari.page.wait_for_url(re.compile("/portal"))

    sari.context.clear_cookies()
    sari.sign_in("sari@sinarjaya.test", PASSWORD)
    assert "Nothing is open." in sari.text
    assert "open a ticket" in sari.text
    assert sari.page.get_by_role("link", name="New ticket").first.is_visible()
    sari.picture("empty-home")
    sari.go("/portal/contract")
    assert "Managed workplaces" in sari.text
    sari.picture("contract")

    assert sari.go(link).status == 409, "an invitation works once"
    sari.picture("invitation-used")
    mia.go("/console/tenants/sinar-jaya/people")
    assert "Sari Dewi" in mia.text
    mia.picture("people")
