"""Robust errors against clubSandwich, against the published formulas with matrices of all rows, what must not matter.

Tolerances
----------
POINT 1e-10 relative: clubSandwich at R's own parameters, so that only rounding differs; 1e-12 was found at worst.
TAIL 1e-9 relative: p-values of these, which magnify differences of the statistic; 3e-12 was found at worst.
OWN 1e-5 relative: at our own optimum; R's and ours are off by 1e-6 of a parameter; 5e-7 was found at worst.
WRITTEN 1e-10 relative: the same formulas with matrices of all rows, rounding alone; 1e-13 was found at worst.
EXTREME 1e-4 relative: the same where the ICC is 0.99999; the formulas square the eigenvalues of V, 5e5 apart.
"""

from __future__ import annotations

import json
import pickle

import numpy as np
import polars as pl
import pytest
import scipy.linalg

import sessionwise as sw
from helpers.dense import covariance, dense
from helpers.multilevel import Setup, setup
from helpers.places import REFERENCE
from helpers.sessions import nested, renamed
from sessionwise.errors import ModelError
from sessionwise.mixed import Solution
from sessionwise.mixed.inference import Robust, robust

POINT, TAIL, OWN, WRITTEN, EXTREME = 1e-10, 1e-9, 1e-5, 1e-10, 1e-4
FOLDER = REFERENCE / "robust"
CASES = {case["id"]: case for case in json.loads((FOLDER / "results.json").read_text(encoding="utf-8"))["cases"]}
PANEL = sw.Panel(pl.read_csv(FOLDER / "sessions.csv"), person="person", session="session", time="time")
KINDS = ("CR0", "CR1", "CR2")


def listed(value: object) -> list[float]:
    return value if isinstance(value, list) else [value]


def stored(case: dict) -> tuple[Setup, Solution]:
    """A case's model at the parameters at which R stopped."""
    said = case.get("residuals", {})
    made = setup(
        PANEL,
        case["formula"],
        said.get("kind", "independent"),
        said.get("position", "session"),
        said.get("variance_by", ""),
    )
    given = case["parameters"]
    return made, made.at_parameters(listed(given["theta"]), listed(given.get("rho", [])), case["method"] == "REML")


def table() -> pl.DataFrame:
    return nested(3, 24)


def close(found: object, expected: object, tolerance: float = POINT) -> None:
    np.testing.assert_allclose(found, expected, rtol=tolerance)


def assert_vcov(found: np.ndarray, expected: np.ndarray, tolerance: float) -> None:
    """Relative to the standard errors: a covariance may be nearly zero."""
    scale = np.sqrt(np.diagonal(expected))
    np.testing.assert_allclose(
        found / scale / scale[:, None], expected / scale / scale[:, None], atol=tolerance, rtol=0
    )


# --- clubSandwich ------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", CASES)
def test_club_sandwich(name, kind):
    case = CASES[name]
    s, solution = stored(case)
    expected = case[kind]
    r = robust(solution, s.design, s.column(case["by"]), kind)
    close(r.beta, case["fixef"])
    assert_vcov(r.vcov, np.array(expected["vcov"]), POINT)
    close(r.se, np.sqrt(np.diagonal(expected["vcov"])))
    close(r.df, expected["df"])
    each = r.contrasts(np.eye(len(r.beta)))
    close(each.p, expected["p"], TAIL)
    first, one = r.contrasts(case["L"]), expected["contrast"]
    close([first.estimate[0], first.se[0], first.df[0]], [one["estimate"], one["se"], one["df"]])
    joint, both = r.test(case["L"]), expected["joint"]
    close([joint.f, joint.df1, joint.df2], [both["F"], both["df1"], both["df2"]])
    close(joint.p, both["p"], TAIL)


@pytest.mark.parametrize("name", CASES)
def test_club_sandwich_at_our_own_optimum(name):
    case = CASES[name]
    s, _ = stored(case)
    r = robust(s.fit(case["method"] == "REML"), s.design, s.column(case["by"]))
    close(r.se, np.sqrt(np.diagonal(case["CR2"]["vcov"])), OWN)
    close(r.df, case["CR2"]["df"], OWN)


# --- the formulas ------------------------------------------------------------------------------------


