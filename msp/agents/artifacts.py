"""Artifacts, served and taken in by a process of their own: no page worker ever sends or waits for a large file.

Run `gunicorn -c python:msp.gunicorn_files 'msp.agents.artifacts:create_artifacts_app()'`; ARTIFACTS_URL says where
agents find it. It knows the same credentials as the portal, and the portal's signed links.
"""

from pathlib import Path
from typing import Any

from flask import Blueprint, Flask, Response, current_app, jsonify, request, send_file
from sqlalchemy import select
from werkzeug.exceptions import PreconditionFailed

from msp.agents import documents, links, sending
from msp.agents.credentials import admit, caller, find_named, resolve_agent
from msp.agents.uploading import OntoDisk, resolve_upload
from msp.agents.uploading import bp as uploading
from msp.campaigns import storage
from msp.campaigns.models import Action, Artifact
from msp.settings import Settings, flask_config, load
from msp.web import access, errors, headers, logs, proxies
from msp.web.access import SignInNeeded, credential, public
from tenants.foundation import guard, time
from tenants.foundation.db import db
from tenants.foundation.errors import NotFound
from tenants.foundation.scope import Scope
from tenants.tenancy.models import Tenant

bp = Blueprint("artifacts", __name__)
MODULE = "/ddi/<tenant>/controller/v1/<controller>/softwaremodules/<module>/artifacts"
MAX_AGE = 3600


@bp.errorhandler(SignInNeeded)
def _nobody(_error: SignInNeeded) -> Response:
    return Response(status=401, headers={"WWW-Authenticate": "TargetToken"})


@bp.get("/healthz")
@public("liveness: says only that the process answers")
def show_liveness() -> Response:
    """The process answers."""
    return jsonify({"state": "alive"})


@bp.get(MODULE)
@credential("agent")
def list_artifacts(tenant: str, controller: str, module: str) -> Response:
    """The files of a release that the asset has an action for."""
    asks, number = caller(), _granted(module)
    found = db.session.scalars(
        select(Artifact).where(Artifact.release_id == number).order_by(Artifact.filename)
    )
    begun = time.now()
    return jsonify(
        [
            documents.artifact(
                asks, one, links.artifact_link(asks.slug, asks.controller_id, number, one.filename, begun)
            )
            for one in found
        ]
    )


@bp.get(MODULE + "/<filename>.MD5SUM")
@credential("agent")
def show_md5(tenant: str, controller: str, module: str, filename: str) -> Response:
    """The MD5 of a file, as old clients check it."""
    found = _find(_granted(module), filename)
    return Response(f"{found.md5}  {found.filename}", content_type="text/plain; charset=utf-8")


@bp.get(MODULE + "/<filename>")
@credential("agent")
def send_artifact(tenant: str, controller: str, module: str, filename: str) -> Response:
    """A file, whole or from where a download broke off; the server's kernel copies it where it can."""
    found = _find(_granted(module), filename)
    path = storage.path_of(found.sha256)
    if not path.is_file():
        raise NotFound
    answer = _file(found, path)
    if request.method == "HEAD" or answer.status_code in (304, 412):
        answer.close()
    if answer.status_code == 412:
        raise PreconditionFailed
    return answer


def _file(found: Artifact, path: Path) -> Response:
    """The file, counted while it is sent. Raises TooMany."""
    sendings: sending.Sendings = current_app.extensions["sendings"]
    end = sendings.begin((caller().tenant_id, caller().asset_id))
    try:
        answer = send_file(
            path,
            mimetype="application/octet-stream",
            as_attachment=True,
            download_name=found.filename,
            etag=found.sha256,
            max_age=MAX_AGE,
            conditional=True,
        )
        sending.call_when_sent(answer, end)
    except BaseException:
        end()
        raise
    sending.give_up_on_stalled()
    answer.headers["Accept-Ranges"] = "bytes"
    return answer


@bp.route("/<path:anything>", methods=["GET", "HEAD", "POST", "PUT", "DELETE", "PATCH"])
@credential("agent")
def show_nothing(anything: str) -> Response:
    """Everything else: 401, 403 or 404, in this order."""
    raise NotFound


def _granted(module: str) -> int:
    """The release's number, if the asset is or was told to install it. Raises NotFound."""
    if not module.isascii() or not module.isdigit() or len(module) > 18:
        raise NotFound
    told = select(Action.id).where(
        Action.asset_id == caller().asset_id,
        Action.release_id == int(module),
        Action.retrieved_at.is_not(None),
        Action.phase.not_in(("planned", "eligible")),
    )
    if db.session.scalar(told.limit(1)) is None:
        raise NotFound
    return int(module)


def _find(release_id: int, filename: str) -> Artifact:
    asked = select(Artifact).where(Artifact.release_id == release_id, Artifact.filename == filename)
    found = db.session.scalar(asked)
    if found is None:
        raise NotFound
    return found


def resolve_download() -> Scope:
    """The scope of a download: by the asset's own credential, or by a link that the portal signed for it."""
    signature = request.args.get("signature", "")
    if not signature or request.headers.get("Authorization"):
        return resolve_agent()
    parts = request.path.split("/")
    until = request.args.get("until", "")
    if not links.is_signed(request.path, until, signature, time.now()) or len(parts) < 6:
        raise SignInNeeded
    return admit(find_named(parts[2], parts[5]))


def create_artifacts_app(settings: Settings | None = None) -> Flask:
    """The application that serves artifacts and nothing else."""
    settings = settings or load()
    logs.configure(settings.log_level)
    app = Flask("msp-artifacts", static_folder=None)
    config: dict[str, Any] = flask_config(settings)
    app.config.update(config)
    app.extensions["settings"] = settings
    app.extensions["sendings"] = sending.Sendings()
    app.extensions["find_principal"] = lambda: None
    db.init_app(app)
    guard.install(Tenant)
    proxies.install(app, settings.trusted_proxies)
    headers.install(app, https=settings.public_url.startswith("https://"))
    access.install(app)
    errors.install(app)
    app.request_class = OntoDisk
    app.extensions["credentials"].update(agent=resolve_download, upload=resolve_upload)
    app.register_blueprint(uploading)
    app.register_blueprint(bp)
    access.check_declared(app)
    return app
