"""SEMFit: what a panel structural equation model gave. It holds means and covariances by pattern of missing values and
parameters; what needs single persons (robust tests between models) takes the Panel again."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from ...findings import Findings
from ...panel.frame_kind import TableKind
from ...sem import Indices, indices, scaled, srmr
from ...show import Part, Shown
from ..contract import LaggedEffect, Verdict
from . import tables
from .blueprint import Parameter
from .solution import SEMEstimates
from .waves import Coverage

if TYPE_CHECKING:
    from ...panel import Panel
    from .dpm import DPM
    from .likelihood_ratio import Difference
    from .riclpm import CLPM, RICLPM


@dataclass(frozen=True, eq=False)
class SEMFit(Shown):
    """A fitted panel structural equation model.

    model : its description. solution : the numbers, in the engine's terms. coverage : how much was observed.
    verdict : whether it can be relied on. findings : who and what was left out, and whatever else was odd.
    """

    model: RICLPM | CLPM | DPM
    solution: SEMEstimates
    coverage: Coverage
    verdict: Verdict
    findings: Findings
    kind: TableKind
    person: str
    session: str

    # --- estimates ------------------------------------------------------------------------------

    @property
    def parameters(self) -> tuple[Parameter, ...]:
        """What each of the q parameters is."""
        return self.solution.parameters

    @property
    def lag_parameters(self) -> tuple[Parameter, ...]:
        """Those that are lags, in the order of their tables."""
        return tuple(p for p in self.parameters if p.kind == "lag")

    @property
    def terms(self) -> tuple[str, ...]:
        """Names of the q parameters."""
        return tuple(p.name for p in self.parameters)

    @property
    def estimates(self) -> dict[str, float]:
        """Parameters by name, in the variables' units."""
        return self._by_name(self.solution.theta)

    @property
    def vcov(self) -> np.ndarray:
        """Covariance matrix of the estimates (q, q); NaN where the data do not determine them."""
        return self.solution.vcov

    @property
    def se(self) -> dict[str, float]:
        """Standard errors by name."""
        return self._by_name(np.sqrt(self.vcov.diagonal()))

    @property
    def p(self) -> dict[str, float]:
        """p-values by name, of the parameter being zero, by the normal distribution; NaN for variances."""
        found = tables.p_values(self.solution.theta, np.sqrt(self.vcov.diagonal()))
        return self._by_name(np.where([p.variance for p in self.parameters], np.nan, found))

    def _by_name(self, values: np.ndarray) -> dict[str, float]:
        return dict(zip(self.terms, values.tolist(), strict=True))

    # --- likelihood and fit ---------------------------------------------------------------------

    @property
    def deviance(self) -> float:
        """-2 log-likelihood."""
        return self.solution.criterion

    @property
    def loglik(self) -> float:
        return -self.deviance / 2

    @property
    def n_parameters(self) -> int:
        return len(self.parameters)

    @property
    def aic(self) -> float:
        return self.deviance + 2 * self.n_parameters

    @property
    def bic(self) -> float:
        """With the number of persons as n."""
        return self.deviance + float(np.log(self.npersons)) * self.n_parameters

    @property
    def npersons(self) -> int:
        return self.solution.n

    @property
    def nobs(self) -> int:
        """Values used."""
        return int(sum(data.pairs.diagonal().sum() for data in self.solution.data))

    @property
    def title(self) -> str:
        """What it is, in one line."""
        return self.model.title

    @property
    def waves(self) -> tuple[int, ...]:
        return self.coverage.waves

    @property
    def df(self) -> int:
        """Means, variances and covariances of the observed columns less parameters."""
        return self.solution.df

    @property
    def chi2(self) -> float:
        """Against the saturated model; NaN where the data do not determine that."""
        above = self.solution.above
        return np.nan if above is None else self.solution.optimum.criterion - sum(s.criterion for s in above)

    @cached_property
    def indices(self) -> Indices | None:
        """Chi-square, CFI, TLI, RMSEA, SRMR; None where the data do not determine the saturated model."""
        return self._indices(1.0, 1.0)

    @cached_property
    def scaled_indices(self) -> Indices | None:
        """The same from chi-squares corrected for data that are not normal (Yuan & Bentler 2000); None unless the fit
        has errors='robust' and the corrections are possible."""
        factors = self.scaling_factor, self._scaling_below
        return self._indices(*factors) if min(factors) > 0 else None

    @property
    def scaling_factor(self) -> float:
        """By which the scaled chi-square divides; NaN unless the fit has errors='robust'."""
        traces = self.solution.traces
        return np.nan if traces is None else scaled(traces.model, traces.above, self.df)

    @property
    def _scaling_below(self) -> float:
        traces = self.solution.traces
        return np.nan if traces is None else scaled(traces.below, traces.above, self._df_below)

    @property
    def _df_below(self) -> int:
        k = self.solution.data[0].k
        return len(self.solution.data) * k * (k - 1) // 2

    def _indices(self, factor: float, below: float) -> Indices | None:
        above = self.solution.above
        if above is None:
            return None
        chi2_below = sum(b.criterion - a.criterion for a, b in zip(above, self.solution.below, strict=True))
        residual = srmr(self.solution.groups, self.solution.optimum.theta, above)
        chi2 = max(self.chi2, 0.0) / factor
        return indices(
            chi2, self.df, chi2_below / below, self._df_below, self.npersons, len(self.solution.data), residual
        )

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
        from .lag_tests import lag_tests

        return self.kind.table(lag_tests(self))

    def lags_given(self, first: str, level: float = 0.95) -> Any:
        """Effects on the other variable with `first`, which was rated before it at each wave, held constant, as a
        dataframe: outcome, predictor, lag (0: the same wave), estimate, se, p, low, high; by the delta method.

        Raises
        ------
        ModelError : other than two variables, groups, lags that differ over waves.
        """
        from .same_wave_effects import lags_given

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

    def lrt(self, other: SEMFit) -> Difference:
        """Likelihood-ratio test of two nested fits to the same data, in either order; scaled (Satorra & Bentler 2001)
        where both have errors='robust'.

        Raises
        ------
        ModelError : fits to other data, or of the same number of parameters.
        """
        from .likelihood_ratio import difference

        return difference(self, other)

    def stationarity(self, panel: Panel) -> Difference:
        """Whether lags are equal over waves: the likelihood-ratio test of equal against free lags.

        Raises
        ------
        ModelError : a model that cannot have both, or another Panel than that of the fit.
        """
        from .likelihood_ratio import stationarity

        return stationarity(self, panel)

    def same_over_groups(self, panel: Panel, kind: str = "lag") -> Difference:
        """Whether parameters of a kind are equal in all groups: the likelihood-ratio test.

        kind : 'lag', 'mean', 'intercept', 'residual', 'first', 'covariate', 'loading'.
        """
        from .likelihood_ratio import same_over_groups

        return same_over_groups(self, panel, kind)

    def lagged_effects(self, level: float = 0.95) -> tuple[LaggedEffect, ...]:
        """Effects from one wave to the next, for `compare`."""
        from .lagged_effects import lagged_effects

        return lagged_effects(self, level)

    def simulate(self, persons: int | None = None, *, seed: int, dropout: float = 0.0, skipped: float = 0.0) -> Panel:
        """A Panel drawn from the estimates; see `RICLPM.simulate`. persons : default as many as in the fit."""
        from .simulate import simulated

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
        from .show import as_dict

        return as_dict(self)

    def parts(self) -> list[Part]:
        """What is shown of it: lines and tables, the verdict first."""
        from .show import parts

        return parts(self)

    def summary(self) -> str:
        """What print shows."""
        return str(self)

    def __repr__(self) -> str:
        return f"<SEMFit {self.model.title}; {self.npersons:,} persons, {len(self.waves)} waves>"
