"""Panel structural equation models beside lavaan: whole fits, with errors, chi-square and fit indices."""

from __future__ import annotations

from ..timing import Row
from . import fits

TITLE = "Panel structural equation models"
ABOUT = (
    "RI-CLPM with lags equal over waves, residual variances and means free, by full-information maximum likelihood, on "
    "simulated persons who drop out and miss sessions. A whole fit: ours from a long polars dataframe over the Panel "
    "to estimates, errors, chi-square and all fit indices; lavaan's from a wide data.frame over `lavaan()` to "
    "`fitMeasures()`, timed in R. The criterion is -2 log-likelihood."
)


def rows(*, slow: bool = False) -> list[Row]:
    return fits.rows()
