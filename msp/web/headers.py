"""Security headers of every answer. No inline script or style anywhere, so no nonce is needed."""

from flask import Flask, Response, current_app, g, request

CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'; manifest-src 'self'"
)


def policy(*, files_at: str = "", live_at: str = "") -> str:
    """The content-security policy of all pages; forms with large files and streams may go to other addresses."""
    forms, streams = f"form-action 'self' {files_at}".rstrip(), f"connect-src 'self' {live_at}".rstrip()
    return CSP.replace("form-action 'self'", forms).replace("connect-src 'self'", streams)


def _harden(answer: Response) -> Response:
    headers = answer.headers
    headers.setdefault("Content-Security-Policy", current_app.config["CSP"])
    headers.setdefault("X-Content-Type-Options", "nosniff")
    if "frame-ancestors 'none'" in headers["Content-Security-Policy"]:
        headers.setdefault("X-Frame-Options", "DENY")
    headers.setdefault("Referrer-Policy", "same-origin")
    headers.setdefault("Cross-Origin-Opener-Policy", "same-origin")
    headers.setdefault("Cross-Origin-Resource-Policy", "same-origin")
    headers.setdefault("Permissions-Policy", "camera=(), microphone=(), geolocation=()")
    if request.endpoint != "static":
        headers.setdefault("Cache-Control", "private, no-store")
    elif answer.status_code in (200, 206, 304) and ("v" in request.args or "/vendor/" in request.path):
        # The address changes with the content, so a page loads its files once and then never asks again.
        headers["Cache-Control"] = "public, max-age=31536000, immutable"
    if request.is_secure or g.get("is_https"):
        headers.setdefault("Strict-Transport-Security", "max-age=31536000")
    return answer


def install(app: Flask, *, https: bool, files_at: str = "", live_at: str = "") -> None:
    """Harden every answer; `https` comes from PUBLIC_URL, the Host header decides nothing.

    `files_at`: the address to which forms with large files go; `live_at`: where pages listen for changes.
    """
    app.config["CSP"] = policy(files_at=files_at, live_at=live_at)

    def mark() -> None:
        g.is_https = https

    app.before_request(mark)
    app.after_request(_harden)
