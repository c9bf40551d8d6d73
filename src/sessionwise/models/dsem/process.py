"""Process: what the filter is given, of persons, draws, and standardised coefficients u of the persons.

A person's own coefficients and log variances are c = mean + R u with R R' their covariance, so that u ~ N(0, I)
whatever the draw. Levels given c are normal around their regression on it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from .filtered import Matrix, Process
from .on_grid import Together
from .parameters import Parameters

if TYPE_CHECKING:
    from ...gibbs.specification import Structure
    from .paths import Paths


#: Share of a variance that correlations, put together again from what is reported, may be off.
ROUNDING = 1e-12


@dataclass(frozen=True, slots=True, eq=False)
class Effects:
    """Of D draws: how a person's effects hang together.

    root : (D, n, n) lower R of the coefficients and log variances. slope : (D, L, n) of levels on u. left : (D, L, L)
    covariance of levels that is left given u.
    """

    root: np.ndarray
    slope: np.ndarray
    left: np.ndarray

    @classmethod
    def of(cls, omega: np.ndarray, levels: int) -> Effects:
        """omega : (D, q, q), levels first."""
        own = omega[:, levels:, levels:]
        root = np.linalg.cholesky(own * (1.0 + ROUNDING * np.eye(own.shape[1])))
        across = omega[:, :levels, levels:]
        if across.any():
            slope = np.swapaxes(np.linalg.solve(root, np.swapaxes(across, 1, 2)), 1, 2)
        else:
            slope = np.zeros_like(across)
        left = omega[:, :levels, :levels] - slope @ np.swapaxes(slope, 1, 2)
        return cls(root, slope, left)


def process(
    paths: Paths, s: Structure, draws: Parameters, effects: Effects, data: Together, u: list[np.ndarray]
) -> Process:
    """u : of each of the n coefficients and log variances, (persons, nodes, draws)."""
    means = np.einsum("dqw,nw->qnd", draws.gamma, data.predictors)[:, :, None, :]
    slopes = len(s.random_terms)
    own = [means[s.levels + j] + _weighted(effects.root[:, j], u[: j + 1]) for j in range(len(u))]
    level = [means[j] + _weighted(effects.slope[:, j], u) for j in range(s.levels)]
    reduced = _reduced(paths, s, draws, own[:slopes])
    return Process(
        transition=reduced[0],
        noise=_noise(s, draws, own[slopes:], reduced[1]),
        inputs=reduced[2],
        first=_matrix(draws.first),
        level=level,
        level_covariance=_matrix(effects.left),
        error=[draws.error[:, k] for k in range(s.variables)],
        course=np.moveaxis(draws.course, 0, 2),
    )


def process_matrices(paths: Paths, s: Structure, draws: Parameters, own: list[Any]) -> tuple[Matrix, Matrix]:
    """Transition (K, P K) and noise (K, K) of persons with these own coefficients and log variances."""
    slopes = len(s.random_terms)
    before, spread, _ = _reduced(paths, s, draws, own[:slopes])
    return before, _noise(s, draws, own[slopes:], spread)


def innovation_variances(s: Structure, draws: Parameters, own: list[Any]) -> list[Any]:
    """(K,) before paths within a session hand them on."""
    logs = iter(own[len(s.random_terms) :])
    return [np.exp(next(logs)) if random else draws.sigma[:, k, k] for k, random in enumerate(s.log_variances)]


def _weighted(weights: np.ndarray, u: list[np.ndarray]) -> Any:
    """sum of weights (D, n) times u."""
    out: Any = 0.0
    for j, one in enumerate(u):
        if weights[:, j].any():
            out = out + weights[:, j] * one
    return out


def _matrix(values: np.ndarray) -> Matrix:
    """(D, n, m) as a list of lists of (D,)."""
    return [[values[:, i, j] for j in range(values.shape[2])] for i in range(values.shape[1])]


def _reduced(paths: Paths, s: Structure, draws: Parameters, slopes: list[Any]) -> tuple[Matrix, Matrix, Matrix]:
    """z_t on the states before, on innovations, and on covariates: paths within a session are taken in."""
    k = s.variables
    before: Matrix = [[0.0] * (k * s.lags) for _ in range(k)]
    now: Matrix = [[0.0] * k for _ in range(k)]
    inputs: Matrix = [[0.0] * len(paths.covariates) for _ in range(k)]
    random, common = iter(slopes), iter(np.moveaxis(draws.theta, 1, 0))
    for term in s.terms:
        value = next(random) if term.random else next(common)
        if term.covariate is not None:
            inputs[term.equation][term.covariate] = value
        elif term.lag == 0:
            now[term.equation][term.variable] = value
        else:
            before[term.equation][(term.lag - 1) * k + term.variable] = value
    innovations: Matrix = [[1.0 if i == j else 0.0 for j in range(k)] for i in range(k)]
    if not any(_there(x) for row in now for x in row):
        return before, innovations, inputs
    for _ in range(k - 1):  # (I - A)^-1 = I + A (I + A (...)), as A has no circle
        innovations = product(now, innovations)
        for i in range(k):
            innovations[i][i] = innovations[i][i] + 1.0
    return product(innovations, before), innovations, product(innovations, inputs)


def _noise(s: Structure, draws: Parameters, logs: list[Any], spread: Matrix) -> Matrix:
    sigma = _matrix(draws.sigma)
    for i, variance in enumerate(innovation_variances(s, draws, [*s.random_terms, *logs])):
        sigma[i][i] = variance
    if not s.correlated:
        sigma = [[sigma[i][j] if i == j else 0.0 for j in range(s.variables)] for i in range(s.variables)]
    return product(product(spread, sigma), [list(row) for row in zip(*spread, strict=True)])


def product(a: Matrix, b: Matrix) -> Matrix:
    """Of matrices that are lists of lists; zeros cost nothing."""
    out: Matrix = []
    for row in a:
        line: list[Any] = []
        for j in range(len(b[0])):
            terms = [x * b[i][j] for i, x in enumerate(row) if _there(x) and _there(b[i][j])]
            line.append(sum(terms[1:], terms[0]) if terms else 0.0)
        out.append(line)
    return out


def _there(x: Any) -> bool:
    return not (isinstance(x, float) and x == 0.0)
