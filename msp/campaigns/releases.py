"""Making, withdrawing and finding releases."""

import json
import re
import uuid
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import IO, Any

from flask_babel import lazy_gettext as _l
from sqlalchemy import select

from msp.campaigns import storage
from msp.campaigns.contents import KINDS
from msp.campaigns.models import Artifact, Campaign, Release
from tenants.audit import services as audit
from tenants.foundation.actor import Actor
from tenants.foundation.db import db
from tenants.foundation.errors import Conflict, Invalid, InvalidMany, NotFound

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]{0,79}")
FILENAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9 ._+-]{0,119}")
LONGEST_PATH = 400
MOST_REFERENCES = 20


@dataclass(frozen=True, slots=True)
class Content:
    """What a release says of itself beside its name: see the columns of the same names."""

    severity: str = "medium"
    references: Sequence[str] = ()
    notes: str = ""
    spec: Mapping[str, Any] = field(default_factory=dict)
    platform: Mapping[str, Any] = field(default_factory=dict)
    checks_before: Sequence[Mapping[str, Any]] = ()
    checks_after: Sequence[Mapping[str, Any]] = ()
    published_at: datetime | None = None


def add_release(
    *,
    name: str,
    version: str,
    target_path: str = "",
    files: Sequence[tuple[str, IO[bytes]]] = (),
    by: Actor,
    at: datetime,
    kind: str = "file",
    content: Content | None = None,
    files_later: bool = False,
) -> Release:
    """Keep a release, with its files given as names and streams. Raises InvalidMany naming what is unfit.

    `files_later`: large ones are brought afterwards, by `add_files`; until then it cannot be rolled out.
    """
    content = content or Content()
    filenames = [filename for filename, _ in files]
    problems = [*_problems(name, version, target_path, kind, filenames, files_later=files_later)]
    if problems:
        raise InvalidMany(problems)
    release = Release(
        kind=kind,
        name=name,
        version=version,
        target_path=target_path if kind == "file" else "",
        created_by=by.name,
        created_at=at,
        **asdict(content),
    )
    db.session.add(release)
    db.session.flush()
    digests = _keep_files(release, files)
    audit.record(
        "release.add",
        tenant_id=None,
        by=by,
        object=f"release:{release.public_id}",
        at=at,
        detail={"release": release.label, "kind": kind, "target": release.target_path, "sha256": digests},
    )
    return release


def add_files(release: Release, files: Sequence[tuple[str, IO[bytes]]], *, by: Actor, at: datetime) -> None:
    """Bring files to a release that no campaign uses yet. Raises Conflict, InvalidMany."""
    db.session.refresh(release, with_for_update=True)
    if release.withdrawn_at is not None or _is_used(release):
        raise Conflict(_l("A release that a campaign uses, or that was withdrawn, cannot be changed."))
    names = [one.filename for one in artifacts_of(release.id)] + [filename for filename, _ in files]
    problems = [*_file_problems(release.kind, names)]
    if problems or not files:
        raise InvalidMany(problems or [("files", _l("Choose at least one file."))])
    digests = _keep_files(release, files)
    audit.record(
        "release.add_files",
        tenant_id=None,
        by=by,
        object=f"release:{release.public_id}",
        at=at,
        detail={"release": release.label, "sha256": digests},
    )


def _is_used(release: Release) -> bool:
    frozen = select(Campaign.id).where(Campaign.release_id == release.id, Campaign.plan_sha256.is_not(None))
    return db.session.scalar(frozen.limit(1)) is not None


def _keep_files(release: Release, files: Sequence[tuple[str, IO[bytes]]]) -> dict[str, str]:
    artifacts = [_add_artifact(release, filename, stream) for filename, stream in files]
    db.session.flush()
    return {artifact.filename: artifact.sha256 for artifact in artifacts}


def _add_artifact(release: Release, filename: str, stream: IO[bytes]) -> Artifact:
    kept = storage.store(stream)
    artifact = Artifact(
        release_id=release.id,
        filename=filename,
        size=kept.size,
        sha256=kept.sha256,
        sha1=kept.sha1,
        md5=kept.md5,
    )
    db.session.add(artifact)
    return artifact


