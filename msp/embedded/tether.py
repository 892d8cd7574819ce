"""Become another program that ends when its parent does. Run as a script, never imported by the portal.

Usage: tether.py PARENT_PID SIGNAL UID GID PROGRAM [ARGUMENT…]; UID -1 keeps the user. Drops privileges first,
because changing the user clears the wish. Only Linux can do it; elsewhere the next start stops what is left.
"""

import ctypes
import os
import sys

PR_SET_PDEATHSIG = 1


def main(arguments: list[str]) -> None:
    """Drop privileges, ask for the signal at the parent's death, and turn into the program."""
    parent, signal, uid, gid = (int(value) for value in arguments[:4])
    program = arguments[4:]
    if uid >= 0:
        os.setgroups([])
        os.setgid(gid)
        os.setuid(uid)
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal, 0, 0, 0)
    if os.getppid() != parent:
        # It died before we asked, so the signal will never come.
        sys.exit("tether: the parent is gone")
    os.execv(program[0], program)  # noqa: S606


if __name__ == "__main__":
    main(sys.argv[1:])
