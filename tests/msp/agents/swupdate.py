"""Debian's swupdate against the portal: signed images made with openssl, and the daemon as a process of its own."""

import hashlib
import os
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

AGAIN, SUCCESS, FAILED = 1, 2, 3
PROGRAM = shutil.which("swupdate")
OPENSSL_EXTENSIONS = (
    "[v3]\nextendedKeyUsage=critical,emailProtection\nkeyUsage=digitalSignature\nbasicConstraints=CA:TRUE\n"
)


def run(*command: str, folder: Path) -> None:
    subprocess.run(command, cwd=folder, check=True, capture_output=True, timeout=30)


def make_key(folder: Path) -> None:
    """A key and a certificate for e-mail protection, which the client demands."""
    config = (
        "[req]\ndistinguished_name=dn\nx509_extensions=v3\nprompt=no\n[dn]\nCN=releases\n"
        + OPENSSL_EXTENSIONS
    )
    (folder / "openssl.cnf").write_text(config)
    run(
        *("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "3650", "-config", "openssl.cnf"),
        *("-keyout", "key.pem", "-out", "certificate.pem"),
        folder=folder,
    )  # fmt: skip


def make_image(folder: Path, target: Path, payload: bytes, *, is_signed: bool = True) -> bytes:
    """An image that writes the payload to the target; a script before it leaves a trace that it ran."""
    script = f'#!/bin/sh\n[ "$1" = preinst ] && touch {target}.began\nexit 0\n'.encode()
    description = (
        'software = { version = "1.0"; hardware-compatibility: [ "1.0" ];\n'
        f'  scripts: ( {{ filename = "before.sh"; type = "shellscript"; sha256 = "{_sha256(script)}"; }} );\n'
        f'  files: ( {{ filename = "payload"; path = "{target}"; sha256 = "{_sha256(payload)}"; }} ); }}\n'
    )
    (folder / "sw-description").write_text(description)
    run(
        *("openssl", "cms", "-sign", "-in", "sw-description", "-out", "sw-description.sig", "-outform", "DER"),
        *("-signer", "certificate.pem", "-inkey", "key.pem", "-nosmimecap", "-binary"),
        folder=folder,
    )  # fmt: skip
    members = [("sw-description", description.encode())]
    if is_signed:
        members.append(("sw-description.sig", (folder / "sw-description.sig").read_bytes()))
    return b"".join(
        _member(*one) for one in [*members, ("before.sh", script), ("payload", payload)]
    ) + _member("TRAILER!!!", b"")


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _member(name: str, data: bytes) -> bytes:
    """One member of a cpio archive with checksums ("crc")."""
    fields = [1, 0o100644, 0, 0, 1, 0, len(data), 0, 0, 0, 0, len(name) + 1, sum(data) & 0xFFFFFFFF]
    head = "070702" + "".join(f"{number:08X}" for number in fields)
    padded = head.encode() + name.encode() + b"\0"
    padded += b"\0" * (-len(padded) % 4)
    return padded + data + b"\0" * (-len(data) % 4)


@dataclass
class Client:
    """How a machine runs the client: where it calls, and under which name and token."""

    folder: Path
    url: str
    tenant: str
    name: str
    token: str
    gateway: bool = False
    options: list[str] = field(default_factory=list)
    configuration: str = ""

    def command(self, confirm: int | None) -> list[str]:
        asks = ["-t", self.tenant, "-u", self.url, "-i", self.name, "-p", "1"]
        asks += ["-g" if self.gateway else "-k", self.token]
        asks += ["-c", str(confirm)] if confirm is not None else []
        given = ["-f", self._configured()] if self.configuration else []
        own = ["-k", str(self.folder / "certificate.pem"), "-H", "test:1.0", "-v", *self.options]
        return [str(PROGRAM), *given, *own, "-u", " ".join(asks)]

    def _configured(self) -> str:
        (self.folder / "swupdate.cfg").write_text(self.configuration)
        return str(self.folder / "swupdate.cfg")

    @contextmanager
    def running(self, confirm: int | None = None) -> Iterator[Path]:
        """The daemon, from its start to its end; yields its log."""
        place = self.folder / "run"
        place.mkdir(exist_ok=True)
        log = self.folder / f"log-{len(list(self.folder.glob('log-*')))}"
        with log.open("wb") as out:
            started = subprocess.Popen(
                self.command(confirm),
                stdout=out,
                stderr=subprocess.STDOUT,
                cwd=place,
                env={**os.environ, "TMPDIR": str(place), "LC_ALL": "C"},
                start_new_session=True,
            )
            try:
                yield log
            finally:
                os.killpg(started.pid, 9)
                started.wait(timeout=10)


def wait(until: Callable[[], object], log: Path, seconds: float = 90) -> None:
    """Wait for what another process does; shows its log when it does not."""
    end = time.monotonic() + seconds
    while not until():
        assert time.monotonic() < end, log.read_text(errors="replace")[-6000:]
        time.sleep(0.05)
