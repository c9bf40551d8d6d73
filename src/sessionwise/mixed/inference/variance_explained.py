"""Variance explained within and between persons (Rights and Sterba 2019, Psychological Methods 24, 309-338).

The outcome's variance that the model implies has five parts:

    f1  fixed effects, within persons      v  random effects, within persons (random slopes)
    f2  fixed effects, between persons     m  random effects, between persons (intercepts, person means)
    residual                               within persons

The paper needs predictors centred within persons for them; here every predictor is split into its person mean and the
deviation from it. With f = X beta the fixed part and a bar for person means,

    f1 = sum (f - fbar)^2 / (N - 1)            f2 = sum (fbar - mean of f)^2 / (N - 1)
    v = tr(T S_within)                         m = zbar' T zbar, averaged over the rows

where S_within is the covariance matrix (divisor N - 1) of the deviations of a random term's columns z, and T the
covariance matrix of its effects; second moments of person means are mean mean' + covariance, with the same divisor, so
that parts add up and those of centred predictors are the paper's.

Further grouping factors add their own v and m. In general a term's effects vary between sessions of a person by what
is left of sum z'Tz after the variance of the person's mean effect, sum over the person's levels l of
(sum of z at l)' T (sum of z at l) / n, is taken off; so a therapist who changes within persons counts within them for
as much as he changes. A person's residuals count as within, also when they are correlated; strata by their average.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from ...designs import Design
from ...show import Grid, Part, Shown, plain_dict
from ...threads import one_thread
from ...words import percent
from .. import Solution

#: Variance between persons below this part of that within is rounding.
_NOTHING = 1e-14


@dataclass(frozen=True, slots=True)
class Share:
    """Variance that the random effects of one grouping factor bring, in squared units of the outcome."""

    group: str
    within: float
    between: float


@dataclass(frozen=True, slots=True, eq=False)
class Explained(Shown):
    """Parts of the outcome's variance, in its squared units, and proportions of it in the paper's notation.

    f1, f2, v, m, residual : the parts; see the module. random : v and m by grouping factor.
    r2_total : R2_t of f1, f2, v, m and of the sums f = f1 + f2, fv and fvm; of f1 + f2 + v + m + residual.
    r2_within : R2_w of f1, v and f1v; of f1 + v + residual.
    r2_between : R2_b of f2 and m; of f2 + m, NaN if that is nothing.
    marginal, conditional : R2 of Nakagawa and Schielzeth (2013) with Johnson's (2014) extension to random slopes, which
        are R2_t of f and of fvm.
    """

    f1: float
    f2: float
    v: float
    m: float
    residual: float
    random: tuple[Share, ...]
    r2_total: Mapping[str, float]
    r2_within: Mapping[str, float]
    r2_between: Mapping[str, float]
    marginal: float
    conditional: float

    def to_dict(self) -> dict[str, object]:
        """Parts and proportions as plain numbers for JSON; NaN becomes None."""
        measures = {"r2_total": self.r2_total, "r2_within": self.r2_within, "r2_between": self.r2_between}
        told: dict[str, object] = {
            "variance": {"f1": self.f1, "f2": self.f2, "v": self.v, "m": self.m, "residual": self.residual},
            "random": {s.group: {"within": s.within, "between": s.between} for s in self.random},
            **measures,
            "marginal": self.marginal,
            "conditional": self.conditional,
        }
        return plain_dict(told)

    def parts(self) -> list[Part]:
        """What is shown of it: a line, and a table of shares."""
        within, between, total = self.r2_within, self.r2_between, self.r2_total
        nothing = 0.0 * between["f2"]  # NaN where nothing varies between persons
        shares = {
            "fixed effects": (within["f1"], between["f2"], total["f"]),
            "random effects": (within["v"], between["m"], total["v"] + total["m"]),
            "residual": (1 - within["f1v"], nothing, 1 - total["fvm"]),
        }
        rows = tuple((name, *map(percent, by)) for name, by in shares.items())
        head = ("", "within persons", "between persons", "total")
        whole = f"Explained variance: marginal R² {percent(self.marginal)}, conditional R² {percent(self.conditional)}"
        return [whole, Grid("Shares of the outcome's variance (Rights & Sterba 2019)", head, rows)]


@one_thread()
def explained(solution: Solution, design: Design) -> Explained:
    """How much of the outcome's variance the fixed and random parts explain, within and between persons."""
    sizes = np.diff(design.starts)
    f1, f2 = _fixed(solution, design, sizes)
    shares = _random(solution, design, sizes)
    v, m = sum(s.within for s in shares), sum(s.between for s in shares)
    residual = _residual(solution)
    return _measured(f1, f2, v, m, residual, shares)


