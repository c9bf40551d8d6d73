"""Saturated: the model without restrictions and the one without covariances, between which every other is judged."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from .likelihood import precisions
from .missing_patterns import Patterns
from .optimum import optimise
from .structure import Cells, Structure

#: Eigenvalue of a correlation matrix up to which variables depend on each other.
COLLINEAR = 1e-9
#: Weight in a direction, relative to the largest, from which a variable belongs to it.
_INVOLVED = 0.1
_MOST_ROUNDS = 6


@dataclass(frozen=True, slots=True, eq=False)
class Saturated:
    """A model of one group whose parameters are moments.

    structure : of the parameters; theta : (q,). criterion : -2 log-likelihood.
    covariance : (k, k). mean : (k,).
    """

    structure: Structure
    theta: np.ndarray
    criterion: float
    covariance: np.ndarray
    mean: np.ndarray


class Dependent(ValueError):
    """Variables, by number, of which one is a linear combination of the others."""

    def __init__(self, variables: Sequence[int]) -> None:
        super().__init__(f"variables {list(variables)} depend on each other")
        self.variables = tuple(variables)


def saturated(data: Patterns) -> Saturated | None:
    """Means and covariances free; None where the data do not determine them.

    Raises
    ------
    Dependent : variables that are linear combinations of others, in more persons than there are such variables.
    """
    if data.pairs.min() < 2:
        return None
    k = data.k
    covariance, mean = (data.covariance[0], data.mean[0]) if data.complete else _expected(data)
    _independent(data, covariance)
    low = np.tril_indices(k)
    structure = _moments_structure(k, low)
    if data.complete:
        try:
            precision = precisions(covariance, data)
        except np.linalg.LinAlgError:
            return None
        criterion = data.n * (k * (np.log(2 * np.pi) + 1) + float(precision.log_determinant[0]))
        return Saturated(structure, np.concatenate([covariance[low], mean]), criterion, covariance, mean)
    try:
        found = optimise([(structure, data)], [np.concatenate([covariance[low], mean])])
    except np.linalg.LinAlgError:
        return None
    if not found.converged:
        return None
    at = structure.moments(found.theta)
    return Saturated(structure, found.theta, found.criterion, at.covariance, at.mean)


def independence(data: Patterns) -> Saturated:
    """Means and variances free, no covariance: each variable by itself."""
    n = data.pairs.diagonal()
    mean = data.count @ data.mean / n
    off = (data.mean - mean) * data.observed
    square = data.covariance.diagonal(axis1=1, axis2=2) + off**2
    variance = data.count @ square / n
    criterion = float((n * (np.log(2 * np.pi) + 1 + np.log(variance))).sum())
    structure = _moments_structure(data.k, (np.arange(data.k), np.arange(data.k)))
    return Saturated(structure, np.concatenate([variance, mean]), criterion, np.diag(variance), mean)


def _moments_structure(k: int, places: Sequence[np.ndarray]) -> Structure:
    size = len(places[0])
    spread = Cells(places[0], places[1], np.arange(size))
    none = Cells.of([])
    means = Cells(np.arange(k), np.zeros(k, np.intp), size + np.arange(k))
    return Structure(np.zeros((k, k)), k, none, spread, means, size + k)


def _independent(data: Patterns, covariance: np.ndarray) -> None:
    """Dependent if the direction in which a covariance about right (k, k) is narrowest has no width at all, in the
    persons who have all variables of it."""
    weights = np.abs(_narrowest(covariance)[1])
    involved = np.flatnonzero(weights > _INVOLVED * weights.max())
    have = data.observed[:, involved].all(axis=1)
    n = data.count[have].sum()
    if n <= len(involved) + 1:
        return
    own = data.count[have] / n
    off = data.mean[have][:, involved] - own @ data.mean[have][:, involved]
    inside = np.tensordot(own, data.covariance[have][:, involved[:, None], involved], 1) + (off.T * own) @ off
    width, direction = _narrowest(inside)
    if width <= COLLINEAR:
        size = np.abs(direction)
        order = np.argsort(-size, kind="stable")
        raise Dependent([int(involved[i]) for i in order if size[i] > _INVOLVED * size.max()])


def _narrowest(covariance: np.ndarray) -> tuple[float, np.ndarray]:
    """Smallest eigenvalue of the correlations, and its direction (k,); 0 for a variable that does not vary."""
    sd = np.sqrt(covariance.diagonal())
    if sd.min() == 0:
        return 0.0, np.asarray(sd == 0, np.float64)
    roots, vectors = np.linalg.eigh(covariance / np.outer(sd, sd))
    return float(roots[0]), vectors[:, 0]


def _expected(data: Patterns) -> tuple[np.ndarray, np.ndarray]:
    """Covariance and mean after some rounds of expectation and maximisation, from which Newton steps lead on."""
    alone = independence(data)
    covariance, mean = alone.covariance, alone.mean
    for _ in range(_MOST_ROUNDS):
        try:
            weight = precisions(covariance, data).weight
        except np.linalg.LinAlgError:
            break
        regression = covariance @ weight  # (P, k, k): of all variables on those observed
        off = (data.mean - mean) * data.observed
        spread = data.covariance + off[:, :, None] * off[:, None, :]
        left_over = covariance - regression @ covariance
        filled = np.einsum("pij,pj->pi", regression, off)
        change = data.count @ filled / data.n
        total = np.einsum("p,pij->ij", data.count, regression @ spread @ regression.transpose(0, 2, 1) + left_over)
        fresh = total / data.n - np.outer(change, change)
        moved = np.abs(fresh - covariance).max() / np.abs(covariance).max()
        covariance, mean = (fresh + fresh.T) / 2, mean + change
        if moved < 1e-4:
            break
    return covariance, mean
