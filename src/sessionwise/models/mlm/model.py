"""MLM: the description of a multilevel model, and fitting it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, get_args

import numpy as np

from ...errors import ModelError
from ...formula import show
from ...mixed import Solution, optimise, problem
from ...options import (
    A_DICT,
    A_FORMULA,
    A_NAME,
    A_SEED,
    PANEL,
    a_number,
    an_object,
    fields_of_kind,
    one_of,
    takes,
    whole_number,
)
from ...threads import one_thread
from ..contract import Model
from .cautions import cautions
from .kept_design import KeptDesign
from .residual import ResidualKind

if TYPE_CHECKING:
    from ...panel import Panel
    from .fit import MLMFit
    from .gram import MLMGram

Method = Literal["REML", "ML"]

#: A residual standard deviation smaller than this, relative to the response's, is rounding.
SMALLEST_RESIDUAL = 1e-6


@dataclass(frozen=True, slots=True)
class MLM(Model):
    """A multilevel (linear mixed) model of sessions within persons, within or crossed with clusters.

    formula : lme4's grammar with `within`, `between`, `lag`, `lead`, `detrend` (docs/formula.md), such as
        `core_om ~ lag(core_om) + lag(within(wai_sr)) + session + (1 + session | patient)`. Without a random term it is
        a linear model.
    method : 'REML' (restricted maximum likelihood, the default) or 'ML'.
    residual : of a person's sessions, 'independent'; 'ar1', correlation phi^d between session numbers d apart, exact
        across skipped sessions; 'car1', continuous time, correlation phi^t for times t apart (days where the Panel's
        `time` holds dates).
    variance_by : a column; each of its values (strata) has a residual variance of its own.

    Estimation: Bates, Mächler, Bolker & Walker (2015), J Stat Softw 67(1), from cross-products (docs/mlm.md).

    Raises
    ------
    ModelError : an unknown method or residual.

    >>> import sessionwise as sw
    >>> table = sw.datasets.demo(persons=100, scale_scores=True)
    >>> panel = sw.Panel(table, person="patient", session="session", cluster="therapist")
    >>> fit = MLM("core_om ~ lag(core_om) + lag(within(wai_sr)) + (1 | patient)").fit(panel)
    >>> fit.verdict.converged
    True
    """

    formula: str
    method: Method = "REML"
    residual: ResidualKind = "independent"
    variance_by: str | None = None

    def __post_init__(self) -> None:
        fields_of_kind(self, formula=A_FORMULA, variance_by=A_NAME)
        one_of("method", self.method, get_args(Method))
        one_of("residual", self.residual, get_args(ResidualKind))

    @takes(ModelError, means=A_DICT, threads=whole_number(0))
    @one_thread()
    def fit(
        self,
        panel: Panel | MLMGram | Sequence[MLMGram],
        *,
        means: Mapping[str, Mapping[object, float]] | None = None,
        threads: int = 0,
    ) -> MLMFit:
        """Estimate the model.

        panel : a Panel; or what `gram` made of one, or of several with different persons, as a list or added.
        means : person means for `within` and `between` other than those of the Panel's sessions; see `design`. Grams
        take theirs when they are made.
        threads : how many; 0 for as many as the machine has. Does not change the result.

        Raises
        ------
        FormulaError, DesignError : no columns can be made from the formula, or no model fitted to them.
        GramError : Grams of another model or with other columns, a person in two of them.
        ModelError : neither Panel nor Grams, means for Grams, residuals that the data cannot have, grouping factors
            that cross too much, a perfect fit.
        """
        from .fit import MLMFit
        from .gram import given

        gram, residual = given(self, panel, means)
        reml = self.method == "REML"
        likelihood = problem(gram.gram, residual)
        _can_be_fitted(gram.recipe, likelihood.nu(reml))
        solution = Solution(likelihood, optimise(likelihood, reml=reml, threads=threads), reml)
        _some_residual(solution, gram.recipe)
        doubts = cautions(gram.recipe.design, gram.gram, gram.recipe.person, gram.constant)
        return MLMFit.of(self, gram.recipe, solution, doubts)

    @takes(ModelError, panel=PANEL, means=A_DICT, like=an_object("MLMGram"))
    def gram(
        self,
        panel: Panel,
        *,
        means: Mapping[str, Mapping[object, float]] | None = None,
        like: MLMGram | None = None,
    ) -> MLMGram:
        """All that `fit` takes of a Panel: cross-products by person, and no session. Those of other persons are added,
        such as batches of a large file, or clinics whose sessions stay where they are (docs/mlm.md).

        A person must be whole in one Panel. Whether a model can be fitted is judged in `fit`, of all persons together.

        means : as in `fit`.
        like : a Gram of other persons, whose categories, knots and centring are to be used. Without, categories,
            splines and the like learn from this Panel, and Grams that learned something else cannot be added.

        Raises
        ------
        FormulaError, DesignError : no columns can be made from the formula, nothing can be learned from these persons,
            or `like` knows no such value.
        GramError : `like` is of another model, or no Gram.
        ModelError : no Panel, a model whose residuals need the sessions themselves (`residual="car1"`).
        """
        from .gram import of_panel

        return of_panel(self, panel, means or {}, like)

    @takes(ModelError, panel=PANEL, fixef=A_DICT, varcorr=A_DICT, sigma=a_number(0), residual=A_DICT, seed=A_SEED)
    def simulate(
        self,
        panel: Panel,
        *,
        fixef: Mapping[str, float],
        varcorr: Mapping[str, Any],
        sigma: float,
        residual: Mapping[str, float] | None = None,
        seed: int,
    ) -> Panel:
        """The Panel with a response drawn from this model, so that it can be tried where the truth is known.

        fixef : a value for every coefficient. varcorr : for each grouping factor the covariance matrix of its effects.
        sigma : residual standard deviation. residual : values for phi and 'sd ratio ...', where the model has them.
        The response need not be a column of the Panel; where the formula has its value at another session, the column
        must be there, and its values are kept in that term.

        Raises
        ------
        ModelError : values that are missing, have no place in the model, or are impossible.
        """
        from .simulate import from_parameters

        return from_parameters(self.formula, self, panel, fixef, varcorr, sigma, residual or {}, seed)


def _some_residual(solution: Solution, recipe: KeptDesign) -> None:
    assert recipe.design.formula.response is not None
    where = f"response {show(recipe.design.formula.response)}, {recipe.n_rows:,} rows used"
    table = solution.optimum.evaluation.table
    perfect = table[-1, -1] <= SMALLEST_RESIDUAL**2 * recipe.n_rows
    if not np.isfinite(solution.criterion) and not perfect:
        raise ModelError(
            "the likelihood has no finite value for these columns.",
            where=where,
            remedy="Check for columns of extreme size or that nearly depend on each other, and a response that the "
            "predictors give exactly.",
        )
    mean, square = solution.problem.response
    if perfect or solution.sigma <= SMALLEST_RESIDUAL * np.sqrt(max(square - mean**2, 0.0)):
        raise ModelError(
            "the model fits the response perfectly: there is no residual variance to estimate.",
            where=where,
            remedy="Check that no term is made from the response, and that persons have more sessions than random "
            "effects.",
        )


def _can_be_fitted(recipe: KeptDesign, nu: int) -> None:
    if nu < 1:
        raise ModelError(
            f"there are {recipe.n_rows:,} rows for {len(recipe.design.fixed)} coefficients.",
            where=f"formula {recipe.design.formula.text!r}",
            remedy="Leave out terms, or use more sessions.",
        )
