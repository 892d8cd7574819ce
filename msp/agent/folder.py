"""The agent's folder: everything that it writes lies below it."""

import fcntl
import hashlib
import json
import os
from pathlib import Path

from .durable import sync_folder, write_file


class FolderBusy(Exception):
    """Another agent works in this folder."""


class Folder:
    """Names of the files in the folder, and the small ones' content."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.config = path / "config.json"
        self.token_file = path / "token"
        self.ledger = path / "ledger.jsonl"
        self.log = path / "agent.log"
        self.root = path / "root"
        self.downloads = path / "downloads"
        self.work = path / "work"
        self._hold = path / "hold"
        self._sent = path / "sent.json"

    def prepare(self) -> None:
        """Create what is missing; only the owner may look inside."""
        for folder in (self.path, self.root, self.downloads, self.work):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)

    def lock(self) -> int:
        """Claim the folder until this process ends; raises FolderBusy."""
        descriptor = os.open(self.path / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            raise FolderBusy(f"another agent works in {self.path}") from None
        return descriptor

    @property
    def token(self) -> str | None:
        """The TargetToken received at enrolment or in place of another one, if there was one."""
        return next(iter(self._tokens()), None) or None

    def tokens_for(self, configured: str | None) -> list[str]:
        """What to poll with: the last TargetToken received, then the one that it took the place of.

        One given in the configuration goes before, unless that very one was replaced.
        """
        token, former, stood_in = [*self._tokens(), "", "", ""][:3]
        if configured is not None and stood_in != digest(configured):
            return [configured]
        return [one for one in (token, former) if one]

    def keep_token(self, token: str, *, former: str = "", configured: str | None = None) -> None:
        """Store the TargetToken, and the `former` one that it replaces; readable by the owner only."""
        lines = [token, former, digest(configured) if configured else ""]
        write_file(self.token_file, ("\n".join(lines).rstrip() + "\n").encode("ascii"))

    def _tokens(self) -> list[str]:
        try:
            return self.token_file.read_text("ascii").strip().split("\n")
        except FileNotFoundError:
            return []

    @property
    def is_held(self) -> bool:
        """Whether somebody at the machine told the agent to change nothing."""
        return self._hold.exists()

    def hold(self) -> None:
        """Change nothing on this machine until release()."""
        write_file(self._hold, b"held\n")

    def release(self) -> None:
        """End the hold; doing so twice is no error."""
        self._hold.unlink(missing_ok=True)
        sync_folder(self.path)

    @property
    def sent_inventory(self) -> str | None:
        """Digest of the last inventory that the portal took; None when unknown."""
        try:
            content = json.loads(self._sent.read_bytes())
        except (FileNotFoundError, ValueError):
            return None
        digest = content.get("inventory") if isinstance(content, dict) else None
        return digest if isinstance(digest, str) else None

    def remember_inventory(self, digest: str) -> None:
        """The portal has taken the inventory with this digest."""
        write_file(self._sent, json.dumps({"inventory": digest}).encode())


def digest(token: str) -> str:
    """What tells a token from another without giving it away."""
    return hashlib.sha256(token.encode()).hexdigest()
