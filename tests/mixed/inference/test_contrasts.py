"""Tests of contrasts against lmerTest and pbkrtest, and their definitions.

Tolerances
----------
VALUE 2e-5 relative: estimates, errors, statistics and df of two searches that end 1e-5 standard errors apart.
TAIL 1e-3 relative: p-values of these, which magnify differences of the statistic by its square.
"""

from __future__ import annotations

import subprocess
import sys
from dataclasses import FrozenInstanceError

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from helpers.lme4 import LME4, STORED, of_program, stored
from helpers.multilevel import fitted
from helpers.sessions import nested
from sessionwise.errors import ModelError
from sessionwise.mixed.inference import contrasts

VALUE, TAIL = 2e-5, 1e-3
CONTRASTS = [c for c in STORED["contrasts"] if c["case"] in LME4]


def name_of(c: dict) -> str:
    return f"{c['case']}-{len(c['L'])}"


def in_our_order(c: dict) -> np.ndarray:
    """A stored contrast matrix, for the coefficients as our fit has them."""
    names = list(stored(c["case"]).problem.names)
    found = np.zeros(np.shape(c["L"]))
    found[:, [names.index(column) for column in LME4[c["case"]]["columns"]]] = c["L"]
    return found


@pytest.mark.parametrize(
    ("name", "kind"), [(name, kind) for name, case in LME4.items() for kind in ("satterthwaite", "kr") if kind in case]
)
def test_each_coefficient(name, kind):
    case, solution = LME4[name], stored(name)
    degrees = "satterthwaite" if kind == "satterthwaite" else "kenward-roger"
    found = contrasts.test(solution, np.eye(solution.problem.p), degrees=degrees)
    for ours, theirs, rtol in [("se", "se", VALUE), ("df", "df", VALUE), ("p", "p", TAIL)]:
        np.testing.assert_allclose(getattr(found, ours), of_program(case, case[kind][theirs]), rtol=rtol, atol=1e-300)
    np.testing.assert_allclose(found.statistic, of_program(case, case[kind]["t"]), rtol=VALUE, atol=VALUE)


@pytest.mark.parametrize("c", CONTRASTS, ids=name_of)
def test_contrasts_with_satterthwaite(c):
    found = contrasts.joint(stored(c["case"]), in_our_order(c))
    theirs = c["satterthwaite"]
    assert (found.f, found.df1, found.df2) == pytest.approx((theirs["F"], theirs["ndf"], theirs["ddf"]), rel=VALUE)
    assert found.p == pytest.approx(theirs["p"], rel=TAIL)


@pytest.mark.parametrize("c", [c for c in CONTRASTS if "krmodcomp" in c], ids=name_of)
def test_contrasts_with_kenward_roger(c):
    found = contrasts.joint(stored(c["case"]), in_our_order(c), degrees="kenward-roger")
    theirs = c["krmodcomp"]
    assert (found.f, found.df1, found.df2) == pytest.approx((theirs["F"], theirs["ndf"], theirs["ddf"]), rel=VALUE)
    assert found.p == pytest.approx(theirs["p"], rel=TAIL)


@pytest.mark.parametrize("c", [c for c in CONTRASTS if len(c["L"]) == 1], ids=name_of)
def test_single_contrasts(c):
    for kind, degrees in [("satterthwaite", "satterthwaite"), ("kr", "kenward-roger")]:
        if kind not in c:
            continue
        found, theirs = contrasts.test(stored(c["case"]), in_our_order(c), degrees=degrees), c[kind]
        ours = (found.estimate[0], found.se[0], found.df[0], found.statistic[0])
        assert ours == pytest.approx((theirs["estimate"], theirs["se"], theirs["df"], theirs["t"]), rel=VALUE)


# --- definitions -----------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def solution():
    return fitted(nested(), "y ~ x * z + (1 + x | p)").solution


@pytest.mark.parametrize("degrees", [*contrasts.DEGREES, 7.5])
def test_one_row_of_a_joint_test_is_t_squared(solution, degrees):
    row = np.array([0, 1, -2, 0.5])
    each, together = contrasts.test(solution, row, degrees=degrees), contrasts.joint(solution, row, degrees=degrees)
    assert together.f == pytest.approx(each.statistic[0] ** 2, rel=1e-9)
    assert (together.df1, together.df2) == (1, pytest.approx(each.df[0], rel=1e-9))
    assert together.p == pytest.approx(each.p[0], rel=1e-9)


@pytest.mark.parametrize("degrees", [*contrasts.DEGREES, 7.5])
def test_interval_and_p_agree(solution, degrees):
    """A value at the end of the 90 % interval has p = 0.1."""
    rows = np.eye(4)
    for level in (0.9, 0.999):
        found = contrasts.test(solution, rows, degrees=degrees, level=level)
        np.testing.assert_allclose((found.low + found.high) / 2, found.estimate, rtol=1e-9)
        for end in (found.low, found.high):
            at_end = contrasts.test(solution, rows, end, degrees=degrees)
            np.testing.assert_allclose(at_end.p, 1 - level, rtol=1e-7)


