"""What became of mails, in words."""

from typing import Any

from flask_babel import lazy_gettext as _l

REASON_WORDS: dict[str, Any] = {
    "unreadable": _l("It cannot be read"),
    "too_large": _l("It is too large to be taken in"),
    "no_sender": _l("It names no sender, or several"),
    "forged": _l("Its sender is forged"),
    "token": _l("Its reply address was made for somebody else"),
    "unverified": _l("Nobody vouches for its sender, who was proven before"),
    "several_tickets": _l("It is addressed to several tickets"),
    "staff_unverified": _l("It claims to be from staff and is not proven"),
    "staff_closed": _l("Staff replied to a closed ticket"),
    "several_clients": _l("Its sender belongs to several clients"),
    "unknown_sender": _l("Its sender is not known"),
    "client_not_served": _l("Its client is not served now"),
    "refused": _l("The portal could not make a ticket of it"),
    "own": _l("The portal wrote it itself"),
    "automatic": _l("A program answered"),
    "unknown_bounce": _l("It returns a mail that is not ours"),
    "by_hand": _l("Somebody dropped it"),
}
STATE_WORDS: dict[str, Any] = {
    "quarantined": _l("In quarantine"),
    "dropped": _l("Dropped"),
    "received": _l("Not sorted yet"),
    "done": _l("Placed"),
}
SECURITY_WORDS: dict[str, Any] = {
    "tls": _l("TLS from the start (port 993)"),
    "starttls": _l("STARTTLS (port 143)"),
    "plain": _l("Unprotected: only on this machine"),
}
