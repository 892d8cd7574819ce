"""Debian's mender-client against the portal, and images for it made here: no device, boot loader or root is changed.

The client looks for its identity script and its artifact name at fixed places; in a mount namespace of its own these
are the test's folders. Where that is not allowed, the tests are skipped.
"""

import hashlib
import io
import json
import os
import shutil
import subprocess
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

PROGRAM = shutil.which("mender")
TYPE = "test-machine"
# The folders of the machine that the client reads, over which the test's own are laid.
PLACES = {
    "etc": "/etc/mender",
    "identity": "/usr/share/mender/identity",
    "inventory": "/usr/share/mender/inventory",
}


def reason() -> str:
    """Why the client cannot be run here; empty if it can."""
    if PROGRAM is None:
        return "mender-client is not installed"
    tried = subprocess.run(
        ["unshare", "--mount", "mount", "--bind", "/etc", "/etc/mender"], capture_output=True, check=False
    )
    return "no mount namespaces here" if tried.returncode else ""


def make_image(name: str, script: bytes, *, types: tuple[str, ...] = (TYPE,)) -> bytes:
    """An image of format 3 whose payload is a script."""
    payload = _tar({"fix.sh": script}, "w:gz")
    kind = {"type": "script", "artifact_provides": {"rootfs-image.fix.version": name}}
    header = _tar(
        {
            "header-info": _json(
                {
                    "payloads": [{"type": "script"}],
                    "artifact_provides": {"artifact_name": name},
                    "artifact_depends": {"device_type": list(types)},
                }
            ),
            "headers/0000/type-info": _json(kind),
            "headers/0000/meta-data": b"",
        },
        "w:gz",
    )
    version = _json({"format": "mender", "version": 3})
    sums = {"data/0000/fix.sh": script, "header.tar.gz": header, "version": version}
    manifest = "".join(f"{hashlib.sha256(data).hexdigest()}  {path}\n" for path, data in sums.items())
    members = {"version": version, "manifest": manifest.encode(), "header.tar.gz": header}
    return _tar({**members, "data/0000.tar.gz": payload}, "w:")


def _json(content: object) -> bytes:
    return json.dumps(content).encode()


def _tar(members: dict[str, bytes], mode: str) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode=mode, format=tarfile.USTAR_FORMAT) as archive:
        for name, content in members.items():
            member = tarfile.TarInfo(name)
            member.size, member.mode = len(content), 0o755
            archive.addfile(member, io.BytesIO(content))
    return packed.getvalue()


def public_key() -> str:
    """The public half of a key that signed nothing."""
    key = rsa.generate_private_key(65537, 2048).public_key()
    return key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


@dataclass
class Client:
    """How a machine runs the client."""

    folder: Path
    url: str
    token: str
    name: str = "before-1.0"
    configuration: dict[str, object] = field(default_factory=dict)

    def prepare(self) -> None:
        """Write what the client reads: settings, type, present image, identity."""
        for place in (*PLACES, "state"):
            (self.folder / place).mkdir(exist_ok=True)
        settings = {
            "ServerURL": self.url,
            "TenantToken": self.token,
            "UpdatePollIntervalSeconds": 1,
            "InventoryPollIntervalSeconds": 5,
            "RetryPollIntervalSeconds": 1,
            **self.configuration,
        }
        (self.folder / "etc" / "mender.conf").write_bytes(_json(settings))
        (self.folder / "etc" / "artifact_info").write_text(f"artifact_name={self.name}\n")
        (self.folder / "state" / "device_type").write_text(f"device_type={TYPE}\n")
        script = self.folder / "identity" / "mender-device-identity"
        script.write_text("#!/bin/sh\necho mac=02:00:00:00:00:07\n")
        script.chmod(0o755)

    @contextmanager
    def running(self) -> Iterator[Path]:
        """The daemon, from its start to its end; yields its log."""
        self.prepare()
        binds = " && ".join(f"mount --bind {self.folder / own} {place}" for own, place in PLACES.items())
        daemon = f"exec {PROGRAM} --no-syslog --log-level debug --data {self.folder / 'state'} daemon"
        log = self.folder / f"log-{len(list(self.folder.glob('log-*')))}"
        with log.open("wb") as out:
            started = subprocess.Popen(
                ["unshare", "--mount", "sh", "-c", f"{binds} && {daemon}"],
                stdout=out,
                stderr=subprocess.STDOUT,
                env={**os.environ, "LC_ALL": "C"},
                start_new_session=True,
            )
            try:
                yield log
            finally:
                os.killpg(started.pid, 9)
                started.wait(timeout=10)
