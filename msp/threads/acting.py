"""The steps that pages about tickets share: try an act, say why it was refused, take in and give out files."""

from collections.abc import Callable
from typing import Any

from flask import Response, current_app, flash, g, request, send_file
from flask_wtf import FlaskForm

from msp.web.access import actor
from msp.web.errors import refuse_into_form
from tenants.files.models import StoredFile
from tenants.files.services import Store, Upload, keep_files, path_of
from tenants.foundation import time
from tenants.foundation.db import db
from tenants.foundation.errors import Conflict, Invalid


def acted(form: FlaskForm, act: Callable[[], Any]) -> bool:
    """Whether the form was sent, was in order, and the act was done and committed.

    Else the reasons stand in the form, what was typed is kept, and `form_status()` says which answer fits.
    """
    if request.method != "POST":
        return False
    g.form_status = 422
    if not form.validate_on_submit():
        return False
    try:
        act()
        db.session.commit()
    except Conflict as conflict:
        db.session.rollback()
        g.form_status = 409
        flash(str(conflict.message), "risk")
        return False
    except Invalid as invalid:
        db.session.rollback()
        refuse_into_form(invalid, form)
        return False
    return True


def form_status() -> int:
    """200 for a form to fill in, 422 for one with mistakes, 409 for one that came too late."""
    status: int = g.get("form_status", 200)
    return status


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
