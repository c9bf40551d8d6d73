"""MLM: the description of a multilevel model, and fitting it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, get_args

import numpy as np

from ...designs import design
from ...errors import ModelError, nearest
from ...formula import show
from ...mixed import Residual, Solution, optimise, problem
from ...threads import one_thread
from .cautions import doubts
from .fit import MLMFit
from .gram import MLMGram, fitted_model, of_design, of_panel, one_gram
from .kept_design import KeptDesign
from .residual import residual_of

if TYPE_CHECKING:
    from ...panel import Panel

Method = Literal["REML", "ML"]
ResidualKind = Literal["independent", "ar1", "car1"]

#: A residual standard deviation smaller than this, relative to the response's, is rounding.
SMALLEST_RESIDUAL = 1e-6


@dataclass(frozen=True, slots=True)
class MLM:
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
        for what, value, choices in (
            ("method", self.method, get_args(Method)),
            ("residual", self.residual, get_args(ResidualKind)),
        ):
            if value not in choices:
                raise ModelError(
                    f"{what} is {value!r}.{nearest(str(value), choices)}", remedy=f"Use one of {', '.join(choices)}."
                )

    @one_thread()
    def fit(
        self,
        data: Panel | MLMGram | Sequence[MLMGram],
        *,
        means: Mapping[str, Mapping[object, float]] | None = None,
        threads: int = 0,
    ) -> MLMFit:
        """Estimate the model.

        data : a Panel; or what `gram` made of one, or of several Panels with different persons, as a list or added.
        means : person means for `within` and `between` other than those of the Panel's sessions; see `design`. Grams
        were given theirs. threads : how many; 0 for as many as the machine has. Does not change the result.

        Raises
        ------
        FormulaError, DesignError : no columns can be made from the formula, or no model fitted to them.
        GramError : Grams of another model or with other columns, a person in two of them.
        ModelError : no Panel, residuals that the data cannot have, grouping factors that cross too much, a perfect fit.
        """
        from ...panel import Panel as Known

        if not isinstance(data, Known):
            return self._solved(one_gram(data), None, threads)
        made = design(data, self.formula, means=means)
        residual = residual_of(self, data, made)
        return self._solved(of_design(self, data, made, residual, means or {}), residual, threads)

    def gram(
        self,
        panel: Panel,
        *,
        means: Mapping[str, Mapping[object, float]] | None = None,
        like: MLMGram | None = None,
    ) -> MLMGram:
        """All that `fit` takes of a Panel: cross-products by person, and no session. Those of other persons are added,
        such as batches of a large file, or clinics whose sessions stay where they are.

        A person must be whole in one Panel. Whether a model can be fitted is judged in `fit`, of all persons together.

        like : a Gram of other persons, whose categories, knots and centring are to be used. Without, categories,
        splines and the like learn from this Panel, and Grams that learned something else cannot be added.

        Raises
        ------
        FormulaError, DesignError : no columns can be made from the formula.
        GramError : `like` is of another model.
        ModelError : no Panel, a model whose residuals need the sessions themselves (`residual="car1"`).
        """
        from ...panel import Panel as Known

        if not isinstance(panel, Known):
            raise ModelError(
                f"a {type(panel).__name__} is no Panel.",
                where="MLM(...).gram",
                remedy="Make one of it first: sw.Panel(table, person=..., session=...).",
            )
        return of_panel(self, panel, means or {}, like)

    def _solved(self, given: MLMGram, residual: Residual | None, threads: int) -> MLMFit:
        """The fit. residual : with the rows it is about, where a Panel was given."""
        gram = fitted_model(self, given)
        reml = self.method == "REML"
        likelihood = problem(gram.gram, residual)
        _can_be_fitted(gram.recipe, likelihood.nu(reml))
        solution = Solution(likelihood, optimise(likelihood, reml=reml, threads=threads), reml)
        _some_residual(solution, gram.recipe)
        return MLMFit.of(self, gram.recipe, solution, doubts(gram.recipe.design, gram.gram.n, gram.constant))

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

        return from_parameters(self, panel, fixef, varcorr, sigma, residual or {}, seed)


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
