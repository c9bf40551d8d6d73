"""The net effects: what must not matter to them, and the truth of small studies."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

import sessionwise as sw
from helpers.two_scores import Shape, panel_of, two_scores
from sessionwise.designs import design
from sessionwise.study.parts.net_effects import FORWARD, REVERSE, NetProcess, compared, net_process
from sessionwise.study.records import NotAnswered

#: What the order of sums and Newton's method leave, beside errors of about .05.
CLOSE = 1e-6
#: y, w, innovations of SD 1.
TRUE = Shape(forward=-0.25, reverse=-0.1, same=-0.3)
ONCE = settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def outcome(
    table: pl.DataFrame, y: str = "y", w: str = "w", sds: tuple[float, float] = (1.0, 1.0), *, line: bool = False
) -> NetProcess | NotAnswered:
    """One small study in many has no stationary process that would be expected to give its estimates."""
    return net_process(panel_of(table), (y, w), ("C(s)",), sds, "q", line=line)


def fitted(*args, **options) -> NetProcess:
    found = outcome(*args, **options)
    assert isinstance(found, NetProcess), found
    return found


def same(one: NetProcess | NotAnswered, other: NetProcess | NotAnswered, order: tuple[int, ...] = (0, 1, 2, 3)) -> None:
    """The same process, or the same reason why there is none."""
    if isinstance(one, NotAnswered) or isinstance(other, NotAnswered):
        assert one == other
        return
    at = list(order)
    assert other.coefficients[at] == pytest.approx(one.coefficients, abs=CLOSE)
    assert other.covariance[np.ix_(at, at)] == pytest.approx(one.covariance, abs=CLOSE)


@ONCE
@given(st.integers(0, 10_000), st.booleans())
def test_order_of_rows_and_names_of_persons(seed, line):
    table = two_scores(seed, TRUE, persons=40)
    names = np.random.default_rng(seed).permutation(1000)
    other = table.with_columns(p=pl.Series(names)[table["p"]]).sample(fraction=1.0, shuffle=True, seed=seed)
    same(outcome(table, line=line), outcome(other, line=line))


@ONCE
@given(st.integers(0, 10_000), st.floats(-1e4, 1e4), st.floats(-1e4, 1e4), st.booleans())
def test_shift(seed, of_y, of_w, line):
    table = two_scores(seed, TRUE, persons=40)
    same(outcome(table, line=line), outcome(table.with_columns(pl.col("y") + of_y, pl.col("w") + of_w), line=line))


@ONCE
@given(st.integers(0, 10_000), st.floats(1e-3, 1e3), st.floats(1e-3, 1e3), st.booleans())
def test_scale(seed, of_y, of_w, line):
    """Within-person SDs go along; standardised, nothing changes."""
    table = two_scores(seed, TRUE, persons=40)
    other = table.with_columns(pl.col("y") * of_y, pl.col("w") * of_w)
    same(outcome(table, line=line), outcome(other, sds=(of_y, of_w), line=line))


@ONCE
@given(st.integers(0, 10_000), st.booleans())
def test_outcome_and_process_change_places(seed, line):
    table = two_scores(seed, TRUE, persons=40)
    one, other = outcome(table, line=line), outcome(table, "w", "y", line=line)
    same(one, other, (2, 3, 0, 1))
    if isinstance(one, NetProcess) and isinstance(other, NetProcess):
        assert [len(made.rows) for made in one.made] == [len(made.rows) for made in other.made[::-1]]


@ONCE
@given(st.integers(0, 10_000))
def test_a_course_of_any_shape_is_taken_out(seed):
    """Anything that depends on the session number alone is no matter."""
    table = two_scores(seed, TRUE, persons=40)
    rng = np.random.default_rng(seed)
    of_y, of_w = rng.normal(0, 10, (2, 13))
    other = table.with_columns(y=pl.col("y") + pl.Series(of_y[table["s"]]), w=pl.col("w") + pl.Series(of_w[table["s"]]))
    same(outcome(table), outcome(other))


@ONCE
@example(5525)  # no stationary process
@given(st.integers(0, 10_000))
def test_persons_own_lines_are_taken_out(seed):
    table = two_scores(seed, TRUE, persons=40)
    rng = np.random.default_rng(seed)
    slopes = rng.normal(0, 3, (2, 40))
    p, s = table["p"].to_numpy(), table["s"].to_numpy()
    other = table.with_columns(y=table["y"] + slopes[0][p] * s, w=table["w"] + slopes[1][p] * s)
    same(outcome(table, line=True), outcome(other, line=True))


def test_small_studies_are_nearly_always_answered():
    """So that the tests above are of processes: 38 of 40 at least, with means and with lines."""
    for line in (False, True):
        found = [outcome(two_scores(seed, TRUE, persons=40), line=line) for seed in range(40)]
        assert sum(isinstance(one, NetProcess) for one in found) >= 38


def test_two_hundred_persons_are_near_the_truth():
    """Within 3 errors, all four, with means and with lines; and the errors are what the spread over studies says."""
    true = np.array([TRUE.y, TRUE.forward, TRUE.w, TRUE.reverse])
    for line in (False, True):
        found = [fitted(two_scores(seed, TRUE, persons=200), line=line) for seed in range(12)]
        values = np.array([one.coefficients for one in found])
        errors = np.sqrt([one.covariance.diagonal() for one in found])
        assert (np.abs(values.mean(axis=0) - true) < 3 * errors.mean(axis=0) / np.sqrt(12)).all()
        # an SD of 12 is off by more than a half in 1 of 1,000
        assert values.std(axis=0, ddof=1) == pytest.approx(errors.mean(axis=0), rel=0.6)


def test_few_sessions_are_corrected_for():
    found = fitted(two_scores(1, TRUE, persons=400, longest=6))
    own = found.estimated.coefficients[0], found.coefficients[0]
    assert own[0] < 0.1  # 5 pairs: the true one is .3
    assert own[1] == pytest.approx(0.3, abs=0.15)


def test_estimate_and_bias():
    table = two_scores(5, TRUE)
    found = fitted(table)
    e = found.estimate(FORWARD)
    assert e.value == found.coefficients[FORWARD]
    assert e.df == found.persons - 1 == 79
    assert e.se == pytest.approx(np.sqrt(found.covariance[FORWARD, FORWARD]))
    # Expected of these rows, the estimates are what was estimated of them.
    made = [design(panel_of(table), f"{y} ~ lag({y}) + lag({x}) + C(s)") for y, x in (("y", "w"), ("w", "y"))]
    forward, reverse = found.bias(*made)
    assert forward == pytest.approx(found.estimated.coefficients[FORWARD] - found.coefficients[FORWARD], abs=1e-8)
    assert reverse == pytest.approx(found.estimated.coefficients[REVERSE] - found.coefficients[REVERSE], abs=1e-8)


# --- compared -----------------------------------------------------------------------------------


def test_compared_by_hand():
    table = two_scores(7, TRUE)
    means, lines = fitted(table), fitted(table, line=True)
    found = compared(means, lines)
    apart = lines.coefficients - means.coefficients
    influence = lines.influence - means.influence
    assert found.chi2 == pytest.approx(apart @ np.linalg.solve(influence.T @ influence, apart), rel=1e-6)
    assert found.df == 4
    assert compared(lines, means).chi2 == pytest.approx(found.chi2, rel=1e-9)
    one = compared(means, lines, (FORWARD,))
    assert one.chi2 == pytest.approx(apart[FORWARD] ** 2 / (influence[:, FORWARD] ** 2).sum(), rel=1e-9)
    assert one.df == 1


def test_the_same_estimates_are_not_compared():
    found = fitted(two_scores(7, TRUE))
    assert compared(found, found) is None


# --- what cannot be -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"w": pl.lit(1.0)}, "do not vary enough within persons"),
        ({"w": pl.col("y") * 2 + pl.col("p")}, "do not vary enough within persons"),
        ({"w": pl.lit(None, pl.Float64)}, "row"),
    ],
)
def test_not_answered(change, why):
    panel = panel_of(two_scores(1, TRUE).with_columns(**change))
    found = net_process(panel, ("y", "w"), (), (1.0, 1.0), "the question")
    assert isinstance(found, NotAnswered)
    assert found.question == "the question"
    assert why in found.why


def test_without_any_error():
    y, w = np.zeros((2, 30, 8))
    y[:, 0], w[:, 0] = np.arange(30) + 1.0, np.random.default_rng(0).random(30)
    for s in range(1, 8):
        y[:, s], w[:, s] = 0.5 * y[:, s - 1] - 0.2 * w[:, s - 1], 0.3 * w[:, s - 1] + 0.1 * y[:, s - 1]
    p, s = np.repeat(np.arange(30), 8), np.tile(np.arange(8), 30)
    table = pl.DataFrame({"p": p, "s": s, "y": y.ravel(), "w": w.ravel()})
    found = net_process(panel_of(table), ("y", "w"), (), (1.0, 1.0), "q")
    assert isinstance(found, NotAnswered)
    assert "without any error" in found.why


def test_no_stationary_process():
    """Scores that run away from each other."""
    rng = np.random.default_rng(0)
    p, s = np.repeat(np.arange(40), 12), np.tile(np.arange(12), 40)
    y = (1 + rng.random(40))[p] * 1.6**s + rng.standard_normal(480)
    table = pl.DataFrame({"p": p, "s": s, "y": y, "w": rng.standard_normal(480)})
    found = net_process(panel_of(table), ("y", "w"), (), (1.0, 1.0), "q")
    assert isinstance(found, NotAnswered)
    assert "stationary" in found.why


def test_the_public_answer_is_this():
    table = two_scores(2, TRUE)
    result = sw.Study("y", "w", dynamic=False).run(panel_of(table))
    sds = result.sensitivity.sd_outcome, result.sensitivity.sd_process
    net = net_process(panel_of(table), ("y", "w"), ("C(s)",), sds, "q")
    assert result.headline.forward.standardised.value == pytest.approx(net.coefficients[FORWARD], abs=1e-9)
    assert result.headline.reverse.standardised.value == pytest.approx(net.coefficients[REVERSE], abs=1e-9)
