"""The answer says why its interval is not even about its estimate."""

from __future__ import annotations

import pytest

from sessionwise.study.records import Estimate
from sessionwise.study.words.answer import _lopsided


@pytest.mark.parametrize(("shift", "said"), [(0.0, False), (0.05, False), (-0.05, False), (1.0, True), (-1.0, True)])
def test_a_lopsided_interval_has_its_reason(shift: float, said: bool) -> None:
    found = _lopsided(Estimate.t(-1.0, 0.5, 50).spanning(shift))
    assert (found == ["the interval allows for leaving because of scores that nobody saw"]) is said
