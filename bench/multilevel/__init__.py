"""The multilevel model beside peers: whole fits from a dataframe, and the kernel alone."""

from __future__ import annotations

from ..timing import Row
from . import crossed, fits, kernel, large, length
from .peers import present

TITLE = "Multilevel model"
ABOUT = (
    "Simulated persons with 3 to 13 sessions each, about 11 persons a therapist; every program gets the same numbers. "
    "The model is `y ~ x + z + session` and the random terms shown, by REML unless a remark says ML. A whole fit goes "
    "from a dataframe in memory (polars for ours, pandas for the others) to the fitted model with a program's "
    "defaults (lme4: `lmer()` alone, timed in R; gpboost: Cholesky and tolerance 1e-8, because its own choices leave "
    "the criterion off). Crossed factors have as many levels and rows as lme4's InstEval, of every tenth student and "
    "of all. Where a peer cannot fit the model, both fit the nearest that it can. A peer that needs more "
    f"than {fits.LONG:g} s is run once; those that need minutes are left out, unless `python -m bench multilevel "
    "--slow`."
)


def rows(*, slow: bool = False) -> list[Row]:
    peers = present()
    return [*fits.rows(peers, slow=slow), *crossed.rows(peers), *kernel.rows(peers), *length.rows(), *large.rows()]
