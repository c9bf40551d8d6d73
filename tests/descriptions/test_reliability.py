"""Reliability: the usual analysis of variance where data are balanced, the truth where they are not."""

from __future__ import annotations

import json

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sessionwise.datasets import demo
from sessionwise.descriptions import Reliability, describe, reliability
from sessionwise.errors import PanelError, ScoreError
from sessionwise.panel import Panel
from sessionwise.scoring import instrument, score

Z = 3.0  # Monte Carlo standard errors allowed; seeds are fixed
K = 5
ITEMS = [f"x{i}" for i in range(1, K + 1)]
TRUTH = {
    "person": 1.0,
    "session": 0.4,
    "item": 0.8,
    "person_session": 0.7,
    "person_item": 0.6,
    "session_item": 0.3,
    "residual": 1.5,
}
COEFFICIENTS = ("r_1f", "r_kf", "r_1r", "r_kr", "r_c", "r_1n", "r_krn", "r_cn", "r_cn_replicates")


def answers(seed: int, persons: int = 60, most: int = 9, least: int = 1, holes: float = 0.0, **other: float) -> Panel:
    """Unbalanced: least..most sessions, one in ten skipped, single answers missing with chance `holes`."""
    sd = {name: np.sqrt(v) for name, v in (TRUTH | other).items()}
    rng = np.random.default_rng(seed)
    y = (
        sd["person"] * rng.normal(size=(persons, 1, 1))
        + sd["session"] * rng.normal(size=(1, most, 1))
        + sd["item"] * rng.normal(size=(1, 1, K))
        + sd["person_session"] * rng.normal(size=(persons, most, 1))
        + sd["person_item"] * rng.normal(size=(persons, 1, K))
        + sd["session_item"] * rng.normal(size=(1, most, K))
        + sd["residual"] * rng.normal(size=(persons, most, K))
    )
    there = np.arange(most) < rng.integers(least, most + 1, persons)[:, None]
    there &= (rng.random(there.shape) > 0.1) | (least == most)
    there[:, 0] = True
    who, when = np.nonzero(there)
    rows = y[who, when]
    rows[rng.random(rows.shape) < holes] = np.nan
    frame = pl.DataFrame({"person": who, "session": when + 1} | dict(zip(ITEMS, rows.T, strict=True)))
    return Panel(frame, person="person", session="session")


def values(r: Reliability) -> np.ndarray:
    assert r.components is not None
    assert r.nested is not None
    return np.array([*r.components.values(), *r.nested.values(), *(getattr(r, c) for c in COEFFICIENTS)], float)


def test_balanced_crossed_is_the_three_way_analysis_of_variance() -> None:
    p = answers(1, persons=25, most=6, least=6)
    y = np.column_stack([p[i] for i in ITEMS]).reshape(25, 6, K)
    m = {axes: y.mean(axis=axes, keepdims=True) for axes in [(0,), (1,), (2,), (0, 1), (0, 2), (1, 2), (0, 1, 2)]}
    a, t, k = 25, 6, K
    both = lambda part, *df: (part**2).sum() / np.prod(df)  # noqa: E731
    ms_pt = both(m[(2,)] - m[(1, 2)] - m[(0, 2)] + m[(0, 1, 2)], a - 1, t - 1) * k
    ms_pi = both(m[(1,)] - m[(1, 2)] - m[(0, 1)] + m[(0, 1, 2)], a - 1, k - 1) * t
    ms_ti = both(m[(0,)] - m[(0, 2)] - m[(0, 1)] + m[(0, 1, 2)], t - 1, k - 1) * a
    rest = y - m[(0,)] - m[(1,)] - m[(2,)] + m[(0, 1)] + m[(0, 2)] + m[(1, 2)] - m[(0, 1, 2)]
    ms_e = both(rest, a - 1, t - 1, k - 1)
    ms_p = both(m[(1, 2)] - m[(0, 1, 2)], a - 1) * t * k
    ms_t = both(m[(0, 2)] - m[(0, 1, 2)], t - 1) * a * k
    ms_i = both(m[(0, 1)] - m[(0, 1, 2)], k - 1) * a * t
    want = {
        "person": (ms_p - ms_pt - ms_pi + ms_e) / (t * k),
        "session": (ms_t - ms_pt - ms_ti + ms_e) / (a * k),
        "item": (ms_i - ms_pi - ms_ti + ms_e) / (a * t),
        "person_session": (ms_pt - ms_e) / k,
        "person_item": (ms_pi - ms_e) / t,
        "session_item": (ms_ti - ms_e) / a,
        "residual": ms_e,
    }
    got = reliability(p, ITEMS)
    assert got.components is not None
    assert dict(got.components) == pytest.approx({n: max(0.0, v) for n, v in want.items()}, rel=1e-9, abs=1e-12)


