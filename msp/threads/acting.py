"""The steps that pages about tickets share: try an act, say why it was refused, take in and give out files."""

from msp.web.acting import acted, form_status
from msp.web.uploads import hand_out, keep_uploads, store

__all__ = ["acted", "form_status", "hand_out", "keep_uploads", "store"]
