"""Lagged effects of a multilevel model, on the scale on which models can be compared.

The scale is that of deviations from person means, over the sessions used; from the cross-products of the fit alone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ...errors import ModelError
from ...formula import Call, Expression, Name, Number, show
from ...threads import one_thread
from ..contract import LaggedEffect

if TYPE_CHECKING:
    from .estimated import EstimatedMLM

#: Functions that leave the effect of a column within persons what it is.
_WITHIN = ("within", "detrend")


@one_thread()
def lagged_effects(fit: EstimatedMLM, level: float) -> tuple[LaggedEffect, ...]:
    """Each term that is a column one session before, such as lag(x) or lag(within(x)), in no interaction.

    A term that is also in an interaction is left out: its coefficient holds at one value of the moderator only.

    Raises
    ------
    ModelError : no such term.
    """
    formula = fit.recipe.design.formula
    assert formula.response is not None
    single = {show(t.factors[0]): _before(t.factors[0]) for t in formula.fixed if len(t.factors) == 1}
    crossed = {show(f) for t in formula.fixed if len(t.factors) > 1 for f in t.factors}
    found = {term: column for term, column in single.items() if column is not None and term not in crossed}
    if not found:
        raise ModelError(
            "the model has no effect of a column one session before.",
            where=f"formula {fit.model.formula!r}",
            remedy="Add a term such as lag(within(x)), outside any interaction.",
        )
    tests = fit.tests_with("satterthwaite", level)
    sd = _within_sd(fit)
    response, places = show(formula.response), [fit.terms.index(term) for term in found]
    return tuple(
        LaggedEffect(
            response, column, None, None,
            float(tests.estimate[i]), float(tests.se[i]), float(tests.low[i]), float(tests.high[i]),
            float(tests.p[i]), float(sd[i] / sd[-1]),
        )
        for column, i in zip(found.values(), places, strict=True)
    )  # fmt: skip


def _before(expression: Expression) -> str | None:
    """The column that an expression is, one session before, or None."""
    steps = 0
    while isinstance(expression, Call):
        if expression.function == "lag":
            steps += _steps(expression)
        elif expression.function not in _WITHIN or expression.named:
            return None
        expression = expression.args[0]
    return expression.name if isinstance(expression, Name) and steps == 1 else None


def _steps(call: Call) -> int:
    """By how many sessions a call of lag goes back; 2 for what is not plain."""
    named = dict(call.named)
    given = call.args[1] if len(call.args) > 1 else named.pop("k", None)
    if named or (given is not None and not isinstance(given, Number)):
        return 2
    return 1 if given is None else int(given.value)


def _within_sd(fit: EstimatedMLM) -> np.ndarray:
    """SD about person means of each coefficient's column and of the response (p + 1,)."""
    problem = fit.solution.problem
    level, constant = problem.levels[0], "(Intercept)"
    persons = fit.recipe.person
    if level.name not in (persons, "") or constant not in problem.names:
        raise ModelError(
            "the model does not say how its columns vary within persons.",
            where=f"formula {fit.model.formula!r}",
            remedy="Keep the intercept, and no grouping factor within persons.",
        )
    k = problem.p + 1
    packed = problem.state(np.zeros(problem.n_rho)).packed
    by_person = packed.transpose(0, 2, 1).reshape(-1, packed.shape[1])[: len(level.labels)]
    products = by_person[:, problem.at[-k:, -k:].ravel()].reshape(-1, k, k)
    back = np.zeros((k, k))
    inverse = np.linalg.inv(problem.transform.fixed)
    back[:-1, :-1], back[:-1, -1], back[-1, -1] = inverse, inverse @ problem.transform.shift, problem.transform.width
    products = back.T @ products @ back
    sums = products[:, problem.names.index(constant)]
    counts = sums[:, problem.names.index(constant)]
    within = products.sum(axis=0) - np.einsum("ni,nj,n->ij", sums, sums, 1 / counts)
    return np.asarray(np.sqrt(np.maximum(within.diagonal(), 0.0) / max(1.0, float((counts - 1).sum()))))