@pytest.mark.parametrize("reps", [60, pytest.param(1500, marks=pytest.mark.slow)])
def test_unbalanced_components_are_unbiased(reps: int) -> None:
    """Mean estimate against the truth, within Z Monte Carlo errors (SD of estimates / √reps, found here)."""
    crossed, nested = [], []
    for seed in range(reps):
        r = reliability(answers(seed, holes=0.03), ITEMS)
        assert r.components is not None
        assert r.nested is not None
        crossed.append([r.components[n] for n in TRUTH])
        nested.append([r.nested[n] for n in ("person", "item", "person_item", "residual")])
    error = np.std(crossed, axis=0, ddof=1) / np.sqrt(reps)
    bias = np.mean(crossed, axis=0) - list(TRUTH.values())
    assert np.all(np.abs(bias) < Z * error), dict(zip(TRUTH, bias / error, strict=True))
    # With sessions common to all, the nested residual also holds session × item.
    residual = TRUTH["residual"] + TRUTH["session_item"]
    error = np.std(nested, axis=0, ddof=1) / np.sqrt(reps)
    bias = np.mean(nested, axis=0)[-1:] - [residual]
    assert np.all(np.abs(bias) < Z * error[-1:])


@pytest.mark.parametrize("reps", [60, pytest.param(1500, marks=pytest.mark.slow)])
def test_unbalanced_nested_components_are_unbiased(reps: int) -> None:
    truth = {"person": 1.0, "item": 0.8, "session": 0.7, "person_item": 0.6, "residual": 1.5}
    got = []
    for seed in range(reps):
        nested = reliability(answers(seed, session=0.0, session_item=0.0, holes=0.03), ITEMS).nested
        assert nested is not None
        got.append([nested[n] for n in truth])
    error = np.std(got, axis=0, ddof=1) / np.sqrt(reps)
    bias = np.mean(got, axis=0) - list(truth.values())
    assert np.all(np.abs(bias) < Z * error), dict(zip(truth, bias / error, strict=True))


@pytest.mark.slow
def test_coefficients_are_what_they_say() -> None:
    """r_cn: squared correlation of a session's mean, less the person's, with its true value; r_1n likewise
    between persons. One large sample of 4,000 persons: the truth from the components, tolerance 0.02 is over
    three times the Monte Carlo error of a component (about 2 %)."""
    r = reliability(answers(9, persons=4000, session=0.0, session_item=0.0), ITEMS)
    true = 1.0 + 0.6 / K
    n = r.sessions_per_person
    assert n is not None
    assert r.r_cn == pytest.approx(0.7 / (0.7 + 1.5 / K), abs=0.02)
    assert r.r_c == pytest.approx(0.7 / (0.7 + 1.5 / K), abs=0.02)
    assert r.r_1n == pytest.approx(true / (true + 0.7 + 1.5 / K), abs=0.02)
    assert r.r_krn == pytest.approx(true / (true + (0.7 + 1.5 / K) / n), abs=0.02)


seeds = st.integers(0, 10_000)


@settings(max_examples=20)
@given(seeds)
def test_row_order_item_order_and_labels_do_not_matter(seed: int) -> None:
    p = answers(seed, persons=15, holes=0.05)
    frame = p.to_frame().with_columns(person=-5 * pl.col("person")).sample(fraction=1.0, shuffle=True, seed=seed)
    other = reliability(Panel(frame, person="person", session="session"), ITEMS[::-1])
    np.testing.assert_allclose(values(other), values(reliability(p, ITEMS)), rtol=1e-8, atol=1e-10)


