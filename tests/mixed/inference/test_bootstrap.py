"""Drawing from a model and the parametric bootstrap: moments of what is drawn, R's bootMer, asymptotic errors.

Monte Carlo tolerances are ERRORS standard errors of the quantity compared, with both sides' where both are simulated;
each test says how many draws it is from. Seeds are fixed.
"""

from __future__ import annotations

import json
import time
from dataclasses import replace

import numpy as np
import pytest

import sessionwise as sw
from helpers import lme4
from helpers.dense import covariance
from helpers.lme4 import stored
from helpers.multilevel import fitted
from helpers.places import REFERENCE
from helpers.sessions import nested
from sessionwise.errors import ModelError
from sessionwise.mixed.inference import Bootstrap, TrueParameters, bootstrap, draw, draw_from, profile
from sessionwise.mixed.inference.parameters import Parameter, parameters

ERRORS = 4.5
BOOTMER = json.loads((REFERENCE / "inference" / "bootstrap.json").read_text(encoding="utf-8"))


# --- draw ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("formula", "options"),
    [
        ("y ~ x + (1 + x | p)", {}),
        ("y ~ x + (1 | p) + (1 | h)", {}),
        ("y ~ x + (1 + x || p) + (1 | g) + (1 | c)", {}),
        ("y ~ x + (1 | p) + (1 | p:e)", {}),
        ("y ~ x + (1 | p)", {"residual": "ar1", "variance_by": "b"}),
        ("y ~ x", {"residual": "car1"}),
        ("y ~ x + (1 | h)", {"variance_by": "b"}),
    ],
)
def test_moments(formula, options):
    """Means and all covariances between rows, from 4000 draws."""
    f = fitted(nested(seed=4, persons=8, sessions=5), formula, **options)
    rng, n = np.random.default_rng(1), 4000
    drawn = np.array([draw(f.solution, f.design, rng) for _ in range(n)])
    v = covariance(f.design, f.solution, f.at)
    sd = np.sqrt(v.diagonal())
    assert (np.abs(drawn.mean(axis=0) - f.x @ f.solution.beta) < ERRORS * sd / np.sqrt(n)).all()
    of_entries = np.sqrt((np.outer(v.diagonal(), v.diagonal()) + v**2) / n)
    assert (np.abs(np.cov(drawn.T) - v) < ERRORS * of_entries).all()


def test_a_negative_phi_alternates():
    f = fitted(nested(seed=4), "y ~ x", residual="ar1")
    truth = TrueParameters(np.zeros(2), 1.0, (), np.array([-0.9]))
    e = draw_from(truth, f.design, f.solution.problem.residual, np.random.default_rng(1))
    gaps = f.solution.problem.residual.gaps
    near, far = (np.flatnonzero(gaps == d) for d in (1, 2))
    assert (e[near] * e[near - 1]).mean() < -0.5
    assert (e[far] * e[far - 1]).mean() > 0.3


def test_explicit_parameters_are_used():
    f = fitted(nested(), "y ~ x + (1 | p)")
    truth = TrueParameters(np.array([3.0, 2.0]), 0.0, (np.zeros((1, 1)),), np.zeros(0))
    y = draw_from(truth, f.design, f.solution.problem.residual, np.random.default_rng(1))
    np.testing.assert_allclose(y, 3 + 2 * f.x[:, 1])


def test_parameters_that_do_not_fit():
    f = fitted(nested(), "y ~ x + (1 | p)")
    rng, residual = np.random.default_rng(1), f.solution.problem.residual
    with pytest.raises(ModelError, match="1 coefficients given, 2 needed"):
        draw_from(TrueParameters(np.zeros(1), 1.0, (np.eye(1),), np.zeros(0)), f.design, residual, rng)
    with pytest.raises(ModelError, match="2 effects of p given, 1 needed"):
        draw_from(TrueParameters(np.zeros(2), 1.0, (np.eye(2),), np.zeros(0)), f.design, residual, rng)
    short = replace(f.design, rows=f.design.rows[1:])
    with pytest.raises(ModelError, match="rows of the residuals"):
        draw(f.solution, short, rng)


