"""The mail server of the mail's own tests."""

from tests.msp.mail.conftest import mailing, smtp

__all__ = ["mailing", "smtp"]
