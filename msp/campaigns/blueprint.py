"""The campaigns' blueprint, apart from its views so that each module of views can be imported alone."""

from flask import Blueprint

bp = Blueprint("campaigns", __name__, url_prefix="/console/campaigns")