def written_out(s: Setup, solution: Solution, codes: np.ndarray, kind: str) -> tuple[np.ndarray, np.ndarray]:
    """The covariance and degrees of freedom of Pustejovsky and Tipton (2018), with matrices of all rows."""
    v, x, y = covariance(s.design, solution, s.at), s.x, s.y
    whole = dense(s.design, v)
    w, bread = whole.weights, whole.vcov
    left = np.eye(len(y)) - x @ bread @ x.T @ w
    e, vcov, of_clusters = left @ y, np.zeros((x.shape[1],) * 2), []
    for j in np.unique(codes):
        at = np.flatnonzero(codes == j)
        a = np.eye(len(at))
        if kind == "CR2":
            root = np.real(scipy.linalg.sqrtm(v[np.ix_(at, at)]))
            inner = root @ (left[at] @ v @ left[at].T) @ root
            values, vectors = np.linalg.eigh(inner)
            kept = values > 1e-13 * values.max()
            a = root @ (vectors[:, kept] / np.sqrt(values[kept])) @ vectors[:, kept].T @ root
        gain = bread @ x[at].T @ w[np.ix_(at, at)] @ a
        score = gain @ e[at]
        vcov += np.outer(score, score)
        of_clusters.append(gain @ left[at])
    m = len(of_clusters)
    vcov *= m / (m - 1) if kind == "CR1" else 1.0
    df = []
    for c in range(x.shape[1]):
        p = np.array([g[c] for g in of_clusters])
        p = p @ v @ p.T
        df.append(np.trace(p) ** 2 / (p**2).sum())
    return vcov, np.array(df)


MODELS = [
    ("y ~ x + w + (1 + x | p)", "p", {}, [1.5, 0.3, 0.4], []),
    ("y ~ x + w + (1 | p) + (1 + x | g)", "g", {}, [1.5, 0.8, 0.3, 0.5], []),
    ("y ~ x + w + (1 | p) + (1 | g)", "c", {}, [1.5, 0.8], []),
    ("y ~ x + w + (1 | p) + (1 | p:e)", "p", {}, [1.5, 0.8], []),
    ("y ~ x + w + (1 | p) + (0 + x | p)", "p", {}, [1.5, 0.8], []),
    ("y ~ 0 + x + w + (1 | p)", "p", {}, [1.5], []),
    ("y ~ x + w + (1 | p)", "p", {}, [0.0], []),
    ("y ~ x + w + (1 | p)", "p", {}, [300.0], []),
    ("y ~ x + w + (1 | p)", "g", {"kind": "ar1"}, [1.5], [-0.4]),
    ("y ~ x + w + (1 + x | p)", "p", {"kind": "ar1", "by": "b"}, [1.5, 0.3, 0.4], [0.4, 1.7]),
    ("y ~ x + w + (1 | p)", "c", {"kind": "car1"}, [1.5], [0.4]),
    ("y ~ x + w", "p", {"kind": "ar1"}, [], [0.4]),
    ("y ~ x + w", "b", {}, [], []),
]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("formula", "by", "residual", "theta", "rho"), MODELS)
def test_the_published_formulas(formula, by, residual, theta, rho, kind):
    s = setup(table(), formula, **residual)
    solution = s.at_parameters(theta, rho)
    vcov, df = written_out(s, solution, s.column(by), kind)
    r = robust(solution, s.design, s.column(by), kind)
    tolerance = EXTREME if theta == [300.0] else WRITTEN
    assert_vcov(r.vcov, vcov, tolerance)
    close(r.df, df, tolerance)


def test_a_cluster_that_alone_determines_a_coefficient():
    s = setup(table().with_columns(lone=(pl.col("g") == 3).cast(pl.Int64)), "y ~ x + lone + (1 | p)")
    solution = s.at_parameters([1.5])
    vcov, df = written_out(s, solution, s.column("g"), "CR2")
    r = robust(solution, s.design, s.column("g"))
    assert_vcov(r.vcov, vcov, WRITTEN)
    close(r.df, df, WRITTEN)


def test_cr2_is_unbiased_under_the_model():
    """Its expectation, the sum of K_j - C_j'C_j, is the model's own covariance."""
    s = setup(table(), "y ~ x + w + (1 + x | p)", "ar1")
    solution = s.at_parameters([1.5, 0.3, 0.4], [0.3])
    parts = robust(solution, s.design).sandwich
    expected = parts.own.sum(axis=0) - np.einsum("jkp,jkq->pq", parts.cross, parts.cross)
    table_of_x = solution.optimum.evaluation.table[:-1, :-1]
    np.testing.assert_allclose(expected @ table_of_x, np.eye(3), atol=1e-10)


# --- what must not matter ----------------------------------------------------------------------------


