"""A minimum near a start, and the curvature it begins with."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sessionwise.mixed.descent import curvature, descend


@dataclass(frozen=True)
class Point:
    criterion: float
    gradient: np.ndarray


A, AT = np.array([[4.0, 1.0], [1.0, 3.0]]), np.array([1.0, -2.0])


def bowl(x: np.ndarray) -> Point:
    away = x - AT
    return Point(float(away @ A @ away) / 2, A @ away)


def test_a_bowl() -> None:
    np.testing.assert_allclose(curvature(bowl, np.zeros(2)), A, rtol=1e-8)
    found = descend(bowl, np.zeros(2), np.eye(2))
    assert found.converged
    np.testing.assert_allclose(found.x, AT, atol=1e-4)


def test_falling_and_flat_directions_get_a_small_curvature() -> None:
    hessian = curvature(lambda x: Point(0.0, np.array([8.0, -2.0, 0.0]) * x), np.ones(3))
    np.testing.assert_allclose(hessian, np.diag([8.0, 2.0, 8e-4]), rtol=1e-6)


def test_where_all_is_flat_the_curvature_is_one() -> None:
    """Else the first step from there, as along the profile of a share of 0, would have no length."""
    np.testing.assert_array_equal(curvature(lambda x: Point(1.0, 0.0 * x), np.ones(2)), np.eye(2))
