"""Real agents: the reference agent as processes of their own, each with a folder, calling the running portal."""

import json
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

from tenants.assets.models import Asset

CHECKOUT = Path(__file__).parents[2]
PATIENCE_SECONDS = 120


class Machine:
    """An agent's folder; `config` is what the portal gave out when it enrolled the asset."""

    def __init__(self, asset: Asset, folder: Path, config: dict[str, str]) -> None:
        self.name, self.folder = asset.name, folder
        folder.mkdir(parents=True)
        (folder / "config.json").write_text(json.dumps(config))

    def begin_cycle(self) -> subprocess.Popen[bytes]:
        """Start one cycle: poll, and do what the poll says."""
        return subprocess.Popen(
            [sys.executable, "-m", "msp.agent", "once", "--folder", str(self.folder)],
            cwd=CHECKOUT,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    def break_disk(self) -> None:
        """Let nothing be written any more where releases go."""
        (self.folder / "root").mkdir(exist_ok=True)
        (self.folder / "root" / ".readonly").touch()

    def installed(self, path: str) -> bytes | None:
        """What lies at this path of the machine."""
        file = self.folder / "root" / path
        return file.read_bytes() if file.is_file() else None


def cycle(machines: Iterable[Machine]) -> None:
    """One cycle of each machine, all at once, as fleets call."""
    running = [machine.begin_cycle() for machine in machines]
    try:
        codes = [process.wait(timeout=PATIENCE_SECONDS) for process in running]
    finally:
        for process in running:
            process.kill()
    assert codes == [0] * len(codes)
