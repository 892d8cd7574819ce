"""The blueprint of knowledge, apart from its views so that each module of views can be imported alone."""

from flask import Blueprint

bp = Blueprint("knowledge", __name__)
