"""Sandwich: what each cluster adds to the robust covariance of the coefficients and to its degrees of freedom.

Bell and McCaffrey (2002), in the form of Pustejovsky and Tipton (2018, J. Bus. Econ. Stat. 36, 672-683), section 3,
with the fitted covariance V as working model and its inverse as weight. With M = (X'V^-1 X)^-1, D'D = V_j, and for
cluster j

    A_j = D' [D (V_j - X_j M X_j') D']^(-1/2) D   (CR2; the power by the Moore-Penrose inverse),   A_j = I   (CR0),

the cluster has the score s_j = X_j' V_j^-1 A_j e_j, and the robust covariance is M (sum of s_j s_j') M. A_j does not
depend on which root D is: it is the geometric mean of V_j and of the inverse of V_j - X_j M X_j'. All is computed for
the centred and scaled columns of the likelihood and relative to sigma^2.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from ...designs import Design
from ...errors import ModelError
from .. import Solution
from .clusters import Clusters

#: Rows of a cluster, after those that independent residuals let us merge: a matrix of that order is decomposed.
MOST_ROWS = 4000
#: A leverage of a cluster this near to 1 is 1: the cluster alone determines a coefficient.
_ALONE = 1e-8
_BATCH_NUMBERS = 2_000_000


@dataclass(frozen=True, slots=True, eq=False)
class Sandwich:
    """Contributions of the clusters, for centred and scaled columns, relative to sigma^2; G_j = A_j V_j^-1 X_j M.

    scores : (clusters, p), G_j' e_j, so that the robust covariance is the sum of their squares.
    own : (clusters, p, p), G_j' V_j G_j. cross : (clusters, p, p), C' X_j' G_j with C C' = M.
    """

    scores: np.ndarray
    own: np.ndarray
    cross: np.ndarray


def sandwich(solution: Solution, design: Design, clusters: Clusters, adjusted: bool) -> Sandwich:
    """Contributions of all clusters; `adjusted` for CR2.

    Raises
    ------
    ModelError : a cluster has too many rows.
    """
    table = solution.optimum.evaluation.table
    bread = np.linalg.inv(table[:-1, :-1])
    bread = (bread + bread.T) / 2
    rows = _rows(solution, design, clusters)
    n, p = len(clusters.labels), len(bread)
    root = np.linalg.cholesky(bread)
    made = Sandwich(np.empty((n, p)), np.empty((n, p, p)), np.empty((n, p, p)))
    for chosen, at in _batches(rows, clusters):
        v, x, e = _working(rows, at, chosen)
        gain = (_adjusted(v, x, root) if adjusted else np.linalg.solve(v, x)) @ bread
        turned = gain.transpose(0, 2, 1)
        made.scores[chosen] = (turned @ e[:, :, None])[:, :, 0]
        made.own[chosen] = turned @ v @ gain
        made.cross[chosen] = (x @ root).transpose(0, 2, 1) @ gain
    return made


def _adjusted(v: np.ndarray, x: np.ndarray, root: np.ndarray) -> np.ndarray:
    """A V^-1 X of a batch of clusters (b, s, p); `root` of M."""
    lower = np.linalg.cholesky(v)
    whitened = np.linalg.solve(lower, x)  # D V^-1 X
    own, scaled = x @ root, whitened @ root
    left = v - own @ own.transpose(0, 2, 1)
    values, vectors = np.linalg.eigh(lower.transpose(0, 2, 1) @ left @ lower)
    # Eigenvalues near zero have no relative precision, so the number of those that are zero comes from leverages.
    leverages = np.linalg.eigvalsh(scaled.transpose(0, 2, 1) @ scaled)
    zeros = (leverages > 1 - _ALONE).sum(axis=1)
    kept = np.arange(v.shape[1]) >= zeros[:, None]
    floor = np.maximum(np.finfo(np.float64).eps * values[:, -1:], np.finfo(np.float64).tiny)
    weights = np.where(kept, 1 / np.sqrt(np.maximum(values, floor)), 0.0)
    return np.asarray(lower @ (vectors @ (weights[:, :, None] * (vectors.transpose(0, 2, 1) @ whitened))))


# --- the working model ---------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, eq=False)
class _Term:
    """A random term: Z L (n_rows, q), each row's position among its cluster's levels, their number (clusters,)."""

    columns: np.ndarray
    position: np.ndarray
    levels: np.ndarray


@dataclass(frozen=True, slots=True, eq=False)
class _Rows:
    """Rows in the units of the likelihood.

    x : (n_rows, p). e : (n_rows,), residuals of the fixed part. person : (n_rows,). gaps : (n_rows,), 0 at a person's
    first. phi : 0 where residuals are not correlated. sd : (n_rows,), relative to sigma; `plain` if all residuals are
    independent with one variance.
    """

    x: np.ndarray
    e: np.ndarray
    terms: tuple[_Term, ...]
    person: np.ndarray
    gaps: np.ndarray
    phi: float
    sd: np.ndarray
    plain: bool


def _rows(solution: Solution, design: Design, clusters: Clusters) -> _Rows:
    problem, transform = solution.problem, solution.problem.transform
    fixed = design.matrix[:, list(design.fixed)]
    x = fixed @ transform.fixed
    y = (design.matrix[:, 0] - fixed @ transform.shift) / transform.width
    terms = []
    for block, scaling in zip(problem.blocks, transform.blocks, strict=True):
        columns = design.matrix[:, list(block.columns)] @ scaling @ block.factor(solution.optimum.parameters)
        terms.append(_Term(columns, *_positions(design.grouping(block.group).codes, clusters)))
    residual = problem.residual
    correlated = residual.kind != "independent"
    ratios = np.concatenate([[1.0], solution.residual[1 if correlated else 0 :]])
    return _Rows(
        x,
        y - x @ solution.optimum.evaluation.beta(),
        tuple(terms),
        np.repeat(np.arange(len(design.persons)), np.diff(design.starts)),
        np.nan_to_num(residual.gaps),
        float(solution.residual_at_gaps[0]) if correlated else 0.0,
        ratios[residual.strata],
        not correlated and not residual.labels,
    )


def _positions(codes: np.ndarray, clusters: Clusters) -> tuple[np.ndarray, np.ndarray]:
    """For each row the position of its level among the levels of its cluster; for each cluster their number."""
    width = int(codes.max()) + 1
    pairs, inverse = np.unique(clusters.codes * width + codes, return_inverse=True)
    counts = np.bincount(pairs // width, minlength=len(clusters.labels))
    first = np.cumsum(counts) - counts
    return inverse - first[clusters.codes], counts


def _batches(rows: _Rows, clusters: Clusters) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Clusters (b,) of the same shape and their rows (b, s), ascending, until every cluster was given."""
    sizes = np.bincount(clusters.codes)
    ordered = np.argsort(clusters.codes, kind="stable")
    starts = np.cumsum(sizes) - sizes
    shapes, kind = np.unique(np.column_stack([sizes, *(t.levels for t in rows.terms)]), axis=0, return_inverse=True)
    kind = kind.ravel()  # NumPy 2.0 alone gives it two axes
    by_kind = np.split(np.argsort(kind, kind="stable"), np.cumsum(np.bincount(kind))[:-1])
    for shape, same in zip(shapes, by_kind, strict=True):
        size = int(shape[0])
        wide = sum(int(count) * t.columns.shape[1] for count, t in zip(shape[1:], rows.terms, strict=True))
        order = min(size, wide + rows.x.shape[1]) if rows.plain else size
        if order > MOST_ROWS:
            _too_large(clusters, int(same[0]), size)
        most = max(1, _BATCH_NUMBERS // (size * max(order, wide)))
        for at in range(0, len(same), most):
            chosen = same[at : at + most]
            yield chosen, ordered[starts[chosen][:, None] + np.arange(size)]


def _too_large(clusters: Clusters, cluster: int, size: int) -> None:
    raise ModelError(
        f"a cluster has {size:,} rows, too many for its covariance matrix to be decomposed.",
        where=f"{clusters.by} {clusters.labels[cluster]}",
        remedy="Cluster by a factor with smaller groups, or take the model's own standard errors.",
    )


def _working(rows: _Rows, at: np.ndarray, chosen: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """V (b, s, s) relative to sigma^2, X (b, s, p) and e (b, s) of a batch of clusters."""
    z = _expanded(rows, at, chosen)
    x, e = rows.x[at], rows.e[at]
    order, p = z.shape[2] + x.shape[2], x.shape[2]
    if rows.plain and order < at.shape[1]:
        # Where R = I, both V and V - XMX' are I outside the span of [Z, X], so nothing is lost by projecting on it.
        triangle = np.asarray(np.linalg.qr(np.concatenate([z, x, e[:, :, None]], axis=2), mode="r"))[:, :order]
        z, x, e = triangle[:, :, : order - p], triangle[:, :, order - p : order], triangle[:, :, order]
        return np.eye(order) + z @ z.transpose(0, 2, 1), x, e
    return _residual(rows, at) + z @ z.transpose(0, 2, 1), x, e


def _expanded(rows: _Rows, at: np.ndarray, chosen: np.ndarray) -> np.ndarray:
    """Z L (b, s, columns) with columns for each level of each term in the cluster."""
    b, s = at.shape
    parts = [np.zeros((b, s, 0))]
    for term in rows.terms:
        q = term.columns.shape[1]
        part = np.zeros((b, s, int(term.levels[chosen[0]]), q))
        part[np.arange(b)[:, None], np.arange(s), term.position[at]] = term.columns[at]
        parts.append(part.reshape(b, s, -1))
    return np.concatenate(parts, axis=2)


def _residual(rows: _Rows, at: np.ndarray) -> np.ndarray:
    """R (b, s, s) relative to sigma^2."""
    sd = rows.sd[at]
    if not rows.phi:
        return np.asarray(np.eye(at.shape[1]) * (sd**2)[:, :, None])
    time = np.cumsum(rows.gaps[at], axis=1)
    apart = np.abs(time[:, :, None] - time[:, None, :])
    same = rows.person[at][:, :, None] == rows.person[at][:, None, :]
    powers = np.zeros_like(apart)
    powers[same] = np.power(rows.phi, apart[same])  # no logarithms, since phi may be negative
    return np.asarray(powers * sd[:, :, None] * sd[:, None, :])
