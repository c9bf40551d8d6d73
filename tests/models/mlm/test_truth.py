"""Statistical truth: models fitted to data whose truth is known, over and over.

- Coefficients have no bias and 95 % intervals that cover 95 %, REML's variances hardly any bias and ML's the one that
  theory says: 18 cells of persons, sessions and residual correlation.
- The person-mean-centred autoregression is biased as Nickell's formula says.
- The demo data's process, where a multilevel model is right for it, is recovered.

Every number comes with its Monte Carlo error; what is tested in full (`-m slow`, about 10 minutes on one core; with -s
it prints its tables) is tested in small on every run. Seeds are fixed.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass

import numpy as np
import polars as pl
import pytest
from scipy import stats

import sessionwise as sw
from sessionwise.datasets import Truth, demo
from sessionwise.models import MLM
from sessionwise.models.mlm.nickell import nickell_bias

# Bias. A mean over replications is over 2 Monte Carlo errors from the truth in 4.55 % of cases, and dozens are looked
# at. So they are judged together: none beyond 4, no more beyond 2 than the binomial's 99.9 % point, and Fisher's
# combination of the cells' Hotelling tests (estimates from the same data correlate) not below .001.
BEYOND = 4.0
RARE = 0.001
# Coverage of 95 % intervals. With 2,000 replications its Monte Carlo error is .49 %, so an interval that does what it
# says stays within 93 to 97 % in 72 of 72 cases with probability .997, and one that covers 92 % fails with .95.
COVERAGE = (0.93, 0.97)
REPLICATIONS = 2000
# In small, all cells are taken together: 420 replications of 4 intervals, Monte Carlo error about .6 %.
SMALL = {(50, 4, 0.0): 60, (50, 8, 0.4): 60, (200, 8, 0.0): 150, (200, 4, 0.4): 150}
# REML's variances, relative to the truth. First-order bias is 0, the next is in proportion to 1 / persons: at most so
# many persons' worth, beyond 3 Monte Carlo errors. With AR(1) residuals and 4 sessions, of which a fifth is missing,
# intercepts and residuals are hard to tell apart (at 50 persons their estimates correlate -.65) and variance goes from
# one to the other: measured 7.5, 2.9 and .9 % for 50, 200 and 646 persons. Their sum has no more bias than the rest.
SECOND_ORDER, HARDLY_APART = 1.5, 6.0
# ML minus REML against first-order theory: the next order is 1 / persons of it.
ML_SHIFT = 0.1  # relative to that shift, beyond 2 Monte Carlo errors
DESIGNS = 10  # that theory is averaged over: it differs little from one to the next
# Nickell: the field notes' table, and the simulation, which must also be within its Monte Carlo error.
TABLE, SIMULATED = 0.001, 0.003

SEED = 20260301

# --- judging --------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, eq=False)
class Runs:
    """Replications of one cell: names and truth (k,), estimates (runs, k), covered bool (runs, m) of the first m."""

    cell: str
    names: tuple[str, ...]
    truth: np.ndarray
    estimates: np.ndarray
    covered: np.ndarray

    @property
    def bias(self) -> np.ndarray:
        return np.asarray(self.estimates.mean(axis=0) - self.truth)

    @property
    def error(self) -> np.ndarray:
        """Monte Carlo error of the bias."""
        return np.asarray(self.estimates.std(axis=0, ddof=1) / np.sqrt(len(self.estimates)))

    @property
    def hotelling(self) -> float:
        """p-value of no bias in any of the estimates."""
        runs, k = self.estimates.shape
        squared = runs * self.bias @ np.linalg.solve(np.cov(self.estimates.T).reshape(k, k), self.bias)
        return float(stats.f.sf(squared * (runs - k) / (k * (runs - 1)), k, runs - k))

    def first(self, m: int) -> Runs:
        return Runs(self.cell, self.names[:m], self.truth[:m], self.estimates[:, :m], self.covered[:, :m])

    def __str__(self) -> str:
        shown = [self.cell]
        for i, name in enumerate(self.names):
            text = f"{name} {self.truth[i]:g}: bias {self.bias[i]:+.4f} ({self.error[i]:.4f})"
            covered = self.covered[:, i : i + 1]
            shown.append(text + (f", covered {100 * covered.mean():.1f} %" if covered.size else ""))
        return " | ".join(shown)


def check_unbiased(cells: list[Runs]) -> None:
    z = np.concatenate([c.bias / c.error for c in cells])
    most = stats.binom.ppf(1 - RARE, len(z), 2 * stats.norm.sf(2))
    together = float(stats.combine_pvalues([c.hotelling for c in cells]).pvalue)
    beyond = int((abs(z) > 2).sum())
    print(f"\n{len(z)} biases: {beyond} beyond 2 (most {most:.0f}), largest {abs(z).max():.2f}, joint p {together:.3f}")
    assert abs(z).max() < BEYOND
    assert beyond <= most
    assert together > RARE


# --- coefficients and variances over the grid -----------------------------------------------------

GRID = [(persons, sessions, phi) for phi in (0.0, 0.4) for persons in (50, 200, 646) for sessions in (4, 8, 16)]
FORMULA = "y ~ time + xw + xb + (1 + xw | person)"
BETA = np.array([1.0, -0.1, 0.5, 0.3])
PSI = np.array([[1.0, 0.15], [0.15, 0.25]])
MISSING = 0.2  # of the sessions after the first, completely at random


def autoregression(rng: np.random.Generator, shape: tuple[int, int], phi: float) -> np.ndarray:
    """Stationary, variance 1."""
    x = rng.standard_normal(shape)
    for t in range(1, shape[1]):
        x[:, t] = phi * x[:, t - 1] + np.sqrt(1 - phi**2) * x[:, t]
    return x


def simulated(rng: np.random.Generator, persons: int, sessions: int, phi: float) -> sw.Panel:
    shape = persons, sessions
    xw, xb = autoregression(rng, shape, 0.3), rng.standard_normal((persons, 1))
    b = rng.standard_normal((persons, 2)) @ np.linalg.cholesky(PSI).T
    fixed = BETA[0] + BETA[1] * np.arange(sessions) + BETA[2] * xw + BETA[3] * xb
    y = fixed + b[:, :1] + b[:, 1:] * xw + autoregression(rng, shape, phi)
    seen = rng.random(shape) >= MISSING
    seen[:, 0] = True
    i, t = np.nonzero(seen)
    table = {"person": i, "session": t + 1, "time": t.astype(float), "xw": xw[i, t], "xb": xb[i, 0], "y": y[i, t]}
    return sw.Panel(pl.DataFrame(table), person="person", session="session")


@functools.cache
def runs(persons: int, sessions: int, phi: float, replications: int) -> Runs:
    """The four coefficients, then the variances, sigma^2 and phi."""
    rng = np.random.default_rng([SEED, persons, sessions, round(10 * phi)])
    model = MLM(FORMULA, residual="ar1" if phi else "independent")
    estimates, covered, converged = [], [], 0
    for _ in range(replications):
        fit = model.fit(simulated(rng, persons, sessions, phi), threads=1)
        t, psi = fit.tests, fit.varcorr["person"].cov
        variances = [psi[0, 0], psi[1, 1], psi[0, 1], fit.sigma**2, *fit.residual.values()]
        estimates.append([*t.estimate, *variances])
        covered.append((t.low <= BETA) & (t.high >= BETA))
        converged += fit.verdict.converged
    assert converged >= 0.998 * replications
    names = (*fit.terms, "var 1", "var xw", "cov", "sigma^2", *(["phi"] if phi else []))
    truth = np.array([*BETA, PSI[0, 0], PSI[1, 1], PSI[0, 1], 1.0, *([phi] if phi else [])])
    cell = f"{persons} persons, {sessions} sessions, phi {phi}"
    return Runs(cell, names, truth, np.array(estimates), np.array(covered))


def test_coefficients_in_small() -> None:
    cells = [runs(*cell, n) for cell, n in SMALL.items()]
    check_unbiased([c.first(4) for c in cells])
    covered = np.concatenate([c.covered for c in cells])
    print(f"covered {covered.mean():.4f} of {covered.size}")
    assert COVERAGE[0] < covered.mean() < COVERAGE[1]
    assert (abs(covered.mean(axis=0) - 0.95) < BEYOND * np.sqrt(0.95 * 0.05 / len(covered))).all()


@pytest.mark.slow
@pytest.mark.parametrize("cell", GRID, ids=str)
def test_coverage(cell: tuple[int, int, float]) -> None:
    found = runs(*cell, REPLICATIONS)
    print(f"\n{found}")
    share = found.covered.mean(axis=0)
    assert (share > COVERAGE[0]).all()
    assert (share < COVERAGE[1]).all()


@pytest.mark.slow
def test_no_bias_over_the_grid() -> None:
    check_unbiased([runs(*cell, REPLICATIONS).first(4) for cell in GRID])


@pytest.mark.slow
@pytest.mark.parametrize("cell", GRID, ids=str)
def test_variances_of_reml(cell: tuple[int, int, float]) -> None:
    persons, sessions, phi = cell
    found = runs(*cell, REPLICATIONS)
    values = np.column_stack([found.estimates[:, 4:], found.estimates[:, 4] + found.estimates[:, 7]])
    truth = np.append(found.truth[4:], found.truth[4] + found.truth[7])
    bias = values.mean(axis=0) / truth - 1
    error = values.std(axis=0, ddof=1) / np.sqrt(REPLICATIONS) / truth
    names = (*found.names[4:], "var 1 + sigma^2")
    shown = zip(names, bias, error, strict=True)
    print(f"\n{found.cell}: " + ", ".join(f"{n} {100 * b:+.1f} % ({100 * e:.1f})" for n, b, e in shown))
    allowed = np.full(len(bias), HARDLY_APART if phi and sessions == 4 else SECOND_ORDER)
    allowed[-1] = SECOND_ORDER
    assert (abs(bias) < allowed / persons + 3 * error).all()


# --- ML against REML ------------------------------------------------------------------------------


def first_order_shift(panel: sw.Panel) -> np.ndarray:
    """ML minus REML of (var 1, var xw, cov, sigma^2), to first order.

    Expectations of the scores differ by -tr(S^-1 X'V^-1 V_r V^-1 X) / 2, S = X'V^-1 X (REML's is 0); estimates by the
    inverse of the information tr(V^-1 V_r V^-1 V_s) / 2 times that.
    """
    information, s, middle = np.zeros((4, 4)), np.zeros((4, 4)), np.zeros((4, 4, 4))
    for start, end in zip(panel.starts[:-1], panel.starts[1:], strict=True):
        rows = slice(start, end)
        x = np.column_stack([np.ones(end - start), *(panel[c][rows] for c in ("time", "xw", "xb"))])
        z = x[:, [0, 2]]
        a, b = z[:, :1], z[:, 1:]
        changes = np.array([a @ a.T, b @ b.T, a @ b.T + b @ a.T, np.eye(len(z))])
        v = z @ PSI @ z.T + np.eye(len(z))
        solved = np.linalg.solve(v, changes)
        information += np.einsum("rij,sji->rs", solved, solved) / 2
        half = np.linalg.solve(v, x)
        s += x.T @ half
        middle += half.T @ changes @ half
    return -np.linalg.solve(information, np.einsum("ij,rji->r", np.linalg.inv(s), middle)) / 2


def check_ml(replications: int, allowed: float) -> None:
    rng = np.random.default_rng([SEED, 1])
    differences, expected = [], []
    for _ in range(replications):
        panel = simulated(rng, 50, 8, 0.0)
        both = [MLM(FORMULA, method).fit(panel, threads=1) for method in ("ML", "REML")]
        ml, reml = (np.append(f.varcorr["person"].cov[[0, 1, 0], [0, 1, 1]], f.sigma**2) for f in both)
        differences.append(ml - reml)
        if len(expected) < DESIGNS:
            expected.append(first_order_shift(panel))
    mean, theory = np.mean(differences, axis=0), np.mean(expected, axis=0)
    error = np.std(differences, axis=0, ddof=1) / np.sqrt(replications)
    print(f"\nML minus REML {mean.round(5)} ({error.round(5)}), expected {theory.round(5)}")
    assert (mean[[0, 1, 3]] < 0).all()
    size = np.sqrt(abs(np.outer(theory, theory)))[[0, 1, 0, 3], [0, 1, 1, 3]]  # the covariance's shift is near 0
    assert (abs(mean - theory) < allowed * size + 2 * error).all()


def test_ml_is_biased_as_expected_in_small() -> None:
    check_ml(40, 2 * ML_SHIFT)


@pytest.mark.slow
def test_ml_is_biased_as_expected() -> None:
    check_ml(1000, ML_SHIFT)


# --- Nickell --------------------------------------------------------------------------------------

PAIRS = (3, 5, 10, 20)
FIELD_NOTES = {
    0.3: (-0.453, -0.274, -0.135, -0.066),
    0.5: (-0.536, -0.331, -0.162, -0.079),
    0.7: (-0.620, -0.394, -0.197, -0.094),
}


def test_the_table_of_the_field_notes() -> None:
    for rho, row in FIELD_NOTES.items():
        np.testing.assert_allclose([nickell_bias(rho, t) for t in PAIRS], row, atol=TABLE)


@pytest.mark.parametrize("rho", [-0.9, -0.3, 0.0, 0.3, 0.9, 0.99])
def test_nickell_from_the_moments(rho: float) -> None:
    """The limit is a ratio of expectations, which the autocovariances give; pooled over persons, a ratio of sums."""
    sums = []
    for t in (2, 3, 8, 30):
        covariance = rho ** abs(np.subtract.outer(np.arange(t + 1), np.arange(t + 1)))
        centred = np.eye(t) - 1 / t
        sums.append([np.trace(centred @ covariance[:-1, 1:]), np.trace(centred @ covariance[:-1, :-1])])
        assert nickell_bias(rho, t) == pytest.approx(sums[-1][0] / sums[-1][1] - rho, abs=1e-12)
    above, below = np.sum(sums, axis=0)
    assert nickell_bias(rho, [1, 8, 3, 0, 2, 30]) == pytest.approx(above / below - rho, abs=1e-12)


def test_nickell_at_its_ends() -> None:
    assert nickell_bias(1 - 1e-9, 5) == pytest.approx(-3 / 6, abs=1e-8)  # -3 / (T + 1), Harris & Tzavalis 1999
    assert nickell_bias(0.4, 2) == pytest.approx(-1.4 / 2)
    assert nickell_bias(0.4, 100_000) == pytest.approx(-1.4 / 100_000, rel=1e-4)


@pytest.mark.parametrize(("rho", "pairs"), [(1.0, 5), (-1.2, 5), (np.nan, 5), (0.5, 1), (0.5, [1, 1]), (0.5, 2.5)])
def test_nickell_refuses(rho: float, pairs: object) -> None:
    with pytest.raises(sw.ModelError, match="remedy"):
        nickell_bias(rho, pairs)


def check_nickell(rows: int) -> None:
    rng = np.random.default_rng([SEED, 2])
    model = MLM("y ~ within(lag(y)) + (1 | person)")
    z = []
    for rho in FIELD_NOTES:
        for t in PAIRS:
            persons = rows // t
            y = autoregression(rng, (persons, t + 1), rho) + rng.standard_normal((persons, 1))
            columns = {"person": np.repeat(np.arange(persons), t + 1), "session": np.tile(np.arange(t + 1), persons)}
            panel = sw.Panel(pl.DataFrame(columns | {"y": y.ravel()}), person="person", session="session")
            found = model.fit(panel, threads=1).fixef["within(lag(y))"]
            x = y[:, :-1] - y[:, :-1].mean(axis=1, keepdims=True)
            above, below = (x * y[:, 1:]).sum(axis=1), (x * x).sum(axis=1)
            assert found == pytest.approx(above.sum() / below.sum(), abs=1e-10)  # the within estimator
            error = np.sqrt(((above - found * below) ** 2).sum()) / below.sum()
            bias = nickell_bias(rho, t)
            print(f"\nrho {rho} T {t:2d}: simulated {found - rho:+.4f} ({error:.4f}), formula {bias:+.4f}", end="")
            assert abs(found - rho - bias) < max(SIMULATED, BEYOND * error)
            z.append((found - rho - bias) / error)
    p = float(stats.chi2.sf(np.square(z).sum(), len(z)))
    print(f"\nlargest {np.abs(z).max():.2f} Monte Carlo errors, joint p {p:.3f}")
    assert np.abs(z).max() < BEYOND
    assert p > RARE


def test_nickell_simulated_in_small() -> None:
    check_nickell(30_000)


@pytest.mark.slow
def test_nickell_simulated() -> None:
    check_nickell(3_000_000)


# --- the demo's process ---------------------------------------------------------------------------
# Where its multilevel model is exactly right (docs/demo-data.md):
# - no cross-lagged effects and no ruptures: each score is a line, persons, therapists and an AR(1) residual (drop-out
#   must not depend on the alliance, since a model of one score does not know the other);
# - no differences between persons in level: lagged scores are ordinary predictors (ruptures and drop-out may stay).

LEVELS = Truth(b0=0, b_pd=0, sd_b=0, c=0, rupture_rate=0, drop_level=0, drop_change=0)
LAGGED = Truth(sd_y_person=0, sd_w_person=0, cor_person=0, sd_y_therapist=0, sd_w_therapist=0, pd_y=0, pd_w=0, sd_b=0)


def levels(panel: sw.Panel, outcome: str) -> tuple[sw.MLMFit, np.ndarray]:
    """A fit and the truth of its coefficients, then of patients' and therapists' variance, sigma^2 and phi."""
    p, x = LEVELS, "y" if outcome == "core_om" else "w"
    own = [getattr(p, name.format(x)) for name in ("mean_{}", "trend_{}", "pd_{}")]
    a, sd = getattr(p, f"a_{x}"), getattr(p, f"sd_e_{x}")
    variances = [getattr(p, f"sd_{x}_person") ** 2, getattr(p, f"sd_{x}_therapist") ** 2, sd**2 / (1 - a**2), a]
    model = MLM(f"{outcome} ~ I(session - 1) + pd + (1 | patient) + (1 | therapist)", residual="ar1")
    return model.fit(panel, threads=1), np.array([*own, *variances])


def lagged(panel: sw.Panel, outcome: str) -> tuple[sw.MLMFit, np.ndarray]:
    """A fit of a score on those of the session before, and the truth of its coefficients, then of sigma^2."""
    p = LAGGED
    y, w = p.mean_y - 2 * p.trend_y, p.mean_w - 2 * p.trend_w  # plus trend * session: means of the session before
    if outcome == "wai_sr":
        fit = MLM("wai_sr ~ session + lag(core_om) + lag(wai_sr)").fit(panel, threads=1)
        line = [p.mean_w - p.trend_w - p.c * y - p.a_w * w, p.trend_w - p.c * p.trend_y - p.a_w * p.trend_w]
        return fit, np.array([*line, p.c, p.a_w, p.innovation_cov[2]])
    fit = MLM("core_om ~ session + lag(core_om) + lag(wai_sr) + pd + session:pd + lag(wai_sr):pd").fit(panel, threads=1)
    line = [p.mean_y - p.trend_y - p.a_y * y - p.b0 * w, p.trend_y - p.a_y * p.trend_y - p.b0 * p.trend_w]
    of_pd = [-p.b_pd * w, -p.b_pd * p.trend_w, p.b_pd]
    return fit, np.array([*line, p.a_y, p.b0, *of_pd, p.sd_e_y**2])


def recovered(seeds: range) -> list[Runs]:
    cells = []
    for truth, fitted in ((LEVELS, levels), (LAGGED, lagged)):
        for outcome in ("core_om", "wai_sr"):
            estimates, covered = [], []
            for seed in seeds:
                table = demo(seed=seed, scale_scores=True, truth=truth)
                fit, values = fitted(sw.Panel(table, person="patient", session="session", cluster="therapist"), outcome)
                t, m = fit.tests, len(fit.terms)
                between = [v.cov[0, 0] for v in fit.varcorr.values()]
                estimates.append([*t.estimate, *between, fit.sigma**2, *fit.residual.values()])
                covered.append((t.low <= values[:m]) & (t.high >= values[:m]))
                assert fit.verdict.converged
            names = (*fit.terms, *fit.varcorr, "sigma^2", *fit.residual)
            cells.append(Runs(f"{fitted.__name__}, {outcome}", names, values, np.array(estimates), np.array(covered)))
    return cells


def check_recovered(seeds: range) -> None:
    cells = recovered(seeds)
    print("", *cells, sep="\n")
    check_unbiased(cells)
    covered = np.array([x for c in cells for x in c.covered.mean(axis=0)])
    assert (abs(covered - 0.95) < BEYOND * np.sqrt(0.95 * 0.05 / len(seeds))).all()


def test_the_demo_process_is_recovered_in_small() -> None:
    check_recovered(range(20))


@pytest.mark.slow
def test_the_demo_process_is_recovered() -> None:
    check_recovered(range(100, 400))
