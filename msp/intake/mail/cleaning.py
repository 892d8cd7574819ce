"""Cleaning an HTML mail in a child process that may be killed: its nesting can cost any parser hours and gigabytes."""

import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from markupsafe import Markup

from msp.intake.mail.child import limit
from msp.intake.mail.html import cleaned

ROOT = Path(__file__).parents[3]
START = "import sys; sys.path.insert(0, sys.argv.pop(1)); from msp.intake.mail.cleaning import main; main()"
MEMORY = 384 * 1024 * 1024
SECONDS = 2
PATIENCE = 10.0
# Of what is shown; one mail's HTML is kept up to a fifth of it.
LONGEST_SHOWN = 2_000_000


class TooMuch(ValueError):
    """This HTML costs more than a page may; its mail is shown as text only."""


def clean_apart(html: str, images: Mapping[str, str]) -> tuple[Markup, bool]:
    """What `html.cleaned` gives, made in a child with little memory and time. Raises TooMuch."""
    asked = json.dumps([html, dict(images)]).encode()
    try:
        done = subprocess.run(
            [sys.executable, "-I", "-c", START, str(ROOT)],
            input=asked,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=PATIENCE,
            env={},
            cwd="/",
        )
    except subprocess.TimeoutExpired as late:
        raise TooMuch from late
    if done.returncode != 0:
        raise TooMuch
    shown, left_out = json.loads(done.stdout)
    return Markup(shown), left_out  # noqa: S704


def main() -> None:
    """The child's part: one question on its input, one answer; no answer when it is too much."""
    limit(SECONDS, MEMORY)
    html, images = json.loads(sys.stdin.buffer.read())
    shown, left_out = cleaned(html, images)
    if len(shown) > LONGEST_SHOWN:
        sys.exit(1)
    sys.stdout.buffer.write(json.dumps([shown, left_out]).encode())
    sys.stdout.buffer.flush()
