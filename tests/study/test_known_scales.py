"""What a study knows of a column that an instrument's scale is named after: its direction and range."""

from __future__ import annotations

import numpy as np
import pytest

from sessionwise.study.refusals import _range, known
from sessionwise.study.study_data import _expected


@pytest.mark.parametrize(
    ("outcome", "process", "expected"),
    [
        ("sdq", "haq_ii", "negative"),
        ("sdq_prosocial", "haq_ii", "positive"),  # higher is better in this scale of the SDQ alone
        ("haq_ii", "sdq_prosocial", "positive"),
        ("who_5", "wai_sr", "positive"),
        ("dass_21_stress", "who_5", "negative"),
    ],
)
def test_the_direction_is_the_scales_own(outcome: str, process: str, expected: str) -> None:
    assert _expected(known(outcome), known(process)) == expected


@pytest.mark.parametrize(
    ("column", "most", "ends"),
    [
        ("who_5", 100, (0, 100)),
        ("who_5", 25, (0, 25)),
        ("dass_21_anxiety", 42, (0, 42)),
        ("dass_21_anxiety", 21, (0, 21)),
    ],
)
def test_a_score_with_a_factor_may_be_held_without_it(column: str, most: int, ends: tuple[int, int]) -> None:
    assert _range(column, np.linspace(0, most, 50)) == ends