def _problems(
    name: str, version: str, path: str, kind: str, filenames: Sequence[str], *, files_later: bool
) -> Iterator[tuple[str, object]]:
    word = _l("Use letters, digits and . _ + - only, beginning with a letter or digit.")
    unfit = [field for field, value in (("name", name), ("version", version)) if not NAME.fullmatch(value)]
    yield from ((field, word) for field in unfit)
    if not unfit and _is_taken(name, version):
        yield "version", _l("This version of the release exists already.")
    if kind not in KINDS:
        yield "kind", _l("Choose files, packages or a script.")
    if kind == "file" and not _is_safe(path):
        yield "target_path", _l("Give a path below the agent's folder: no leading slash, no dots, no links.")
    if not files_later:
        yield from _file_problems(kind, filenames)


def _file_problems(kind: str, filenames: Sequence[str]) -> Iterator[tuple[str, object]]:
    if kind == "deb" and filenames:
        yield "files", _l("Packages come from the machine's own sources: add no files.")
    if kind == "script" and len(filenames) != 1:
        yield "files", _l("A script is exactly one file.")
    if kind == "file" and not filenames:
        yield "files", _l("Choose at least one file.")
    if len(set(filenames)) != len(filenames) or not all(FILENAME.fullmatch(one) for one in filenames):
        yield "files", _l("File names have letters, digits, spaces and . _ + - only, each name once.")


def _is_taken(name: str, version: str) -> bool:
    asked = select(Release.id).where(Release.name == name, Release.version == version)
    return db.session.scalar(asked) is not None


def _is_safe(path: str) -> bool:
    """Whether the agent would take the path: relative, printable, never upwards; `dir/` puts files into a folder."""
    parts = path.removesuffix("/").split("/")
    plain = all(part not in ("", ".", "..") and len(part) <= 200 for part in parts)
    return plain and len(path) <= LONGEST_PATH and "\\" not in path and path.isprintable()


def find_release(public_id: str) -> Release:
    """The release with this public id. Raises NotFound."""
    try:
        wanted = uuid.UUID(public_id)
    except ValueError as wrong:
        raise NotFound from wrong
    found = db.session.scalar(select(Release).where(Release.public_id == wanted))
    if found is None:
        raise NotFound
    return found


def find_release_by_id(release_id: int) -> Release:
    """The release of a row id that the server itself knows. Raises NotFound."""
    found = db.session.scalar(select(Release).where(Release.id == release_id))
    if found is None:
        raise NotFound
    return found


def list_releases(limit: int = 200) -> list[Release]:
    """Releases that may be rolled out, newest first."""
    usable = select(Release).where(Release.withdrawn_at.is_(None))
    return list(db.session.scalars(usable.order_by(Release.id.desc()).limit(limit)))


def list_page(*, before: int | None = None, limit: int = 25) -> list[Release]:
    """Releases newest first, one more than `limit`."""
    page = select(Release).order_by(Release.id.desc()).limit(limit + 1)
    if before is not None:
        page = page.where(Release.id < before)
    return list(db.session.scalars(page))


def takes_files(release: Release) -> bool:
    """Whether files may still be brought to it."""
    is_open = release.kind != "deb" and release.withdrawn_at is None and not _is_used(release)
    return is_open and (release.kind == "file" or not artifacts_of(release.id))


def artifacts_of(release_id: int) -> list[Artifact]:
    """The files of a release, by name."""
    asked = select(Artifact).where(Artifact.release_id == release_id).order_by(Artifact.filename)
    return list(db.session.scalars(asked))


def usable_release(public_id: str) -> Release:
    """A release that may be rolled out. Raises Invalid naming `release`."""
    try:
        release = find_release(public_id)
    except NotFound as wrong:
        raise Invalid("release", _l("Choose a release.")) from wrong
    if release.withdrawn_at is not None:
        raise Invalid("release", _l("This release was withdrawn."))
    if not is_complete(release):
        raise Invalid("release", _l("This release has no files yet."))
    return release


def is_complete(release: Release) -> bool:
    """Whether everything that its kind needs is there."""
    return release.kind == "deb" or bool(artifacts_of(release.id))


def labels_of(release_ids: Collection[int]) -> dict[int, str]:
    """Names and versions by row id: the second select of lists that show them."""
    if not release_ids:
        return {}
    found = db.session.scalars(select(Release).where(Release.id.in_(set(release_ids))))
    return {release.id: release.label for release in found}


def downgrade_grant(undone: Release) -> str:
    """What a rollback tells devices they may come down from: the release that it undoes."""
    if undone.kind != "deb":
        return undone.version
    return json.dumps({one["name"]: one["version"] for one in undone.spec["packages"]}, sort_keys=True)
