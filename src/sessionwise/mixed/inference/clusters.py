"""Clusters: which rows of a Design belong together when errors are made robust, and whether that can be.

Outcomes of different clusters must be independent under the model, so a cluster holds whole groups of every random
term, and whole persons where their residuals are correlated.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ...designs import Design
from ...errors import ModelError, nearest, some
from .. import Solution

PERSON = "person"
GIVEN = "the codes given"


@dataclass(frozen=True, slots=True, eq=False)
class Clusters:
    """A division of the rows.

    by : name of the factor. codes : int64 (n_rows,), positions in labels. labels : (clusters,).
    """

    by: str
    codes: np.ndarray
    labels: np.ndarray


def clusters(solution: Solution, design: Design, by: str | np.ndarray | Sequence[object] | None) -> Clusters:
    """The clusters asked for; without `by` the grouping factor in which all groups are nested, else persons.

    Raises
    ------
    ModelError : there is no such factor, or it cuts through groups; a code is missing; there is one cluster only.
    """
    factors = _factors(design)
    whole = _must_be_whole(solution, design, factors)
    if by is None:
        found = _outermost(factors, whole)
    elif isinstance(by, str):
        found = _named(factors, by)
    else:
        found = _given(by, len(design.rows))
    for other in whole.values():
        _stop_if_cut(found, other)
    if len(found.labels) < 2:
        raise ModelError(
            "robust standard errors need at least two clusters, and there is one.",
            where=f"clusters by {found.by}",
            remedy="Cluster by a factor with more levels, or take the model's own standard errors.",
        )
    return found


def _factors(design: Design) -> dict[str, Clusters]:
    """Grouping factors of the Design, persons first."""
    made = [Clusters(g.name, g.codes.astype(np.int64), g.levels) for g in design.groupings]
    if not any(g.is_person for g in design.groupings):
        of_row = np.repeat(np.arange(len(design.persons)), np.diff(design.starts))
        made.insert(0, Clusters(PERSON, of_row, design.persons))
    return {c.by: c for c in made}


def _must_be_whole(solution: Solution, design: Design, factors: dict[str, Clusters]) -> dict[str, Clusters]:
    """Factors whose groups may not be cut."""
    needed = {term.group for term in design.random}
    if solution.problem.residual.kind != "independent":
        needed.add(next(iter(factors)))
    return {name: c for name, c in factors.items() if name in needed}


def _outermost(factors: dict[str, Clusters], whole: dict[str, Clusters]) -> Clusters:
    """Of the factors that hold whole groups, the one with the fewest levels."""
    if not whole:
        return next(iter(factors.values()))
    able = [c for c in factors.values() if not any(_is_cut(c, other).any() for other in whole.values())]
    if not able:
        raise ModelError(
            "no grouping factor of the model has clusters that are independent of each other.",
            where=f"crossed grouping factors: {some(whole)}",
            remedy="Give by= the codes of a factor that holds whole groups of all of them, such as the clinic, "
            "or take the model's own standard errors.",
        )
    return min(able, key=lambda c: len(c.labels))


def _named(factors: dict[str, Clusters], by: str) -> Clusters:
    if by not in factors:
        raise ModelError(
            f"{by!r} is no grouping factor of the model.{nearest(by, factors)}",
            where=f"grouping factors: {some(factors)}",
            remedy="Name one of these, or give by= one code for each row used.",
        )
    return factors[by]


def _given(by: np.ndarray | Sequence[object], n: int) -> Clusters:
    values = np.asarray(by)
    if values.shape != (n,):
        raise ModelError(
            f"codes of clusters have shape {values.shape}, but {n:,} rows were used.",
            remedy="Give one code for each row used, in their order (design.rows says which these are).",
        )
    missing = np.array([v is None or v != v for v in values.tolist()])
    if missing.any():
        raise ModelError(
            f"the cluster is not known for {int(missing.sum()):,} of the rows used.",
            where=f"position {some(np.flatnonzero(missing).tolist())} of the codes given",
            remedy="Give every row a cluster, or leave these rows out before the fit.",
        )
    labels, codes = np.unique(values, return_inverse=True)
    return Clusters(GIVEN, codes.astype(np.int64), labels)


def _is_cut(cluster: Clusters, inner: Clusters) -> np.ndarray:
    """bool (n_rows,): the row's cluster is another than that of the first row of its group."""
    first = np.zeros(len(inner.labels), np.int64)
    first[inner.codes[::-1]] = cluster.codes[::-1]
    return np.asarray(first[inner.codes] != cluster.codes)


def _stop_if_cut(cluster: Clusters, inner: Clusters) -> None:
    cut = np.flatnonzero(_is_cut(cluster, inner))
    if len(cut):
        group = inner.codes[cut[0]]
        in_clusters = cluster.labels[np.unique(cluster.codes[inner.codes == group])].tolist()
        raise ModelError(
            f"clusters by {cluster.by} cut through groups of {inner.by}, so that they are not independent.",
            where=f"{inner.by} {inner.labels[group]} lies in clusters {some(in_clusters)}",
            remedy=f"Cluster by {inner.by}, or by a factor that holds whole groups of it.",
        )
