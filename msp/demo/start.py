"""The first second of a demo: whatever it may be refused for is asked before the portal is even imported."""

import os
import time
from contextlib import ExitStack

from msp.demo import hosts, leftovers, linux, ports
from msp.demo.folder import Folder
from msp.demo.options import ROOT, Options
from msp.demo.signals import Signals


def start(options: Options) -> None:
    """Claim folder and ports, then run until told to stop. Raises DemoRefused, EmbeddedError, SettingsRefused."""
    began = time.monotonic()
    os.chdir(ROOT)
    folder = Folder(options.data)
    with ExitStack() as stack:
        claim = stack.enter_context(folder.claim())
        for notes in (folder.processes, folder.hosts / hosts.NOTES):
            leftovers.end_leftovers(notes)
        listening = stack.enter_context(ports.claim(options.port))
        downloads = stack.enter_context(ports.claim_near(options.port))
        if options.reset:
            folder.empty()
        folder.make()
        signals = stack.enter_context(Signals(interrupts=True))
        linux.adopt_orphans()
        linux.give_memory_back()

        from msp.demo.run import Claims, run

        run(options, folder, signals, Claims(claim, listening, downloads), began)
