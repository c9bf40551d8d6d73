"""Explained variance against the paper's formulas by hand, the covariance of all rows, and simulation from the model.

Tolerances
----------
EXACT 1e-10 relative: the same numbers by another way, so that only rounding differs.
OWN 1e-5 relative: two fits of the same model, each off by about 1e-6 of a parameter.
MONTE_CARLO 4 standard errors of the mean of the simulated samples.
"""

from __future__ import annotations

import json

import numpy as np
import polars as pl
import pytest

from helpers.dense import covariance, persons_of, random_matrix
from helpers.multilevel import Setup, setup
from helpers.sessions import nested, renamed
from sessionwise.mixed.inference import Explained, explained
from sessionwise.words import percent

EXACT, OWN, MONTE_CARLO = 1e-10, 1e-5, 4.0


def table() -> pl.DataFrame:
    """With a predictor that differs between persons, too."""
    return nested(3, 24).with_columns(pl.col("x") + 2 * pl.col("w"))


def close(found: object, expected: object, tolerance: float = EXACT) -> None:
    np.testing.assert_allclose(found, expected, rtol=tolerance, atol=1e-12)


def parts(e: Explained) -> np.ndarray:
    return np.array([e.f1, e.f2, e.v, e.m, e.residual])


def person_means(s: Setup) -> np.ndarray:
    """The projection on person means (n_rows, n_rows)."""
    person = persons_of(s.design)
    same = person[:, None] == person[None, :]
    return same / same.sum(axis=1)


# --- by hand -----------------------------------------------------------------------------------------


def test_with_an_intercept_alone_it_is_the_icc():
    s = setup(table(), "y ~ 1 + (1 | p)")
    solution = s.fit()
    tau, sigma2 = solution.covariances[0][0, 0], solution.sigma**2
    e = explained(solution, s.design)
    close(parts(e), [0, 0, 0, tau, sigma2])
    close(e.r2_total["m"], tau / (tau + sigma2))
    close([e.conditional, e.marginal, e.r2_between["m"], e.r2_within["f1v"]], [tau / (tau + sigma2), 0, 1, 0])


def test_the_papers_formulas_for_a_centred_random_slope():
    s = setup(table(), "y ~ within(x) + between(x) + w + (1 + within(x) | p)")
    solution = s.at_parameters([1.2, 0.2, 0.5])
    columns = s.x
    covariance = np.cov(columns.T)
    b, t = solution.beta, solution.covariances[0]
    e = explained(solution, s.design)
    of_between = b[2:] @ covariance[2:, 2:] @ b[2:]
    close(parts(e), [b[1] ** 2 * covariance[1, 1], of_between, t[1, 1] * covariance[1, 1], t[0, 0], solution.sigma**2])


def test_predictors_that_are_not_centred():
    s = setup(table(), "y ~ x + w + (1 + x | p)")
    solution = s.at_parameters([1.2, 0.2, 0.5])
    x, w = s.design.columns["x"], s.design.columns["w"]
    n, b, t = len(x), solution.beta, solution.covariances[0]
    mean = person_means(s) @ x
    e = explained(solution, s.design)
    close(e.f1, b[1] ** 2 * ((x - mean) ** 2).sum() / (n - 1))
    close(e.f2, np.var(b[1] * mean + b[2] * w, ddof=1))
    close(e.v, t[1, 1] * ((x - mean) ** 2).sum() / (n - 1))
    close(e.m, t[0, 0] + 2 * t[0, 1] * x.mean() + t[1, 1] * (x.mean() ** 2 + np.var(mean, ddof=1)))


