"""Large files of releases, brought by people through a signed link to the process that keeps artifacts.

A file goes to disk while it arrives, so that its size costs no memory; no page worker waits for it.
"""

import tempfile
from typing import IO, Any
from urllib.parse import quote

from flask import Blueprint, Request, Response, current_app, g, redirect, request

from msp.campaigns import releases, storage, uploads
from msp.campaigns.uploads import Bringer
from msp.web.access import SignInNeeded, credential
from tenants.foundation import time
from tenants.foundation.actor import Actor, ActorKind
from tenants.foundation.db import db
from tenants.foundation.errors import Conflict, Invalid
from tenants.foundation.permissions import Permission
from tenants.foundation.scope import Role, Scope, enter, gate
from tenants.people.principals import by_user_id

bp = Blueprint("uploading", __name__)
MEGABYTE = 1024 * 1024


@bp.errorhandler(SignInNeeded)
def _too_late(_error: SignInNeeded) -> Response:
    """The portal's own page says it in the person's language; nothing is told of whether the release exists."""
    return _back((request.view_args or {}).get("release", ""), refused="link")


def _back(release_id: str, *, refused: str = "") -> Response:
    public = current_app.extensions["settings"].public_url
    where = f"{public}/console/campaigns/releases/{quote(release_id, safe='')}"
    return redirect(where + (f"?refused={refused}" if refused else ""), 303)  # type: ignore[return-value]


class OntoDisk(Request):
    """A request whose files lie beside the artifacts while they arrive, never in memory."""

    def _get_file_stream(self, *_given: Any, **_more: Any) -> IO[bytes]:
        storage.folder().mkdir(parents=True, exist_ok=True)
        return tempfile.TemporaryFile("wb+", dir=storage.folder(), prefix=".arriving-")


def resolve_upload() -> Scope:
    """The scope of somebody who brings files, and still may: no tenant at all. Raises SignInNeeded."""
    found = uploads.read_link(
        (request.view_args or {}).get("release", ""), request.args.to_dict(), time.now()
    )
    if found is None or not _may_bring(found):
        raise SignInNeeded
    g.bringer = found
    return Scope(Role.STAFF, frozenset())


def _may_bring(bringer: Bringer) -> bool:
    """Whether the person may give releases their files now; the link is older than what people decided since."""
    with enter(gate()):
        person = by_user_id(bringer.user_id)
    return person is not None and person.actor.is_staff and person.actor.may(Permission.PROPOSE_CAMPAIGNS)


@bp.post("/uploads/<release>")
@credential("upload")
def bring_files(release: str) -> Response:
    """Keep the form's files, and go back to the release's page."""
    bringer: Bringer = g.bringer
    settings = current_app.extensions["settings"]
    request.max_content_length = settings.release_megabytes * MEGABYTE
    found = releases.find_release(release)
    given = [one for one in request.files.getlist("files") if one.filename]
    named = [((one.filename or "").replace("\\", "/").rpartition("/")[2], one.stream) for one in given]
    by = Actor(ActorKind.USER, bringer.name, bringer.user_id)
    try:
        releases.add_files(found, named, by=by, at=time.now())
        db.session.commit()
    except (Invalid, Conflict):
        db.session.rollback()
        return _back(release, refused="files")
    return _back(release)