def test_units_of_a_predictor_and_of_the_outcome():
    formula = "y ~ x + w + (1 + x | p)"
    plain, moved = (
        setup(t, formula) for t in (table(), table().with_columns(pl.col("x") * 1e-3 + 50, pl.col("y") * 1e4 - 7e5))
    )
    a, b = robust(plain.fit(), plain.design), robust(moved.fit(), moved.design)
    close(b.se[1:], a.se[1:] * [1e7, 1e4], OWN)
    close(b.df[1:], a.df[1:], OWN)
    at_zero = b.contrasts([[1, 50, 0]])
    close([at_zero.se[0] / 1e4, at_zero.df[0]], [a.se[0], a.df[0]], OWN)


def test_order_of_the_rows_and_labels():
    formula = "y ~ x + w + (1 | p) + (1 | g)"
    both = (setup(t, formula) for t in (table(), renamed(table(), 1)))
    a, b = (robust(s.at_parameters([1.5, 0.8]), s.design) for s in both)
    close(b.se, a.se)
    close(b.df, a.df)


def test_cr1_is_a_multiple_of_cr0():
    s = setup(table(), "y ~ x + w + (1 | p)")
    solution = s.at_parameters([1.5])
    plain, scaled = robust(solution, s.design, kind="CR0"), robust(solution, s.design, kind="CR1")
    close(scaled.vcov, plain.vcov * 24 / 23)
    close(scaled.df, plain.df)


# --- what comes out ----------------------------------------------------------------------------------


def made(formula: str, theta: list[float]) -> Robust:
    s = setup(table(), formula)
    return robust(s.at_parameters(theta), s.design)


def test_a_kind_that_is_not_there():
    s = setup(table(), "y ~ x + (1 | p)")
    with pytest.raises(ModelError, match="CR3"):
        robust(s.at_parameters([1.0]), s.design, kind="CR3")


def test_few_clusters_are_said():
    finding = next(iter(made("y ~ x + w + (1 | p) + (1 | c)", [1.0, 1.0]).findings))
    assert (finding.code, finding.count, finding.where) == ("few-clusters", 3, "c")
    assert "3 clusters" in finding.what
    assert finding.remedy
    assert not made("y ~ x + w + (1 | p)", [1.0]).findings


def test_contrasts_of_single_coefficients_are_the_coefficients():
    r = made("y ~ x + w + (1 | p)", [1.0])
    each = r.contrasts(np.eye(3))
    close([each.estimate, each.se, each.df], [r.beta, r.se, r.df])
    joint = r.test([0, 1, 0])
    close([joint.f, joint.df1, joint.df2, joint.p], [each.t[1] ** 2, 1, r.df[1], each.p[1]])


def test_a_joint_test_does_not_depend_on_how_it_is_written():
    r = made("y ~ x + w + (1 | p)", [1.0])
    a, b = r.test([[0, 1, 0], [0, 0, 1]]), r.test([[0, 1, 1], [0, -1, 3]])
    close([a.f, a.df2, a.p], [b.f, b.df2, b.p])


def test_too_few_clusters_for_a_joint_test():
    r = made("y ~ x + w + s + (1 | p) + (1 | c)", [1.0, 1.0])
    assert np.isnan(r.test(np.eye(4)).p)


def test_contrasts_that_cannot_be():
    r = made("y ~ x + w + (1 | p)", [1.0])
    with pytest.raises(ModelError, match="2 columns"):
        r.contrasts([[1, 0]])
    with pytest.raises(ModelError, match="follows from"):
        r.test([[0, 1, 0], [0, 2, 0]])


def test_it_can_be_pickled_and_does_not_print_its_parts():
    r = made("y ~ x + (1 | p)", [1.0])
    close(pickle.loads(pickle.dumps(r)).vcov, r.vcov)
    assert "sandwich" not in repr(r)


@pytest.mark.slow
def test_size_with_ten_therapists():
    """A predictor of therapists without effect: 400 samples, so that the rate is known to 0.011; 0.043 was found."""
    rejected = 0
    for seed in range(400):
        rng = np.random.default_rng(seed)
        therapist = np.repeat(np.arange(10), 24)
        person, session = np.repeat(np.arange(60), 4), np.tile(np.arange(4), 60)
        arm = (therapist < 3).astype(int)
        y = rng.normal(size=10)[therapist] + rng.normal(size=60)[person] + rng.normal(size=240)
        columns = {"p": person, "s": session, "g": therapist, "arm": arm, "y": y}
        s = setup(pl.DataFrame(columns), "y ~ arm + (1 | p) + (1 | g)")
        rejected += robust(s.fit(), s.design).contrasts([[0, 1]]).p[0] < 0.05
    assert abs(rejected / 400 - 0.05) < 3 * np.sqrt(0.05 * 0.95 / 400)
