"""Test hook: MSP_AGENT_CRASH_AT=<point> ends the process at that point as `kill -9` would, with exit code 137.

The points are listed in the order in which one installation passes them.
"""

import os

VARIABLE = "MSP_AGENT_CRASH_AT"
EXIT_CODE = 137
POINTS = (
    "taken",
    "proceeding-sent",
    "download-begun",
    "downloaded",
    "intent-torn",
    "intent-written",
    "staging-begun",
    "staged",
    "renamed",
    "installed",
    "result-torn",
    "result-written",
    "facts-sent",
    "report-acknowledged",
    "reported-torn",
    "reported-written",
)


def armed(name: str) -> bool:
    """Whether the process shall end at this point."""
    return os.environ.get(VARIABLE) == name


def point(name: str) -> None:
    """End here, without any cleaning up, when the environment says so."""
    if armed(name):
        os._exit(EXIT_CODE)
