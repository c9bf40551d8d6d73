"""Regression within persons beside dense least squares with a column for each person, and CR2 by its formula."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from helpers.two_scores import Shape, panel_of, two_scores
from sessionwise.designs import design
from sessionwise.study.parts.regression import projected, regression

#: Rounding of a solution by normal equations of about 100 columns.
CLOSE = 1e-9
TERMS = ["lag(y)", "lag(w)"]


def data(persons: int = 25) -> pl.DataFrame:
    """With gaps, so that persons' sessions lie differently."""
    table = two_scores(3, Shape(forward=-0.2, own=0.1), persons=persons, longest=9)
    return table.filter(~((pl.col("s") == 4) & (pl.col("p") % 3 == 0)))


def dense(made, line: bool) -> tuple[np.ndarray, np.ndarray]:
    """y, and columns of interest, what is held constant, an intercept (and a line) for each person."""
    person = np.repeat(np.arange(len(made.starts) - 1), np.diff(made.starts))
    dummies = (person[:, None] == np.arange(person.max() + 1)).astype(float)
    columns = [made.matrix[:, made.fixed], dummies]
    if line:
        away = made.sessions - np.array([made.sessions[person == i].mean() for i in person])
        columns.append(dummies * away[:, None])
    return made.matrix[:, 0], np.hstack(columns)


@pytest.mark.parametrize("line", [False, True])
@pytest.mark.parametrize("held", ["", " + C(s)", " + s + I(s^2)"])
def test_least_squares_with_a_column_for_each_person(line, held):
    panel = panel_of(data())
    made = design(panel, f"y ~ lag(y) + lag(w){held}")
    found = regression(made, TERMS, panel, line=line)
    y, x = dense(made, line)
    b, _, rank, _ = np.linalg.lstsq(x, y, rcond=1e-11)
    at = [made.fixed.index(made.names.index(t)) for t in TERMS]
    residuals = y - x @ b
    assert found.coefficients == pytest.approx(b[at], abs=CLOSE)
    assert found.residuals == pytest.approx(residuals, abs=CLOSE)
    assert found.freedom == len(y) - rank
    assert found.variance == pytest.approx(residuals @ residuals / (len(y) - rank), rel=1e-8)


@pytest.mark.parametrize("line", [False, True])
def test_cr2(line):
    """(X'X)^-1 sum X_i'(I - H_ii)^-1/2 e_i e_i'(I - H_ii)^-1/2 X_i (X'X)^-1 of the regression after the projection."""
    panel = panel_of(data(12))
    third = "I(s^2)" if line else "s"
    made = design(panel, f"y ~ lag(y) + lag(w) + {third}")
    found = regression(made, TERMS, panel, line=line)
    left = projected(made.matrix, made.starts, made.sessions, line=line)
    y, x = left[:, 0], left[:, [made.names.index(t) for t in (*TERMS, third)]]
    inverse = np.linalg.inv(x.T @ x)
    e = y - x @ inverse @ x.T @ y
    meat = np.zeros((3, 3))
    for start, end in zip(made.starts[:-1], made.starts[1:], strict=True):
        own, h = x[start:end], x[start:end] @ inverse @ x[start:end].T
        values, vectors = np.linalg.eigh(np.eye(end - start) - h)
        score = own.T @ (vectors / np.sqrt(values)) @ vectors.T @ e[start:end]
        meat += np.outer(score, score)
    assert found.influence.T @ found.influence == pytest.approx((inverse @ meat @ inverse)[:2, :2], rel=1e-8)


def test_influence_is_of_the_persons_of_the_panel():
    table = pl.concat([data(), pl.DataFrame({"p": [-1], "s": [1], "y": [1.0], "w": [2.0]})])
    panel = panel_of(table)
    found = regression(design(panel, "y ~ lag(y) + lag(w)"), TERMS, panel, line=False)
    assert found.influence.shape == (panel.n_persons, 2)
    assert (found.influence[0] == 0).all()  # one session has no lag
    assert (np.abs(found.influence[1:]).sum(axis=1) > 0).sum() >= 20


def test_nothing_left_within_persons():
    table = data()
    same = table.with_columns(w=pl.col("p").cast(pl.Float64))
    lines = table.with_columns(w=pl.col("p") * pl.col("s").cast(pl.Float64) + 1000)
    for changed, line in ((same, False), (lines, True)):
        panel = panel_of(changed)
        assert regression(design(panel, "y ~ lag(y) + lag(w)"), TERMS, panel, line=line) is None
    panel = panel_of(table.with_columns(w=2 * pl.col("y") + pl.col("p")))
    assert regression(design(panel, "y ~ lag(y) + lag(w)"), TERMS, panel, line=False) is None  # one is the other
    few = panel_of(table.filter(pl.col("s") <= 2))
    assert regression(design(few, "y ~ lag(y) + lag(w)"), TERMS, few, line=False) is None  # a pair each


def test_a_line_takes_the_mean_with_it():
    panel = panel_of(data())
    made = design(panel, "y ~ lag(y) + lag(w)")
    left = projected(made.matrix, made.starts, made.sessions, line=True)
    for start, end in zip(made.starts[:-1], made.starts[1:], strict=True):
        assert left[start:end].sum(axis=0) == pytest.approx(0, abs=1e-9)
        assert made.sessions[start:end] @ left[start:end] == pytest.approx(0, abs=1e-8)
