"""Robustness values by hand: RV = (sqrt(f^4 + 4 f^2) - f^2) / 2, f = |t| / sqrt(df) (Cinelli & Hazlett 2020, 3.2)."""

from __future__ import annotations

import math

import pytest
from scipy.special import stdtrit

from sessionwise.study.parts.confounding import robustness


def test_by_hand():
    # f² = 4 / 100: (sqrt(.0016 + .16) - .04) / 2 = (.402 - .04) / 2
    assert robustness(2.0, 1.0, 100) == pytest.approx((math.sqrt(0.1616) - 0.04) / 2, abs=1e-15)
    assert robustness(-2.0, 1.0, 100) == robustness(2.0, 1.0, 100) == robustness(20.0, 10.0, 100)
    # f = 1: the golden ratio's other half
    assert robustness(10.0, 1.0, 100) == pytest.approx((math.sqrt(5) - 1) / 2, abs=1e-15)


def test_the_papers_example():
    """Darfur, exposure to violence: .097 with an error of .023 and 783 degrees of freedom: 13.9 % and 7.6 %."""
    assert robustness(0.097, 0.0233, 783) == pytest.approx(0.139, abs=0.001)
    assert robustness(0.097, 0.0233, 783, critical=stdtrit(782, 0.975)) == pytest.approx(0.076, abs=0.001)


def test_the_ends():
    assert robustness(0.0, 1.0, 50) == 0
    assert robustness(1.9, 1.0, 50, critical=2.0) == 0  # the interval has zero in it
    assert robustness(1e9, 1.0, 50) == pytest.approx(1, abs=1e-6)
    assert robustness(3.0, 1.0, 50) > robustness(3.0, 1.0, 500) > robustness(2.0, 1.0, 500)


def test_what_it_means():
    """A common cause that explains the share RV of both: bias |b| = se sqrt(df) R²/sqrt(1 - R²), the whole estimate."""
    for t, df in ((2.5, 40), (4.0, 300), (30.0, 80)):
        share = robustness(t, 1.0, df)
        assert math.sqrt(df) * share / math.sqrt(1 - share) == pytest.approx(t, rel=1e-12)
