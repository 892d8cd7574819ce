"""Views of this feature: machines at /ddi, /api/devices and /inventory, people at /console/agents."""

from flask import Flask
from flask_babel import lazy_gettext as _l

from msp.agents import pages, sharing
from msp.agents.arrivals import resolve_caller
from msp.agents.blueprint import bp
from msp.agents.credentials import resolve_enrolment
from msp.agents.ddi import ddi
from msp.agents.inventories import inventories, resolve_inventory
from msp.agents.mender import mender, resolve_device, resolve_gateway
from msp.web import navigation
from msp.web.navigation import Place
from tenants.foundation.permissions import Permission

__all__ = ["bp", "pages", "sharing"]
bp.register_blueprint(ddi)
bp.register_blueprint(inventories)
bp.register_blueprint(mender)
MACHINES = ("agents.ddi.", "agents.inventories.", "agents.mender.")


def install(app: Flask) -> None:
    """Resolve machines' credentials; their requests carry no cookie, so no form token either."""
    app.extensions["credentials"]["agent"] = resolve_caller
    app.extensions["credentials"]["enrolment"] = resolve_enrolment
    app.extensions["credentials"]["device"] = resolve_device
    app.extensions["credentials"]["gateway"] = resolve_gateway
    app.extensions["credentials"]["inventory"] = resolve_inventory
    for endpoint, view in app.view_functions.items():
        if endpoint.startswith(MACHINES):
            app.extensions["csrf"].exempt(view)
    navigation.add(
        app,
        Place(_l("Agents"), "agents.list_unadmitted", "cpu", Permission.ENROL_AGENTS, staff=True, order=57),
    )
