"""Bytes that nobody owns: what was stored before a form was refused, or by a transaction that failed later.

They are removed after a day. A file of which the same bytes are stored again meanwhile is young again, and stays.
"""

import re
from collections.abc import Callable, Collection, Iterator
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy import select

from tenants.files.models import StoredFile
from tenants.foundation.db import db

GRACE = timedelta(days=1)
# A database that lost its rows must not cost all files at once.
MOST_AT_ONCE = 500
PARTS = 24
_PIECE = 500
_DIGEST = re.compile(r"[0-9a-f]{64}")
# Of these digests those that rows of other tables own.
Owned = Callable[[Collection[str]], set[str]]


def sweep_leftovers(root: Path, tenant_id: int, *, owned: Owned, at: datetime) -> int:
    """Remove a tenant's bytes that no row owns, one of 24 parts in each hour; how many. In the tenant's scope."""
    folder, before = root / str(int(tenant_id)), at - GRACE
    removed = sum(_remove(one, before) for one in _unfinished(folder) if _is_older(one, before))
    for place in _part(folder, at.hour):
        old = [one for one in _files(place) if _is_older(one, before)]
        for piece in (old[start : start + _PIECE] for start in range(0, len(old), _PIECE)):
            kept = _owned_files(tenant_id, piece) | owned([one.name for one in piece])
            for one in piece:
                if one.name not in kept and removed < MOST_AT_ONCE:
                    removed += _remove(one, before)
    return removed


def _part(folder: Path, hour: int) -> Iterator[Path]:
    for number in range(hour, 256, PARTS):
        place = folder / f"{number:02x}"
        if place.is_dir():
            yield place


def _files(place: Path) -> list[Path]:
    return sorted(one for one in place.iterdir() if _DIGEST.fullmatch(one.name))


def _unfinished(folder: Path) -> list[Path]:
    """What an upload or a sweep that was stopped left behind."""
    return list(folder.glob(".incoming-*"))


def _is_older(path: Path, before: datetime) -> bool:
    try:
        return path.stat().st_mtime < before.timestamp()
    except FileNotFoundError:
        return False


def _owned_files(tenant_id: int, files: Collection[Path]) -> set[str]:
    named = [one.name for one in files]
    found = select(StoredFile.sha256).where(StoredFile.tenant_id == tenant_id, StoredFile.sha256.in_(named))
    return set(db.session.scalars(found))


def _remove(path: Path, before: datetime) -> int:
    """Put it aside, look once more, then remove it: whoever stores the same bytes just now makes it young."""
    aside = path.parent.parent / f".incoming-{path.name}" if _DIGEST.fullmatch(path.name) else path
    try:
        path.rename(aside)
        if _is_older(aside, before):
            aside.unlink()
            return 1
        aside.replace(path)
    except FileNotFoundError:
        pass
    return 0
