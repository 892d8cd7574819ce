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


class Failure(Exception):
    """The action failed for good; the message says so in words for people."""

    def __init__(self, reason: Reason, words: str) -> None:
        super().__init__(words)
        self.reason = reason