def _measured(f1: float, f2: float, v: float, m: float, residual: float, shares: tuple[Share, ...]) -> Explained:
    within, between = f1 + v + residual, f2 + m
    parts = {"f1": f1, "f2": f2, "v": v, "m": m, "f": f1 + f2, "fv": f1 + f2 + v, "fvm": f1 + f2 + v + m}
    r2_total = {name: part / (within + between) for name, part in parts.items()}
    r2_within = {name: part / within for name, part in {"f1": f1, "v": v, "f1v": f1 + v}.items()}
    differ = between > _NOTHING * within
    r2_between = {name: part / between if differ else np.nan for name, part in {"f2": f2, "m": m}.items()}
    whole = r2_total["f"], r2_total["fvm"]
    return Explained(f1, f2, v, m, residual, shares, r2_total, r2_within, r2_between, *whole)


def _fixed(solution: Solution, design: Design, sizes: np.ndarray) -> tuple[float, float]:
    """f1 and f2. The columns are centred, since only deviations count and the mean may be large."""
    x = design.matrix[:, list(design.fixed)]
    value = (x - x.mean(axis=0)) @ solution.beta
    means = np.add.reduceat(value, design.starts[:-1]) / sizes
    within = value - np.repeat(means, sizes)
    divisor = len(value) - 1
    return float(within @ within / divisor), float(sizes @ (means - value.mean()) ** 2 / divisor)


def _random(solution: Solution, design: Design, sizes: np.ndarray) -> tuple[Share, ...]:
    """v and m of each grouping factor, in the order of the formula."""
    problem, shares = solution.problem, dict.fromkeys((b.group for b in solution.problem.blocks), (0.0, 0.0))
    for block, scaling in zip(problem.blocks, problem.transform.blocks, strict=True):
        # Columns of the likelihood are centred where the model allows it, which keeps digits if means are large.
        factor = scaling @ block.factor(solution.optimum.parameters)
        z = design.matrix[:, list(block.columns)] @ factor
        within, between = _split(z, design.grouping(block.group).codes, design, sizes)
        scale = solution.sigma**2
        so_far = shares[block.group]
        shares[block.group] = so_far[0] + scale * within, so_far[1] + scale * between
    return tuple(Share(group, *parts) for group, parts in shares.items())


def _split(z: np.ndarray, codes: np.ndarray, design: Design, sizes: np.ndarray) -> tuple[float, float]:
    """v and m of a term whose columns times the factor of T are z (n_rows, q)."""
    n, levels = len(z), int(codes.max()) + 1
    pairs, at = np.unique(np.repeat(np.arange(len(sizes)), sizes) * levels + codes, return_inverse=True)
    own = np.bincount(at)  # rows of a person at a level
    all_of = sizes[pairs // levels]
    means = np.column_stack([np.bincount(at, column) / own for column in z.T])
    squares = (means**2).sum(axis=1)
    # Sums of squares about the means, so that nothing large is taken off something large.
    within = ((z - means[at]) ** 2).sum() + (squares * own * (1 - own / all_of)).sum()
    grand = z.mean(axis=0)
    between = (squares * own**2 / all_of).sum() - grand @ grand
    return float(within / (n - 1)), float(between / (n - 1))


def _residual(solution: Solution) -> float:
    """The rows' average residual variance."""
    residual = solution.problem.residual
    if not residual.labels:
        return solution.sigma**2
    ratios = np.concatenate([[1.0], solution.residual[len(residual.names) - len(residual.labels) + 1 :]])
    return float(solution.sigma**2 * np.mean(ratios[residual.strata] ** 2))
