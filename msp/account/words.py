"""Rights and devices in words, for people who choose among their own."""

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from tenants.foundation.permissions import Permission

# USE_ACCOUNT and USE_API are left out: no token manages an account, and every token uses the API.
RIGHTS = {
    Permission.MINT_TOKENS: _l("Make API tokens"),
    Permission.VIEW_PORTAL: _l("See the portal"),
    Permission.OPEN_OWN_TICKETS: _l("Open tickets and reply to one's own"),
    Permission.VIEW_COMPANY_TICKETS: _l("See all tickets of the company"),
    Permission.VIEW_OWN_CONTRACT: _l("See the company's contract"),
    Permission.VIEW_COMPANY_ASSETS: _l("See the company's assets"),
    Permission.MANAGE_COMPANY_PEOPLE: _l("Manage the company's people"),
    Permission.DECIDE_OWN_LANES: _l("Decide on maintenance of the company's assets"),
    Permission.EXPORT_COMPANY: _l("Export the company's data"),
    Permission.VIEW_DESK: _l("See the desk"),
    Permission.WORK_TICKETS: _l("Work on tickets"),
    Permission.ASSIGN_TICKETS: _l("Assign tickets"),
    Permission.SET_PRIORITY: _l("Set priorities"),
    Permission.VIEW_CONSOLE: _l("See the console"),
    Permission.VIEW_TENANTS: _l("See clients"),
    Permission.MANAGE_TENANTS: _l("Manage clients"),
    Permission.VIEW_ASSETS: _l("See assets"),
    Permission.MANAGE_ASSETS: _l("Manage assets"),
    Permission.ENROL_AGENTS: _l("Enrol agents"),
    Permission.VIEW_CONTRACTS: _l("See contracts"),
    Permission.MANAGE_CONTRACTS: _l("Manage contracts"),
    Permission.PLAN_MAINTENANCE: _l("Plan maintenance"),
    Permission.VIEW_STAFF: _l("See staff"),
    Permission.MANAGE_STAFF: _l("Manage staff"),
    Permission.MANAGE_CLIENT_PEOPLE: _l("Manage people of clients"),
    Permission.VIEW_AUDIT: _l("Read the audit log"),
    Permission.VIEW_CAMPAIGNS: _l("See campaigns"),
    Permission.PROPOSE_CAMPAIGNS: _l("Propose campaigns"),
    Permission.APPROVE_CAMPAIGNS: _l("Approve campaigns"),
    Permission.RUN_CAMPAIGNS: _l("Run campaigns"),
    Permission.STOP_CAMPAIGNS: _l("Stop campaigns"),
    Permission.CALCULATE_SLA: _l("Calculate SLA times"),
}
HIDDEN = frozenset({Permission.USE_ACCOUNT, Permission.USE_API})


def rights_to_choose(held: frozenset[Permission]) -> list[tuple[str, object]]:
    """Choices of a form: the rights held, in the order of the enum."""
    return [(str(one), RIGHTS.get(one, str(one))) for one in Permission if one in held and one not in HIDDEN]


# The first that fits wins: several browsers carry the names of others.
_BROWSERS = (
    ("Edg/", "Edge"),
    ("OPR/", "Opera"),
    ("Firefox/", "Firefox"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
)
_SYSTEMS = (
    ("Android", "Android"),
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Windows", "Windows"),
    ("Mac OS X", "macOS"),
    ("Linux", "Linux"),
)


def device_words(agent: str) -> str:
    """A browser's own description in a few words; what nobody knows is shown as it is."""
    browser = next((name for sign, name in _BROWSERS if sign in agent), "")
    system = next((name for sign, name in _SYSTEMS if sign in agent), "")
    if browser and system:
        return _("%(browser)s on %(system)s", browser=browser, system=system)
    return agent[:60] or _("Unknown device")
