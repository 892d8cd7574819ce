"""apt and dpkg of one system: asked and told as programs of their own, never through a shell.

`root` other than / is a system in a folder: apt then reads that folder's configuration, sources and state, and dpkg
works below it.
"""

import fcntl
import os
import re
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from . import process
from .durable import write_file
from .process import Finished
from .reasons import Failure, Reason

Pulse = Callable[[], None]
QUERY = "${Package}\\t${Architecture}\\t${Version}\\t${db:Status-Status}\\n"
ENVIRONMENT = {
    "DEBIAN_FRONTEND": "noninteractive",
    "APT_LISTCHANGES_FRONTEND": "none",
    "NEEDRESTART_MODE": "l",
    "NEEDRESTART_SUSPEND": "1",
}
KEEP_OLD = ("--force-confdef", "--force-confold")
COMMON = ("-q", "-y", "-o", "Dpkg::Use-Pty=0", "-o", "DPkg::Lock::Timeout=0")
INSTALLATION = re.compile(r"^Inst (\S+) (?:\[([^\]]*)\] )?\((\S+) .*?\[([^\]]*)\]\)", re.MULTILINE)
LOCKED = re.compile(
    r"Could not get lock|Unable to acquire the dpkg frontend lock|is another process using it|is locked by"
)
FULL = re.compile(r"enough free space|No space left on device")
UNREACHED = re.compile(
    r"Failed to fetch|Unable to fetch|Could not resolve|Could not connect|Connection (failed|timed out)"
)


