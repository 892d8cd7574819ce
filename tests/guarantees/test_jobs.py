"""A worker knows every kind of work that any module of the portal declares."""

import json
import subprocess
import sys

from tests.guarantees.processes import CHECKOUT, environment

# What a worker has declared once it built the app, and what there is when the modules named are imported too.
KNOWN = """
import importlib, json, sys
from msp.app import create_app
from msp.background.jobs import JOBS
create_app()
known = sorted(JOBS)
for name in sys.argv[1:]:
    importlib.import_module(name)
print("JOBS" + json.dumps([known, sorted(JOBS)]))
"""


def declaring():
    """Modules with a job in them."""
    for path in sorted((CHECKOUT / "msp").rglob("*.py")):
        if "\n@job(" in path.read_text():
            yield ".".join(path.relative_to(CHECKOUT).with_suffix("").parts)


def test_building_the_app_declares_every_job(app, database):
    ran = subprocess.run(
        [sys.executable, "-c", KNOWN, *declaring()],
        cwd=CHECKOUT,
        env=environment(app),
        capture_output=True,
        text=True,
        check=True,
    )
    known, declared = json.loads(ran.stdout.rpartition("JOBS")[2])
    assert known == declared
    assert "act_on_mark" in known
