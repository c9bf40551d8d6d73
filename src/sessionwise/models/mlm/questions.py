"""Questions put to a fit: linear contrasts of its coefficients, simple slopes of an interaction, intervals, robust
errors. Each gives a dataframe of the kind that came in."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ...design import Design
from ...design.coding import contrasts
from ...errors import ModelError, nearest, some
from ...formula import Expression, show
from ...inference import bootstrap, profile, robust
from ...inference.contrasts import Tests, joint, test
from ...show import progress

if TYPE_CHECKING:
    from ...inference.contrasts import JointTest
    from ...panel import Panel
    from .fit import MLMFit

Weights = Mapping[str, float]


def contrast_table(
    fit: MLMFit, weights: Weights | Mapping[str, Weights], null: float, df: str | float, level: float
) -> Any:
    """Each named combination of coefficients, tested against `null`."""
    named = _named(weights)
    tests = test(fit.solution, _matrix(fit, named.values()), null, degrees=df, level=level)
    return _table(fit, {"contrast": list(named)}, tests)


def joint_test(fit: MLMFit, weights: Weights | Mapping[str, Weights] | Sequence[str], df: str | float) -> JointTest:
    """Whether all combinations are zero at once; a list of names asks for these coefficients."""
    if isinstance(weights, Mapping):
        rows = _matrix(fit, _named(weights).values())
    else:
        names = [weights] if isinstance(weights, str) else list(weights)
        rows = _matrix(fit, [{name: 1.0} for name in names])
    return joint(fit.solution, rows, degrees=df)


def _named(weights: Weights | Mapping[str, Weights]) -> dict[str, Weights]:
    """One combination without a name is named by its weights."""
    if all(isinstance(w, Mapping) for w in weights.values()):
        return dict(weights)  # type: ignore[arg-type]
    single: Weights = weights  # type: ignore[assignment]
    text = " + ".join(f"{w:g} × {name}" for name, w in single.items())
    return {text.replace("1 × ", "").replace("+ -", "- "): single}


def _matrix(fit: MLMFit, rows: Any) -> np.ndarray:
    matrix = []
    for weights in rows:
        row = np.zeros(len(fit.terms))
        for name, weight in weights.items():
            if name not in fit.terms:
                raise ModelError(
                    f"there is no coefficient {name!r}.{nearest(name, fit.terms)}",
                    remedy=f"Coefficients: {some(fit.terms, 20)}.",
                )
            row[fit.terms.index(name)] = weight
        matrix.append(row)
    return np.array(matrix).reshape(-1, len(fit.terms))


def _table(fit: MLMFit, first: dict[str, Any], tests: Tests) -> Any:
    columns = {"estimate": tests.estimate, "se": tests.se, "df": tests.df, "statistic": tests.statistic}
    return fit.recipe.table(first | columns | {"p": tests.p, "low": tests.low, "high": tests.high})


# --- simple slopes ------------------------------------------------------------------------------


def slope_table(fit: MLMFit, x: str, at: Mapping[str, Sequence[Any]] | None, df: str | float, level: float) -> Any:
    """The slope of x at values of its moderators: what one unit of x does to the response there."""
    design = fit.recipe.design
    terms = [term for term in design.formula.fixed if x in map(show, term.factors)]
    if not terms or x not in fit.terms + tuple(design.learned.encoders):
        variables = [show(v) for v in design.formula.variables[1:]]
        raise ModelError(
            f"there is no predictor {x!r}.{nearest(x, variables)}", remedy=f"Use one of {some(variables)}."
        )
    if design.learned.encoders[x].kind != "numeric":
        raise ModelError(f"{x} is not numeric, so it has no slope.", remedy="Use contrast for differences of groups.")
    others = {show(f): f for term in terms for f in term.factors if show(f) != x}
    for name in at or {}:
        if name not in others:
            raise ModelError(
                f"{name!r} is no moderator of {x}.{nearest(name, others)}", remedy=f"Moderators: {some(others)}."
            )
    values = {name: list((at or {}).get(name, _usual(fit, name))) for name in others}
    grid = list(itertools.product(*values.values()))
    rows = np.array([_slope(fit, x, dict(zip(values, point, strict=True))) for point in grid])
    tests = test(fit.solution, rows, degrees=df, level=level)
    return _table(fit, {name: _column([point[i] for point in grid]) for i, name in enumerate(values)}, tests)


def _column(values: Sequence[Any]) -> Any:
    """Numbers as floats, whatever mixture of numbers they were given as; else text."""
    numbers = all(isinstance(v, int | float | np.number) for v in values)
    return np.asarray(values, np.float64) if numbers else [str(v) for v in values]


def _usual(fit: MLMFit, name: str) -> Sequence[Any]:
    """All categories; 0 and 1 of a variable that has no other value; else mean - SD, mean, mean + SD."""
    encoder = fit.recipe.design.learned.encoders[name]
    if encoder.kind == "categorical":
        return encoder.levels
    back = fit.solution.problem.transform.fixed
    if name not in fit.terms or "(Intercept)" not in fit.terms or encoder.kind != "numeric":
        raise ModelError(
            f"at which values of {name} the slope is wanted must be said.", remedy=f"Give at={{{name!r}: [...]}}."
        )
    i = fit.terms.index(name)
    sd = 1 / back[i, i]
    mean = -back[fit.terms.index("(Intercept)"), i] * sd
    if abs(sd**2 - mean * (1 - mean)) < 1e-9:
        return [0, 1]
    return [mean - sd, mean, mean + sd]


def _slope(fit: MLMFit, x: str, point: Mapping[str, Any]) -> np.ndarray:
    """Weights (p,) of the coefficients in d response / d x at a point of the other variables."""
    row = np.zeros(len(fit.terms))
    for term in fit.recipe.design.formula.fixed:
        if x not in map(show, term.factors):
            continue
        parts = [{x: 1.0} if show(f) == x else _coded(fit, f, point[show(f)]) for f in term.factors]
        for chosen in itertools.product(*(part.items() for part in parts)):
            name = ":".join(n for n, _ in chosen)
            if name in fit.terms:
                row[fit.terms.index(name)] = np.prod([v for _, v in chosen])
    return row


def _coded(fit: MLMFit, variable: Expression, value: Any) -> dict[str, float]:
    """Columns of a variable at one value."""
    name = show(variable)
    encoder = fit.recipe.design.learned.encoders[name]
    if encoder.kind == "numeric":
        return {name: float(value)}
    levels = [str(level) for level in encoder.levels]
    if encoder.kind != "categorical" or str(value) not in levels:
        raise ModelError(
            f"{name} has no value {value!r}.{nearest(str(value), levels)}", remedy=f"Use one of {some(levels, 12)}."
        )
    at = levels.index(str(value))
    coded: dict[str, float] = {}
    for full in (False, True):
        matrix, names = contrasts(encoder, full)
        coded |= {f"{name}[{n}]": float(matrix[at, j]) for j, n in enumerate(names)}
    return coded


# --- intervals and robust errors ----------------------------------------------------------------


@dataclass(frozen=True, slots=True, eq=False)
class Draws:
    """What a bootstrap needs: the Panel of the fit, how many replicates, where the random numbers begin, threads."""

    panel: Panel | None
    n: int
    seed: int | None
    threads: int


def intervals(
    fit: MLMFit, method: str, level: float, which: Sequence[str] | None, df: str | float, draws: Draws
) -> Any:
    """A dataframe of parameter, estimate, low, high (for a bootstrap also se)."""
    if method == "wald":
        t = fit.tests_with(df, level)
        columns = {"parameter": list(fit.terms), "estimate": t.estimate, "low": t.low, "high": t.high}
        return fit.recipe.table(columns)
    if method == "profile":
        with progress("profiling") as told:
            found = profile(fit.solution, level, which, told)
        names = [p.name for p in found.parameters]
        columns = {"parameter": names, "estimate": found.estimate, "low": found.low, "high": found.high}
        return fit.recipe.table(columns)
    if method == "bootstrap":
        return _bootstrap_table(fit, level, draws)
    known = ("wald", "profile", "bootstrap")
    raise ModelError(f"there is no method {method!r}.{nearest(method, known)}", remedy=f"Use one of {some(known)}.")


def _bootstrap_table(fit: MLMFit, level: float, draws: Draws) -> Any:
    """Percentile intervals."""
    if draws.panel is None or draws.seed is None:
        raise ModelError(
            "a bootstrap draws new sessions for the Panel's rows, from random numbers that can be drawn again.",
            remedy='Write fit.confint("bootstrap", panel=panel, seed=1).',
        )
    design = same_rows(fit, draws.panel)
    with progress("bootstrap") as told:
        found = bootstrap(fit.solution, design, draws.n, seed=draws.seed, threads=draws.threads, progress=told)
    low, high = found.percentile(level).T
    names = [p.name for p in found.parameters]
    columns = {"parameter": names, "estimate": found.estimate, "se": found.standard_errors, "low": low, "high": high}
    return fit.recipe.table(columns)


def robust_table(fit: MLMFit, panel: Panel, by: str | None, kind: str, level: float) -> Any:
    """Cluster-robust tests of each coefficient."""
    from scipy.special import stdtrit

    design = same_rows(fit, panel)
    clusters: Any = by
    if by is not None and by not in {g.name for g in design.groupings}:
        clusters = panel.labels(by).codes[design.rows]
        if (missing := np.flatnonzero(clusters < 0)).size:
            raise ModelError(
                f"the cluster {by} is missing in {len(missing):,} of the rows used.",
                where=panel.where(design.rows[missing]),
                remedy="Fill it in, or cluster by another column.",
            )
    found = robust(fit.solution, design, clusters, kind)
    t = found.contrasts(np.eye(len(found.beta)))
    away = stdtrit(t.df, (1 + level) / 2) * t.se
    tests = Tests(t.estimate, t.se, t.df, t.t, t.p, t.estimate - away, t.estimate + away)
    return _table(fit, {"term": list(fit.terms)}, tests)


def same_rows(fit: MLMFit, panel: Panel) -> Design:
    """The rows of the fit, from the Panel it was made of.

    Raises
    ------
    ModelError : another Panel.
    """
    made = fit.recipe.design.apply(panel, response=True)
    if len(made.rows) != fit.recipe.n_rows or len(made.persons) != fit.recipe.n_persons:
        raise ModelError(
            f"this Panel gives {len(made.rows):,} rows of {len(made.persons):,} persons, and the model was fitted to "
            f"{fit.recipe.n_rows:,} of {fit.recipe.n_persons:,}.",
            remedy="Give the Panel that the model was fitted to.",
        )
    return made
