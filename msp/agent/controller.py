"""This machine's resources at the portal: hawkBit DDI v1 below /{tenant}/controller/v1/{controllerId}.

Every method raises Trouble, Busy or Refused (see wire).
"""

from typing import Any

from .documents import Deployment, Malformed, Poll, read_cancel, read_deployment, read_poll
from .settings import TOKEN
from .wire import Trouble, Wire

DEPLOYMENT, CANCEL = "deploymentBase", "cancelAction"


class Controller:
    """One controller's requests; `base` is the address of its poll document."""

    def __init__(self, wire: Wire, base: str) -> None:
        self.wire = wire
        self._base = base

    @property
    def is_known(self) -> bool:
        """Whether there is a credential to poll with."""
        return self.wire.authorization is not None

    def identify(self, token: str) -> None:
        """Poll with this TargetToken from now on."""
        self.wire.authorization = f"TargetToken {token}"

    def enrol(self, enrolment_token: str) -> str:
        """Trade the one-use token for this machine's own TargetToken."""
        self.wire.authorization = f"EnrolmentToken {enrolment_token}"
        try:
            return _token(self.wire.ask("POST", f"{self._base}/enrolment", {}).document(), "enrolment")
        finally:
            self.wire.authorization = None

    def renew(self, href: str) -> str:
        """A TargetToken to take the place of the present one, which works until the new one was used."""
        return _token(self.wire.ask("POST", href, {}).document(), "renewal")

    def poll(self) -> Poll:
        """What the portal wants now."""
        return read_poll(self.wire.ask("GET", self._base).document())

    def deployment(self, href: str) -> Deployment:
        """The offered action; raises Malformed too."""
        return read_deployment(self.wire.ask("GET", href).document())

    def cancellation(self, href: str) -> str:
        """The id of the action to stop."""
        try:
            return read_cancel(self.wire.ask("GET", href).document())
        except Malformed as error:
            raise Trouble(f"cancel document: {error}") from None

    def report(self, channel: str, action: str, document: dict[str, Any]) -> None:
        """Feedback about an action; channel is DEPLOYMENT or CANCEL. Returning means acknowledged."""
        self.wire.ask("POST", f"{self._base}/{channel}/{action}/feedback", document)

    def tell_facts(self, facts: dict[str, str], href: str | None = None) -> None:
        """Merge attributes of this machine."""
        self.wire.ask("PUT", href or f"{self._base}/configData", {"mode": "merge", "data": facts})

    def tell_inventory(self, href: str, document: dict[str, Any]) -> None:
        """Replace the list of installed packages."""
        self.wire.ask("PUT", href, document)


def _token(document: dict[str, Any], what: str) -> str:
    token = document.get("token")
    if not isinstance(token, str) or not TOKEN.fullmatch(token):
        raise Trouble(f"{what} gave no usable token")
    return token
