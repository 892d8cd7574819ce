"""The wire's documents as values: what the portal says, checked, and what it is told."""

import re
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from .reasons import Reason

ACTION_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
SHA256 = re.compile(r"[0-9a-f]{64}")
SLEEP = re.compile(r"(\d{1,2}):(\d{2}):(\d{2})")
SLEEP_DEFAULT = 300.0
DETAILS_LIMIT = 50
DETAIL_LENGTH = 512
INSTRUCTIONS = ("attempt", "forced", "skip")


class Malformed(Exception):
    """A document cannot be used."""

    def __init__(self, words: str, reason: Reason = Reason.UNSUPPORTED) -> None:
        super().__init__(words)
        self.reason = reason


@dataclass(frozen=True)
class Poll:
    """What the portal wants now. `sleep` in seconds; links are absolute addresses."""

    sleep: float
    deployment: str | None = None
    cancel: str | None = None
    facts: str | None = None
    inventory: str | None = None
    credential: str | None = None


@dataclass(frozen=True)
class Artifact:
    """One file to fetch; size in bytes, digest in lower-case hex."""

    filename: str
    size: int
    sha256: str
    href: str


@dataclass(frozen=True)
class Chunk:
    """One named piece of a release."""

    part: str
    name: str
    version: str
    artifacts: tuple[Artifact, ...]
    metadata: dict[str, str]


@dataclass(frozen=True)
class Deployment:
    """One action: fetch and install these chunks."""

    action: str
    download: str
    update: str
    chunks: tuple[Chunk, ...]

    @property
    def release(self) -> str:
        """What will be installed, as `name/version`; several chunks are joined by commas."""
        return ",".join(f"{chunk.name}/{chunk.version}" for chunk in self.chunks)


def read_poll(document: dict[str, Any]) -> Poll:
    """The poll document; unusable parts count as absent."""
    links = document.get("_links")
    links = links if isinstance(links, dict) else {}
    return Poll(
        sleep=read_sleep(_at(document, "config", "polling", "sleep")),
        deployment=_href(links, "deploymentBase"),
        cancel=_href(links, "cancelAction"),
        facts=_href(links, "configData"),
        inventory=_href(links, "inventory"),
        credential=_href(links, "credential"),
    )


def read_sleep(value: object) -> float:
    """Seconds of an HH:MM:SS; five minutes when it says nothing usable or nothing at all."""
    match = SLEEP.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        return SLEEP_DEFAULT
    hours, minutes, seconds = (int(part) for part in match.groups())
    return float(hours * 3600 + minutes * 60 + seconds) or SLEEP_DEFAULT


def action_of(href: str) -> str:
    """The action id at the end of a deploymentBase or cancelAction link; raises Malformed."""
    return _action_id(urlsplit(href).path.rsplit("/", 1)[-1])


def read_deployment(document: dict[str, Any]) -> Deployment:
    """The deployment document; raises Malformed, never guesses what to do."""
    body = _object(document.get("deployment"), "deployment")
    return Deployment(
        action=_action_id(document.get("id")),
        download=_instruction(body, "download"),
        update=_instruction(body, "update"),
        chunks=tuple(_chunk(item) for item in _list(body.get("chunks"), "chunks")),
    )


def read_cancel(document: dict[str, Any]) -> str:
    """The id of the action to stop; raises Malformed."""
    return _action_id(_at(document, "cancelAction", "stopId"))


def feedback(
    action: str,
    execution: str,
    finished: str,
    *,
    code: int = 0,
    details: tuple[str, ...] = (),
    at: int,
) -> dict[str, Any]:
    """A feedback document; `at` in milliseconds, so that a repeated report is the same byte for byte."""
    return {
        "id": action,
        "timestamp": at,
        "status": {
            "execution": execution,
            "result": {"finished": finished},
            "code": code,
            "details": [detail[:DETAIL_LENGTH] for detail in details[:DETAILS_LIMIT]],
        },
    }


def _chunk(item: object) -> Chunk:
    chunk = _object(item, "chunk")
    metadata = [_object(pair, "metadata") for pair in _list(chunk.get("metadata", []), "metadata")]
    return Chunk(
        part=_text(chunk, "part"),
        name=_text(chunk, "name"),
        version=_text(chunk, "version"),
        artifacts=tuple(_artifact(part) for part in _list(chunk.get("artifacts"), "artifacts")),
        metadata={_text(pair, "key"): _text(pair, "value") for pair in metadata},
    )


def _artifact(item: object) -> Artifact:
    artifact = _object(item, "artifact")
    size, digest = artifact.get("size"), _at(artifact, "hashes", "sha256")
    if not isinstance(size, int) or isinstance(size, bool) or size < 0:
        raise Malformed("an artifact has no size")
    if not isinstance(digest, str) or not SHA256.fullmatch(digest.lower()):
        raise Malformed("an artifact has no SHA-256", Reason.DIGEST)
    links = artifact.get("_links")
    links = links if isinstance(links, dict) else {}
    href = _href(links, "download") or _href(links, "download-http")
    if href is None:
        raise Malformed("an artifact has no download link", Reason.DOWNLOAD)
    return Artifact(_text(artifact, "filename"), size, digest.lower(), href)


def _action_id(value: object) -> str:
    text = str(value) if isinstance(value, int) and not isinstance(value, bool) else value
    if not isinstance(text, str) or not ACTION_ID.fullmatch(text):
        raise Malformed("unusable action id")
    return text


def _instruction(body: dict[str, Any], name: str) -> str:
    value = body.get(name)
    if value not in INSTRUCTIONS:
        raise Malformed(f"unsupported {name} instruction")
    return str(value)


def _at(document: dict[str, Any], *keys: str) -> object:
    value: object = document
    for key in keys:
        value = value.get(key) if isinstance(value, dict) else None
    return value


def _href(links: dict[str, Any], name: str) -> str | None:
    href = _at(links, name, "href")
    return href if isinstance(href, str) and href else None


def _object(value: object, what: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise Malformed(f"{what} is not an object")
    return value


def _list(value: object, what: str) -> list[Any]:
    if not isinstance(value, list):
        raise Malformed(f"{what} is not a list")
    return value


def _text(item: dict[str, Any], name: str) -> str:
    value = item.get(name)
    if not isinstance(value, str):
        raise Malformed(f"{name} is not text")
    return value
