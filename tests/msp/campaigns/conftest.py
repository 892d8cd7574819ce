"""The machines that most tests of campaigns have."""

import pytest

from tests.msp.campaigns.scenes import enrol


@pytest.fixture
def machines(app, cast):
    """One of the provider's own, three of Acme and two of Globex, enrolled."""
    return enrol(app, cast, provider=1, acme=3, globex=2)
