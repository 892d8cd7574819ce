"""`python -m msp.agent.zipped OUT.pyz`: the agent as one file that runs alone on any Python 3.11."""

import shutil
import sys
import tempfile
import zipapp
from pathlib import Path

NAME = "msp_agent"
# zipapp's own entry point would lose the exit code.
MAIN = f"import sys\n\nfrom {NAME}.commands import main\n\nsys.exit(main())\n"


def build(out: Path) -> None:
    """Write the zip application."""
    with tempfile.TemporaryDirectory() as staging:
        package = Path(staging, NAME)
        package.mkdir()
        for source in sorted(Path(__file__).parent.glob("*.py")):
            shutil.copy(source, package / source.name)
        Path(staging, "__main__.py").write_text(MAIN)
        zipapp.create_archive(staging, out, interpreter="/usr/bin/env python3", compressed=True)


if __name__ == "__main__":
    build(Path(sys.argv[1]))
