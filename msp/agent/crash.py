"""Test hook: MSP_AGENT_CRASH_AT=<point> ends the process at that point as `kill -9` would, with exit code 137.

POINTS are listed in the order in which one installation of files passes them; the other kinds have some of their own.
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
    "begun-torn",
    "renamed",
    "installed",
    "result-torn",
    "result-written",
    "facts-sent",
    "report-acknowledged",
    "reported-torn",
    "reported-written",
)
DEB_POINTS = ("deb-simulated", "intent-written", "deb-begun", "deb-ended", "installed", "result-written")
CREDENTIAL_POINTS = ("credential-given", "credential-kept", "credential-used")
SCRIPT_POINTS = (
    "intent-written",
    "begun-torn",
    "script-begun",
    "script-ended",
    "installed",
    "result-written",
)


def armed(name: str) -> bool:
    """Whether the process shall end at this point."""
    return os.environ.get(VARIABLE) == name


def point(name: str) -> None:
    """End here, without any cleaning up, when the environment says so."""
    if armed(name):
        os._exit(EXIT_CODE)
