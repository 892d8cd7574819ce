"""The demo's hosts: `python -m msp.demo.hosts FOLDER URL` runs the reference agent on each host's own folder.

Every agent is a process of its own. They are forks of this one, which knows nothing but the agent: eight interpreters
would need twice the memory.
"""

import gc
import sys
from functools import partial
from pathlib import Path

from msp.agent import wire
from msp.agent.commands import main as agent
from msp.demo import linux
from msp.demo.child import Recipe
from msp.demo.keeper import Keeper
from msp.demo.signals import Signals

NOTES = "processes.json"


def recipes(folder: Path, url: str) -> list[Recipe]:
    """An agent for every host that has been enrolled."""
    enrolled = sorted(path.parent for path in folder.glob("*/config.json"))
    return [Recipe(f"host-{host.name}", partial(_run, host, url), shown=host.name) for host in enrolled]


def _run(host: Path, url: str) -> None:
    # The portal's port may be another one this time: the flag beats what was written at enrolment.
    raise SystemExit(agent(["run", "--folder", str(host), "--url", f"{url}/ddi"]))


def main(folder: Path, url: str) -> None:
    """Keep an agent running for each host until SIGTERM."""
    with Signals() as signals:
        linux.adopt_orphans()
        linux.give_memory_back()
        keeper = Keeper(logs=folder.parent / "logs", notes=folder / NOTES, signals=signals)
        wire._trust(None)  # the system's certificates, read once for all
        gc.collect()
        gc.freeze()  # what is never collected is never copied into the forks
        keeper.add(recipes(folder, url))
        while not keeper.is_stopping:
            keeper.tick()
        keeper.stop()


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