def test_a_therapist_who_changes_half_way():
    """Of a variance tau half is within a person with as many sessions with one as with the other."""
    rows = pl.DataFrame({"p": np.repeat(np.arange(20), 6), "s": np.tile(np.arange(6), 20)})
    rows = rows.with_columns(h=(pl.col("p") + pl.col("s") // 3) % 5, y=pl.Series(range(120)) % 7 * 1.0)
    s = setup(rows, "y ~ 1 + (1 | p) + (1 | h)")
    solution = s.at_parameters([1.0, 0.5])
    shares = {share.group: share for share in explained(solution, s.design).random}
    tau, n = solution.covariances[1][0, 0], 120
    close([shares["h"].within, shares["h"].between], [tau / 2 * n / (n - 1), tau - tau / 2 * n / (n - 1)])
    close([shares["p"].within, shares["p"].between], [0, solution.covariances[0][0, 0]])


# --- the covariance of all rows ----------------------------------------------------------------------

MODELS = [
    ("y ~ x + w + (1 + x | p)", {}, [1.2, 0.2, 0.5], []),
    ("y ~ x + (1 | p) + (0 + x | p)", {}, [1.2, 0.5], []),
    ("y ~ 0 + x + (0 + x | p)", {}, [0.5], []),
    ("y ~ x + w + (1 | p) + (1 + x | g)", {}, [1.2, 0.8, 0.2, 0.3], []),
    ("y ~ x + (1 | p) + (1 + x | h)", {}, [1.2, 0.8, 0.2, 0.3], []),
    ("y ~ x + (1 | p) + (1 | p:b)", {}, [1.2, 0.8], []),
    ("y ~ x + (1 | p)", {"kind": "ar1", "by": "b"}, [1.2], [0.4, 1.6]),
    ("y ~ x + (1 | p)", {"by": "b"}, [1.2], [1.6]),
    ("y ~ x + (1 | p)", {"kind": "ar1"}, [1.2], [0.4]),
    ("y ~ x + w", {}, [], []),
]


@pytest.mark.parametrize(("formula", "residual", "theta", "rho"), MODELS)
def test_the_parts_are_those_of_the_covariance_of_all_rows(formula, residual, theta, rho):
    """v is the expected sum of squares within persons of the random part; parts add up to what the model implies."""
    s = setup(table(), formula, **residual)
    solution = s.at_parameters(theta, rho)
    e = explained(solution, s.design)
    n, means = len(s.design.rows), person_means(s)
    of_random = random_matrix(s.design, s.problem, solution.covariances)
    fixed = s.x @ solution.beta
    close(e.v, np.trace((np.eye(n) - means) @ of_random) / (n - 1))
    close(e.f1 + e.f2, np.var(fixed, ddof=1))
    close(e.residual, np.trace(covariance(s.design, solution, s.at) - of_random) / n)
    of_grand = sum(z.mean(axis=0) @ t @ z.mean(axis=0) for z, t in zip(_columns(s), solution.covariances, strict=True))
    close(e.v + e.m, (np.trace(of_random) - of_grand) / (n - 1))
    close(sum(e.r2_total[part] for part in ("f1", "f2", "v", "m")), 1 - e.residual / parts(e).sum())
    assert (parts(e) >= 0).all()


def _columns(s: Setup) -> list[np.ndarray]:
    return [s.design.matrix[:, list(b.columns)] for b in s.problem.blocks]


def test_simulation_from_the_model():
    """Sums of squares of 4,000 simulated outcomes, within persons and of their means about that of the fixed part."""
    s = setup(table(), "y ~ x + w + (1 + x | p)")
    solution = s.at_parameters([1.2, 0.2, 0.5])
    e, rng = explained(solution, s.design), np.random.default_rng(11)
    person, (z,), t = persons_of(s.design), _columns(s), solution.covariances[0]
    n, k, samples = len(person), len(s.design.persons), 4000
    fixed = s.x @ solution.beta
    effects = rng.normal(size=(samples, k, 2)) @ np.linalg.cholesky(t).T
    y = fixed + (effects[:, person] * z).sum(axis=2) + solution.sigma * rng.normal(size=(samples, n))
    means = y @ person_means(s)
    within, between = ((y - means) ** 2).sum(axis=1), ((means - fixed.mean()) ** 2).sum(axis=1)
    of_grand = z.mean(axis=0) @ t @ z.mean(axis=0)
    for found, expected in (
        (within, (e.f1 + e.v) * (n - 1) + e.residual * (n - k)),
        (between, (e.f2 + e.m) * (n - 1) + of_grand + e.residual * k),
    ):
        assert abs(found.mean() - expected) < MONTE_CARLO * found.std() / np.sqrt(samples)


# --- what must not matter ----------------------------------------------------------------------------


def test_units_of_a_predictor_and_of_the_outcome():
    formula = "y ~ x + w + (1 + x | p)"
    plain, moved = (
        setup(t, formula) for t in (table(), table().with_columns(pl.col("x") * 1e-3 + 50, pl.col("y") * 1e4 - 7e5))
    )
    a, b = explained(plain.fit(), plain.design), explained(moved.fit(), moved.design)
    close(parts(b) / 1e8, parts(a), OWN)
    close(list(b.r2_total.values()), list(a.r2_total.values()), OWN)


def test_order_of_the_rows_and_labels():
    formula = "y ~ x + w + (1 | p) + (1 + x | h)"
    both = (setup(t, formula) for t in (table(), renamed(table(), 1)))
    a, b = (explained(s.at_parameters([1.5, 0.8, 0.1, 0.3]), s.design) for s in both)
    close(parts(b), parts(a))


# --- what comes out ----------------------------------------------------------------------------------


def test_measures_are_ratios_of_the_parts():
    s = setup(table(), "y ~ x + w + (1 + x | p) + (1 | g)")
    e = explained(s.at_parameters([1.2, 0.2, 0.5, 0.7]), s.design)
    whole, within, between = parts(e).sum(), e.f1 + e.v + e.residual, e.f2 + e.m
    total = {"f1": e.f1, "f2": e.f2, "v": e.v, "m": e.m, "f": e.f1 + e.f2, "fv": e.f1 + e.f2 + e.v}
    total["fvm"] = whole - e.residual
    close([e.r2_total[k] for k in total], np.array(list(total.values())) / whole)
    close([e.r2_within[k] for k in ("f1", "v", "f1v")], np.array([e.f1, e.v, e.f1 + e.v]) / within)
    close([e.r2_between[k] for k in ("f2", "m")], np.array([e.f2, e.m]) / between)
    close([e.marginal, e.conditional], [e.r2_total["f"], e.r2_total["fvm"]])
    close([sum(r.within for r in e.random), sum(r.between for r in e.random)], [e.v, e.m])
    assert [r.group for r in e.random] == ["p", "g"]


def test_marginal_and_conditional_are_nakagawas():
    """Johnson's (2014) mean random variance divides by N, the paper by N - 1."""
    s = setup(table(), "y ~ x + w + (1 + x | p)")
    solution = s.at_parameters([1.2, 0.2, 0.5])
    n = len(s.design.rows)
    of_random = np.trace(random_matrix(s.design, s.problem, solution.covariances)) / n
    of_fixed = np.var(s.x @ solution.beta, ddof=1)
    whole = of_fixed + of_random + solution.sigma**2
    e = explained(solution, s.design)
    close([e.marginal, e.conditional], [of_fixed / whole, (of_fixed + of_random) / whole], 2 / n)


@pytest.mark.parametrize("formula", ["y ~ 1", "y ~ within(x)"])
def test_without_variance_between_persons_there_is_no_proportion_of_it(formula):
    """Person means of deviations are zero but for rounding."""
    s = setup(table(), formula)
    e = explained(s.at_parameters([]), s.design)
    assert np.isnan(e.r2_between["f2"])
    assert e.to_dict()["r2_between"] == {"f2": None, "m": None}


def test_it_prints_itself():
    s = setup(table(), "y ~ x + w + (1 + x | p)")
    e = explained(s.at_parameters([1.2, 0.2, 0.5]), s.design)
    rows = {line.strip().split("  ")[0]: line for line in str(e).splitlines()}
    for name, shares in {
        "fixed effects": (e.r2_within["f1"], e.r2_between["f2"], e.r2_total["f"]),
        "random effects": (e.r2_within["v"], e.r2_between["m"], e.r2_total["v"] + e.r2_total["m"]),
        "residual": (1 - e.r2_within["f1v"], 0, 1 - e.r2_total["fvm"]),
    }.items():
        assert rows[name].split()[-6:] == " ".join(map(percent, shares)).split()
    assert f"conditional R² {percent(e.conditional)}" in str(e)
    assert max(map(len, str(e).splitlines())) <= 80
    assert "<table>" in e._repr_html_()
    nothing = setup(table(), "y ~ within(x)")
    assert "–" in str(explained(nothing.at_parameters([]), nothing.design))


def test_it_goes_into_json():
    s = setup(table(), "y ~ x + (1 | p) + (1 | g)")
    e = explained(s.at_parameters([1.0, 0.5]), s.design)
    back = json.loads(json.dumps(e.to_dict(), allow_nan=False))
    assert list(back) == ["variance", "random", "r2_total", "r2_within", "r2_between", "marginal", "conditional"]
    assert back["random"]["g"] == {"within": e.random[1].within, "between": e.random[1].between}
