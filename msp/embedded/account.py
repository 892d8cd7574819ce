"""The system user a server runs as: ourselves, or `nobody` when we are root.

PostgreSQL refuses to run as root, so root hands the server's files (and only those) to `nobody`.
"""

import os
import pwd
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import TypedDict


class Switch(TypedDict, total=False):
    """The arguments of `subprocess` that change the user."""

    user: int
    group: int
    extra_groups: list[int]


@dataclass(frozen=True)
class Account:
    """A user and group id; `switches` says whether they differ from our own."""

    uid: int
    gid: int
    switches: bool

    def switch(self) -> Switch:
        """Arguments for `subprocess.run` that make a command run as this user."""
        if not self.switches:
            return {}
        return {"user": self.uid, "group": self.gid, "extra_groups": []}

    def own(self, path: Path) -> None:
        """Give this user a file or folder that we have just made."""
        if self.switches:
            os.chown(path, self.uid, self.gid)

    def reaches(self, path: Path) -> bool:
        """Whether this user may read and enter (or execute) an existing path."""
        if not self.switches:
            return os.access(path, os.R_OK | os.X_OK)
        # Asking a process of that user covers access lists and mounts, which mode bits do not tell.
        probe = ["/bin/sh", "-c", 'test -r "$1" && test -x "$1"', "sh", str(path)]
        return subprocess.run(probe, cwd="/", check=False, **self.switch()).returncode == 0


def server_account() -> Account:
    """The user that servers run as."""
    if os.geteuid() != 0:
        return Account(os.geteuid(), os.getegid(), switches=False)
    nobody = pwd.getpwnam("nobody")
    return Account(nobody.pw_uid, nobody.pw_gid, switches=True)
