"""Optimum: the parameters that minimise the criterion, and whether they really do.

The criterion does not change when a column of a covariance factor changes its sign, so no bound is needed: a variance
of zero is an ordinary stationary point. The search is BFGS from a Hessian that is about right (descent.py), then Newton
steps with a Hessian from differences of the exact gradient. The same Hessian decides the verdict:

- the Newton decrement g'H^-1 g is small: the criterion could fall by no more than half of it;
- H has no negative direction, and is positive along every direction that changes the covariances at all. (At a
  singular fit some change of theta, such as turning two columns where a variance is zero, changes nothing.)

Where that fails the search starts again, first along the negative direction, then from elsewhere. A point where the
criterion depends on the last digit of the cross-products (residuals that alternate almost exactly, beside random
effects many times as large) is no optimum, however low it seems: what is left of it is rounding.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from ..threads import one_thread
from .criterion import Evaluation, evaluate
from .descent import Point, descend
from .problem import MixedLikelihood, sample
from .starting_values import curvature, start

#: Expected fall of the criterion below which a point is the optimum.
SMALL_DECREMENT = 1e-7
#: Curvature, relative to that of an average design, below which a direction counts as flat, or as falling.
FLAT = 1e-5
MOST_STARTS = 8
#: So few persons may leave several maxima: other starts are tried even if the first converged.
FEW_PERSONS, FEW_STARTS = 50, 4
#: Residual parameters bring more of them, as do strata of so few rows.
MORE_STARTS, FEW_ROWS = 16, 25
_SIZES = (0.1, 1.0, 10.0, 0.3, 3.0, 30.0)  # of the factors at other starts, in residual standard deviations
_SPREAD = 1.5  # of residual parameters at other starts
_ROUNDS = 3
_EXACT = 1e-13  # Newton steps go on to this part of it: degrees of freedom are more sensitive than the criterion
#: Curvature below which it is computed more exactly before it is judged.
_DOUBTFUL = 0.05
_FIRST_STAGE = 1500  # persons
_ROUGH = 1e-4  # decrement at which Newton steps with the true Hessian take over
_NEAR = 25.0  # decrement from which Newton steps with a Hessian of fewer persons lead on: five standard errors
_STEP = 1e-5
#: What the criterion may change by if cross-products are rounded another way.
_ROUNDING = 1e-3
#: Sensitivity of phi, or size of a factor, beyond which that is looked at: before it there are digits enough.
_NEAR_ONE, _LARGE = 1e-3, 1e3


@dataclass(frozen=True, slots=True, eq=False)
class Optimum:
    """Where the criterion is smallest.

    parameters : theta, rho. evaluation : the likelihood there, with gradient.
    hessian : (n, n) of the criterion, by differences of its gradient.
    converged : the verdict of the module's two rules. decrement : g'H^-1 g.
    flattest : smallest curvature along a direction that changes the model, relative to the average design.
    evaluations, starts : how many were needed.
    lost : whether rounding decides what the criterion is here.
    """

    parameters: np.ndarray
    evaluation: Evaluation
    hessian: np.ndarray
    converged: bool
    decrement: float
    flattest: float
    evaluations: int
    starts: int
    lost: bool = False


@one_thread()
def optimise(
    problem: MixedLikelihood, *, reml: bool, begin: np.ndarray | None = None, starts: int = 0, threads: int = 0
) -> Optimum:
    """Minimise the criterion over theta and rho.

    begin : where to. starts : how many to try at least; 0 for one, or more where few persons may leave several minima.
    """
    counter = _Counter(problem, reml, threads)
    if problem.n_theta + problem.n_rho == 0:
        point = counter(np.zeros(0))
        return Optimum(np.zeros(0), point, np.zeros((0, 0)), np.isfinite(point.criterion), 0.0, 1.0, 1, 1)
    scale: np.ndarray | None = None
    if begin is None and (few := sample(problem, _FIRST_STAGE)) is not None:
        first = _search(_Counter(few, reml, threads), start(few), None)
        begin, scale = first.parameters, first.hessian * (problem.n / few.n)
    best = _search(counter, start(problem) if begin is None else begin, scale)
    wanted = starts or _wanted(problem, begin is not None)
    done = 1
    while done < wanted or (not best.converged and done < MOST_STARTS):
        again = _search(counter, _elsewhere(problem, best, done), None)
        done += 1
        if _better(again, best):
            best = again
    return replace(best, evaluations=counter.evaluations, starts=done)


def _wanted(problem: MixedLikelihood, begun: bool) -> int:
    """How many starts; as few as without residual parameters where the caller says where to begin."""
    few = len(problem.levels[0].labels) <= FEW_PERSONS
    if problem.n_rho and not begun and (few or problem.products.smallest_stratum <= FEW_ROWS):
        return MORE_STARTS
    return FEW_STARTS if few else 1


def _better(one: Optimum, other: Optimum) -> bool:
    if one.lost != other.lost:
        return other.lost and one.converged
    lower = other.evaluation.criterion - one.evaluation.criterion
    return lower > SMALL_DECREMENT or (one.converged and not other.converged and lower > -SMALL_DECREMENT)


class _Counter:
    """The criterion as a function of the parameters, which counts how often it was asked for."""

    def __init__(self, problem: MixedLikelihood, reml: bool, threads: int) -> None:
        self.problem, self.reml, self.threads = problem, reml, threads
        self.evaluations = 0

    def __call__(self, parameters: np.ndarray) -> Evaluation:
        self.evaluations += 1
        return evaluate(self.problem, parameters, reml=self.reml, threads=self.threads)


def _search(f: _Counter, begin: np.ndarray, known: np.ndarray | None) -> Optimum:
    """From one start to the end. `known`: a Hessian to begin with, as from a part of the persons."""
    unit = curvature(f.problem, begin)
    point, x = f(begin), begin
    near = known is not None and _definite(known) and np.isfinite(point.criterion)
    if near and known is not None and _decrement(point.gradient, known) < _NEAR:
        x, point = _newton(f, x, point, known, 2)
    else:
        down = descend(f, begin, known if near and known is not None else unit, here=point, small=_ROUGH)
        x, point = down.x, down.value
    for round_ in range(_ROUNDS):
        hessian = _hessian(f, x, point)
        x, point = _newton(f, x, point, hessian, 6)
        judged = _judged(f.problem, x, point, hessian, unit)
        if not judged.rises or judged.decrement <= SMALL_DECREMENT:
            break
        if round_ < _ROUNDS - 1:  # the Hessian was taken too far away
            down = descend(f, x, _nearest_definite(hessian, unit), here=point)
            x, point = down.x, down.value
    if judged.flattest < _DOUBTFUL and np.isfinite(point.criterion):
        hessian = central_hessian(f, x)
        judged = _judged(f.problem, x, point, hessian, unit)
    converged = judged.decrement <= SMALL_DECREMENT and judged.rises
    lost = _is_lost(f, x, point)
    return Optimum(x, point, hessian, converged and not lost, judged.decrement, judged.flattest, f.evaluations, 1, lost)


def _is_lost(f: _Counter, x: np.ndarray, point: Evaluation) -> bool:
    """Whether the criterion is another if the last digit of the cross-products is."""
    problem = f.problem
    near_one = problem.residual.kind == "ar1" and (problem.residual.sensitivity(x[problem.n_theta :])[0] < _NEAR_ONE)
    if not near_one and np.abs(x[: problem.n_theta]).max(initial=0.0) < _LARGE:
        return False
    shaken = problem.with_products(problem.products.shaken(np.random.default_rng(0)))
    there = evaluate(shaken, x, reml=f.reml, gradient=False, threads=f.threads).criterion
    return not abs(there - point.criterion) < _ROUNDING


def _newton(
    f: _Counter, x: np.ndarray, point: Evaluation, hessian: np.ndarray, most: int
) -> tuple[np.ndarray, Evaluation]:
    """Newton steps with one Hessian as long as they lead down."""
    if not _definite(hessian):
        return x, point
    step = np.linalg.solve(hessian, point.gradient)
    for _ in range(most):
        decrement = float(point.gradient @ step)
        if decrement < _EXACT * SMALL_DECREMENT:
            break
        there = f(x - step)
        next_step = np.linalg.solve(hessian, there.gradient)
        fell = there.criterion <= point.criterion + 1e-10 * abs(point.criterion)
        if not fell or there.gradient @ next_step > 0.5 * decrement:
            break
        x, point, step = x - step, there, next_step
    return x, point


def central_hessian(f: Callable[[np.ndarray], Point], x: np.ndarray) -> np.ndarray:
    """Hessian (n, n) by central differences of the gradient: twice the evaluations, and exact to 1e-8 or so."""
    hessian = np.empty((len(x), len(x)))
    for i, step in enumerate(np.diag(_STEP * np.maximum(1.0, np.abs(x)))):
        hessian[i] = (f(x + step).gradient - f(x - step).gradient) / (2 * step[i])
    return np.asarray((hessian + hessian.T) / 2)


def _hessian(f: _Counter, x: np.ndarray, point: Evaluation) -> np.ndarray:
    """From gradients a small part of a standard error away."""
    n = len(x)
    steps = _STEP * np.maximum(1.0, np.abs(x))
    hessian = np.empty((n, n))
    for i in range(n):
        to = x.copy()
        to[i] += steps[i]
        hessian[i] = (f(to).gradient - point.gradient) / steps[i]
    return np.asarray((hessian + hessian.T) / 2)


@dataclass(frozen=True, slots=True, eq=False)
class _Judged:
    decrement: float
    rises: bool
    flattest: float


def _judged(
    problem: MixedLikelihood, x: np.ndarray, point: Evaluation, hessian: np.ndarray, unit: np.ndarray
) -> _Judged:
    if not np.isfinite(point.criterion) or problem.residual.is_at_end(x[problem.n_theta :]):
        return _Judged(np.inf, False, -np.inf)
    inverse = np.linalg.inv(np.linalg.cholesky(unit))
    relative = inverse @ hessian @ inverse.T
    roots, vectors = np.linalg.eigh(relative)
    gradient = vectors.T @ (inverse @ point.gradient)
    # Along flat directions the gradient cannot be told from rounding: count it by a unit curvature there.
    decrement = float((gradient**2 / np.where(roots > FLAT, roots, 1.0)).sum())
    if roots[0] > FLAT:
        return _Judged(decrement, True, float(roots[0]))
    flattest = _flattest(_changing(problem, x), hessian, unit)
    return _Judged(decrement, bool(roots[0] > -FLAT and flattest > FLAT), flattest)


def _flattest(directions: np.ndarray, hessian: np.ndarray, unit: np.ndarray) -> float:
    """Smallest curvature within the span of `directions`, in units of `unit`."""
    if not directions.shape[1]:
        return 1.0
    inverse = np.linalg.inv(np.linalg.cholesky(directions.T @ unit @ directions))
    return float(np.linalg.eigvalsh(inverse @ directions.T @ hessian @ directions @ inverse.T)[0])


def _changing(problem: MixedLikelihood, x: np.ndarray) -> np.ndarray:
    """Orthonormal directions (n, m) of the parameters that change a covariance to first order."""
    jacobian = [np.zeros((0, len(x)))]
    for block in problem.blocks:
        lower = block.factor(x)
        rows, columns = block.places
        part = np.zeros((block.q * block.q, len(x)))
        for i, (r, c) in enumerate(zip(rows, columns, strict=True)):
            change = np.zeros((block.q, block.q))
            change[r] += lower[:, c]
            part[:, block.start + i] = (change + change.T).ravel()
        jacobian.append(part)
    rest = np.zeros((problem.n_rho, len(x)))
    rest[:, problem.n_theta :] = np.diag(problem.residual.sensitivity(x[problem.n_theta :]))
    _, sizes, directions = np.linalg.svd(np.concatenate([*jacobian, rest]), full_matrices=False)
    return np.asarray(directions[sizes > 1e-3 * max(sizes.max(initial=0.0), 1e-3)].T)


def _decrement(gradient: np.ndarray, hessian: np.ndarray) -> float:
    return float(gradient @ np.linalg.solve(hessian, gradient))


def _definite(matrix: np.ndarray) -> bool:
    try:
        np.linalg.cholesky(matrix)
    except np.linalg.LinAlgError:
        return False
    return True


def _nearest_definite(hessian: np.ndarray, unit: np.ndarray) -> np.ndarray:
    roots, vectors = np.linalg.eigh(hessian)
    least = 1e-3 * float(np.linalg.eigvalsh(unit)[0])
    return np.asarray((vectors * np.maximum(np.abs(roots), least)) @ vectors.T)


def _elsewhere(problem: MixedLikelihood, best: Optimum, number: int) -> np.ndarray:
    """Another start: along a direction in which the best point so far falls, else larger and smaller factors."""
    x = best.parameters
    if number <= 2 and not best.converged and np.isfinite(best.hessian).all():
        roots, vectors = np.linalg.eigh(best.hessian)
        if roots[0] < 0:
            return np.asarray(x + (0.3 if number == 1 else -0.3) * vectors[:, 0])
    rng = np.random.default_rng(number)
    fresh = start(problem)
    size = _SIZES[number % len(_SIZES)]
    for block in problem.blocks:
        rows, columns = block.places
        normal = rng.standard_normal(block.size)
        alone = np.exp(normal) if number >= FEW_STARTS else 1.0
        spread = np.where(rows == columns, alone, 0.5 * normal)
        fresh[block.start : block.start + block.size] = size * spread
    fresh[problem.n_theta :] += _SPREAD * rng.standard_normal(problem.n_rho)
    return fresh
