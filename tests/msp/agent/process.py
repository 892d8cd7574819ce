"""The agent as a process of its own, as machines run it."""

import os
import subprocess
import sys
from pathlib import Path

from msp.agent.crash import VARIABLE
from msp.agent.folder import Folder

CHECKOUT = Path(__file__).parents[3]


def command(*words: str) -> list[str]:
    return [sys.executable, "-m", "msp.agent", *words]


def environment(crash_at: str | None = None) -> dict[str, str]:
    clean = {name: value for name, value in os.environ.items() if name != VARIABLE}
    return clean if crash_at is None else {**clean, VARIABLE: crash_at}


def run_agent(word: str, folder: Folder, *, crash_at: str | None = None) -> int:
    """Run one command to its end; the exit code."""
    words = command(word, "--folder", str(folder.path))
    done = subprocess.run(
        words, cwd=CHECKOUT, env=environment(crash_at), timeout=30, check=False, capture_output=True
    )
    return done.returncode
