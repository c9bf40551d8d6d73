"""MLMFit: what a multilevel model gave. It holds cross-products and parameters, and what docs/mlm.md says of residuals
that are correlated or of several variances; what is about single sessions (fitted values, predictions, simulation)
takes the Panel again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal, get_args

import numpy as np

from ...errors import ModelError, nearest, some
from ...findings import Findings
from ...formula import show
from ...mixed import Effects, Solution, effects
from ...show import Part, Shown
from ..contract import LaggedEffect, Verdict
from .kept_design import KeptDesign, Means, valid_level
from .varcorr import VarCorr, varcorr
from .verdict import verdict

if TYPE_CHECKING:
    from ...mixed.inference import Comparison, Explained
    from ...mixed.inference.contrasts import JointTest, Tests
    from ...panel import Panel
    from .model import MLM
    from .predict import Forecast

Kind = Literal["population", "person", "next"]


@dataclass(frozen=True, eq=False)
class MLMFit(Shown):
    """A fitted multilevel model.

    model : its description. recipe : how its columns were made. solution : the numbers, in the engine's terms.
    verdict : whether it can be relied on. findings : rows dropped, by reason, and whatever else was odd.
    """

    model: MLM
    recipe: KeptDesign
    solution: Solution
    verdict: Verdict
    findings: Findings

    @classmethod
    def of(cls, model: MLM, recipe: KeptDesign, solution: Solution, doubts: Findings) -> MLMFit:
        """From what `MLM.fit` has found; `doubts`: about the model, beside those about its rows."""
        return cls(model, recipe, solution, verdict(solution), doubts + recipe.design.findings)

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
        """phi, and for each further stratum its residual standard deviation relative to the first's."""
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
    def title(self) -> str:
        """What it is, in one line."""
        return f"{'MLM' if self.varcorr else 'LM'} {self.model.formula.strip()}"

    @property
    def npersons(self) -> int:
        return self.recipe.n_persons

    @property
    def nclusters(self) -> dict[str, int]:
        """Levels of each grouping factor of the formula."""
        return {g.name: len(g.levels) for g in self.recipe.design.groupings}

    # --- tests and intervals --------------------------------------------------------------------

    @cached_property
    def tests(self) -> Tests:
        """Each coefficient against zero, Satterthwaite's degrees of freedom."""
        return self.tests_with("satterthwaite")

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

    def confint(
        self,
        method: Literal["wald", "profile", "bootstrap"] = "wald",
        level: float = 0.95,
        *,
        which: Sequence[str] | None = None,
        df: str | float = "satterthwaite",
        panel: Panel | None = None,
        n: int = 1000,
        seed: int | None = None,
        threads: int = 0,
    ) -> Any:
        """Intervals as a dataframe of the kind that came in: parameter, estimate, low, high.

        method : 'wald' of the coefficients, by t with `df`; 'profile', by the likelihood (of a model fitted by ML, as
            lme4), and 'bootstrap', parametric, of coefficients, standard deviations, correlations and residual
            parameters. which : names, for profiles. panel, n, seed, threads : for the bootstrap, the Panel of the fit,
            how many replicates, and where its random numbers begin.

        Raises
        ------
        ModelError : an unknown method, or a bootstrap without panel or seed.
        """
        from .tests_and_intervals import Draws, intervals

        return intervals(self, method, level, which, df, Draws(panel, n, seed, threads))

    def contrast(
        self,
        weights: Mapping[str, float] | Mapping[str, Mapping[str, float]],
        null: float = 0.0,
        *,
        df: str | float = "satterthwaite",
        level: float = 0.95,
    ) -> Any:
        """Combinations of coefficients as a dataframe: contrast, estimate, se, df, statistic, p, low, high.

        weights : name of a coefficient -> weight; or several such combinations by a name of their own.
        """
        from .tests_and_intervals import contrast_table

        return contrast_table(self, weights, null, df, level)

    def joint(
        self,
        weights: Sequence[str] | Mapping[str, float] | Mapping[str, Mapping[str, float]],
        *,
        df: str | float = "satterthwaite",
    ) -> JointTest:
        """F test that several combinations, or the coefficients or terms named, are zero at once."""
        from .tests_and_intervals import joint_test

        return joint_test(self, weights, df)

    def anova(self, df: str | float = "satterthwaite") -> Any:
        """F tests of the terms, each with all others in the model, as a dataframe: term, f, df1, df2, p.

        The test of a term that is in an interaction is about the point where the other variables are 0, or at their
        reference level.
        """
        from .tests_and_intervals import anova_table

        return anova_table(self, df)

    def slopes(
        self,
        x: str,
        at: Mapping[str, Sequence[Any]] | None = None,
        *,
        df: str | float = "satterthwaite",
        level: float = 0.95,
    ) -> Any:
        """Simple slopes: the slope of x at values of its moderators, as a dataframe.

        x : a numeric predictor as it stands in the formula. at : moderator -> values; default all categories, 0 and 1,
        or mean and mean ± SD over the sessions used.
        """
        from .slopes import slope_table

        return slope_table(self, x, at, df, level)

    def lrt(self, other: MLMFit) -> Comparison:
        """Likelihood-ratio test of two nested fits, in either order; see `inference.likelihood_ratio`.

        Its reference distribution allows for variances that are 0 under the smaller model.

        Raises
        ------
        ModelError : a fit that has not converged, fits to other rows, models that cannot be told to be nested, REML
            fits with different coefficients.
        """
        from ...mixed.inference import likelihood_ratio

        a, b = sorted((self, other), key=lambda f: f.n_parameters)
        responses = show(a.recipe.design.formula.response), show(b.recipe.design.formula.response)
        names = f"the smaller model ({a.model.formula.strip()})", f"the larger model ({b.model.formula.strip()})"
        return likelihood_ratio(a.solution, b.solution, responses=responses, names=names)

    def robust(self, panel: Panel, by: str | None = None, kind: str = "CR2", level: float = 0.95) -> Any:
        """Cluster-robust errors and tests as a dataframe; see `inference.robust`.

        by : a grouping factor or column; default the outermost in which all random terms are nested.
        """
        from .tests_and_intervals import robust_table

        return robust_table(self, panel, by, kind, level)

    def lagged_effects(self, level: float = 0.95) -> tuple[LaggedEffect, ...]:
        """Effects of columns one session before, for `compare`.

        Raises
        ------
        ModelError : no such term, or no way to tell how it varies within persons.
        """
        from .lagged import lagged_effects

        return lagged_effects(self, level)

    def explained(self, panel: Panel) -> Explained:
        """Variance explained within and between persons (Rights & Sterba 2019)."""
        from ...mixed.inference import explained
        from .residual import with_rows
        from .tests_and_intervals import same_rows

        made = same_rows(self, panel)
        return explained(with_rows(self, panel, made), made)

    def simulate(self, panel: Panel, *, seed: int) -> Panel:
        """The Panel of the fit with a response drawn from the estimates; NaN in rows that were not used.

        Terms that hold the response of another session keep the values observed there.
        """
        from .simulate import from_fit

        return from_fit(self, panel, seed)

    # --- random effects and single sessions -----------------------------------------------------

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

    def ranef(self, group: str | None = None) -> Any:
        """Predicted random effects of a grouping factor (BLUPs), with standard errors given the estimated parameters.

        group : may be left out if there is only one. Returns a dataframe of the kind that came in: the group's
        label, then for each effect its value and 'se NAME'.

        Raises
        ------
        ModelError : no such grouping factor.
        """
        name = self._group(group)
        found, terms = self.effects[name], self.varcorr[name].terms
        columns: dict[str, Any] = {name: found.labels.tolist()}
        for i, term in enumerate(terms):
            columns[term] = found.values[:, i]
            columns[f"se {term}"] = np.sqrt(found.covariance[:, i, i])
        return self.recipe.table(columns)

    def fitted(self, panel: Panel) -> np.ndarray:
        """Fitted values, random effects included, (n_rows,) of the Panel; NaN for rows that a fit would not use."""
        from .predict import fitted

        return fitted(self, panel, None, used=True)

    def residuals(self, panel: Panel) -> np.ndarray:
        """Response minus fitted value, (n_rows,) of the Panel; NaN for rows that a fit would not use."""
        made = self.recipe.applied(panel, response=True)
        response = np.full(len(panel), np.nan)
        response[made.rows] = made.matrix[:, 0]
        return np.asarray(response - self.fitted(panel))

    def predict(self, panel: Panel, kind: Kind = "person", *, means: Means | None = None) -> np.ndarray:
        """Predicted response, (n_rows,) of the Panel; NaN where a term has no value. The response need not be there.

        kind : 'population', coefficients alone; 'person', with the random effects of this fit, 0 for persons and
            clusters that were not in it; 'next', each session from the same person's earlier sessions in the Panel.
        means : expression -> person -> mean for `within` and `between`, in place of those over the Panel's sessions.

        Raises
        ------
        ModelError : an unknown kind, or one that this model cannot give.
        """
        if kind == "person":
            from .predict import fitted

            return fitted(self, panel, means, used=False)
        return self._forecast(panel, kind, means).mean

    def forecast(self, panel: Panel, kind: Kind = "next", level: float = 0.95, *, means: Means | None = None) -> Any:
        """Predictions with intervals for a new observation, for 'next' or 'population'.

        A dataframe of the kind that came in, one row a session: person, session, prediction, sd, low, high; the
        interval is normal, with variance parameters taken as known. means : as in `predict`.

        Raises
        ------
        ModelError : kind='person', whose interval would need the sessions of the fit; for 'next' a term that looks
            ahead (`within`, `between`, `detrend`) without means that are known beforehand.
        """
        from scipy.special import ndtri

        found = self._forecast(panel, kind, means)
        who, when = self.recipe.person, self.recipe.session
        away = float(ndtri((1 + valid_level(level)) / 2)) * found.sd
        columns = {who: panel.persons[panel.codes].tolist(), when: panel.sessions, "prediction": found.mean}
        return self.recipe.table(columns | {"sd": found.sd, "low": found.mean - away, "high": found.mean + away})

    def _forecast(self, panel: Panel, kind: str, means: Means | None) -> Forecast:
        from .predict import next_session, population

        if kind not in ("population", "next"):
            raise ModelError(
                f"there is no forecast of kind {kind!r}.{nearest(kind, get_args(Kind))}",
                remedy="Use 'next' or 'population'.",
            )
        return (next_session if kind == "next" else population)(self, panel, means)

    def _group(self, group: str | None) -> str:
        names = list(self.varcorr)
        if not names:
            raise ModelError("the model has no random effects.", remedy="Add a random term, such as (1 | person).")
        if group is None and len(names) == 1:
            return names[0]
        if group in names:
            return str(group)
        which = "no grouping factor was named" if group is None else f"there is no grouping factor {group!r}"
        raise ModelError(f"{which}.{nearest(str(group), names)}", remedy=f"Use one of: {some(names)}.")

    # --- looks ----------------------------------------------------------------------------------

    def tidy(self, df: str | float = "satterthwaite", level: float = 0.95) -> Any:
        """The coefficients as a dataframe of the kind that came in: term, estimate, se, df, statistic, p, low, high."""
        t = self.tests_with(df, level)
        columns = {"term": list(self.terms), "estimate": t.estimate, "se": t.se, "df": t.df}
        return self.recipe.table(columns | {"statistic": t.statistic, "p": t.p, "low": t.low, "high": t.high})

    def to_dict(self, df: str | float = "satterthwaite") -> dict[str, Any]:
        """Plain numbers and text, as `sessionwise fit --json` prints them (docs/command-line.md)."""
        from .show import as_dict

        return as_dict(self, df)

    def parts(self, df: str | float = "satterthwaite") -> list[Part]:
        """What is shown of it: lines and tables, the verdict first."""
        from .show import parts

        return parts(self, df)

    def summary(self, df: str | float = "satterthwaite") -> str:
        """What print shows, with other degrees of freedom if wished: 'kenward-roger', 'residual', 'normal'."""
        from ...show import rich_group, text

        return text(rich_group(self.parts(df)))

    def __repr__(self) -> str:
        return f"<MLMFit {self.model.formula}; {self.nobs:,} sessions of {self.npersons:,} persons>"