class Debian:
    """One Debian system's packages; `work` is a folder for apt's output and configuration."""

    def __init__(self, root: Path, work: Path) -> None:
        self._root = root
        self._work = work
        self._is_own = root == Path("/")

    def versions(self, names: Iterable[str]) -> dict[str, str | None]:
        """The installed version of each, None where it is absent or half done. Raises Failure."""
        wanted = list(names)
        words = ["dpkg-query", *self._dpkg_root(), "--showformat", QUERY, "--show", *wanted]
        rows = [line.split("\t") for line in self._run(words, "dpkg-query.log").output.splitlines()]
        found = [row for row in rows if len(row) == 4 and row[3] == "installed"]
        return {name: _version_of(name, found) for name in wanted}

    def offered(self, name: str) -> list[str]:
        """The versions that the system's own sources have, highest first. Raises Failure."""
        output = self._apt("apt-cache", "madison", "--", name).output
        rows = [[part.strip() for part in line.split("|")] for line in output.splitlines()]
        return [row[1] for row in rows if len(row) == 3 and row[0] == name.partition(":")[0]]

    def update(self, pulse: Pulse) -> Finished:
        """Read the sources' lists anew; what is known already stays if that does not work."""
        return self._apt("apt-get", *COMMON, "update", pulse=pulse)

    def simulate(self, pins: Sequence[str], *, downgrade: bool, pulse: Pulse) -> Finished:
        """What installing `name=version` pins would do, without doing it."""
        return self._apt("apt-get", *COMMON, "-s", *_install(pins, downgrade), pulse=pulse)

    def download(self, pins: Sequence[str], *, downgrade: bool, pulse: Pulse) -> Finished:
        """Fetch what installing the pins needs."""
        return self._apt("apt-get", *COMMON, "--download-only", *_install(pins, downgrade), pulse=pulse)

    def install(self, pins: Sequence[str], *, downgrade: bool, pulse: Pulse) -> Finished:
        """Install the pins, which have been fetched before. `pulse` must not raise: dpkg is never broken off."""
        options = [word for option in KEEP_OLD for word in ("-o", f"Dpkg::Options::={option}")]
        return self._apt("apt-get", *COMMON, *options, *_install(pins, downgrade), pulse=pulse)

    def is_half_done(self) -> bool:
        """Whether dpkg finds packages that were not installed to their end. Raises Failure."""
        return bool(self._run(["dpkg", *self._dpkg_root(), "--audit"], "dpkg.log").output.strip())

    def configure(self, pulse: Pulse) -> Finished:
        """Finish whatever was left half done."""
        return self._run(
            ["dpkg", *self._dpkg_words(), *KEEP_OLD, "--configure", "--pending"], "dpkg.log", pulse
        )

    def is_locked(self) -> bool:
        """Whether another package manager is at work."""
        try:
            descriptor = os.open(self._root / "var/lib/dpkg/lock-frontend", os.O_RDWR | os.O_CLOEXEC)
        except OSError:
            return False
        try:
            fcntl.lockf(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return True
        finally:
            os.close(descriptor)
        return False

    def upgradable(self) -> dict[tuple[str, str], str] | None:
        """What an upgrade would bring, by name and architecture; None if apt cannot tell."""
        try:
            done = self._apt("apt-get", "-q", "-s", "-o", "Debug::NoLocking=1", "dist-upgrade", whole=True)
        except Failure:
            return None
        if done.code != 0:
            return None
        found = INSTALLATION.findall(done.output)
        return {(name.partition(":")[0], arch): new for name, old, new, arch in found if old}

    def _apt(self, program: str, *words: str, pulse: Pulse = lambda: None, whole: bool = False) -> Finished:
        environment = {} if self._is_own else {"APT_CONFIG": str(self._configuration())}
        return self._run([program, *words], f"{program}.log", pulse, environment, whole=whole)

    def _run(
        self,
        words: Sequence[str],
        log: str,
        pulse: Pulse = lambda: None,
        environment: dict[str, str] | None = None,
        *,
        whole: bool = True,
    ) -> Finished:
        try:
            return process.run(
                words,
                self._work / log,
                pulse=pulse,
                environment={**ENVIRONMENT, **(environment or {})},
                whole=whole,
            )
        except OSError as error:
            raise Failure(
                Reason.UNSUPPORTED, f"unsupported: {words[0]} cannot be run: {error.strerror}"
            ) from None

    def _dpkg_root(self) -> list[str]:
        return [] if self._is_own else [f"--root={self._root}"]

    def _dpkg_words(self) -> list[str]:
        """Options for dpkg; without the second its log would be this machine's."""
        return [] if self._is_own else [*self._dpkg_root(), f"--log={self._root}/var/log/dpkg.log"]

    def _configuration(self) -> Path:
        """apt's settings for a system in a folder, written where the environment points to."""
        path = self._work / "apt.conf"
        content = (
            f'Dir "{self._root}/";\nDir::State::status "{self._root}/var/lib/dpkg/status";\n'
            + "".join(f'DPkg::Options:: "{word}";\n' for word in self._dpkg_words())
        ).encode()
        if not path.exists() or path.read_bytes() != content:
            write_file(path, content)
        return path


def reason_of(done: Finished, otherwise: Reason) -> Reason:
    """Why apt or dpkg failed, from its own words."""
    for pattern, reason in ((LOCKED, Reason.BUSY), (FULL, Reason.NO_SPACE), (UNREACHED, Reason.DOWNLOAD)):
        if pattern.search(done.output):
            return reason
    return otherwise


def changes_of(done: Finished) -> list[str]:
    """A simulation in words, one line for each package that would change."""
    found = INSTALLATION.findall(done.output)
    return [f"{name} {old or 'new'} → {new}" for name, old, new, _arch in found]


def _install(pins: Sequence[str], downgrade: bool) -> list[str]:
    allowed = ["--allow-downgrades"] if downgrade else []
    return ["--no-remove", *allowed, "install", "--", *pins]


def _version_of(name: str, rows: list[list[str]]) -> str | None:
    """The version of a name, or of `name:architecture`; of several architectures the first that dpkg lists."""
    plain, _, wanted = name.partition(":")
    for package, architecture, version, _state in rows:
        if package == plain and (not wanted or architecture in (wanted, "all")):
            return version
    return None