def test_fixed_degrees(solution):
    rows = np.eye(4)[1:]
    n = solution.problem.n
    assert contrasts.test(solution, rows, degrees="residual").df.tolist() == [n - 4] * 3
    assert contrasts.test(solution, rows, degrees="normal").df.tolist() == [np.inf] * 3
    assert contrasts.test(solution, rows, degrees=3).df.tolist() == [3] * 3
    normal = contrasts.joint(solution, rows, degrees="normal")
    assert normal.df2 == np.inf
    assert normal.p == pytest.approx(contrasts.joint(solution, rows, degrees=1e9).p, rel=1e-5)


def test_reference_values():
    """R: 2 * pt(-12, 17), qt(0.975, 17), 2 * pnorm(-30), pf(50, 3, 8, lower.tail = FALSE)."""
    assert contrasts._t_p(np.array([12.0]), np.array([17.0]))[0] == pytest.approx(1.0062315526421915e-09, rel=1e-12)
    assert contrasts._t_quantile(0.975, np.array([17.0]))[0] == pytest.approx(2.1098155778331806, rel=1e-12)
    assert contrasts._t_p(np.array([-30.0]), np.array([np.inf]))[0] == pytest.approx(9.813427e-198, rel=1e-6)
    assert contrasts._f_p(50.0, 3, 8.0) == pytest.approx(1.5843430680967866e-05, rel=1e-12)


# --- dependent rows -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("degrees", ["kenward-roger", "normal", "residual"])
@given(seed=st.integers(0, 2**32 - 1), rank=st.integers(1, 4), more=st.integers(0, 3))
@settings(max_examples=25)
def test_rows_that_follow_from_others_do_not_count(solution, degrees, seed, rank, more):
    rng = np.random.default_rng(seed)
    rows = rng.standard_normal((rank, 4))
    assume(np.linalg.cond(rows) < 1e3)  # nearer to dependence than that, lmerTest's rule counts one less: next test
    mixed = np.vstack([rows, rng.standard_normal((more, rank)) @ rows, np.zeros((1, 4))])[
        rng.permutation(rank + more + 1)
    ]
    one = contrasts.joint(solution, rows, degrees=degrees)
    other = contrasts.joint(solution, mixed, degrees=degrees)
    assert (other.f, other.df1, other.df2) == pytest.approx((one.f, rank, one.df2), rel=1e-6)


def test_rows_that_nearly_follow_from_others_do_not_count_either(solution):
    """A combination whose variance is below contrasts.DEPENDENT of the largest is taken as zero, as in lmerTest."""
    rows = np.array([[0.0, 1.0, 0.0, 0.0], [0.0, 0.0, 1.0, 0.0], [0.0, 1.0, 0.0, 0.0]])
    for away, df1 in ((1e-6, 2), (1e-2, 3)):
        rows[2, 3] = away * np.sqrt(solution.vcov[1, 1] / solution.vcov[3, 3])
        assert contrasts.joint(solution, rows, degrees="normal").df1 == df1


def test_dependent_rows_with_satterthwaite(solution):
    """Its df depend on the rows, their number does not."""
    rows = np.eye(4)[[1, 2, 1]]
    found = contrasts.joint(solution, rows)
    assert found.df1 == 2
    assert found.f == pytest.approx(contrasts.joint(solution, rows[:2]).f, rel=1e-9)
    assert 10 < found.df2 < solution.problem.n


@pytest.mark.parametrize("degrees", ["satterthwaite", "kenward-roger"])
def test_units_of_rows_do_not_change_the_rank(solution, degrees):
    """lmerTest would test one row here."""
    found = contrasts.joint(solution, np.diag([0, 1e-9, 1e9, 0]), degrees=degrees)
    plain = contrasts.joint(solution, np.eye(4)[1:3], degrees=degrees)
    assert found.df1 == 2
    assert found.f == pytest.approx(plain.f, rel=1e-9)


# --- mistakes ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rows", "options", "says"),
    [
        (np.eye(3), {}, "each of the 4 coefficients"),
        (np.full((1, 4), np.nan), {}, "finite weight"),
        (np.zeros((2, 2, 4)), {}, "each of the 4 coefficients"),
        (np.vstack([np.eye(4), np.zeros(4)]), {}, "zeros says nothing"),
        (np.eye(4), {"degrees": "satterthwait"}, "Did you mean 'satterthwaite'"),
        (np.eye(4), {"degrees": 0.0}, "not known"),
        (np.eye(4), {"degrees": float("nan")}, "not known"),
        (np.eye(4), {"level": 95}, "level is 95"),
    ],
)
def test_mistakes(solution, rows, options, says):
    with pytest.raises(ModelError, match=says) as mistake:
        contrasts.test(solution, rows, **options)
    assert mistake.value.remedy


def test_nothing_to_test(solution):
    with pytest.raises(ModelError, match="no row but zeros"):
        contrasts.joint(solution, np.zeros((2, 4)))


def test_results_are_frozen(solution):
    with pytest.raises(FrozenInstanceError):
        contrasts.joint(solution, np.eye(4)).f = 0.0


def test_scipy_is_not_imported_before_it_is_needed():
    code = "import sys, sessionwise.mixed.inference.contrasts; sys.exit('scipy.special' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)
