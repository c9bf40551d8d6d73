"""The bias of few sessions: Nickell's formula, a brute-force expectation, simulated data, and the way back."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from sessionwise.models.mlm.nickell import nickell_bias
from sessionwise.study.parts.bias import MOST_PAIRS, Process, Side, corrected, expected, layout

FORWARD, REVERSE = ((0, 1), (1, 1)), ((1, 1), (0, 1), (0, 0))


def made(*sessions: list[int]) -> SimpleNamespace:
    """Persons' sessions as a design has them."""
    return SimpleNamespace(
        starts=np.cumsum([0, *map(len, sessions)]), sessions=np.concatenate(sessions).astype(np.int64)
    )


def sides(*sessions: list[int], line: bool = False) -> list[Side]:
    at = layout(made(*sessions), line)
    return [Side(0, FORWARD, at), Side(1, REVERSE, at)]


def process(a=0.3, b=-0.2, aw=0.35, c=-0.2, same=-0.1) -> Process:
    return Process(np.array([a, b, aw, c, same]), np.array([0.8, 0.9]))


@pytest.mark.parametrize("rho", [-0.3, 0.0, 0.3, 0.6])
@pytest.mark.parametrize("pairs", [(3, 3), (5, 5), (2, 6, 11)])
def test_nickell_for_one_variable(rho, pairs):
    known = process(a=rho, b=0, aw=0.2, c=0, same=0)
    tends = expected(known, sides(*(list(range(2, 2 + n)) for n in pairs)))
    assert tends.coefficients[0] - rho == pytest.approx(nickell_bias(rho, list(pairs)), abs=1e-12)
    assert tends.coefficients[1] == pytest.approx(0, abs=1e-12)


@pytest.mark.parametrize("line", [False, True])
def test_brute_force(line):
    """Covariance matrices of a person's scores, written out, with a gap."""
    sessions, known = [2, 3, 5, 6, 7], process()
    b0 = np.array([[0, 0], [-0.1, 0]])
    inverse = np.linalg.inv(np.eye(2) - b0)
    a = inverse @ np.array([[0.3, -0.2], [-0.2, 0.35]])
    gamma = inverse @ np.diag([0.8, 0.9]) @ inverse.T
    for _ in range(500):
        gamma = a @ gamma @ a.T + inverse @ np.diag([0.8, 0.9]) @ inverse.T

    def cov(s, t):
        power = np.linalg.matrix_power(a, abs(s - t))
        return power @ gamma if s >= t else (power @ gamma).T

    columns = [*REVERSE, (1, 0)]
    z = np.column_stack([np.ones(5), sessions])[:, : 2 if line else 1]
    rest = np.eye(5) - z @ np.linalg.inv(z.T @ z) @ z.T

    def moment(j, k):
        (vj, lj), (vk, lk) = j, k
        pairs = [(i, h, s, t) for i, s in enumerate(sessions) for h, t in enumerate(sessions)]
        return sum(rest[i, h] * cov(s - lj, t - lk)[vj, vk] for i, h, s, t in pairs)

    m = np.array([[moment(j, k) for k in columns] for j in columns])
    tends = expected(known, sides(sessions, line=line))
    assert tends.coefficients[2:] == pytest.approx(np.linalg.solve(m[:-1, :-1], m[:-1, -1]), abs=1e-10)


def test_simulated():
    """Least squares with person means on 20,000 persons of 5 pairs; errors are about .003."""
    known, rng, n, t = process(), np.random.default_rng(4), 20_000, 30
    y, w = np.zeros((n, t)), np.zeros((n, t))
    for i in range(1, t):
        y[:, i] = 0.3 * y[:, i - 1] - 0.2 * w[:, i - 1] + np.sqrt(0.8) * rng.standard_normal(n)
        w[:, i] = 0.35 * w[:, i - 1] - 0.2 * y[:, i - 1] - 0.1 * y[:, i] + np.sqrt(0.9) * rng.standard_normal(n)
    y, w = y[:, -6:], w[:, -6:]

    def within(x):
        return (x - x.mean(axis=1, keepdims=True)).ravel()

    x = np.column_stack([within(w[:, :-1]), within(y[:, :-1]), within(y[:, 1:])])
    found = np.linalg.lstsq(x, within(w[:, 1:]), rcond=None)[0]
    assert expected(known, sides([2, 3, 4, 5, 6])).coefficients[2:] == pytest.approx(found, abs=0.015)


def test_there_and_back():
    known, at = process(), sides([2, 3, 4], [2, 3, 4, 5, 7, 8], [3, 4])
    tends = expected(known, at)
    found = corrected(tends, np.diag([0.01] * 5), at)
    assert found.process.coefficients == pytest.approx(known.coefficients, abs=1e-7)
    assert found.process.variances == pytest.approx(known.variances, abs=1e-7)
    assert (np.diag(found.covariance) > 0.01).sum() >= 2  # what was shrunk is stretched, its error with it


def test_many_sessions_need_no_correction():
    known, at = process(), sides(list(range(2, 400)))
    assert expected(known, at).coefficients == pytest.approx(known.coefficients, abs=0.01)


def test_correlated_residuals_of_one_session():
    at = layout(made([2, 3, 4, 5]))
    both = [Side(0, FORWARD, at), Side(1, FORWARD[::-1], at)]
    known = Process(np.array([0.3, -0.2, 0.35, -0.2]), np.array([0.8, 0.9]), -0.3)
    found = corrected(expected(known, both), np.eye(4), both)
    assert found.process.coefficients == pytest.approx(known.coefficients, abs=1e-7)


def test_what_cannot_be():
    explosive = process(a=1.2)
    assert expected(explosive, sides([2, 3, 4])) is None
    assert corrected(explosive, np.eye(5), sides([2, 3, 4])) is None
    many = SimpleNamespace(starts=np.array([0, int(MOST_PAIRS**0.5) + 2]), sessions=np.arange(int(MOST_PAIRS**0.5) + 2))
    assert layout(many) is None
