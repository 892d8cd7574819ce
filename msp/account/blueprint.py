"""The blueprint that the modules of this feature put their views on."""

from flask import Blueprint

bp = Blueprint("account", __name__)
