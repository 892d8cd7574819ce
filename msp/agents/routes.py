"""Views of this feature: machines at /ddi, people at /console/agents."""

from flask import Flask
from flask_babel import lazy_gettext as _l

from msp.agents import pages
from msp.agents.blueprint import bp
from msp.agents.credentials import resolve_agent, resolve_enrolment
from msp.agents.ddi import ddi
from msp.web import navigation
from msp.web.navigation import Place
from tenants.foundation.permissions import Permission

__all__ = ["bp", "pages"]
bp.register_blueprint(ddi)


def install(app: Flask) -> None:
    """Resolve machines' credentials; their requests carry no cookie, so no form token either."""
    app.extensions["credentials"]["agent"] = resolve_agent
    app.extensions["credentials"]["enrolment"] = resolve_enrolment
    for endpoint, view in app.view_functions.items():
        if endpoint.startswith("agents.ddi."):
            app.extensions["csrf"].exempt(view)
    navigation.add(
        app,
        Place(_l("Agents"), "agents.list_unadmitted", "cpu", Permission.ENROL_AGENTS, staff=True, order=57),
    )