@settings(max_examples=20)
@given(seeds, st.floats(-1e3, 1e3), st.floats(0.01, 100))
def test_shifting_and_scaling(seed: int, shift: float, scale: float) -> None:
    p = answers(seed, persons=15, holes=0.05)
    a = values(reliability(p, ITEMS))
    b = values(reliability(p.with_columns({i: scale * (p[i] + shift) for i in ITEMS}), ITEMS))
    np.testing.assert_allclose(b[:12], a[:12] * scale**2, rtol=1e-6, atol=1e-8 * scale**2)
    np.testing.assert_allclose(b[12:], a[12:], rtol=1e-6, atol=1e-8)


@settings(max_examples=20)
@given(seeds)
def test_twice_the_persons(seed: int) -> None:
    """The same persons again under other names: what varies within persons stays exactly."""
    p = answers(seed, persons=15)
    frame = p.to_frame()
    twice = pl.concat([frame, frame.with_columns(person=pl.col("person") + 1000)])
    a, b = reliability(p, ITEMS), reliability(Panel(twice, person="person", session="session"), ITEMS)
    assert (b.sessions, b.persons) == (2 * a.sessions, 2 * a.persons)
    assert b.sessions_per_person == pytest.approx(a.sessions_per_person)
    for name in ("r_cn", "r_cn_replicates"):
        assert getattr(b, name) == pytest.approx(getattr(a, name))


def test_numbers_do_not_depend_on_what_the_first_session_is_called() -> None:
    p = answers(3, persons=15)
    later = Panel(p.to_frame().with_columns(session=pl.col("session") * 2 + 100), person="person", session="session")
    np.testing.assert_allclose(values(reliability(later, ITEMS)), values(reliability(p, ITEMS)), rtol=1e-9)


# --- instruments and reversed items ---------------------------------------------------------------------


@pytest.fixture(scope="module")
def clinic() -> Panel:
    return Panel(demo(persons=80), person="patient", session="session")


def test_an_instrument_turns_its_reversed_items(clinic: Panel) -> None:
    key = instrument("core-om")
    wellbeing = next(s for s in key.scales if s.name == "wellbeing")
    names = [f"core_om_{i}" for i in wellbeing.items]
    turned = [f"core_om_{i}" for i in wellbeing.items if i in key.reversed]
    assert turned
    want = values(reliability(clinic, names, "wellbeing", reversed=turned, limits=(0, 4)))
    for scale in ("wellbeing", "core_om_wellbeing"):
        np.testing.assert_allclose(values(reliability(clinic, "core-om", scale)), want)
    got = reliability(clinic, key, "wellbeing")
    assert got.name == "core_om_wellbeing"
    not_turned = reliability(clinic, names).r_cn
    assert not_turned is not None
    assert got.r_cn is not None
    assert got.r_cn > not_turned + 0.1


def test_limits_are_those_seen_if_not_given(clinic: Panel) -> None:
    names = ["core_om_3", "core_om_1", "core_om_10"]
    a = reliability(clinic, names, reversed=["core_om_3"])
    b = reliability(clinic, names, reversed=["core_om_3"], limits=(0, 4))
    np.testing.assert_allclose(values(a), values(b))


def test_a_mapping_says_where_items_are(clinic: Panel) -> None:
    renamed = Panel(
        clinic.to_frame().rename({f"wai_sr_{i}": f"B{i}" for i in range(1, 13)}), person="patient", session="session"
    )
    got = reliability(renamed, "wai-sr", mapping="B{}")
    np.testing.assert_allclose(values(got), values(reliability(clinic, "wai-sr")))


