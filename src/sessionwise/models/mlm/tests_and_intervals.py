"""Questions put to a fit: linear contrasts of its coefficients, intervals, robust errors. Each gives a dataframe of the
kind that came in."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ...designs import Design
from ...errors import ModelError, ModelWarning
from ...findings import Finding
from ...mixed.inference import bootstrap, profile, robust
from ...mixed.inference.contrasts import Tests, joint, test
from ...mixed.inference.parameters import chosen
from ...mixed.mixed_gram import moments
from ...options import known_name, one_of, valid_level
from ...show import progress
from .residual import with_rows

if TYPE_CHECKING:
    from ...mixed.inference.contrasts import JointTest
    from ...panel import Panel
    from .estimated import EstimatedMLM

Weights = Mapping[str, float]


def contrast_table(
    fit: EstimatedMLM, weights: Weights | Mapping[str, Weights], null: float, df: str | float, level: float
) -> Any:
    """Each named combination of coefficients, tested against `null`."""
    named = _named(weights)
    tests = test(fit.solution, _matrix(fit, named.values()), null, degrees=df, level=level)
    return tests_table(fit, {"contrast": list(named)}, tests)


def joint_test(
    fit: EstimatedMLM, weights: Weights | Mapping[str, Weights] | Sequence[str], df: str | float
) -> JointTest:
    """Whether all combinations are zero at once; a list of names asks for these coefficients, or all of a term."""
    if isinstance(weights, Mapping):
        rows = _matrix(fit, _named(weights).values())
    else:
        asked = [weights] if isinstance(weights, str) else list(weights)
        by_term = term_columns(fit)
        rows = _matrix(fit, [{c: 1.0} for name in asked for c in by_term.get(name, (name,))])
    return joint(fit.solution, rows, degrees=df)


def term_columns(fit: EstimatedMLM) -> dict[str, tuple[str, ...]]:
    """Term of the formula -> its coefficients; the intercept is '1'."""
    design = fit.recipe.design
    return {t.term: tuple(design.names[c] for c in t.columns) for t in design.terms if t.columns}


def anova_table(fit: EstimatedMLM, df: str | float) -> Any:
    """An F test for each term: that all its coefficients are zero, all others in the model (marginal, type III)."""
    terms = {name: columns for name, columns in term_columns(fit).items() if name != "1"}
    found = [joint_test(fit, list(columns), df) for columns in terms.values()]
    columns = {"term": list(terms), "f": np.array([t.f for t in found]), "df1": np.array([t.df1 for t in found])}
    return fit.recipe.table(columns | {"df2": np.array([t.df2 for t in found]), "p": np.array([t.p for t in found])})


def _named(weights: Weights | Mapping[str, Weights]) -> dict[str, Weights]:
    """One combination without a name is named by its weights."""
    if all(isinstance(w, Mapping) for w in weights.values()):
        return dict(weights)  # type: ignore[arg-type]
    single: Weights = weights  # type: ignore[assignment]
    text = " + ".join(f"{w:g} × {name}" for name, w in single.items())
    return {text.replace("1 × ", "").replace("+ -", "- "): single}


def _matrix(fit: EstimatedMLM, rows: Any) -> np.ndarray:
    matrix = []
    for weights in rows:
        row = np.zeros(len(fit.terms))
        for name, weight in weights.items():
            known_name("coefficient", name, fit.terms)
            row[fit.terms.index(name)] = weight
        matrix.append(row)
    return np.array(matrix).reshape(-1, len(fit.terms))


def tests_table(fit: EstimatedMLM, first: dict[str, Any], tests: Tests) -> Any:
    """Columns of names, then the numbers of the tests."""
    columns = {"estimate": tests.estimate, "se": tests.se, "df": tests.df, "statistic": tests.statistic}
    return fit.recipe.table(first | columns | {"p": tests.p, "low": tests.low, "high": tests.high})


# --- intervals and robust errors ----------------------------------------------------------------


@dataclass(frozen=True, slots=True, eq=False)
class Draws:
    """What a bootstrap needs: the Panel of the fit, how many replicates, where the random numbers begin, threads."""

    panel: Panel | None
    n: int
    seed: int | None
    threads: int


def intervals(
    fit: EstimatedMLM, method: str, level: float, which: Sequence[str] | None, df: str | float, draws: Draws
) -> Any:
    """A dataframe of parameter, estimate, low, high (for a bootstrap also se)."""
    one_of("method", method, ("wald", "profile", "bootstrap"))
    which = [which] if isinstance(which, str) else which
    wanted = {p.name for p in chosen(fit.solution.problem, which)}
    if method == "wald":
        t, keep = fit.tests_with(df, level), [name in wanted for name in fit.terms]
        names = [name for name in fit.terms if name in wanted]
        columns = {"parameter": names, "estimate": t.estimate[keep], "low": t.low[keep], "high": t.high[keep]}
        return fit.recipe.table(columns)
    if method == "profile":
        with progress("profiling") as told:
            found = profile(fit.solution, level, which, told)
        say(found.findings)
        names = [p.name for p in found.parameters]
        columns = {"parameter": names, "estimate": found.estimate, "low": found.low, "high": found.high}
        return fit.recipe.table(columns)
    return _bootstrap_table(fit, level, wanted, draws)


def _bootstrap_table(fit: EstimatedMLM, level: float, wanted: set[str], draws: Draws) -> Any:
    """Percentile intervals."""
    if draws.panel is None or draws.seed is None:
        raise ModelError(
            "a bootstrap draws new sessions for the Panel's rows, from random numbers that can be drawn again.",
            remedy='Write fit.confint("bootstrap", panel=panel, seed=1).',
        )
    design = same_rows(fit, draws.panel)
    with progress("bootstrap") as told:
        solution = with_rows(fit.solution, fit.model, draws.panel, design)
        found = bootstrap(solution, design, draws.n, seed=draws.seed, threads=draws.threads, progress=told)
    lost = int((~found.converged).sum())
    if lost:
        what = f"{lost:,} of {draws.n:,} replicates did not converge and are left out."
        say([Finding("warning", "replicates-lost", what, count=lost, remedy="Simplify the random part.")])
    keep = [p.name in wanted for p in found.parameters]
    low, high = found.percentile(level).T
    names = [p.name for p in found.parameters if p.name in wanted]
    columns = {"parameter": names, "estimate": found.estimate[keep], "se": found.standard_errors[keep]}
    return fit.recipe.table(columns | {"low": low[keep], "high": high[keep]})


def robust_table(fit: EstimatedMLM, panel: Panel, by: str | None, kind: str, level: float) -> Any:
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
    found = robust(with_rows(fit.solution, fit.model, panel, design), design, clusters, kind)
    say(found.findings)
    t = found.contrasts(np.eye(len(found.beta)))
    away = stdtrit(t.df, (1 + valid_level(level)) / 2) * t.se
    tests = Tests(t.estimate, t.se, t.df, t.t, t.p, t.estimate - away, t.estimate + away)
    return tests_table(fit, {"term": list(fit.terms)}, tests)


def say(findings: Iterable[Finding]) -> None:
    """What a reader of a table must know, as Python's warnings: a dataframe has no place for it."""
    for f in findings:
        warnings.warn(f"{f.what} {f.remedy}".rstrip(), ModelWarning, stacklevel=4)


def same_rows(fit: EstimatedMLM, panel: Panel) -> Design:
    """The rows of the fit, from the Panel it was made of.

    Raises
    ------
    ModelError : another Panel.
    """
    made = fit.recipe.applied(panel, response=True)
    remedy = "Give the Panel that the model was fitted to."
    if len(made.rows) != fit.recipe.n_rows or len(made.persons) != fit.recipe.n_persons:
        raise ModelError(
            f"this Panel gives {len(made.rows):,} rows of {len(made.persons):,} persons, and the model was fitted to "
            f"{fit.recipe.n_rows:,} of {fit.recipe.n_persons:,}.",
            remedy=remedy,
        )
    if not np.allclose(fit.solution.problem.response, moments(made), rtol=1e-9, atol=0):
        raise ModelError("this Panel has other values of the response than the model was fitted to.", remedy=remedy)
    return made
