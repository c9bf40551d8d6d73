"""NIST's one-way analyses of variance SmLs01 to SmLs09 (Simon & Lesage 1989, Comput Stat Data Anal 8, 325-332).

Generated data, so that their exact results are known: nine treatments whose means differ by .1, 21, 201 or 2,001
replicates, and 1, 7 or 13 constant leading digits. For balanced data REML gives sigma^2 = MSW, tau^2 = (MSB - MSW) / n.
LRE, the log relative error, is the number of correct digits.

Two things must be told apart: 1000000000000.4 is no double, so what is stored differs from NIST's data; and what the
program adds to that. The truth of the stored numbers is computed with fractions, and ours is held against it.
"""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import polars as pl
import pytest
import scipy

import sessionwise as sw
from sessionwise.mixed import Solution, evaluate
from sessionwise.mixed.inference.contrasts import joint
from sessionwise.models import MLM

# Correct digits that doubles leave: LRE of the exact MSB, MSW and F of what is stored, against NIST's, rounded down. No
# program that reads doubles can have more.
STORED = {
    "SmLs01": (15.2, 15.2, 16.1),
    "SmLs02": (15.1, 15.2, 15.9),
    "SmLs03": (15.1, 15.2, 15.9),
    "SmLs04": (10.0, 10.2, 10.4),
    "SmLs05": (9.9, 10.2, 10.2),
    "SmLs06": (9.9, 10.2, 10.1),
    "SmLs07": (4.0, 4.2, 4.4),
    "SmLs08": (3.9, 4.2, 4.1),
    "SmLs09": (3.9, 4.2, 4.1),
}
# All other LRE are against the exact results of what is stored.
# Least squares has no search, only cross-products and a factorisation: about sqrt(rows) roundings.
LEAST_SQUARES = {21: 14.0, 201: 13.5, 2001: 12.5}
# Nor has the coefficient of a balanced design: with 13 constant digits, centring loses none.
COEFFICIENT = 15.5
# REML: the search stops within sqrt(1e-14) = 1e-7 standard errors of theta (mixed/optimum.py). One of log tau^2 is
# sqrt(2 / 8) with nine treatments, so LRE is 7.3 or more; log sigma^2 moves by 8 / (9 n - 1) of that.
FIT_TAU = 7.3
FIT_SIGMA = {n: FIT_TAU + math.log10((9 * n - 1) / 8) for n in (21, 201, 2001)}
# What the likelihood itself holds, three Newton steps on: as least squares, less a digit for the slope's rounding.
ENGINE_TAU, ENGINE_SIGMA = 11.5, 13.5

LEADING = {1: Fraction(14, 10), 7: 10**6 + Fraction(4, 10), 13: 10**12 + Fraction(4, 10)}
REPLICATES = (21, 201, 2001)
TENTHS = (0, -1, 1, -1, 1, -1, 1, -1, 1)  # of the treatments' means, from the first
SETS = {f"SmLs{3 * i + j + 1:02d}": (d, n) for i, d in enumerate(LEADING) for j, n in enumerate(REPLICATES)}
NIST = Path(scipy.__file__).parent / "stats" / "tests" / "data" / "nist_anova"

Groups = list[list[Fraction]]


@dataclass(frozen=True, slots=True)
class Anova:
    """Exact: mean squares between and within, grand mean, replicates."""

    between: Fraction
    within: Fraction
    mean: Fraction
    n: int

    @property
    def f(self) -> Fraction:
        return self.between / self.within

    @property
    def tau2(self) -> Fraction:
        return (self.between - self.within) / self.n


def decimal(digits: int, n: int) -> Groups:
    """NIST's data as they are printed: the treatment's mean, then .1 below and above it by turns."""
    steps = [0, *(-1 if j % 2 else 1 for j in range(1, n))]
    return [[LEADING[digits] + Fraction(t + s, 10) for s in steps] for t in TENTHS]


def anova(groups: Groups) -> Anova:
    n = len(groups[0])
    means = [sum(g) / Fraction(n) for g in groups]
    grand = sum(means) / Fraction(len(groups))
    between = n * sum((m - grand) ** 2 for m in means) / Fraction(len(groups) - 1)
    within = sum((x - m) ** 2 for g, m in zip(groups, means, strict=True) for x in g)
    return Anova(between, within / Fraction(len(groups) * (n - 1)), grand, n)


def lre(found: float | Fraction, truth: Fraction) -> float:
    """Number of correct digits; 17 if all are."""
    error = abs(Fraction(found) / truth - 1)
    return 17.0 if error == 0 else min(17.0, -math.log10(error))


@functools.cache
def exact(name: str) -> tuple[Anova, Anova]:
    """Of the decimal data and of the doubles that they become."""
    data = decimal(*SETS[name])
    return anova(data), anova([[Fraction(float(x)) for x in g] for g in data])


