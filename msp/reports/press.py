"""The press: `python -m msp.reports.press TEMPLATE FONTS`, a JSON document on standard input, a PDF on standard output.

A process of its own, so that the printer's memory and time are given back, and a page that never ends can be stopped.
Texts go in as data and stay inert; the template can read nothing outside its folder.
"""

import sys
from pathlib import Path

import typst


def main(template: str, fonts: str) -> None:
    """Print once."""
    path = Path(template)
    document = sys.stdin.buffer.read().decode()
    sheet = typst.compile(
        str(path),
        root=str(path.parent),
        font_paths=[fonts],
        ignore_system_fonts=True,
        sys_inputs={"document": document},
    )
    sys.stdout.buffer.write(sheet)


if __name__ == "__main__":
    main(*sys.argv[1:])
