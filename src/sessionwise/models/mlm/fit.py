"""MLMFit: what a multilevel model gave. It holds cross-products and parameters, and what docs/mlm.md says of residuals
that are correlated or of several variances; what is about single sessions (fitted values, predictions, simulation)
takes the Panel again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from ...errors import ModelError, nearest, some
from ...findings import Findings
from ...mixed import Solution
from ...mixed.inference import Explained, explained
from ...options import (
    A_DICT,
    A_LEVEL,
    A_NAME,
    A_SEED,
    DEGREES_OF_FREEDOM,
    NAMES,
    PANEL,
    TEXT,
    a_number,
    one_of,
    takes,
    valid_level,
    whole_number,
)
from ...show import Part, rich_group, text
from ..contract import LaggedEffect
from ..likelihood_ratio import LikelihoodRatioTest
from . import lagged, likelihood_ratio, predict, show, simulate, slopes, tests_and_intervals
from .estimated import EstimatedMLM
from .kept_design import KeptDesign, Means
from .predict import Forecast
from .residual import with_rows
from .tests_and_intervals import Draws
from .verdict import verdict

if TYPE_CHECKING:
    from ...mixed.inference.contrasts import JointTest
    from ...panel import Panel
    from .model import MLM

Kind = Literal["population", "person", "next"]


@dataclass(frozen=True, eq=False)
class MLMFit(EstimatedMLM):
    """A fitted multilevel model.

    model : its description. recipe : how its columns were made. solution : the numbers, in the engine's terms.
    verdict : whether it can be relied on. findings : rows dropped, by reason, and whatever else was odd.
    """

    @classmethod
    def of(cls, model: MLM, recipe: KeptDesign, solution: Solution, cautions: Findings) -> MLMFit:
        """From what `MLM.fit` has found; `cautions`: about the model, beside those about its rows."""
        return cls(model, recipe, solution, verdict(solution), cautions + recipe.design.findings)

    # --- tests and intervals --------------------------------------------------------------------

    @takes(
        ModelError,
        method=TEXT,
        level=A_LEVEL,
        which=NAMES,
        df=DEGREES_OF_FREEDOM,
        panel=PANEL,
        n=whole_number(1),
        seed=A_SEED,
        threads=whole_number(0),
    )
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
        return tests_and_intervals.intervals(self, method, level, which, df, Draws(panel, n, seed, threads))

    @takes(ModelError, weights=A_DICT, null=a_number(), df=DEGREES_OF_FREEDOM, level=A_LEVEL)
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
        return tests_and_intervals.contrast_table(self, weights, null, df, level)

    @takes(ModelError, weights=NAMES | A_DICT, df=DEGREES_OF_FREEDOM)
    def joint(
        self,
        weights: Sequence[str] | Mapping[str, float] | Mapping[str, Mapping[str, float]],
        *,
        df: str | float = "satterthwaite",
    ) -> JointTest:
        """F test that several combinations, or the coefficients or terms named, are zero at once."""
        return tests_and_intervals.joint_test(self, weights, df)

    @takes(ModelError, df=DEGREES_OF_FREEDOM)
    def anova(self, df: str | float = "satterthwaite") -> Any:
        """F tests of the terms, each with all others in the model, as a dataframe: term, f, df1, df2, p.

        The test of a term that is in an interaction is about the point where the other variables are 0, or at their
        reference level.
        """
        return tests_and_intervals.anova_table(self, df)

    @takes(ModelError, x=A_NAME, at=A_DICT, df=DEGREES_OF_FREEDOM, level=A_LEVEL)
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
        return slopes.slope_table(self, x, at, df, level)

    def lrt(self, other: MLMFit) -> LikelihoodRatioTest:
        """Likelihood-ratio test of two nested fits, in either order; see mixed.inference.likelihood_ratio.

        Its reference distribution allows for variances that are 0 under the smaller model.

        Raises
        ------
        ModelError : a fit that has not converged, fits to other rows, models that cannot be told to be nested, REML
            fits with different coefficients.
        """
        return likelihood_ratio.of_nested(self, other)

    @takes(ModelError, panel=PANEL, by=A_NAME, kind=TEXT, level=A_LEVEL)
    def robust(self, panel: Panel, by: str | None = None, kind: str = "CR2", level: float = 0.95) -> Any:
        """Cluster-robust errors and tests as a dataframe; see `inference.robust`.

        by : a grouping factor or column; default the outermost in which all random terms are nested.
        """
        return tests_and_intervals.robust_table(self, panel, by, kind, level)

    @takes(ModelError, level=A_LEVEL)
    def lagged_effects(self, level: float = 0.95) -> tuple[LaggedEffect, ...]:
        """Effects of columns one session before, for `compare`.

        Raises
        ------
        ModelError : no such term, or no way to tell how it varies within persons.
        """
        return lagged.lagged_effects(self, level)

    @takes(ModelError, panel=PANEL)
    def explained(self, panel: Panel) -> Explained:
        """Variance explained within and between persons (Rights & Sterba 2019)."""
        made = tests_and_intervals.same_rows(self, panel)
        return explained(with_rows(self.solution, self.model, panel, made), made)

    @takes(ModelError, panel=PANEL, seed=A_SEED)
    def simulate(self, panel: Panel, *, seed: int) -> Panel:
        """The Panel of the fit with a response drawn from the estimates; NaN in rows that were not used.

        Terms that hold the response of another session keep the values observed there.
        """
        return simulate.from_fit(self, panel, seed)

    # --- random effects and single sessions -----------------------------------------------------

    @takes(ModelError, group=A_NAME)
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

    @takes(ModelError, panel=PANEL)
    def fitted(self, panel: Panel) -> np.ndarray:
        """Fitted values, random effects included, (n_rows,) of the Panel; NaN for rows that a fit would not use."""
        return predict.fitted(self, panel, None, used=True)

    @takes(ModelError, panel=PANEL)
    def residuals(self, panel: Panel) -> np.ndarray:
        """Response minus fitted value, (n_rows,) of the Panel; NaN for rows that a fit would not use."""
        made = self.recipe.applied(panel, response=True)
        response = np.full(len(panel), np.nan)
        response[made.rows] = made.matrix[:, 0]
        return np.asarray(response - self.fitted(panel))

    @takes(ModelError, panel=PANEL, kind=TEXT, means=A_DICT)
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
            return predict.fitted(self, panel, means, used=False)
        return self._forecast(panel, kind, means).mean

    @takes(ModelError, panel=PANEL, kind=TEXT, level=A_LEVEL, means=A_DICT)
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
        one_of("kind", kind, ("population", "next"))
        return (predict.next_session if kind == "next" else predict.population)(self, panel, means)

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

    @takes(ModelError, df=DEGREES_OF_FREEDOM, level=A_LEVEL)
    def tidy(self, df: str | float = "satterthwaite", level: float = 0.95) -> Any:
        """The coefficients as a dataframe of the kind that came in: term, estimate, se, df, statistic, p, low, high."""
        t = self.tests_with(df, level)
        columns = {"term": list(self.terms), "estimate": t.estimate, "se": t.se, "df": t.df}
        return self.recipe.table(columns | {"statistic": t.statistic, "p": t.p, "low": t.low, "high": t.high})

    @takes(ModelError, df=DEGREES_OF_FREEDOM)
    def to_dict(self, df: str | float = "satterthwaite") -> dict[str, Any]:
        """Plain numbers and text, as `sessionwise fit --json` prints them (docs/command-line.md)."""
        return show.as_dict(self, df)

    @takes(ModelError, df=DEGREES_OF_FREEDOM)
    def parts(self, df: str | float = "satterthwaite") -> list[Part]:
        """What is shown of it: lines and tables, the verdict first."""
        return show.parts(self, df)

    @takes(ModelError, df=DEGREES_OF_FREEDOM)
    def summary(self, df: str | float = "satterthwaite") -> str:
        """What print shows, with other degrees of freedom if wished: 'kenward-roger', 'residual', 'normal'."""
        return text(rich_group(self.parts(df)))

    def __repr__(self) -> str:
        return f"<MLMFit {self.model.formula}; {self.nobs:,} sessions of {self.npersons:,} persons>"
