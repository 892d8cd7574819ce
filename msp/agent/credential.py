"""The agent's own credential: received once, kept before it is used, replaced when the portal asks for it.

The former one is kept beside it. Whatever the moment of a crash, and even where the portal went back to a backup, one
of the two is accepted.
"""

from . import crash
from .controller import Controller
from .folder import Folder
from .log import LOG
from .settings import Settings
from .wire import Busy, Refused, Trouble

LOCKED_OUT = 401


class Unenrolled(Exception):
    """There is neither a token nor an enrolment token."""


class Credential:
    """What this machine proves itself with."""

    def __init__(self, settings: Settings, folder: Folder, controller: Controller) -> None:
        self._settings = settings
        self._folder = folder
        self._controller = controller
        self._used = ""

    def identify(self) -> None:
        """Poll with the token from now on, and enrol where there is none. Raises Unenrolled, Trouble, Refused."""
        if self._controller.is_known:
            return
        known = self._folder.tokens_for(self._settings.token)
        self._use(known[0] if known else self._enrol())

    def has_other(self, error: Refused) -> bool:
        """Whether the portal refused the token itself and another one is kept, which is used from now on."""
        known = self._folder.tokens_for(self._settings.token)
        others = [one for one in known if one != self._used]
        if error.status != LOCKED_OUT or not others:
            return False
        LOG.warning("the credential is refused, trying the other one that is kept")
        self._use(others[0])
        return True

    def replace(self, href: str) -> None:
        """Take a new token, keep it, and only then use it: that ends the present one. Raises Busy."""
        try:
            token = self._controller.renew(href)
            crash.point("credential-given")
            self._folder.keep_token(token, former=self._used, configured=self._settings.token)
            crash.point("credential-kept")
            self._use(token)
            self._controller.poll()
        except Busy:
            raise
        except (Trouble, Refused, OSError) as error:
            LOG.warning("the credential was not replaced for good: %s", error)
            return
        crash.point("credential-used")
        LOG.info("the credential was replaced")

    def _enrol(self) -> str:
        if self._settings.enrolment_token is None:
            raise Unenrolled("neither a token nor an enrolment token is given")
        token = self._controller.enrol(self._settings.enrolment_token)
        self._folder.keep_token(token)
        LOG.info("enrolled as %s of %s", self._settings.controller_id, self._settings.tenant)
        return token

    def _use(self, token: str) -> None:
        self._used = token
        self._controller.identify(token)