@functools.cache
def panel(name: str) -> sw.Panel:
    data = decimal(*SETS[name])
    n = len(data[0])
    columns = {"treatment": np.repeat(np.arange(1, 10), n), "replicate": np.tile(np.arange(n), 9)}
    table = pl.DataFrame(columns | {"y": [float(x) for g in data for x in g]})
    return sw.Panel(table, person="treatment", session="replicate")


@functools.cache
def reml(name: str) -> sw.MLMFit:
    return MLM("y ~ 1 + (1 | treatment)").fit(panel(name))


@pytest.fixture(params=list(SETS))
def name(request):
    return request.param


def test_certified_values_follow_exactly_from_the_construction(name):
    """Sums of squares 1.68, 16.08, 160.08 and 1.80, 18, 180; F 21, 201, 2001; residual SD .1."""
    n = SETS[name][1]
    certified, _ = exact(name)
    assert certified.between * 8 == Fraction({21: "1.68", 201: "16.08", 2001: "160.08"}[n])
    assert certified.within * 9 * (n - 1) == Fraction({21: "1.8", 201: "18", 2001: "180"}[n])
    assert certified.f == n
    assert certified.within == Fraction(1, 10) ** 2


def test_construction_is_the_file_of_nist(name):
    path = NIST / f"{name}.dat"
    if not path.exists():
        pytest.skip("this SciPy comes without NIST's files")
    lines = path.read_text(encoding="ascii").splitlines()
    rows = [line.split() for line in lines[60:] if line.strip()]  # the header says: data from line 61
    assert [int(t) for t, _ in rows] == [t for t in range(1, 10) for _ in range(SETS[name][1])]
    assert [Fraction(y) for _, y in rows] == [x for g in decimal(*SETS[name]) for x in g]
    between, within = (line.split() for line in lines[40:47] if "Treatment" in line)
    certified, _ = exact(name)
    assert [Fraction(x) for x in between[2:]] == [8, 8 * certified.between, certified.between, certified.f]
    assert [Fraction(x) for x in within[3:]] == [9 * (certified.n - 1) * certified.within, certified.within]


def test_digits_that_doubles_leave(name):
    certified, stored = exact(name)
    left = (lre(stored.between, certified.between), lre(stored.within, certified.within), lre(stored.f, certified.f))
    print(f"\n{name} stored: MSB {left[0]:.2f} MSW {left[1]:.2f} F {left[2]:.2f}", end="")
    assert tuple(math.floor(10 * x) / 10 for x in left) == STORED[name]


def test_least_squares(name):
    certified, stored = exact(name)
    fit = MLM("y ~ C(treatment)").fit(panel(name))
    found = joint(fit.solution, np.eye(9)[1:], degrees="residual")
    digits = lre(fit.sigma**2, stored.within), lre(found.f, stored.f)
    print(f"\n{name} least squares: MSW {digits[0]:.1f} F {digits[1]:.1f}", end="")
    assert (found.df1, found.df2) == (8, 9 * (stored.n - 1))
    assert min(digits) > LEAST_SQUARES[stored.n]
    assert lre(found.f, certified.f) > min(STORED[name][2], LEAST_SQUARES[stored.n]) - 0.1


def test_reml_fit(name):
    certified, stored = exact(name)
    fit = reml(name)
    digits = components(fit.solution, stored)
    f = 1 + stored.n * fit.varcorr["treatment"].cov[0, 0] / fit.sigma**2
    print(f"\n{name} REML: sigma^2 {digits[0]:.1f} tau^2 {digits[1]:.1f} F {lre(f, stored.f):.1f}", end="")
    assert fit.verdict.converged
    assert digits[0] > FIT_SIGMA[stored.n]
    assert digits[1] > FIT_TAU
    assert lre(f, stored.f) > FIT_TAU
    assert lre(f, certified.f) > min(STORED[name][2], FIT_TAU) - 0.1
    assert lre(fit.fixef["(Intercept)"], stored.mean) > COEFFICIENT
    assert lre(fit.se["(Intercept)"] ** 2, stored.between / (9 * stored.n)) > FIT_TAU


def test_digits_of_the_likelihood(name):
    """Where digits go: not in centring or cross-products, for Newton steps beyond the stopping rule bring them back."""
    _, stored = exact(name)
    solution = reml(name).solution
    x, optimum = solution.optimum.parameters, solution.optimum
    for _ in range(3):
        x = x - np.linalg.solve(optimum.hessian, evaluate(solution.problem, x, reml=True).gradient)
    there = replace(optimum, parameters=x, evaluation=evaluate(solution.problem, x, reml=True))
    digits = components(Solution(solution.problem, there, True), stored)
    print(f"\n{name} three Newton steps on: sigma^2 {digits[0]:.1f} tau^2 {digits[1]:.1f}", end="")
    assert digits[0] > ENGINE_SIGMA
    assert digits[1] > ENGINE_TAU


def components(solution: Solution, truth: Anova) -> tuple[float, float]:
    """LRE of sigma^2 and tau^2."""
    return lre(solution.sigma**2, truth.within), lre(float(solution.covariances[0][0, 0]), truth.tau2)
