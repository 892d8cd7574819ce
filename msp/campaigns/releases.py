"""Making and finding releases."""

import json
import re
import uuid
from collections.abc import Collection, Sequence
from datetime import datetime
from typing import IO

from flask_babel import lazy_gettext as _l
from sqlalchemy import select

from msp.campaigns import storage
from msp.campaigns.models import Artifact, Release
from tenants.audit import services as audit
from tenants.foundation.actor import Actor
from tenants.foundation.db import db
from tenants.foundation.errors import Invalid, InvalidMany, NotFound

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]{0,79}")
FILENAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9 ._+-]{0,119}")
LONGEST_PATH = 400


def add_release(
    *,
    name: str,
    version: str,
    target_path: str,
    files: Sequence[tuple[str, IO[bytes]]],
    by: Actor,
    at: datetime,
) -> Release:
    """Keep a release of files, given as names and streams. Raises Invalid naming what is unfit."""
    problems = [*_problems(name, version, target_path, [filename for filename, _ in files])]
    if problems:
        raise InvalidMany(problems)
    release = Release(name=name, version=version, target_path=target_path, created_by=by.name, created_at=at)
    db.session.add(release)
    db.session.flush()
    artifacts = [_add_artifact(release, filename, stream) for filename, stream in files]
    db.session.flush()
    digests = {artifact.filename: artifact.sha256 for artifact in artifacts}
    audit.record(
        "release.add",
        tenant_id=None,
        by=by,
        object=f"release:{release.public_id}",
        at=at,
        detail={"release": release.label, "target": target_path, "sha256": digests},
    )
    return release


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


def _problems(name: str, version: str, path: str, filenames: Sequence[str]) -> list[tuple[str, object]]:
    found: list[tuple[str, object]] = []
    word = _l("Use letters, digits and . _ + - only, beginning with a letter or digit.")
    found += [
        (field, word) for field, value in (("name", name), ("version", version)) if not NAME.fullmatch(value)
    ]
    if not found and _is_taken(name, version):
        found.append(("version", _l("This version of the release exists already.")))
    if not _is_safe(path):
        found.append(
            ("target_path", _l("Give a path below the agent's folder: no leading slash, no dots, no links."))
        )
    if not filenames:
        found.append(("files", _l("Choose at least one file.")))
    if len(set(filenames)) != len(filenames) or not all(FILENAME.fullmatch(one) for one in filenames):
        found.append(
            ("files", _l("File names have letters, digits, spaces and . _ + - only, each name once."))
        )
    return found


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
    return release


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
