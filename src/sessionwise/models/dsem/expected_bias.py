"""Expected bias: what bench/expected_bias.py found where the truth is known, by number of sessions and first session.

150 persons, two scores with autoregressions of .3 and .35 and cross effects of -.15 and -.05 SD that differ between
persons by .1; weak priors, random cross effects. Begins: 'stationary', or 'elsewhere' (with 1.5 times the SD that the
process goes on with). Error: none, or a reliability of change of .7 that is known. Biases are posterior medians less
the truth.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .fit import DSEMFit


@dataclass(frozen=True, slots=True)
class Bias:
    """value : mean over studies. se : of that mean (Monte Carlo). covers : share of 95 % intervals with the truth."""

    value: float
    se: float
    covers: float


@dataclass(frozen=True, slots=True)
class Row:
    """One cell of the study. studies : how many. autoregressions : mean of both. forward, reverse : cross effects whose
    truths are -.15 and -.05."""

    begins: str
    error: bool
    first: str
    sessions: int
    studies: int
    autoregressions: Bias
    forward: Bias
    reverse: Bias


# fmt: off
ROWS = (
    Row("stationary", False, "own", 4, 13,
        Bias(0.010, 0.019, 0.96), Bias(0.025, 0.016, 1.00), Bias(-0.000, 0.025, 0.92)),
    Row("stationary", False, "own", 6, 13,
        Bias(-0.001, 0.013, 0.96), Bias(0.002, 0.011, 0.92), Bias(0.025, 0.013, 0.92)),
    Row("stationary", False, "own", 8, 12,
        Bias(-0.010, 0.008, 0.96), Bias(-0.008, 0.008, 1.00), Bias(0.000, 0.007, 1.00)),
    Row("stationary", False, "own", 12, 12,
        Bias(-0.005, 0.006, 1.00), Bias(-0.006, 0.009, 0.83), Bias(0.001, 0.006, 1.00)),
    Row("stationary", False, "own", 20, 12,
        Bias(0.002, 0.003, 0.96), Bias(-0.002, 0.005, 1.00), Bias(-0.010, 0.009, 0.75)),
    Row("stationary", False, "stationary", 4, 13,
        Bias(0.010, 0.019, 0.96), Bias(0.012, 0.018, 1.00), Bias(-0.012, 0.023, 0.92)),
    Row("stationary", False, "stationary", 6, 12,
        Bias(-0.014, 0.012, 0.88), Bias(0.006, 0.012, 0.92), Bias(0.029, 0.012, 1.00)),
    Row("stationary", False, "stationary", 8, 12,
        Bias(-0.010, 0.008, 0.96), Bias(-0.006, 0.008, 1.00), Bias(0.002, 0.006, 1.00)),
    Row("stationary", False, "stationary", 12, 12,
        Bias(-0.006, 0.006, 1.00), Bias(-0.006, 0.009, 0.83), Bias(0.001, 0.006, 1.00)),
    Row("stationary", False, "stationary", 20, 12,
        Bias(0.002, 0.003, 0.96), Bias(-0.002, 0.005, 1.00), Bias(-0.010, 0.009, 0.83)),
    Row("stationary", False, "previous", 4, 13,
        Bias(0.017, 0.017, 0.96), Bias(0.014, 0.019, 1.00), Bias(-0.012, 0.025, 0.92)),
    Row("stationary", False, "previous", 6, 12,
        Bias(-0.008, 0.013, 0.88), Bias(0.001, 0.013, 0.92), Bias(0.021, 0.013, 1.00)),
    Row("stationary", False, "previous", 8, 12,
        Bias(-0.008, 0.008, 0.92), Bias(-0.008, 0.008, 1.00), Bias(-0.002, 0.007, 1.00)),
    Row("stationary", False, "previous", 12, 12,
        Bias(-0.005, 0.006, 1.00), Bias(-0.007, 0.009, 0.83), Bias(-0.002, 0.006, 1.00)),
    Row("stationary", False, "previous", 20, 12,
        Bias(0.002, 0.003, 0.96), Bias(-0.003, 0.005, 1.00), Bias(-0.011, 0.009, 0.75)),
    Row("stationary", False, "given", 4, 13,
        Bias(0.385, 0.007, 0.00), Bias(0.147, 0.007, 0.00), Bias(0.070, 0.009, 0.46)),
    Row("stationary", False, "given", 6, 12,
        Bias(0.363, 0.012, 0.08), Bias(0.108, 0.008, 0.17), Bias(0.076, 0.011, 0.42)),
    Row("stationary", False, "given", 8, 12,
        Bias(0.122, 0.013, 0.46), Bias(-0.067, 0.009, 0.67), Bias(-0.071, 0.013, 0.58)),
    Row("stationary", False, "given", 12, 12,
        Bias(0.018, 0.007, 0.92), Bias(-0.008, 0.009, 0.92), Bias(-0.005, 0.006, 1.00)),
    Row("stationary", False, "given", 20, 12,
        Bias(0.009, 0.003, 0.96), Bias(-0.003, 0.005, 1.00), Bias(-0.011, 0.009, 0.75)),
    Row("stationary", True, "own", 4, 12,
        Bias(-0.010, 0.024, 0.88), Bias(0.031, 0.026, 1.00), Bias(0.068, 0.039, 0.83)),
    Row("stationary", True, "own", 6, 12,
        Bias(-0.035, 0.015, 0.96), Bias(0.002, 0.023, 0.92), Bias(0.001, 0.032, 0.83)),
    Row("stationary", True, "own", 8, 12,
        Bias(0.017, 0.009, 0.96), Bias(-0.003, 0.018, 1.00), Bias(0.011, 0.013, 1.00)),
    Row("stationary", True, "own", 12, 12,
        Bias(-0.004, 0.011, 0.92), Bias(-0.021, 0.019, 0.67), Bias(-0.014, 0.009, 1.00)),
    Row("stationary", True, "own", 20, 12,
        Bias(-0.012, 0.006, 0.92), Bias(0.009, 0.009, 0.92), Bias(-0.005, 0.007, 1.00)),
    Row("stationary", True, "stationary", 4, 12,
        Bias(-0.035, 0.026, 0.96), Bias(0.010, 0.030, 0.92), Bias(0.031, 0.035, 0.92)),
    Row("stationary", True, "stationary", 6, 12,
        Bias(-0.037, 0.016, 0.92), Bias(0.001, 0.021, 0.92), Bias(0.001, 0.030, 0.83)),
    Row("stationary", True, "stationary", 8, 12,
        Bias(0.012, 0.009, 1.00), Bias(-0.006, 0.019, 0.92), Bias(0.003, 0.014, 1.00)),
    Row("stationary", True, "stationary", 12, 12,
        Bias(-0.007, 0.011, 0.83), Bias(-0.021, 0.018, 0.75), Bias(-0.012, 0.008, 1.00)),
    Row("stationary", True, "stationary", 20, 12,
        Bias(-0.010, 0.006, 0.92), Bias(0.009, 0.009, 0.92), Bias(-0.007, 0.007, 1.00)),
    Row("stationary", True, "previous", 4, 12,
        Bias(-0.015, 0.028, 0.88), Bias(0.010, 0.031, 0.92), Bias(0.038, 0.038, 0.83)),
    Row("stationary", True, "previous", 6, 12,
        Bias(-0.037, 0.016, 0.92), Bias(-0.000, 0.021, 0.92), Bias(-0.001, 0.030, 0.83)),
    Row("stationary", True, "previous", 8, 12,
        Bias(0.008, 0.009, 1.00), Bias(-0.011, 0.020, 1.00), Bias(0.003, 0.014, 1.00)),
    Row("stationary", True, "previous", 12, 12,
        Bias(-0.005, 0.011, 0.88), Bias(-0.019, 0.018, 0.75), Bias(-0.014, 0.009, 1.00)),
    Row("stationary", True, "previous", 20, 12,
        Bias(-0.012, 0.006, 0.92), Bias(0.007, 0.009, 0.92), Bias(-0.005, 0.007, 1.00)),
    Row("stationary", True, "given", 4, 12,
        Bias(0.365, 0.010, 0.00), Bias(0.137, 0.008, 0.00), Bias(0.101, 0.010, 0.33)),
    Row("stationary", True, "given", 6, 12,
        Bias(0.322, 0.022, 0.17), Bias(0.111, 0.022, 0.25), Bias(0.049, 0.020, 0.67)),
    Row("stationary", True, "given", 8, 12,
        Bias(0.219, 0.031, 0.38), Bias(0.007, 0.035, 0.42), Bias(-0.021, 0.028, 0.75)),
    Row("stationary", True, "given", 12, 12,
        Bias(0.019, 0.012, 0.79), Bias(-0.023, 0.019, 0.67), Bias(-0.031, 0.010, 0.92)),
    Row("stationary", True, "given", 20, 12,
        Bias(-0.009, 0.006, 0.92), Bias(0.012, 0.008, 0.92), Bias(-0.008, 0.007, 1.00)),
    Row("elsewhere", False, "own", 6, 12,
        Bias(-0.001, 0.011, 0.92), Bias(-0.023, 0.010, 1.00), Bias(0.000, 0.013, 0.92)),
    Row("elsewhere", False, "own", 12, 11,
        Bias(0.001, 0.005, 1.00), Bias(-0.006, 0.007, 1.00), Bias(-0.003, 0.008, 0.91)),
    Row("elsewhere", False, "stationary", 6, 11,
        Bias(0.096, 0.013, 0.50), Bias(-0.041, 0.011, 0.91), Bias(-0.009, 0.014, 0.91)),
    Row("elsewhere", False, "stationary", 12, 11,
        Bias(0.049, 0.006, 0.50), Bias(-0.024, 0.008, 0.91), Bias(-0.014, 0.008, 0.91)),
    Row("elsewhere", False, "previous", 6, 11,
        Bias(0.069, 0.011, 0.82), Bias(-0.016, 0.010, 1.00), Bias(0.011, 0.014, 0.91)),
    Row("elsewhere", False, "previous", 12, 11,
        Bias(0.040, 0.005, 0.64), Bias(-0.014, 0.008, 0.91), Bias(-0.005, 0.008, 0.91)),
    Row("elsewhere", False, "given", 6, 11,
        Bias(0.149, 0.016, 0.32), Bias(-0.015, 0.016, 1.00), Bias(-0.018, 0.014, 1.00)),
    Row("elsewhere", False, "given", 12, 11,
        Bias(0.021, 0.006, 0.91), Bias(-0.008, 0.007, 1.00), Bias(-0.010, 0.009, 0.91)),
)
# fmt: on


def expected(first: str, error: bool, sessions: float) -> tuple[float, float]:
    """Bias of the autoregressions and of the forward effect, by lines between the numbers of sessions that were tried;
    beyond these as at the nearest."""
    rows = [r for r in ROWS if (r.begins, r.error, r.first) == ("stationary", error, first)]
    at = min(max(sessions, rows[0].sessions), rows[-1].sessions)
    low, high = next((a, b) for a, b in pairwise(rows) if at <= b.sessions)
    share = (at - low.sessions) / (high.sessions - low.sessions)
    one, other = (
        a + share * (b - a)
        for a, b in (
            (low.autoregressions.value, high.autoregressions.value),
            (low.forward.value, high.forward.value),
        )
    )
    return one, other


def expected_bias_said(fit: DSEMFit) -> str:
    """One line for the printout; empty for a model that is unlike those of the study."""
    model = fit.model
    unlike = model.priors != "weak" or model.error == "estimated" or model.variances == "random" or model.trend
    if unlike or model.paths.lags > 1 or len(model.paths.variables) != 2:
        return ""
    sessions = fit.nobs / fit.npersons
    own, cross = expected(model.first, bool(fit.error_said), sessions)
    return (
        f"With {sessions:.1f} sessions a person and first={model.first!r}, expected bias: autoregressions {own:+.2f}, "
        f"cross effects {cross:+.2f} for -0.15, in SDs (docs/dsem.md)."
    )
