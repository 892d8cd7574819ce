"""The blueprint of staff, apart from its views so that each module of views can be imported alone."""

from flask import Blueprint

bp = Blueprint("staff", __name__, url_prefix="/console")
