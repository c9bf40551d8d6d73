"""SEMFit: what a panel structural equation model gave. It holds means and covariances by pattern of missing values and
parameters; what needs single persons (robust tests between models) takes the Panel again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ...errors import ModelError
from ...options import A_LEVEL, A_NAME, A_SEED, A_SHARE, PANEL, TEXT, takes, whole_number
from ...show import Part
from ..contract import LaggedEffect
from ..likelihood_ratio import LikelihoodRatioTest
from . import likelihood_ratio, show, tables
from .estimated import EstimatedSEM
from .lag_tests import lag_tests
from .lagged_effects import lagged_effects
from .same_wave_effects import lags_given
from .simulate import simulated

if TYPE_CHECKING:
    from ...panel import Panel


@dataclass(frozen=True, eq=False)
class SEMFit(EstimatedSEM):
    """A fitted panel structural equation model.

    model : its description. solution : the numbers, in the engine's terms. coverage : how much was observed.
    verdict : whether it can be relied on. findings : who and what was left out, and whatever else was odd.
    """

    # --- lags and what follows from them --------------------------------------------------------

    def lags(self, level: float = 0.95) -> Any:
        """Lagged effects as a dataframe: outcome, predictor, wave (of the outcome, null for all), group, estimate, se,
        statistic, p, low, high, and standardised, std_se, std_low, std_high.

        Standardised is in within-person SDs of the model, of predictor and outcome, their root mean square over waves
        for a lag that is equal over them.
        """
        return self.kind.table(tables.lags(self, level))

    def standardised(self, level: float = 0.95) -> Any:
        """Lagged effects in within-person SDs wave by wave, as a dataframe: outcome, predictor, wave, group, estimate,
        se, low, high. They differ over waves where the variances do, even if the lags themselves are equal."""
        return self.kind.table(tables.by_wave(self, level))

    def long_run(self, level: float = 0.95) -> Any:
        """What a lasting change of a predictor by one leads to in the end, as a dataframe: outcome, predictor, group,
        estimate, se, low, high; by the delta method. b / (1 - a) for two variables.

        Raises
        ------
        ModelError : lags that differ over waves, or grow without limit.
        """
        return self.kind.table(tables.in_the_end(self, level))

    def lag_tests(self) -> Any:
        """Whether each lag is zero, by the likelihood ratio, as a dataframe: outcome, predictor, wave, group, estimate,
        chi2 (1 degree of freedom), p. With few persons nearer its size than the p of `lags`; for normal data."""
        return self.kind.table(lag_tests(self))

    @takes(ModelError, first=A_NAME, level=A_LEVEL)
    def lags_given(self, first: str, level: float = 0.95) -> Any:
        """Effects on the other variable with `first`, which was rated before it at each wave, held constant, as a
        dataframe: outcome, predictor, lag (0: the same wave), estimate, se, p, low, high; by the delta method.

        Raises
        ------
        ModelError : other than two variables, groups, lags that differ over waves.
        """
        return self.kind.table(lags_given(self, first, level))

    def within(self) -> Any:
        """Standard deviations and correlations within persons by wave, as implied, as a dataframe: wave, group,
        'sd NAME' for each variable, 'r NAME NAME' for each pair."""
        return self.kind.table(tables.within(self))

    def residual_correlations(
        self, group: str | None = None, level: float = 0.95
    ) -> tuple[tuple[float, float, float], ...]:
        """Correlation of the first two variables within persons at the first wave, and of what the lags leave over at
        the later ones: estimate, low, high by wave; by the delta method."""
        return tables.residual_correlations(self, group, level)

    def intercepts(self) -> Any:
        """Random intercepts as a dataframe: variable, group, variance, se, sd, share (of the variance implied at the
        average wave), and 'r NAME' with each of the others. Empty for a model without."""
        return self.kind.table(tables.intercepts(self))

    # --- questions ------------------------------------------------------------------------------

    def lrt(self, other: SEMFit) -> LikelihoodRatioTest:
        """Likelihood-ratio test of two nested fits to the same data, in either order; scaled (Satorra & Bentler 2001)
        where both have errors='robust'.

        Raises
        ------
        ModelError : fits to other data, or of the same number of parameters.
        """
        return likelihood_ratio.of_nested(self, other)

    @takes(ModelError, panel=PANEL)
    def stationarity(self, panel: Panel) -> LikelihoodRatioTest:
        """Whether lags are equal over waves: the likelihood-ratio test of equal against free lags.

        Raises
        ------
        ModelError : a model that cannot have both, or another Panel than that of the fit.
        """
        return likelihood_ratio.stationarity(self, panel)

    @takes(ModelError, panel=PANEL, kind=TEXT)
    def same_over_groups(self, panel: Panel, kind: str = "lag") -> LikelihoodRatioTest:
        """Whether parameters of a kind are equal in all groups: the likelihood-ratio test.

        kind : 'lag', 'mean', 'intercept', 'residual', 'first', 'covariate', 'loading'.
        """
        return likelihood_ratio.same_over_groups(self, panel, kind)

    def lagged_effects(self, level: float = 0.95) -> tuple[LaggedEffect, ...]:
        """Effects from one wave to the next, for `compare`."""
        return lagged_effects(self, level)

    @takes(ModelError, persons=whole_number(1), seed=A_SEED, dropout=A_SHARE, skipped=A_SHARE)
    def simulate(self, persons: int | None = None, *, seed: int, dropout: float = 0.0, skipped: float = 0.0) -> Panel:
        """A Panel drawn from the estimates; see `RICLPM.simulate`. persons : default as many as in the fit."""
        return simulated(
            self.solution.grouped, self.solution.theta, self.npersons if persons is None else persons,
            np.array([data.n for data in self.solution.data]) / self.npersons, seed, dropout, skipped,
            self.person, self.session, self.model.group_column,
        )  # fmt: skip

    # --- looks ----------------------------------------------------------------------------------

    def tidy(self, level: float = 0.95) -> Any:
        """All parameters as a dataframe of the kind that came in: term, kind, outcome, predictor, wave, group,
        estimate, se, statistic, p, low, high; p by the normal distribution, null for variances."""
        return self.kind.table(tables.tidy(self, level))

    def to_dict(self) -> dict[str, Any]:
        """Plain numbers and text, as `sessionwise fit --json` prints them (docs/command-line.md)."""
        return show.as_dict(self)

    def parts(self) -> list[Part]:
        """What is shown of it: lines and tables, the verdict first."""
        return show.parts(self)

    def summary(self) -> str:
        """What print shows."""
        return str(self)

    def __repr__(self) -> str:
        return f"<SEMFit {self.model.title}; {self.npersons:,} persons, {len(self.waves)} waves>"
