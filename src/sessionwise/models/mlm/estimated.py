"""EstimatedMLM: a fitted multilevel model as its numbers by name, which the functions of a fit begin from."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from ...errors import ModelError
from ...findings import Findings
from ...mixed import Effects, Solution, effects
from ...options import A_LEVEL, DEGREES_OF_FREEDOM, takes
from ..contract import Fit, Verdict
from .kept_design import KeptDesign
from .varcorr import VarCorr, varcorr

if TYPE_CHECKING:
    from ...mixed.inference.contrasts import Tests
    from .model import MLM


@dataclass(frozen=True, eq=False)
class EstimatedMLM(Fit):
    """A fitted multilevel model; `MLMFit` adds what can be asked of it.

    model : its description. recipe : how its columns were made. solution : the numbers, in the engine's terms.
    verdict : whether it can be relied on. findings : rows dropped, by reason, and whatever else was odd.
    """

    model: MLM
    recipe: KeptDesign
    solution: Solution
    verdict: Verdict
    findings: Findings

    # --- estimates ------------------------------------------------------------------------------

    @property
    def terms(self) -> tuple[str, ...]:
        """Names of the p coefficients."""
        return self.solution.problem.names

    @property
    def fixef(self) -> dict[str, float]:
        """Coefficients by name."""
        return dict(zip(self.terms, self.solution.beta.tolist(), strict=True))

    @property
    def vcov(self) -> np.ndarray:
        """Covariance matrix of the coefficients (p, p)."""
        return self.solution.vcov

    @property
    def se(self) -> dict[str, float]:
        """Standard errors of the coefficients by name."""
        return dict(zip(self.terms, np.sqrt(self.vcov.diagonal()).tolist(), strict=True))

    @property
    def sigma(self) -> float:
        """Residual standard deviation, in units of the response; of the first stratum with `variance_by`."""
        return self.solution.sigma

    @property
    def residual(self) -> dict[str, float]:
        """phi, in continuous time per unit of the time column (days where it holds dates), and for each further stratum
        its residual standard deviation relative to the first's."""
        return dict(zip(self.solution.problem.residual.names, self.solution.residual.tolist(), strict=True))

    @property
    def theta(self) -> np.ndarray:
        """Entries of the relative covariance factors, in lme4's order."""
        return self.solution.theta

    @cached_property
    def varcorr(self) -> dict[str, VarCorr]:
        """Variances and covariances of the random effects by grouping factor."""
        return varcorr(self.solution)

    # --- likelihood -----------------------------------------------------------------------------

    @property
    def deviance(self) -> float:
        """-2 log-likelihood; for REML the REML criterion (lme4's)."""
        return self.solution.criterion

    @property
    def loglik(self) -> float:
        return -self.deviance / 2

    @property
    def n_parameters(self) -> int:
        """Coefficients, variance and residual parameters."""
        return self.solution.n_parameters

    @property
    def aic(self) -> float:
        return self.deviance + 2 * self.n_parameters

    @property
    def bic(self) -> float:
        """With the number of sessions used as n."""
        return self.deviance + float(np.log(self.nobs)) * self.n_parameters

    @property
    def nobs(self) -> int:
        """Sessions used."""
        return self.recipe.n_rows

    @property
    def label(self) -> str:
        """What the model is called beside others: 'MLM', or 'LM' without random effects."""
        return "MLM" if self.varcorr else "LM"

    @property
    def title(self) -> str:
        """What it is, in one line."""
        return f"{self.label} {self.model.formula.strip()}"

    @property
    def npersons(self) -> int:
        return self.recipe.n_persons

    @property
    def nclusters(self) -> dict[str, int]:
        """Levels of each grouping factor of the formula."""
        return {g.name: len(g.levels) for g in self.recipe.design.groupings}

    # --- tests of single coefficients --------------------------------------------------------------------

    @cached_property
    def tests(self) -> Tests:
        """Each coefficient against zero, Satterthwaite's degrees of freedom."""
        return self.tests_with("satterthwaite")

    @takes(ModelError, df=DEGREES_OF_FREEDOM, level=A_LEVEL)
    def tests_with(self, df: str | float, level: float = 0.95) -> Tests:
        """Each coefficient against zero with other degrees of freedom; see `inference.test`."""
        from ...mixed.inference.contrasts import test

        if (df, level) not in self._known_tests:
            rows = np.eye(len(self.terms))
            try:
                found = test(self.solution, rows, degrees=df, level=level)
            except np.linalg.LinAlgError:
                if self.verdict.converged:
                    raise ModelError(
                        f"degrees of freedom ({df}) cannot be computed for this fit: its derivatives are singular.",
                        where=f"formula {self.model.formula!r}",
                        remedy="Simplify the random part or the residuals, or use df='normal'.",
                    ) from None
                # A likelihood without a maximum: the verdict says that no number here is to be used.
                found = test(self.solution, rows, degrees="normal", level=level)
            self._known_tests[(df, level)] = found
        return self._known_tests[(df, level)]

    @cached_property
    def _known_tests(self) -> dict[tuple[str | float, float], Tests]:
        return {}

    @property
    def df(self) -> dict[str, float]:
        """Satterthwaite's degrees of freedom by coefficient."""
        return dict(zip(self.terms, self.tests.df.tolist(), strict=True))

    @property
    def p(self) -> dict[str, float]:
        """p-values by coefficient, with Satterthwaite's degrees of freedom."""
        return dict(zip(self.terms, self.tests.p.tolist(), strict=True))

    # --- random effects --------------------------------------------------------------------------

    @cached_property
    def effects(self) -> dict[str, Effects]:
        """Predicted random effects of each grouping factor with their covariances, as arrays."""
        try:
            return effects(self.solution)
        except np.linalg.LinAlgError:
            raise ModelError(
                "the random effects cannot be predicted: a covariance matrix of this fit is singular.",
                where=f"formula {self.model.formula!r}",
                remedy="Look at the verdict, and simplify the random part or the residuals.",
            ) from None