def test_rows_of_no_group():
    f = fitted(nested(), "y ~ x + (1 | p)")
    (group,) = f.design.groupings
    codes = group.codes.copy()
    codes[3] = -1
    lost = replace(f.design, groupings=(replace(group, codes=codes),))
    with pytest.raises(ModelError, match="no level of p"):
        draw(f.solution, lost, np.random.default_rng(1))


# --- bootstrap -----------------------------------------------------------------------------------


def test_the_seed_decides_and_nothing_else():
    f = fitted(nested(), "y ~ x + (1 | p)")
    told: list[tuple[int, int]] = []
    one, two = (bootstrap(f.solution, f.design, 12, seed=3, threads=k) for k in (1, 3))
    more = bootstrap(f.solution, f.design, 15, seed=3, progress=lambda *now: told.append(now))
    other = bootstrap(f.solution, f.design, 12, seed=4)
    np.testing.assert_array_equal(one.replicates, two.replicates)
    np.testing.assert_array_equal(one.replicates, more.replicates[:12])
    assert not (one.replicates == other.replicates).any()
    assert told == [(i + 1, 15) for i in range(15)]


@pytest.mark.parametrize("method", ["ML", "REML"])
def test_a_replicate_is_a_fit_to_what_was_drawn(method):
    data = nested(persons=60)
    f = fitted(data, "y ~ x + (1 + x | p)", method, residual="ar1")
    made = bootstrap(f.solution, f.design, 1, seed=3)
    (seed,) = np.random.SeedSequence(3).spawn(1)
    y = np.full(len(data), np.nan)
    y[f.design.rows] = draw(f.solution, f.design, np.random.default_rng(seed))
    again = fitted(data.sort("p", "s").with_columns(y=y), "y ~ x + (1 + x | p)", method, residual="ar1").solution
    assert made.criterion[0] == pytest.approx(again.criterion, abs=1e-6)
    sds = np.sqrt(again.covariances[0].diagonal())
    expected = [sds[0], again.covariances[0][0, 1] / sds.prod(), sds[1], again.sigma, *again.residual, *again.beta]
    np.testing.assert_allclose(made.replicates[0], expected, rtol=1e-3)
    assert made.parameters == parameters(again.problem)
    assert made.converged.all()
    assert not made.singular.any()


def against_asymptotics(n: int) -> None:
    """150 persons x 6: the replicates' SDs are the standard errors, of variance parameters those that follow from the
    profile's width (up to 4 % for what is not asymptotic), and their means the estimates of coefficients."""
    f = fitted(nested(seed=9, persons=150), "y ~ x + z + (1 | p)")
    made = bootstrap(f.solution, f.design, n, seed=2)
    intervals = profile(f.solution)
    assert made.converged.all()
    beta = np.array([p.kind == "coefficient" for p in made.parameters])
    se = (intervals.high - intervals.low) / (2 * 1.959964)
    se[beta] = np.sqrt(f.solution.vcov.diagonal())
    of_sd = 1 / np.sqrt(2 * (n - 1))
    assert (np.abs(made.standard_errors / se - 1) < ERRORS * of_sd + np.where(beta, 0.0, 0.04)).all()
    off = (made.replicates.mean(axis=0) - made.estimate) / se
    assert (np.abs(off[beta]) < ERRORS / np.sqrt(n)).all()
    inside = (made.estimate > made.percentile(0.99)[:, 0]) & (made.estimate < made.percentile(0.99)[:, 1])
    assert inside.all()


def test_against_asymptotics():
    against_asymptotics(150)


@pytest.mark.slow
def test_against_asymptotics_at_full_size():
    against_asymptotics(3000)


def against_bootmer(name: str, formula: str, case: str, n: int) -> None:
    """Shares of our replicates below quantiles of R's, and of those at 0."""
    panel = lme4.panel(lme4.CASES[case])
    made = bootstrap(sw.MLM(formula).fit(panel).solution, sw.design(panel, formula), n, seed=8)
    for parameter, column in zip(made.parameters, made.replicates.T, strict=True):
        theirs = BOOTMER[name][parameter.name]
        shares = np.array([*BOOTMER["shares"], theirs["zero"]])
        ours = [np.mean(column <= q) for q in theirs["quantiles"]] + [np.mean(np.abs(column) < 1e-4)]
        both = np.sqrt(shares * (1 - shares) * (1 / n + 1 / BOOTMER["replicates"]))
        apart = np.abs(np.array(ours) - shares)
        if theirs["zero"] > 0.04:  # a quantile among the zeros is no quantile
            apart[:1] = 0
        assert (apart <= ERRORS * both + 1e-9).all(), parameter.name


