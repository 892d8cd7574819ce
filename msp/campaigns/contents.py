"""What a release is made of, by kind, and what machines have to show: read strictly, nothing for a shell. Pure.

C1. Packages are named with the exact version that is wanted. C2. A script is one file, run by a known interpreter with
a limit of time. C3. Checks look, they never run anything. C4. A platform that is not named is any platform.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

KINDS = ("file", "deb", "script")
REBOOTS = ("never", "if_needed", "always")
INTERPRETERS = ("/bin/sh", "/usr/bin/python3")
LONGEST_SCRIPT_SECONDS = 14_400
MOST_PACKAGES, MOST_CHECKS, MOST_WORDS = 50, 20, 20
_PACKAGE = re.compile(r"[a-z0-9][a-z0-9+.-]{1,99}", re.ASCII)
_VERSION = re.compile(r"[0-9][A-Za-z0-9.+:~-]{0,99}", re.ASCII)
_WORD = re.compile(r"[a-z0-9][a-z0-9._+-]{0,39}", re.ASCII)
_SERVICE = re.compile(r"[A-Za-z0-9][A-Za-z0-9@._:-]{0,99}", re.ASCII)


class Unfit(ValueError):
    """A field that can't be used; `code` says why in a word, `line` which of several lines."""

    def __init__(self, field: str, code: str, line: str = "") -> None:
        super().__init__(f"{field}: {code} {line}")
        self.field, self.code, self.line = field, code, line


def read_packages(text: str) -> list[dict[str, str]]:
    """Lines of a package and a version (C1). Raises Unfit."""
    found = []
    for words in _lines(text, "packages", MOST_PACKAGES):
        if len(words) != 2 or not _PACKAGE.fullmatch(words[0]) or not _VERSION.fullmatch(words[1]):
            raise Unfit("packages", "package", " ".join(words))
        found.append({"name": words[0], "version": words[1]})
    if not found:
        raise Unfit("packages", "none")
    if len({one["name"] for one in found}) != len(found):
        raise Unfit("packages", "twice")
    return found


def read_checks(text: str, field: str) -> list[dict[str, Any]]:
    """Lines of checks such as `tcp_port_open 443` (C3). Raises Unfit."""
    return [_check(words, field) for words in _lines(text, field, MOST_CHECKS)]


def _check(words: Sequence[str], field: str) -> dict[str, Any]:
    wrong = Unfit(field, "check", " ".join(words))
    match words:
        case ["disk_free_mb", path, least] if path.startswith("/") and _whole(least, 1, 10**9):
            return {"kind": "disk_free_mb", "path": path, "least": int(least)}
        case ["service_active", name] if _SERVICE.fullmatch(name):
            return {"kind": "service_active", "name": name}
        case ["file_present", path] if path.startswith("/") and ".." not in path.split("/"):
            return {"kind": "file_present", "path": path}
        case ["tcp_port_open", port] if _whole(port, 1, 65_535):
            return {"kind": "tcp_port_open", "port": int(port)}
        case ["package_at_least", name, version] if _PACKAGE.fullmatch(name) and _VERSION.fullmatch(version):
            return {"kind": "package_at_least", "name": name, "version": version}
    raise wrong


def written_check(check: Mapping[str, Any]) -> str:
    """A check as the line that it was read from."""
    return " ".join(str(value) for value in check.values())


def read_platform(systems: str, architectures: str, least_disk_mb: int | None) -> dict[str, Any]:
    """Which machines a release is for (C4). Raises Unfit."""
    found: dict[str, Any] = {}
    for field, text in (("systems", systems), ("architectures", architectures)):
        words = [one for one in re.split(r"[\s,;]+", text.lower()) if one]
        if len(words) > MOST_WORDS or not all(_WORD.fullmatch(one) for one in words):
            raise Unfit(field, "word")
        if words:
            found[field] = sorted(set(words))
    return found | ({"least_disk_mb": least_disk_mb} if least_disk_mb else {})


def spec_of(
    kind: str, *, packages: str = "", interpreter: str = "", timeout_seconds: int = 600, reboot: str = "never"
) -> dict[str, Any]:
    """What the kind needs (C1, C2). Raises Unfit."""
    if kind == "file":
        return {}
    if reboot not in REBOOTS:
        raise Unfit("reboot", "unknown")
    if kind == "deb":
        return {"packages": read_packages(packages), "reboot": reboot}
    if interpreter not in INTERPRETERS:
        raise Unfit("interpreter", "unknown")
    if not 1 <= timeout_seconds <= LONGEST_SCRIPT_SECONDS:
        raise Unfit("timeout_seconds", "range")
    return {"interpreter": interpreter, "timeout_seconds": timeout_seconds, "reboot": reboot}


def _lines(text: str, field: str, most: int) -> Iterable[list[str]]:
    lines = [line.split() for line in text.splitlines() if line.strip()]
    if len(lines) > most:
        raise Unfit(field, "too many")
    return lines


def _whole(text: str, least: int, most: int) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= 10 and least <= int(text) <= most
