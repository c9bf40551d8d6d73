"""Learning a course from a reference sample, by the multilevel model."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from ...errors import ModelError
from ...findings import Finding, Findings
from ...models import MLM
from ...panel import Panel
from ...words import counted
from ..norms import Scales, better_of
from .description import ExpectedCourse
from .gaussian import Growth
from .learned import LearnedCourse
from .places import Courses, columns, courses, slope_of
from .reference_key import key_of, limits_of

if TYPE_CHECKING:
    import polars as pl

#: Fewer persons with two ratings tell no variances of level and slope; ours.
FEWEST = 30
#: A session that fewer persons reach is not judged by the reference; ours.
FEWEST_AT = 10
#: Ends of the reference's range are means over so many persons, so that no single patient's value is saved.
AT_ENDS = 5


def learned(described: ExpectedCourse, panel: Panel) -> LearnedCourse:
    """See `ExpectedCourse.fit`."""
    made = courses(described, panel)
    usable = np.isfinite(made.covariates).all(axis=1) & (made.series.counts >= 1)
    _enough(described, made, usable)
    reached = np.bincount(made.since[made.known & usable[:, None]])
    last = int(np.flatnonzero(reached >= FEWEST_AT).max())
    knots = tuple(np.flatnonzero(reached[: last + 1] >= FEWEST_AT).tolist()) if described.shape == "free" else ()
    used = made.known & usable[:, None] & (made.since <= last)
    means = made.covariates[usable].mean(axis=0)
    x = columns(described.shape, knots, made.since, made.covariates - means)[used]
    fit = MLM(_formula(x.shape[1], described.shape), residual=described.residual).fit(_table(described, made, used, x))
    between = fit.varcorr["person"].cov
    growth = Growth(fit.solution.beta, fit.vcov, between, fit.sigma, float(fit.residual.get("phi", 0.0)))
    scales = Scales.of(panel)
    scale = scales.get(described.column)
    change = described.reliable_change or (scale.reliable_change if scale else None)
    settled = replace(
        described,
        better=better_of(scales, described.column, described.better),
        reliable_change=change or 1.96 * float(np.sqrt(2)) * fit.sigma,
        limits=described.limits or limits_of(panel, described.column),
    )
    left_out = made.series.persons - int(usable.sum())
    doubts = (
        [] if fit.verdict.converged else [Finding("warning", "not-converged", "The growth model did not converge.")]
    )
    if left_out:
        what = f"{counted(left_out, 'person')} without a rating or a covariate had no part in the reference."
        doubts.append(Finding("note", "left-out", what, count=left_out))
    return LearnedCourse(
        described=settled,
        growth=growth,
        knots=knots,
        last=last,
        means=tuple(means.tolist()),
        ranges=tuple(_ends(v[usable]) for v in (made.baseline, *made.covariates.T)),
        persons=int(usable.sum()),
        sessions=int(used.sum()),
        key=key_of(panel, described.column),
        findings=Findings(doubts),
    )


def _formula(p: int, shape: str) -> str:
    terms = " + ".join(f"x{j}" for j in range(1, p))
    slope = "x1" if shape != "free" else "time"
    return f"y ~ {terms} + (1 + {slope} | person)"


def _table(described: ExpectedCourse, made: Courses, used: np.ndarray, x: Any) -> Panel:
    import polars as pl

    person, _ = np.nonzero(used)
    frame: pl.DataFrame = pl.DataFrame(
        {"person": person, "session": made.since[used], "y": made.series.values[used]}
        | {"time": slope_of(described.shape, made.since[used])}
        | {f"x{j}": x[:, j] for j in range(1, x.shape[1])}
    )
    return Panel(frame, person="person", session="session")


def _ends(values: np.ndarray) -> tuple[float, float]:
    ordered = np.sort(values)
    return float(ordered[:AT_ENDS].mean()), float(ordered[-AT_ENDS:].mean())


def _enough(described: ExpectedCourse, made: Courses, usable: np.ndarray) -> None:
    where = f"column {described.column!r}"
    several = int((usable & (made.series.counts >= 2)).sum())
    if several < FEWEST:
        raise ModelError(
            f"a reference needs {FEWEST} persons with two ratings or more, and {several:,} have them.",
            where=where,
            remedy="Learn from a larger sample, or use a course that was learned elsewhere.",
        )
    if int((usable & (made.series.counts >= 3)).sum()) < FEWEST_AT:
        raise ModelError(
            "with one or two ratings a person a course cannot be told from fluctuation.",
            where=where,
            remedy="Learn from persons who were rated at three sessions or more.",
        )
    values = made.series.values[made.known & usable[:, None]]
    if (values == values[0]).all():
        raise ModelError(
            f"all ratings of {described.column!r} are {values[0]:g}: there is no course.",
            where=where,
            remedy="Choose another column.",
        )
