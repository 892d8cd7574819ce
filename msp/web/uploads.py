"""Taking files in with a form, and giving them out again."""

from flask import Response, current_app, request, send_file

from msp.web.access import actor
from tenants.files.models import StoredFile
from tenants.files.services import Store, Upload, keep_files, path_of
from tenants.foundation import time


def store() -> Store:
    """Where files go."""
    settings = current_app.extensions["settings"]
    return Store(settings.files_dir, settings.upload_megabytes * 1024 * 1024)


def keep_uploads(tenant_id: int) -> list[StoredFile]:
    """Store the files that came with the form. Raises Invalid on `files`."""
    sent = [one for one in request.files.getlist("files") if one.filename]
    uploads = [Upload(one.filename or "", one.stream) for one in sent]
    return keep_files(store(), uploads, tenant_id=tenant_id, by=actor(), at=time.now())


def hand_out(file: StoredFile) -> Response:
    """A file as a download: never shown in the portal's own origin, never guessed at."""
    answer = send_file(
        path_of(store(), file),
        mimetype=file.media_type,
        as_attachment=True,
        download_name=file.name,
        etag=file.sha256,
        conditional=True,
    )
    answer.headers["Content-Security-Policy"] = "sandbox; default-src 'none'"
    answer.headers["Cache-Control"] = "private, no-store"
    return answer