def test_bootmer_at_a_boundary():
    against_bootmer("dyestuff", "y ~ 1 + (1 | batch)", "dyestuff-reml", 400)


@pytest.mark.slow
def test_bootmer_at_full_size():
    against_bootmer("dyestuff", "y ~ 1 + (1 | batch)", "dyestuff-reml", 4000)
    against_bootmer("slope", "y ~ session + xw + (1 + xw | person)", "slope-reml", 3000)


def test_singular_replicates_are_marked():
    panel = lme4.panel(lme4.CASES["dyestuff-reml"])
    formula = "y ~ 1 + (1 | batch)"
    made = bootstrap(sw.MLM(formula).fit(panel).solution, sw.design(panel, formula), 100, seed=1)
    zero = made.replicates[:, 0] < 1e-4 * made.replicates[:, 1]
    np.testing.assert_array_equal(made.singular, zero)
    assert 0 < zero.mean() < 0.5
    assert made.percentile()[0, 0] == pytest.approx(0, abs=1e-2)


def test_a_fit_without_variance_can_be_drawn_from():
    """Its estimates are no place to start from: half of the replicates have some."""
    solution = stored("dyestuff2-reml")
    panel = lme4.panel(lme4.CASES["dyestuff2-reml"])
    made = bootstrap(solution, sw.design(panel, "y ~ 1 + (1 | batch)"), 60, seed=1)
    assert made.converged.all()
    assert 0.2 < made.singular.mean() < 0.9


# --- intervals, by hand --------------------------------------------------------------------------

SD = Parameter("sd", "sd_x|p", (0.0, np.inf), "p", ("x",))
SLOPE = Parameter("coefficient", "x", (-np.inf, np.inf))


def by_hand(columns: np.ndarray, converged: np.ndarray | None = None) -> Bootstrap:
    n = len(columns)
    ok = np.ones(n, bool) if converged is None else converged
    return Bootstrap((SD, SLOPE), np.array([1.0, 10.0]), columns, np.zeros(n), ok, np.zeros(n, bool))


def test_intervals():
    values = np.arange(1.0, 100.0)  # 99 replicates: the 5th and the 95th make 90 %
    made = by_hand(np.stack([values, values], axis=1))
    np.testing.assert_allclose(made.percentile(0.9), [[5, 95], [5, 95]])
    np.testing.assert_allclose(made.basic(0.9), [[0, 0], [20 - 95, 20 - 5]])
    np.testing.assert_allclose(made.standard_errors, np.std(values, ddof=1))


def test_what_takes_no_part():
    columns = np.stack([np.array([1.0, 2, 3, 99]), np.array([1.0, np.nan, 3, 99])], axis=1)
    made = by_hand(columns, np.array([True, True, True, False]))
    np.testing.assert_allclose(made.standard_errors, [1, np.sqrt(2)])
    np.testing.assert_allclose(made.percentile(0.5), [[1, 3], [1, 3]])
    nothing = by_hand(np.full((3, 2), np.nan))
    assert np.isnan(nothing.percentile()).all()
    assert np.isnan(nothing.standard_errors).all()


def test_nonsense_is_refused():
    f = fitted(nested(), "y ~ x + (1 | p)")
    with pytest.raises(ModelError, match="0 replicates"):
        bootstrap(f.solution, f.design, 0, seed=1)
    with pytest.raises(ModelError, match="between 0 and 1"):
        by_hand(np.zeros((2, 2))).percentile(95)


def test_ctrl_c_ends_a_bootstrap():
    """Raised where the main thread is; replicates that nobody waits for are not drawn."""
    f = fitted(nested(), "y ~ x + (1 | p)")

    def stop(done: int, of: int) -> None:
        if done == 2:
            raise KeyboardInterrupt

    before = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        bootstrap(f.solution, f.design, 1_000_000, seed=1, progress=stop)
    assert time.monotonic() - before < 10  # to draw a million seeds alone takes longer
