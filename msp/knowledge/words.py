"""What kinds, audiences, states and checks are called."""

from typing import Any

from flask_babel import lazy_gettext as _l

KIND_WORDS: dict[str, Any] = {
    "article": _l("Article"),
    "known_error": _l("Known error"),
    "runbook": _l("Runbook"),
}
KIND_ICONS = {"article": "file-earmark-text", "known_error": "exclamation-triangle", "runbook": "list"}
AUDIENCE_WORDS: dict[str, Any] = {
    "public": _l("Everybody, without signing in"),
    "clients": _l("All clients"),
    "chosen": _l("Chosen clients"),
    "staff": _l("Staff"),
    "tier": _l("Staff from a tier on"),
}
STATE_WORDS: dict[str, tuple[Any, str, str]] = {
    "draft": (_l("Draft"), "", "pencil"),
    "published": (_l("Published"), "good", "check-circle"),
    "retired": (_l("Retired"), "", "archive"),
}
LANGUAGE_WORDS: dict[str, Any] = {"id": _l("Indonesian"), "en": _l("English")}
PART_WORDS: dict[str, Any] = {
    "title": _l("Title"),
    "symptom": _l("What is seen"),
    "cause": _l("Cause"),
    "workaround": _l("What helps until it is mended"),
    "body": _l("Text"),
}
LINK_WORDS: dict[str, Any] = {
    "drafted": _l("written from it"),
    "used": _l("used on it"),
    "problem": _l("the problem behind it"),
}
WHY_WORDS: dict[str, Any] = {
    "problem": _l("known of its problem"),
    "asset": _l("known of this asset"),
    "category": _l("same category"),
    "words": _l("similar words"),
}
CHECK_WORDS: dict[str, Any] = {
    "state:in_progress": _l("when the ticket is in progress"),
    "state:waiting": _l("when the ticket waits"),
    "state:resolved": _l("when the ticket is resolved"),
    "state:closed": _l("when the ticket is closed"),
    "requester_told": _l("when the requester is answered"),
    "hand_over_made": _l("when the ticket is handed over"),
    "hand_over_accepted": _l("when the hand-over is accepted"),
    "vendor_asked": _l("when the vendor is asked"),
    "vendor_answered": _l("when the vendor has answered"),
    "remote_session_ended": _l("when a remote session has ended"),
    "visit_done": _l("when a visit is done"),
    "asset_seen": _l("when the asset calls again"),
}
