"""What machines' ways of calling are named on pages."""

from typing import Any

from flask_babel import lazy_gettext as _l

QUARANTINE_WORDS: dict[str, Any] = {
    "gateway": _l("Turned up with the gateway token"),
    "device": _l("Turned up with a key of its own"),
    "inventory": _l("Turned up in an inventory"),
    "cloned": _l("Two machines use one credential"),
    "needs_repair": _l("Left half installed, needs repair"),
}
SHARED_WORDS: dict[str, Any] = {
    "gateway": _l("Gateway token: unknown machines may turn up"),
    "inventory": _l("Inventory token: agents may send inventories"),
    "authority": _l("Certificate authority: its certificates count"),
}
KEY_WORDS: dict[str, Any] = {
    "pending": _l("Waits for a person"),
    "accepted": _l("Pinned"),
    "alarm": _l("Alarm: a second key for this machine"),
}
CLIENT_WORDS: dict[str, Any] = {
    "": _l("As it says itself"),
    "msp-agent": _l("The portal's own agent"),
    "swupdate": "swupdate",
    "rauc": "rauc-hawkbit-updater",
    "mender": "Mender",
    "unknown": _l("Another program"),
}
CAPABILITY_WORDS: dict[str, Any] = {
    "understands_skip": _l("Can download first and install later"),
    "takes_many_files": _l("Takes several files at once"),
    "cancels_download": _l("Stops while downloading"),
    "cancels_install": _l("Stops while installing"),
    "confirms_boot": _l("Reports success only after its restart"),
    "keeps_result": _l("Keeps its result until the portal has it"),
    "installs_packages": _l("Installs packages and runs scripts"),
}