def test_incomplete_sessions_are_left_out_and_counted() -> None:
    p = answers(2, holes=0.1)
    rows = np.column_stack([p[i] for i in ITEMS])
    full = ~np.isnan(rows).any(axis=1)
    got = reliability(p, ITEMS)
    assert got.sessions == full.sum()
    n = np.bincount(p.codes[full])
    assert got.persons == (n > 0).sum()
    assert got.sessions_per_person == pytest.approx((n > 0).sum() / (1 / n[n > 0]).sum())
    assert got.left_out == (~full & ~np.isnan(rows).all(axis=1)).sum()
    assert "items-missing" in [f.code for f in got.findings]
    only = Panel(p.to_frame().drop_nulls(), person="person", session="session")
    np.testing.assert_allclose(values(reliability(only, ITEMS)), values(got))


def test_negative_estimates_are_zero_and_said() -> None:
    for seed in range(50):
        got = reliability(answers(seed, persons=10, most=3, session=0.0, session_item=0.0), ITEMS)
        if "crossed.session" in got.set_to_zero:
            assert got.components is not None
            assert got.components["session"] == 0.0
            assert "negative-component" in [f.code for f in got.findings]
            return
    pytest.fail("no estimate below zero in 50 samples")


@pytest.mark.parametrize("case", ["one person", "one session each", "nothing", "constant", "no common numbers"])
def test_what_cannot_be_known_is_none(case: str) -> None:
    frame = answers(1, persons=8).to_frame()
    if case == "one person":
        frame = frame.filter(pl.col("person") == frame["person"].mode()[0])
    elif case == "one session each":
        frame = frame.filter(pl.col("session") == 1)
    elif case == "nothing":
        frame = frame.with_columns(x1=pl.lit(None, pl.Float64))
    elif case == "constant":
        frame = frame.with_columns(pl.lit(3.0).alias(i) for i in ITEMS)
    else:
        frame = frame.with_columns(session=pl.col("session") + 100 * pl.col("person"))
    got = reliability(Panel(frame, person="person", session="session"), ITEMS)
    assert got.r_c is None
    assert (got.r_cn is None) == (case != "no common numbers")
    assert str(got)
    json.dumps(got.to_dict(), allow_nan=False)
    if case != "constant":
        assert len(got.findings)


def test_errors_say_what_to_do(clinic: Panel) -> None:
    with pytest.raises(ScoreError, match="at least two items"):
        reliability(clinic, ["core_om_1"])
    with pytest.raises(ScoreError, match=r"no scale 'bnod'.*Did you mean 'bond'"):
        reliability(clinic, "wai-sr", "bnod")
    with pytest.raises(ScoreError, match="not among the items"):
        reliability(clinic, ["core_om_1", "core_om_2"], reversed=["core_om_3"])
    with pytest.raises(ScoreError, match="no item columns of phq-9"):
        reliability(clinic, "phq-9")


def gad(code: float | None = None) -> Panel:
    """GAD-7 answers of 60 persons; `code` in every fiftieth cell of item 3."""
    rng = np.random.default_rng(5)
    level = np.repeat(rng.normal(size=60), 8) + rng.normal(size=480)
    columns = {f"gad7_{i}": np.clip(np.round(1.5 + level + rng.normal(size=480)), 0, 3) for i in range(1, 8)}
    columns["gad7_3"][::50] = np.nan if code is None else code
    frame = pl.DataFrame({"p": np.repeat(np.arange(60), 8), "s": np.tile(np.arange(8), 60), **columns})
    return Panel(frame.with_columns(pl.col("gad7_3").fill_nan(None)), person="p", session="s")


def test_answers_outside_the_range_are_missing_here_as_in_the_score() -> None:
    clean = reliability(gad(), "gad-7")
    scored = score(gad(99), "gad-7", out_of_range="missing")
    for panel in (gad(99), scored):
        found = reliability(panel, "gad-7")
        assert found.r_cn == clean.r_cn
        assert found.left_out == clean.left_out == 10
        assert any(f.code == "answers-out-of-range" and f.count == 10 for f in found.findings)
    assert any(f.code == "answers-out-of-range" for f in describe(gad(99)).findings)


