"""The API's blueprint, below every module of views."""

from apiflask import APIBlueprint

PREFIX = "/api/v1"
bp = APIBlueprint("api", __name__, url_prefix=PREFIX)
