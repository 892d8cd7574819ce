"""No branch of the clock is untried by its own tests, the random comparisons left aside."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.prove
CHECKOUT = Path(__file__).parents[2]


def test_every_branch_of_the_clock_is_tried(tmp_path: Path) -> None:
    run = [sys.executable, "-m", "pytest", "tests/contracts/clock", "-n0", "-q", "-p", "no:cacheprovider"]
    aside = ["--ignore=tests/contracts/clock/test_differential.py"]
    cover = ["--cov=contracts/clock", "--cov-branch", "--cov-fail-under=100", "--cov-report=term-missing"]
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST_", "TEST_"))}
    done = subprocess.run(
        run + aside + cover,
        cwd=CHECKOUT,
        env=kept | {"COVERAGE_FILE": str(tmp_path / "coverage")},
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
    )
    print(next((line for line in done.stdout.splitlines() if line.startswith("TOTAL")), ""))
    assert done.returncode == 0, done.stdout[-3000:]
