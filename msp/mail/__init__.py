"""Outgoing mail. `queue_mail` is the one door; a mail is `templates/mail/NAME.txt` and `NAME.html`.

The text template extends `layouts/mail.txt` and has the blocks `subject` and `content` (and, if it likes, `reason`);
the HTML one extends `layouts/mail.html` and has `title`, `content` and perhaps `reason`. Both get the context that was
given to `queue_mail`; `action_url` and `action_label` make the one button.
"""

from msp.mail import jobs, notices
from msp.mail.services import queue_mail

__all__ = ["jobs", "notices", "queue_mail"]
