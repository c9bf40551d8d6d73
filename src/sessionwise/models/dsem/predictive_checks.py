"""Predictive checks: whether replicates of the scores look like them (Gelman, Meng & Stern 1996)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from ...errors import Argument, Wording
from ...findings import Finding, Findings
from ...panel.frame_kind import TableKind
from ...show import Grid, Part, Shown, plain, progress
from ...words import num
from .on_grid import OnGrid, own_grid
from .parameters import parameters, spaced
from .replicates import replicates

if TYPE_CHECKING:
    from ...panel import Panel
    from .fit import DSEMFit

#: A posterior predictive p beyond these is found odd.
ODD = (0.005, 0.995)
#: Scores of replicates at once.
AT_ONCE = 2_000_000


@dataclass(frozen=True, slots=True)
class Check:
    """One statistic; `of` what, for words. observed : of the data. replicated, low, high : median and 95 % of the
    replicates. p : share of replicates in which it is as large or larger, equal ones counting half."""

    statistic: str
    variable: str
    observed: float
    replicated: float
    low: float
    high: float
    p: float
    of: str = field(repr=False, metadata={"json": False})

    @property
    def odd(self) -> bool:
        return not ODD[0] <= self.p <= ODD[1]


@dataclass(frozen=True, eq=False)
class PredictiveChecks(Shown):
    """checks : by variable. count : of replicates. findings : what does not look like the data, in words."""

    title: str
    checks: tuple[Check, ...]
    count: int
    findings: Findings
    kind: TableKind = field(repr=False)

    def tidy(self) -> Any:
        """One row a statistic: statistic, variable, observed, replicated (median), low, high (95 %), p."""
        names = ("statistic", "variable", "observed", "replicated", "low", "high", "p")
        return self.kind.table({name: [getattr(c, name) for c in self.checks] for name in names})

    def to_dict(self) -> dict[str, Any]:
        """Plain numbers and text; unknown is None."""
        return {"replicates": self.count, "checks": plain(self.checks), "findings": self.findings.to_dicts()}

    def parts(self) -> list[Part]:
        """What is shown: what is odd, then all statistics."""
        odd = sum(c.odd for c in self.checks)
        headline = (
            "Replicates of the scores look like the scores."
            if not odd
            else f"{odd} of {len(self.checks)} statistics of the scores are not what the model expects."
        )
        rows = tuple(
            (
                f"{c.variable}: {c.statistic}",
                *(num(x) for x in (c.observed, c.replicated, c.low, c.high)),
                f"{c.p:.3f}" + (" (!)" if c.odd else ""),
            )
            for c in self.checks
        )
        return [
            headline,
            self.title,
            *(Wording("(!) ", f.what, " ", f.remedy) for f in self.findings),
            Grid("Posterior predictive checks", ("", "observed", "replicated", "2.5 %", "97.5 %", "p"), rows),
            f"{self.count} replicates of the same persons, sessions and gaps; p: share with as large a value.",
        ]


def predictive_checks(fit: DSEMFit, panel: Panel, count: int, seed: int) -> PredictiveChecks:
    """See `DSEMFit.predictive_checks`."""
    grid = own_grid(fit, panel)
    which = spaced(count, fit.reported.draws.shape[0] * fit.reported.draws.shape[1])
    observed = grid.values * fit.kept.sd + fit.kept.centre
    shape = _Shape(grid, observed)
    statistics = list(_statistics(fit.model.paths.variables))
    rng = np.random.default_rng(seed)
    values: list[np.ndarray] = []
    with progress("replicates") as told:
        step = max(1, AT_ONCE // observed.size)
        for at in range(0, len(which), step):
            scores = replicates(fit, grid, parameters(fit, which[at : at + step]), rng)
            sums = _Sums(scores, shape)
            values.append(np.stack([statistic(sums) for *_, statistic in statistics], axis=1))
            told(min(at + step, len(which)), len(which))
    replicated = np.concatenate(values)
    own = _Sums(observed[None], shape)
    checks = tuple(
        _check(name, variable, of, float(statistic(own)[0]), replicated[:, j])
        for j, (name, variable, of, statistic) in enumerate(statistics)
    )
    return PredictiveChecks(fit.title, checks, len(which), Findings(_said(c) for c in checks if c.odd), fit.kind)


def _check(name: str, variable: str, of: str, observed: float, replicated: np.ndarray) -> Check:
    there = replicated[np.isfinite(replicated)]
    if not len(there) or not np.isfinite(observed):
        nan = float("nan")
        return Check(name, variable, observed, nan, nan, nan, 0.5, of)
    low, median, high = np.quantile(there, [0.025, 0.5, 0.975])
    p = np.mean(there > observed) + 0.5 * np.mean(there == observed)
    return Check(name, variable, observed, float(median), float(low), float(high), float(p), of)


class _Shape:
    """What replicates have in common with the data: where something is observed, and the data's ends."""

    def __init__(self, grid: OnGrid, observed: np.ndarray) -> None:
        self.starts = grid.starts[:-1]
        self.person = np.repeat(np.arange(len(grid.persons)), np.diff(grid.starts))
        self.seen = ~np.isnan(observed)
        self.counts = np.add.reduceat(self.seen.astype(float), self.starts, axis=0)
        self.low, self.high = np.nanmin(observed, axis=0), np.nanmax(observed, axis=0)
        self.together = np.flatnonzero(self.person[1:] == self.person[:-1]) + 1
        rows = np.arange(len(observed))
        k = observed.shape[1]
        self.first = np.empty((len(self.starts), k), int)
        self.last = np.empty((len(self.starts), k), int)
        for j in range(k):
            self.first[:, j] = np.minimum.reduceat(np.where(self.seen[:, j], rows, len(rows) - 1), self.starts)
            self.last[:, j] = np.maximum.reduceat(np.where(self.seen[:, j], rows, 0), self.starts)


