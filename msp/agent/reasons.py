"""Why an action did not succeed: the integers that travel in `status.code`."""

from enum import IntEnum


class Reason(IntEnum):
    """Stable numbers; a new reason takes a new one."""

    NONE = 0
    DIGEST = 1
    UNSAFE_PATH = 2
    NO_SPACE = 3
    WRITE = 4
    DOWNLOAD = 5
    UNSUPPORTED = 6
    HELD = 7
    CHECK_BEFORE = 8
    CHECK_AFTER = 9
    BUSY = 10
    PACKAGES = 11
    SCRIPT = 12
    TIMED_OUT = 13
    INTERRUPTED = 14
    WINDOW = 15
    DOWNGRADE = 16


class Failure(Exception):
    """The action failed for good; the message says so in words for people, `output` ends what a command said."""

    def __init__(self, reason: Reason, words: str, output: tuple[str, ...] = ()) -> None:
        super().__init__(words)
        self.reason = reason
        self.output = output