def test_reliability_is_that_of_the_answers_as_scored() -> None:
    """Reversed items turned round already, columns of other names: what scoring was told holds here too."""
    demo_panel = Panel(demo(persons=80), person="patient", session="session")
    right = reliability(demo_panel, "core-om").r_cn
    frame = demo_panel.to_frame()
    turned = {f"core_om_{i}": 4 - pl.col(f"core_om_{i}") for i in instrument("core-om").reversed}
    odd = frame.with_columns(**turned).rename({f"core_om_{i}": f"q{i}" for i in range(1, 35)})
    scored = score(Panel(odd, person="patient", session="session"), "core-om", items="q{}", already_reversed=True)
    assert reliability(scored, "core-om").r_cn == pytest.approx(right)
    (total,) = (r for r in describe(scored).reliability if r.name == "core_om")
    assert total.r_cn == pytest.approx(right)


def test_a_warning_where_reversed_items_are_turned_round_already() -> None:
    frame = demo(persons=80).frame
    turned = frame.with_columns(**{f"core_om_{i}": 4 - pl.col(f"core_om_{i}") for i in instrument("core-om").reversed})
    panel = Panel(turned, person="patient", session="session")
    for findings in (score(panel, "core-om").findings, describe(panel).findings):
        assert any(f.code == "already-reversed" and f.severity == "warning" for f in findings)
    fine = Panel(frame, person="patient", session="session")
    assert not any(f.code == "already-reversed" for f in (*score(fine, "core-om").findings, *describe(fine).findings))


def test_one_typing_error_in_an_item_does_not_stop_the_rest() -> None:
    frame = gad().to_frame().with_columns(pl.col("gad7_2").cast(pl.String).fill_null("x"), y=pl.lit(1.0))
    typo = frame.with_columns(gad7_2=pl.when(pl.arange(0, pl.len()) == 7).then(pl.lit("x")).otherwise("gad7_2"))
    panel = Panel(typo, person="p", session="s")
    found = describe(panel)
    assert any(f.code == "items-not-numeric" for f in found.findings)
    assert found.sample.persons == 60
    with pytest.raises(PanelError, match="gad7_2"):
        describe(panel, instruments="gad-7")


def _items(turned: tuple[int, ...]) -> Panel:
    """Six items of one scale for 40 persons in 4 sessions, these of them asked the other way."""
    rng = np.random.default_rng(31)
    true = np.repeat(rng.normal(size=40), 4) + 0.8 * rng.normal(size=160)
    answers = np.clip(np.round(2 + true[:, None] + 0.8 * rng.normal(size=(160, 6))), 0, 4)
    answers[:, list(turned)] = 4 - answers[:, list(turned)]
    columns = {f"i{k}": answers[:, k] for k in range(6)}
    return Panel(
        pl.DataFrame({"p": np.repeat(np.arange(40), 4), "s": np.tile(np.arange(4), 40), **columns}),
        person="p",
        session="s",
    )


@pytest.mark.parametrize("turned", [(), (1,), (0, 4), (1, 3)])
def test_items_that_go_against_the_others_are_named_until_they_are_turned(turned: tuple[int, ...]) -> None:
    """JASP once took alpha of an item turned round unasked (jasp-desktop 1613), and by its place (jasp-issues 3525)."""
    panel, names = _items(turned), [f"i{k}" for k in range(6)]
    left = reliability(panel, names, limits=(0, 4))
    said = [f for f in left.findings if f.code == "items-against"]
    assert [f.count for f in said] == [len(turned)] * bool(turned)
    assert all(f"i{k}" in said[0].what for k in turned)
    right = reliability(panel, names, reversed=[f"i{k}" for k in turned], limits=(0, 4))
    assert not [f for f in right.findings if f.code == "items-against"]
    again = reliability(panel, names[::-1], reversed=[f"i{k}" for k in turned[::-1]], limits=(0, 4))
    assert again.r_cn == pytest.approx(right.r_cn, abs=1e-12)
    straight = reliability(_items(()), names, limits=(0, 4))
    assert right.r_cn == pytest.approx(straight.r_cn, abs=1e-12)
    assert not turned or (left.r_cn is not None and left.r_cn < right.r_cn)