class _Sums:
    """Of scores (R, rows, K): means of persons, and deviations from them."""

    def __init__(self, scores: np.ndarray, shape: _Shape) -> None:
        self.scores, self.shape = scores, shape
        filled = np.where(shape.seen, scores, 0.0)
        self.means = np.add.reduceat(filled, shape.starts, axis=1) / np.maximum(shape.counts, 1)
        self.deviations = np.where(shape.seen, filled - self.means[:, shape.person], 0.0)

    def column(self, k: int) -> np.ndarray:
        return np.asarray(self.scores[:, self.shape.seen[:, k], k])

    def correlation(self, k: int, other: int, lag: int) -> np.ndarray:
        """Of deviations of k with those of another variable `lag` (0 or 1) sessions before, over all persons."""
        now = self.shape.together if lag else np.arange(self.scores.shape[1])
        there = self.shape.seen[now, k] & self.shape.seen[now - lag, other]
        a, b = self.deviations[:, now[there], k], self.deviations[:, now[there] - lag, other]
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.asarray((a * b).sum(axis=1) / np.sqrt((a * a).sum(axis=1) * (b * b).sum(axis=1)))


def _statistics(variables: tuple[str, ...]) -> Iterator[tuple[str, str, str, Callable[[_Sums], np.ndarray]]]:
    """Name, variable, of what (a key of _WORDS), and what computes it of scores: (R,)."""
    for k, variable in enumerate(variables):
        for name, (of, statistic) in _OF_ONE.items():
            yield name, variable, of, partial(statistic, k=k)
        yield "autocorrelation within", variable, "before", partial(_correlation, k=k, other=k, lag=1)
        for j, other in enumerate(variables):
            if j != k:
                name = f"correlation within with {other} before"
                yield name, variable, "together", partial(_correlation, k=k, other=j, lag=1)
            if j > k:
                name = f"correlation within with {other}, same session"
                yield name, variable, "together", partial(_correlation, k=k, other=j, lag=0)


def _correlation(x: _Sums, k: int, other: int, lag: int) -> np.ndarray:
    return x.correlation(k, other, lag)


def _mean(x: _Sums, k: int) -> np.ndarray:
    return np.asarray(x.column(k).mean(axis=1))


def _between(x: _Sums, k: int) -> np.ndarray:
    return np.asarray(x.means[:, x.shape.counts[:, k] > 0, k].std(axis=1, ddof=1))


def _within(x: _Sums, k: int) -> np.ndarray:
    freedom = np.maximum(x.shape.counts[:, k] - 1, 0).sum()
    return np.asarray(np.sqrt((x.deviations[:, :, k] ** 2).sum(axis=1) / max(freedom, 1)))


