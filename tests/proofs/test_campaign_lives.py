"""I1 to I12 in very many lives of campaigns: the first half, as each file is one worker's.

`PROVE_CASES` sets how many both make (10,000 unless told; a tenth of it in a slice), `PROVE_SEED` repeats a run.
"""

import pytest

from tests.msp.campaigns.lives import prove


@pytest.mark.prove
def test_every_promise_holds_in_very_many_lives(app, cast, database_name):
    prove(app, cast, database_name, part=0)
