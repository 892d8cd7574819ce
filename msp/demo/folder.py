"""The demo's folder: what lies where, one demo at a time, and how to begin anew."""

import json
import os
import secrets
import shlex
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any

from msp import embedded
from msp.demo.options import DemoRefused
from msp.embedded import storage

MODE = 0o600


class Folder:
    """Names below DATA, and the small files in it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.postgres = path / "postgres"
        self.valkey = path / "valkey"
        self.files = path / "files"
        self.mail = path / "mail"
        self.hosts = path / "hosts"
        self.logs = path / "logs"
        self.templates = path / "templates"
        self.settings = path / "settings.json"
        self.environment = path / "environment"
        self.credentials = path / "credentials.json"
        self.seeded = path / "seeded.json"
        self.processes = path / "processes.json"

    def claim(self) -> IO[str]:
        """Make the folder ours until this process ends. Raises DemoRefused."""
        self._refuse_strangers_folder()
        try:
            claim = storage.lock(self.path)
        except embedded.InUse as held:
            raise DemoRefused(
                f"{held}: another demo runs there. Choose another DATA, or end that one."
            ) from None
        except OSError as error:
            raise DemoRefused(f"{self.path} can't be used: {error.strerror}.") from None
        return claim

    def _refuse_strangers_folder(self) -> None:
        """Somebody's home is no place to scatter files over, still less to begin anew in."""
        if self.path.is_dir() and any(self.path.iterdir()) and not (self.path / "lock").exists():
            raise DemoRefused(f"{self.path} holds other files. Choose an empty folder, or one of a demo.")

    def make(self) -> None:
        """Create the folders that are missing, for our eyes only."""
        for folder in (self.files, self.mail, self.hosts, self.logs, self.templates):
            folder.mkdir(mode=0o700, exist_ok=True)

    def empty(self) -> None:
        """Forget everything but the claim; the servers are down."""
        self.seeded.unlink(missing_ok=True)
        embedded.remove(self.postgres)
        embedded.remove(self.valkey)
        self.empty_seed()
        for folder in (self.logs, self.templates):
            shutil.rmtree(folder, ignore_errors=True)
        for file in (self.settings, self.environment):
            file.unlink(missing_ok=True)

    def empty_seed(self) -> None:
        """Forget what a seeding writes beside the database, so that a killed one starts again cleanly."""
        self.credentials.unlink(missing_ok=True)
        for folder in (self.files, self.mail, self.hosts):
            shutil.rmtree(folder, ignore_errors=True)

    def secrets(self) -> dict[str, str]:
        """The portal's secrets, made once."""
        if not self.settings.exists():
            made = {"SECRET_KEY": secrets.token_urlsafe(48), "METRICS_TOKEN": secrets.token_urlsafe(24)}
            write(self.settings, made)
        read: dict[str, str] = json.loads(self.settings.read_text())
        return read

    def tell_address(self, url: str) -> None:
        """Keep credentials.json true when the port is another one this time."""
        if self.credentials.exists():
            told = json.loads(self.credentials.read_text())
            if told["url"] != url:
                write(self.credentials, {**told, "url": url})

    def tell_environment(self, settings: Mapping[str, str]) -> None:
        """Write the portal's settings for a shell, so that its commands can be tried on the demo."""
        lines = (f"{name}={shlex.quote(value)}\n" for name, value in settings.items())
        write_text(self.environment, "".join(lines))


def write(path: Path, content: Any) -> None:
    """Write a JSON file for our eyes only; whoever reads it finds the old one or the whole new one."""
    write_text(path, json.dumps(content, indent=2, ensure_ascii=False) + "\n")


def write_text(path: Path, content: str) -> None:
    """The same for a text."""
    unfinished = path.with_name(f".{path.name}.new")
    unfinished.unlink(missing_ok=True)
    with os.fdopen(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, MODE), "w") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    unfinished.replace(path)
