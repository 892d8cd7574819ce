"""`python -m msp.demo`: takes PORT, DATA and RESET from the environment and runs until SIGTERM or Ctrl-C."""

import os
import sys

from msp.demo import options
from msp.demo.options import DemoRefused, say
from msp.demo.signals import StopAsked
from msp.demo.start import start
from msp.embedded import EmbeddedError
from msp.settings import SettingsRefused


def main() -> int:
    """Exit codes: 0 stopped, 1 refused (says why)."""
    try:
        start(options.read(os.environ))
        return 0
    except (DemoRefused, EmbeddedError) as refused:
        say(f"demo: {refused}")
    except SettingsRefused as refused:
        say("demo: " + "; ".join(refused.problems))
    except (KeyboardInterrupt, StopAsked):
        say("demo: stopped before it was ready")
        return 0
    return 1


if __name__ == "__main__":
    sys.exit(main())
