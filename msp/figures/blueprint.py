"""The blueprint of figures, apart from its views so that each module of views can be imported alone."""

from flask import Blueprint

bp = Blueprint("figures", __name__, url_prefix="/console/figures")
