"""A study in sentences."""

from __future__ import annotations

from helpers.demo import result
from sessionwise.study.records import Estimate
from sessionwise.study.words.estimates import ends, full, interval, magnitude, point


def test_full():
    e = Estimate(-0.936, 0.13, -1.195, -0.677, 200.0, 1e-9)
    assert full(e) == "b = −0.94, 95 % CI [−1.20, −0.68], p < .001"


def test_the_decimals_are_those_of_the_value_or_its_error():
    small = Estimate(0.0123, 0.002, 0.00838, 0.0162, 200.0, 1e-9)
    assert (point(small), ends(small), interval(small)) == ("0.012", "[0.008, 0.016]", "95 % CI [0.008, 0.016]")
    uncertain = Estimate(-0.0123, 0.5, -0.99, 0.97, 200.0, 0.9)
    assert (point(uncertain), ends(uncertain)) == ("−0.01", "[−0.99, 0.97]")
    assert magnitude(uncertain) == "0.01"


def test_no_hyphen_for_minus_in_sentences():
    for text in (*result().answer, *result().results):
        assert " -0" not in text
        assert "[-" not in text


def test_methods_name_what_was_done():
    methods = " ".join(result().methods)
    assert "300 patients" in methods
    assert "CORE-OM was taken as rated before WAI-SR" in methods
    assert "AR(1) residuals" in methods
