"""Quadrature over a person's own coefficients, in units in which they are N(0, I) beforehand.

Adaptive Gauss-Hermite (Naylor & Smith 1982; Pinheiro & Bates 1995): nodes lie where the person's scores say that the
coefficients are, and the weight of a node is what the exact integrand asks for, so that a place found badly costs
precision and makes nothing wrong. From four coefficients on, nodes are a scrambled Sobol sequence.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import special

#: Nodes of each coefficient, by how many there are; of all together beyond.
ORDERS = {1: 9, 2: 5, 3: 4}
SOBOL = 128
#: Width of Sobol nodes beside the place they are put, so that tails are reached.
WIDER = 1.15
#: Share of the spread so far that new nodes keep at least: a posterior on one node has no spread of its own.
LEAST = 0.02


@dataclass(frozen=True, slots=True, eq=False)
class Rule:
    """nodes : (J, n). weights : (J,) logarithms, of a standard normal."""

    nodes: np.ndarray
    weights: np.ndarray
    wider: float = 1.0


def rule(n: int, curved: bool = False) -> Rule:
    """Of n coefficients; one node where there is none. curved : whether log variances are among them, for which scores
    are far from a normal likelihood: two nodes more of each."""
    if n == 0:
        return Rule(np.zeros((1, 0)), np.zeros(1))
    if n not in ORDERS:
        from scipy.stats import qmc

        points = qmc.Sobol(n, scramble=True, rng=np.random.default_rng(20)).random(SOBOL)
        return Rule(special.ndtri(np.clip(points, 1e-9, 1 - 1e-9)), np.full(SOBOL, -np.log(SOBOL)), WIDER)
    x, w = np.polynomial.hermite_e.hermegauss(ORDERS[n] + 2 * curved)
    grids = np.meshgrid(*[x] * n, indexing="ij")
    weights = np.meshgrid(*[np.log(w / w.sum())] * n, indexing="ij")
    return Rule(np.stack([g.ravel() for g in grids], axis=1), np.sum([g.ravel() for g in weights], axis=0))


@dataclass(frozen=True, slots=True, eq=False)
class Place:
    """Where nodes lie: middle (persons, draws, n), root (persons, draws, n, n) lower; of size 1 where all are alike."""

    middle: np.ndarray
    root: np.ndarray

    @classmethod
    def beforehand(cls, n: int) -> Place:
        """What is known of a person before any score."""
        return cls(np.zeros((1, 1, n)), np.eye(n)[None, None])


def put(rule: Rule, place: Place) -> tuple[list[np.ndarray], np.ndarray]:
    """u of each coefficient (persons, nodes, draws), and the nodes' log weights (persons, nodes, draws)."""
    n = rule.nodes.shape[1]
    root = place.root if np.array_equal(place.root, np.eye(n)[None, None]) else place.root * rule.wider
    weights = rule.weights[:, None] + 0.5 * np.sum(rule.nodes**2, axis=1)[:, None]
    weights = weights + np.log(np.diagonal(root, axis1=2, axis2=3)).sum(axis=2)[:, None, :]
    u = []
    for a in range(n):
        one = place.middle[:, None, :, a] + sum(
            root[:, None, :, a, b] * rule.nodes[None, :, b, None] for b in range(a + 1)
        )
        u.append(np.asarray(one))
        weights = weights - 0.5 * u[a] ** 2
    return u, weights


def shares(logs: np.ndarray) -> np.ndarray:
    """Weights of the nodes (axis 1) that add up to 1."""
    out = np.exp(logs - logs.max(axis=1, keepdims=True))
    return np.asarray(out / out.sum(axis=1, keepdims=True))


def moved(place: Place, u: list[np.ndarray], logs: np.ndarray) -> Place:
    """To mean and covariance of nodes with these log weights (persons, nodes, draws)."""
    n = len(u)
    weights = shares(logs)
    middle = np.stack([np.sum(weights * x, axis=1) for x in u], axis=2)
    covariance = np.empty((*middle.shape, n))
    for a in range(n):
        for b in range(a + 1):
            products = weights * (u[a] - middle[:, None, :, a]) * (u[b] - middle[:, None, :, b])
            covariance[:, :, a, b] = covariance[:, :, b, a] = products.sum(axis=1)
    covariance += LEAST * (place.root @ np.swapaxes(place.root, 2, 3))
    return Place(middle, np.linalg.cholesky(covariance))
