"""Error estimated beside the process: recovery where the truth is known, and what is said where sessions are few."""

from __future__ import annotations

import numpy as np
import pytest

import sessionwise as sw

#: Autoregressions of .3 and .6; in both scores a share of .3 of what varies within persons is error.
TRUTH = {
    "y ~ lag(y)": 0.3, "w ~ lag(w)": 0.6, "y ~ lag(w)": -0.15, "w ~ lag(y)": -0.05, "sd(y)": 1.2, "sd(w)": 1.2,
    "sd(y ~ lag(w))": 0.1, "sd(w ~ lag(y))": 0.1, "innovation sd(y)": 1.0, "innovation sd(w)": 1.0,
    "error sd(y)": 0.69, "error sd(w)": 0.82,
}  # fmt: skip
PLAIN = sw.DSEM.reciprocal("y", "w", course=None)
MODEL = sw.DSEM.reciprocal("y", "w", course=None, error="estimated")
NAMES = ("y ~ lag(y)", "w ~ lag(w)", "y ~ lag(w)", "w ~ lag(y)", "error sd(y)", "error sd(w)")


def one(persons: int, sessions: int, seed: int) -> np.ndarray:
    """(estimate, low, high) of each of NAMES."""
    panel = PLAIN.simulate(TRUTH, persons, sessions, seed=seed)
    rows = {r["term"]: r for r in MODEL.fit(panel, size=200, chains=2, most=8000).tidy().to_dicts()}
    return np.array([[rows[name][key] for key in ("estimate", "low", "high")] for name in NAMES])


@pytest.mark.slow
def test_error_and_process_are_told_apart() -> None:
    """40 studies of 100 persons with 20 sessions. Of an autoregression of .6, its error and both cross effects 95 %
    intervals cover in 33 or more, and medians are off by less than half their SD over studies, beside 3 of its Monte
    Carlo errors. An autoregression of .3 is hard to tell from none with more error: its medians, and those of the
    error, are known to be too large (docs/dsem.md), by less than is said here."""
    found = np.array([one(100, 20, seed) for seed in range(40)])
    truth = np.array([TRUTH[name] for name in NAMES])
    covered = np.sum((found[:, :, 1] < truth) & (truth < found[:, :, 2]), axis=0)
    off, sd = (found[:, :, 0] - truth).mean(axis=0), found[:, :, 0].std(axis=0, ddof=1)
    told = [1, 2, 3, 5]
    assert covered[told].min() >= 33, dict(zip(NAMES, covered, strict=True))
    assert (np.abs(off) < sd * (0.5 + 3 / np.sqrt(40)))[told].all(), dict(zip(NAMES, off / sd, strict=True))
    assert covered.min() >= 25, dict(zip(NAMES, covered, strict=True))
    assert 0 < off[0] < 0.15
    assert 0 < off[4] < 0.2


def test_few_sessions_are_said_and_the_printout_names_the_error() -> None:
    few = MODEL.fit(PLAIN.simulate(TRUTH, 40, 5), size=10, chains=2, most=100)
    (finding,) = [f for f in few.findings if f.code == "error-or-process"]
    assert finding.severity == "warning"
    assert "5 sessions" in finding.what
    assert "error='items'" in finding.remedy
    many = MODEL.fit(PLAIN.simulate(TRUTH, 40, 25), size=10, chains=2, most=100)
    assert not [f for f in many.findings if f.code == "error-or-process"]
    assert "y estimated beside the process" in str(many)
    assert {"error sd(y)", "error sd(w)"} <= set(many.reported.names)


def test_given_errors_draw_as_they_did() -> None:
    """The error's SD in squared units, and none, move nothing else: no step of the estimated error is taken."""
    panel = PLAIN.simulate(TRUTH, 40, 5)
    known = sw.DSEM.reciprocal("y", "w", course=None, error={"y": 0.4})
    assert float(np.ptp(known.fit(panel, size=10, chains=2, most=100).draws("error sd(y)"))) == 0
