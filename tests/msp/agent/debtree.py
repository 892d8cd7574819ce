"""A Debian system in a folder, with a source of its own: real dpkg and apt, and nothing of this machine's packages."""

import hashlib
import os
import shutil
import subprocess
from pathlib import Path

import pytest

NEEDED = ("dpkg-deb", "dpkg", "apt-get", "apt-cache")
missing = [name for name in NEEDED if shutil.which(name) is None]
needs_dpkg = pytest.mark.skipif(
    bool(missing) or os.geteuid() != 0,
    reason=f"needs root and {', '.join(missing) or 'nothing else'} for a Debian system of its own",
)
NAME = "msp-tiny"
FOLDERS = (
    "etc/apt/apt.conf.d",
    "etc/apt/preferences.d",
    "etc/apt/trusted.gpg.d",
    "var/lib/apt/lists/partial",
    "var/cache/apt/archives/partial",
    "var/log/apt",
    "var/lib/dpkg/info",
    "var/lib/dpkg/updates",
    "var/lib/dpkg/triggers",
)


class Tree:
    """The system's root and its source of packages."""

    def __init__(self, folder: Path, source: Path | None = None) -> None:
        self.root = folder / "system"
        self.source = source or folder / "source"
        self._build = folder / "build"
        for name in FOLDERS:
            (self.root / name).mkdir(parents=True)
        self.source.mkdir(parents=True)
        (self.root / "var/lib/dpkg/status").touch()
        (self.root / "etc/os-release").write_text('ID=debian\nVERSION_ID="12"\nPRETTY_NAME="A tiny Debian"\n')
        (self.root / "etc/apt/sources.list").write_text(f"deb [trusted=yes] file:{self.source} ./\n")

    def publish(self, version: str, *, name: str = NAME, postinst: str = "", **fields: str) -> Path:
        """Build a package and add it to the source."""
        path = self.build(version, name=name, postinst=postinst, **fields)
        shutil.copy(path, self.source)
        (self.source / "Packages").write_text("\n".join(map(self._entry, sorted(self.source.glob("*.deb")))))
        return path

    def _entry(self, path: Path) -> str:
        """A package as the source's list names it."""
        content = path.read_bytes()
        found = {
            "Filename": f"./{path.name}",
            "Size": len(content),
            "SHA256": hashlib.sha256(content).hexdigest(),
        }
        return self._run("dpkg-deb", "--field", str(path)) + "".join(f"{k}: {v}\n" for k, v in found.items())

    def build(self, version: str, *, name: str = NAME, postinst: str = "", **fields: str) -> Path:
        """A package with one file that tells its version, and one that is configuration.

        `postinst` is the program that dpkg runs at the end of its installation.
        """
        staging = self._build / f"{name}-{version.replace(':', '_')}"
        control = {"Package": name, "Version": version, "Architecture": "all", "Maintainer": "Nobody <n@o>"}
        control |= {key.capitalize(): value for key, value in fields.items()} | {"Description": "tiny"}
        for path, content in {
            "DEBIAN/control": "".join(f"{key}: {value}\n" for key, value in control.items()),
            "DEBIAN/conffiles": f"/etc/{name}.conf\n",
            f"etc/{name}.conf": f"from = {version}\n",
            f"usr/share/{name}": f"{version}\n",
        }.items():
            (staging / path).parent.mkdir(parents=True, exist_ok=True)
            (staging / path).write_text(content)
        if postinst:
            (staging / "DEBIAN/postinst").write_text(postinst)
            (staging / "DEBIAN/postinst").chmod(0o755)
        self._run("dpkg-deb", "--root-owner-group", "--build", str(staging), str(self._build))
        (built,) = self._build.glob(f"{name}_{version.partition(':')[2] or version}_*.deb")
        return built

    def dpkg(self, *words: str) -> None:
        """Run the system's dpkg by hand."""
        self._run("dpkg", f"--root={self.root}", f"--log={self.root}/var/log/dpkg.log", *words)

    def version(self, name: str = NAME) -> str:
        """What is unpacked: the version that the package's own file tells; empty if absent."""
        path = self.root / "usr/share" / name
        return path.read_text().strip() if path.exists() else ""

    def state(self, name: str = NAME) -> str:
        """dpkg's word for the package."""
        words = ["dpkg-query", f"--root={self.root}", "-W", "-f", "${db:Status-Status} ${Version}", name]
        return subprocess.run(words, capture_output=True, text=True, check=False).stdout

    def changes(self, word: str = "upgrade") -> list[str]:
        """What dpkg did, from its own log."""
        log = self.root / "var/log/dpkg.log"
        lines = log.read_text().splitlines() if log.exists() else []
        return [line.split(" ", 2)[2] for line in lines if line.split(" ")[2] == word]

    def _run(self, *words: str) -> str:
        done = subprocess.run(words, cwd=self.source, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout
