"""Numbers in sentences."""

from __future__ import annotations

import pytest

from helpers.demo import result
from sessionwise.study.records import Estimate
from sessionwise.study.words.estimates import full, listed, number, p_words, plural


@pytest.mark.parametrize(
    ("value", "scale", "shown"),
    [
        (-0.936, None, "−0.94"),
        (-0.0157, None, "−0.016"),
        (0.00012345, None, "0.00012"),
        (1234.5, None, "1,234.50"),
        (0.0, None, "0.00"),
        (-0.0001, 1.0, "0.00"),
        (0.004, 0.02, "0.004"),
    ],
)
def test_number(value, scale, shown):
    assert number(value, scale) == shown


def test_full():
    e = Estimate(-0.936, 0.13, -1.195, -0.677, 200.0, 1e-9)
    assert full(e) == "b = −0.94, 95 % CI [−1.20, −0.68], p < .001"
    assert p_words(0.034) == "p = .034"


def test_lists():
    assert plural(1, "patient") == "1 patient"
    assert plural(4340, "session") == "4,340 sessions"
    assert listed(["a"]) == "a"
    assert listed(["a", "b", "c"]) == "a, b and c"


def test_no_hyphen_for_minus_in_sentences():
    for text in (*result().answer, *result().results):
        assert " -0" not in text
        assert "[-" not in text


def test_methods_name_what_was_done():
    methods = " ".join(result().methods)
    assert "300 patients" in methods
    assert "CORE-OM was taken as rated before WAI-SR" in methods
    assert "AR(1) residuals" in methods