def _skew(x: _Sums, k: int) -> np.ndarray:
    column = x.column(k)
    off = column - column.mean(axis=1, keepdims=True)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray((off**3).mean(axis=1) / (off**2).mean(axis=1) ** 1.5)


def _at_maximum(x: _Sums, k: int) -> np.ndarray:
    return np.asarray((x.column(k) >= x.shape.high[k] - 1e-9 * _range(x, k)).mean(axis=1))


def _at_minimum(x: _Sums, k: int) -> np.ndarray:
    return np.asarray((x.column(k) <= x.shape.low[k] + 1e-9 * _range(x, k)).mean(axis=1))


def _range(x: _Sums, k: int) -> float:
    return float(x.shape.high[k] - x.shape.low[k])


def _course(x: _Sums, k: int) -> np.ndarray:
    there = x.shape.counts[:, k] > 1
    if not there.any():
        return np.full(len(x.scores), np.nan)
    change = x.scores[:, x.shape.last[there, k], k] - x.scores[:, x.shape.first[there, k], k]
    return np.asarray(change.mean(axis=1))


_OF_ONE: dict[str, tuple[str, Callable[..., np.ndarray]]] = {
    "mean": ("mean", _mean),
    "SD between persons": ("between", _between),
    "SD within persons": ("within", _within),
    "skewness": ("skewness", _skew),
    "share at the maximum": ("maximum", _at_maximum),
    "share at the minimum": ("minimum", _at_minimum),
    "mean change, first to last": ("course", _course),
}


def _said(check: Check) -> Finding:
    """In plain words, with what to do."""
    more = check.observed > check.replicated
    meaning, remedy = _WORDS[check.of]
    if check.of in ("maximum", "minimum") and not more:
        meaning = (
            "The model goes on where the scores end: near the end of the range they change less than it takes them to."
        )
    what = (
        f"{check.variable}, {check.statistic}: {num(check.observed)} observed, {num(check.replicated)} expected "
        f"({num(check.low)} to {num(check.high)}). {meaning}"
    )
    return Finding("warning", "predictive-check", what, remedy=remedy, column=check.variable)


_TREND = Argument("trend='linear'", ("--trend", "linear"))
_COURSE = Argument("course='free'", ("--course", "free"))
_VARIANCES = Argument("variances='random'", ("--variances", "random"))
_ALL = Argument("random='all'", ("--random", "all"))
_LENGTH = Argument("treatment_length=True", ("--treatment-length",))

#: What a statistic is of -> what it means that it is odd, and what to do.
_WORDS: dict[str, tuple[str, str]] = {
    "maximum": (
        "Ratings are at the ceiling, which a normal model does not know: changes there are not seen, so effects of and "
        "on this score may be too small.",
        "Look at the distribution, and say it beside the result.",
    ),
    "minimum": (
        "Ratings are at the floor, which a normal model does not know: changes there are not seen, so effects of and "
        "on this score may be too small.",
        "Look at the distribution, and say it beside the result.",
    ),
    "skewness": (
        "Scores are not as symmetric as the model takes them to be; means and effects are little touched, single "
        "predictions more.",
        "Look at the ends of the range, and at a transformation.",
    ),
    "before": (
        "Sessions next to each other go together otherwise than the paths say.",
        Wording("Try longer lags, ", _TREND, ", or ", _VARIANCES, "."),
    ),
    "together": (
        "The two scores go together within persons otherwise than the paths say.",
        Wording("Try longer lags, ", _TREND, ", or ", _ALL, "."),
    ),
    "course": (
        "The course is of another shape, or persons who stay long change otherwise than those who do not.",
        Wording("Try ", _COURSE, ", ", _TREND, " or ", _LENGTH, " where the model is without."),
    ),
    "between": (
        "Persons differ otherwise than the model says.",
        Wording("Look for odd persons, and at ", _TREND, "."),
    ),
    "within": (
        "Scores vary within persons otherwise than the model says.",
        Wording("Look at ", _VARIANCES, "."),
    ),
    "mean": ("The mean is another one than the model's.", Wording("Look for odd scores, and at ", _COURSE, ".")),
}
