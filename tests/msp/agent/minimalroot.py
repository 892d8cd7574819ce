"""A root of its own for a Debian system: this machine's dpkg, apt and Python copied into a folder, entered by chroot.

Unlike a tree that dpkg is pointed at, nothing that runs in it can see or reach the machine around it but through the
network. Nothing is downloaded and nothing is mounted.
"""

import contextlib
import functools
import os
import shutil
import stat
import subprocess
import sys
import sysconfig
import uuid
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

from msp.agent import zipped
from tests.msp.agent.debtree import NAME, Tree, missing

# What dpkg, apt and the maintainer scripts call.
PROGRAMS = (
    *("sh", "cat", "chmod", "cp", "false", "ln", "ls", "mkdir", "mv", "rm", "rmdir", "sed", "test", "touch"),
    *("true", "diff", "tar", "ldconfig", "start-stop-daemon"),
    *("dpkg", "dpkg-deb", "dpkg-query", "dpkg-split", "dpkg-trigger", "apt-get", "apt-cache"),
)
TABLES = Path("/usr/share/dpkg")
METHODS = ("copy", "file", "store")
LINKS = ("bin", "sbin", "lib", "lib64")
DEVICES = {"null": (1, 3), "zero": (1, 5), "urandom": (1, 9)}
UNUSED = shutil.ignore_patterns(
    *("__pycache__", "site-packages", "dist-packages", "test", "tests", "idlelib", "tkinter", "turtledemo"),
    *("ensurepip", "lib2to3", "config-*", "pydoc_data", "*.a"),
)
USERS = "root:x:0:0:root:/root:/bin/sh\n_apt:x:42:65534::/nonexistent:/bin/false\n"
AGENT = "opt/msp-agent.pyz"


def _why_not() -> str:
    """Why there can be no such root here; empty if there can."""
    if os.geteuid() != 0:
        return "needs root to enter a root of its own"
    if absent := [*missing, *(name for name in PROGRAMS if _found(name) is None)]:
        return f"needs {', '.join(absent)} to copy into a root of its own"
    entered = subprocess.run(["chroot", "/", "true"], capture_output=True, check=False)
    return "" if entered.returncode == 0 else "chroot is not permitted here"


@functools.cache
def _found(name: str) -> Path | None:
    found = shutil.which(name, path="/usr/sbin:/usr/bin:/sbin:/bin")
    return Path(found) if found else None


why_not = _why_not()
needs_chroot = pytest.mark.skipif(bool(why_not), reason=why_not)


class Root(Tree):
    """The system and its source of packages, which lies inside of it."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, source=folder / "system/srv/packages")
        self.root.chmod(0o755)
        self._lay_out()
        programs = [path for name in PROGRAMS if (path := _found(name))]
        methods = [Path("/usr/lib/apt/methods", name) for name in METHODS]
        python = Path(sys.base_prefix, "bin", f"python{sysconfig.get_python_version()}")
        library = Path(sysconfig.get_path("stdlib"))
        modules = [*library.glob("lib-dynload/*.so")]
        shutil.copytree(library, self._inside(library), ignore=UNUSED)
        shutil.copytree(TABLES, self._inside(TABLES))
        for path in {*programs, *methods, python, *_libraries([*programs, *methods, python, *modules])}:
            self._take(path)
        (self.root / "usr/bin/python3").symlink_to(python)
        zipped.build(self.root / AGENT)

    def run(self, *words: str) -> "subprocess.CompletedProcess[str]":
        """Run a program of the root in the root, with nothing of this process's surroundings."""
        clean = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/root", "LC_ALL": "C.UTF-8"}
        return subprocess.run(
            [str(_found("chroot")), str(self.root), *words],
            env=clean,
            cwd="/",
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    def run_agent(self, *words: str) -> "subprocess.CompletedProcess[str]":
        """Run one command of the agent in the root; its own root is /, as on every real machine."""
        return self.run("python3", f"/{AGENT}", *words)

    def installed(self) -> str:
        """The package's state and version, as the root's own dpkg tells them."""
        return self.run("dpkg-query", "-W", "-f", "${db:Status-Status} ${Version}", NAME).stdout

    def _lay_out(self) -> None:
        for name in LINKS:
            (self.root / "usr" / name).mkdir(parents=True)
            (self.root / name).symlink_to(f"usr/{name}")
        for name in ("dev", "opt", "root", "tmp", "proc/sys/kernel/random", "run", "usr/lib/apt/methods"):
            (self.root / name).mkdir(parents=True, exist_ok=True)
        for name, content in {
            "etc/passwd": USERS,
            "etc/group": "root:x:0:\nnogroup:x:65534:\n",
            "etc/apt/sources.list": "deb [trusted=yes] file:/srv/packages ./\n",
            "proc/sys/kernel/random/boot_id": f"{uuid.uuid4()}\n",
            "var/lib/dpkg/available": "",
        }.items():
            (self.root / name).write_text(content)
        for name, numbers in DEVICES.items():
            with contextlib.suppress(PermissionError):
                os.mknod(self.root / "dev" / name, stat.S_IFCHR | 0o666, os.makedev(*numbers))

    def _inside(self, path: Path) -> Path:
        return self.root / path.relative_to("/")

    def _take(self, path: Path) -> None:
        """Copy a file of this machine to the same place, following links."""
        target = self._inside(path)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(path, target)


def _libraries(files: Iterable[Path]) -> Iterator[Path]:
    """The shared libraries that these programs and modules are linked with, and the loader."""
    words = ["ldd", *(str(path) for path in files)]
    lines = subprocess.run(words, capture_output=True, text=True, check=False).stdout.splitlines()
    for line in lines:
        found = line.split("=>")[-1].split(" (")[0].strip()
        if line.startswith("\t") and found.startswith("/"):
            yield Path(found)
