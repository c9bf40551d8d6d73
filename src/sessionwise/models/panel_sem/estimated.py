"""EstimatedSEM: a fitted panel model as its numbers by name, which the functions of a fit begin from."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from ...findings import Findings
from ...panel.frame_kind import TableKind
from ...sem import Indices, indices, scaled, srmr
from ..contract import Fit, Verdict
from .blueprint import Parameter
from .derived import p_values
from .solution import SEMEstimates
from .waves import Coverage

if TYPE_CHECKING:
    from .model import PanelModel


@dataclass(frozen=True, eq=False)
class EstimatedSEM(Fit):
    """A fitted panel structural equation model; `SEMFit` adds what can be asked of it.

    model : its description. solution : the numbers, in the engine's terms. coverage : how much was observed.
    verdict : whether it can be relied on. findings : who and what was left out, and whatever else was odd.
    kind : of dataframe. person, session : names of these columns.
    """

    model: PanelModel
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
        """Parameters that are lags, in the order of their tables."""
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
        found = p_values(self.solution.theta, np.sqrt(self.vcov.diagonal()))
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
    def label(self) -> str:
        """What the model is called beside others: 'RI-CLPM', 'CLPM', 'DPM'."""
        return self.model.label

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
        """Indices from chi-squares corrected for data that are not normal (Yuan & Bentler 2000); None unless the fit
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
