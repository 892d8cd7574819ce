"""The portal's forms about tickets."""

from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm

from msp.threads.forms import ActForm, words
from msp.web.fields import request_key_field
from tenants.tickets.messages import LONGEST_BODY


class ReopenForm(ActForm):
    """What is still wrong."""

    because = words(_l("What is still wrong?"), _l("Say what is still wrong."), longest=LONGEST_BODY)


class FollowUpForm(FlaskForm):
    """What is wrong again."""

    body = words(_l("What is wrong again?"), _l("Describe what happens."), longest=LONGEST_BODY)
    request_key = request_key_field()


class WithdrawForm(ActForm):
    """Why it is not needed any more; a client need not say."""

    reason = words(_l("Why? (if you like)"), "", longest=2000, required=False)
