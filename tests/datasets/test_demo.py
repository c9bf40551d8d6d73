"""The demo data: sample, items, drop-out and ruptures look as documented, and the truth is the truth.

Statistical checks allow Z = 4.5 Monte Carlo standard errors, computed in the test; with fixed seeds they
either hold or do not. The quick size is for every run, the full size is marked slow.
"""

from __future__ import annotations

import datetime
import math
import re
import subprocess
import sys
import time

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from helpers.places import DOCS
from sessionwise.datasets import PERSONS, DemoTruth, Truth, demo, demo_truth
from sessionwise.datasets.sample import _stationary
from sessionwise.errors import SessionwiseError

Z = 4.5
DOC = DOCS / "demo-data.md"
CORE = [f"core_om_{j}" for j in range(1, 35)]
WAI = [f"wai_sr_{j}" for j in range(1, 13)]
REVERSED = [3, 4, 7, 12, 19, 21, 31, 32]
RISK = [6, 9, 16, 22, 24, 34]
LONG = {"planned_min": 30, "planned_extra": 0.0, "planned_max": 30, "drop_base": -1000.0, "skip": 0.0}
BIG = 20_000


def unreversed(frame: pl.DataFrame) -> pl.DataFrame:
    """All CORE-OM items in one direction, high meaning ill."""
    return frame.with_columns((4 - pl.col(f"core_om_{j}")).alias(f"core_om_{j}") for j in REVERSED)


def scored(frame: pl.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """CORE-OM (mean of answered items x 10) and WAI-SR (mean of answered items)."""
    core = unreversed(frame)
    return (
        core.select(10 * pl.mean_horizontal(CORE)).to_series().to_numpy(),
        frame.select(pl.mean_horizontal(WAI)).to_series().to_numpy(),
    )


def deviations(frame: pl.DataFrame, values: np.ndarray) -> np.ndarray:
    """Values minus their person's mean."""
    by = pl.DataFrame({"p": frame["patient"], "v": values})
    return by.select(pl.col("v") - pl.col("v").mean().over("p")).to_series().to_numpy()


def lagged(truth: DemoTruth) -> pl.DataFrame:
    """Pairs of consecutive sessions: y*, w* (within parts) and the same one session before, with b and pd."""
    return (
        truth.sessions.with_columns(
            y_lag=pl.col("y_within").shift(1).over("patient"), w_lag=pl.col("w_within").shift(1).over("patient")
        )
        .drop_nulls("y_lag")
        .join(truth.persons.select("patient", "b", "pd"), on="patient", maintain_order="left")
    )


def least_squares(y: pl.Series, *x: pl.Series) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Coefficients, robust standard errors, residuals; no intercept, since within parts have mean 0."""
    design = np.column_stack([s.to_numpy() for s in x])
    bread = np.linalg.inv(design.T @ design)
    coef = bread @ design.T @ y.to_numpy()
    residual = y.to_numpy() - design @ coef
    meat = design.T @ (design * residual[:, None] ** 2)
    return coef, np.sqrt(np.diag(bread @ meat @ bread)), residual


def assert_near(values: np.ndarray | list[float], expected: list[float], errors: np.ndarray | list[float]) -> None:
    off = (np.asarray(values) - expected) / np.asarray(errors)
    assert np.all(np.abs(off) < Z), f"got {values}, expected {expected}: off by {off} standard errors"


def share_error(p: float, n: int) -> float:
    return math.sqrt(p * (1 - p) / n)


@pytest.fixture(scope="module")
def default() -> pl.DataFrame:
    return demo().frame


@pytest.fixture(scope="module")
def big() -> tuple[pl.DataFrame, pl.DataFrame, DemoTruth]:
    """Items, true scores and truth of 20,000 persons."""
    return demo(persons=BIG).frame, demo(persons=BIG, scale_scores=True).frame, demo_truth(persons=BIG)


# the table


def test_columns_types_and_note(default: pl.DataFrame) -> None:
    table = demo()
    assert table.columns == ("patient", "therapist", "session", "date", "gender", "age", "pd", *CORE, *WAI)
    assert table.source == "demo (simulated)"
    (note,) = table.findings
    assert (note.severity, note.code) == ("note", "simulated")
    assert default.schema["date"] == pl.Date
    assert default.schema["therapist"] == default.schema["gender"] == pl.String
    assert {default.schema[c] for c in ("patient", "session", "age", "pd", *CORE, *WAI)} == {pl.Int64}
    assert default.drop(CORE + WAI).null_count().sum_horizontal().item() == 0


def test_same_seed_same_data_other_seed_other_data(default: pl.DataFrame) -> None:
    assert demo().frame.equals(default)
    assert demo(20130601, 646, truth=Truth()).frame.equals(default)
    assert not demo(seed=1).frame.equals(default)


def test_labels_are_those_of_all_persons_and_not_in_order(default: pl.DataFrame) -> None:
    labels = default["patient"].unique(maintain_order=True)
    assert sorted(labels) == list(range(1001, 1001 + PERSONS))
    assert abs(np.corrcoef(labels, np.arange(PERSONS))[0, 1]) < Z / math.sqrt(PERSONS)
    assert default.select("patient", "session").is_unique().all()


def test_what_belongs_to_a_person_does_not_change_within_the_person(default: pl.DataFrame) -> None:
    for column in ("therapist", "gender", "age", "pd"):
        assert default.group_by("patient").agg(pl.col(column).n_unique())[column].max() == 1


def test_dates_agree_with_session_numbers(default: pl.DataFrame) -> None:
    assert set(default["date"].dt.weekday()) <= {1, 2, 3, 4, 5}
    monday = default.select("patient", "session", week=pl.col("date").dt.truncate("1w"))
    pairs = monday.with_columns(
        weeks=(pl.col("week").diff().over("patient")).dt.total_days() / 7,
        sessions=pl.col("session").diff().over("patient"),
    ).drop_nulls()
    assert (pairs["weeks"] == pairs["sessions"]).all()
    assert default["date"].min() >= datetime.date(2011, 1, 10)


def test_missed_sessions_leave_gaps_and_everyone_has_the_first(default: pl.DataFrame) -> None:
    assert default.group_by("patient").agg(pl.col("session").min())["session"].max() == 1
    steps = default.select(pl.col("session").diff().over("patient")).to_series().drop_nulls()
    assert steps.min() == 1
    assert (steps > 1).sum() > 50


@settings(max_examples=25)
@given(st.integers(0, 2**63), st.integers(1, 60))
def test_any_seed_and_size_gives_a_sound_table(seed: int, persons: int) -> None:
    frame = demo(seed, persons).frame
    assert frame["patient"].n_unique() == persons
    assert frame.select("patient", "session").is_unique().all()
    for columns, low, high in ((CORE, 0, 4), (WAI, 1, 5)):
        assert frame.select(pl.min_horizontal(columns).min()).item() >= low
        assert frame.select(pl.max_horizontal(columns).max()).item() <= high


# the sample


def test_sample_looks_as_documented(big: tuple[pl.DataFrame, pl.DataFrame, DemoTruth]) -> None:
    for frame, persons in ((demo().frame, PERSONS), (big[0], BIG)):
        people = frame.unique("patient")
        assert_near([(people["gender"] == "woman").mean()], [0.76], [share_error(0.76, persons)])
        assert_near([people["pd"].mean()], [0.3], [share_error(0.3, persons)])
        assert people["age"].is_between(18, 75).all()
        sessions = frame.group_by("patient").len()["len"]
        assert sessions.is_between(3, 12).mean() > 0.7
        assert sessions.max() <= 24
        core, wai = (v[(frame["session"] == 1).to_numpy()] for v in scored(frame))
        assert (core.mean(), wai.mean()) == pytest.approx((18, 3.8), rel=0.05)
        assert (core.std(), wai.std()) == pytest.approx((6, 0.7), rel=0.1)


def test_therapists_have_unequal_caseloads() -> None:
    therapists = demo_truth().therapists
    assert therapists["persons"].sum() == PERSONS
    assert 55 <= therapists.height <= 60
    assert therapists["persons"].min() >= 1
    assert therapists["persons"].max() > 3 * therapists["persons"].median()


@pytest.mark.parametrize(("column", "expected"), [("core_om", 0.05), ("wai_sr", 0.04)])
def test_therapist_share_of_variance(big: tuple, column: str, expected: float) -> None:
    """One-way analysis of variance of first sessions; its error by a jackknife over 20 groups of therapists."""
    first = big[1].filter(pl.col("session") == 1)
    codes = first["therapist"].rank("dense").to_numpy()

    def icc(part: pl.DataFrame) -> float:
        by = part.group_by("therapist").agg(
            n=pl.len(), m=pl.col(column).mean(), v=pl.col(column).var() * (pl.len() - 1)
        )
        n, k = part.height, by.height
        within = by["v"].fill_null(0.0).sum() / (n - k)
        between = (by["n"] * (by["m"] - part[column].mean()) ** 2).sum() / (k - 1)
        size = (n - (by["n"] ** 2).sum() / n) / (k - 1)
        tau = (between - within) / size
        return tau / (tau + within)

    parts = np.array([icc(first.filter(pl.Series(codes % 20 != g))) for g in range(20)])
    error = math.sqrt(19 / 20 * ((parts - parts.mean()) ** 2).sum())
    assert abs(icc(first) - expected) < 0.005 + Z * error  # the .05 and .04 are rounded


# the items


def test_reversed_items_run_against_the_others(default: pl.DataFrame) -> None:
    core = default.select(CORE).to_numpy().astype(float)
    plain = [j - 1 for j in range(1, 35) if j not in REVERSED]
    total = np.nanmean(core[:, plain], axis=1)
    for j in range(34):
        ok = ~np.isnan(core[:, j])
        r = np.corrcoef(core[ok, j], total[ok])[0, 1]
        assert r < -0.3 if j + 1 in REVERSED else r > 0.2


def test_risk_items_are_much_lower(default: pl.DataFrame) -> None:
    flipped = unreversed(default)
    means = {j: flipped[f"core_om_{j}"].mean() for j in range(1, 35)}
    assert max(means[j] for j in RISK) < 0.8 < min(means[j] for j in means if j not in RISK)


def test_single_items_are_missing(default: pl.DataFrame) -> None:
    cells = default.height * 46
    missing = default.select(CORE + WAI).null_count().sum_horizontal().item()
    assert_near([missing / cells], [0.005], [share_error(0.005, cells)])
    assert demo(persons=30, truth=Truth(missing_item=0)).frame.null_count().sum_horizontal().item() == 0


def test_scored_scales_follow_the_true_ones(big: tuple[pl.DataFrame, pl.DataFrame, DemoTruth]) -> None:
    items, true, _ = big
    for values, name in zip(scored(items), ("core_om", "wai_sr"), strict=True):
        latent = true[name].to_numpy()
        assert np.corrcoef(values, latent)[0, 1] > 0.9
        assert np.corrcoef(deviations(items, values), deviations(items, latent))[0, 1] ** 2 > 0.8


def test_scale_scores_are_the_truth_of_the_same_sessions(default: pl.DataFrame) -> None:
    exact = demo(scale_scores=True).frame
    shared = default.columns[:7]
    assert exact.columns == [*shared, "core_om", "wai_sr"]
    assert exact.select(shared).equals(default.select(shared))
    behind = demo_truth().sessions.filter("attended").select("patient", "session", core_om="y", wai_sr="w")
    assert behind.equals(exact.select("patient", "session", "core_om", "wai_sr"))


# the process


def check_recovery(persons: int) -> None:
    """With one b for each pd group least squares on the within parts is exactly right."""
    p = Truth(sd_b=0.0, **LONG)
    d = lagged(demo_truth(seed=7, persons=persons, truth=p))
    coef, se, e_y = least_squares(d["y_within"], d["y_lag"], d["w_lag"], d["w_lag"] * d["pd"])
    assert_near(coef, [p.a_y, p.b0, p.b_pd], se)
    coef, se, e_w = least_squares(d["w_within"], d["w_lag"], d["y_lag"])
    assert_near(coef, [p.a_w, p.c], se)
    products = np.column_stack([e_y * e_y, e_y * e_w, e_w * e_w])
    root = math.sqrt(len(products))
    assert_near(products.mean(axis=0), list(p.innovation_cov), products.std(axis=0) / root)
    assert_near([e_y.mean(), e_w.mean()], [0, 0], [e_y.std() / root, e_w.std() / root])


def test_least_squares_recovers_the_process() -> None:
    check_recovery(1_500)


@pytest.mark.slow
def test_least_squares_recovers_the_process_at_full_size() -> None:
    check_recovery(20_000)


def check_random_effects(persons: int) -> None:
    """Random b: its distribution, and a_y once each person's own b is taken out."""
    p = Truth(**LONG)
    truth = demo_truth(seed=8, persons=persons, truth=p)
    d = lagged(truth)
    coef, se, _ = least_squares(d["y_within"] - d["b"] * d["w_lag"], d["y_lag"], d["w_lag"])
    assert_near(coef, [p.a_y, 0.0], se)
    for group in (0, 1):
        b = truth.persons.filter(pl.col("pd") == group)["b"]
        assert_near([b.mean()], [p.b0 + p.b_pd * group], [p.sd_b / math.sqrt(len(b))])
        assert_near([b.std()], [p.sd_b], [p.sd_b / math.sqrt(2 * len(b))])
    y, w = truth.persons["y_person"], truth.persons["w_person"]
    root = math.sqrt(persons)
    assert_near(
        [y.std(), w.std()],
        [p.sd_y_person, p.sd_w_person],
        [p.sd_y_person / (2**0.5 * root), p.sd_w_person / (2**0.5 * root)],
    )
    assert_near([np.corrcoef(y, w)[0, 1]], [p.cor_person], [(1 - p.cor_person**2) / root])


def test_random_effects() -> None:
    check_random_effects(1_500)


@pytest.mark.slow
def test_random_effects_at_full_size() -> None:
    check_random_effects(20_000)


def test_process_starts_as_it_goes_on() -> None:
    """Second moments of the within parts at session 1 and at session 30, over the same persons."""
    s = demo_truth(seed=9, persons=20_000, truth=Truth(**LONG)).sessions
    first, late = (s.filter(pl.col("session") == k) for k in (1, 30))
    for left, right in (("y_within", "y_within"), ("y_within", "w_within"), ("w_within", "w_within")):
        change = (first[left] * first[right] - late[left] * late[right]).to_numpy()
        assert_near([change.mean()], [0], [change.std() / math.sqrt(len(change))])
    assert_near([late["w_within"].mean()], [0], [late["w_within"].std() / math.sqrt(20_000)])


def test_stationary_covariance_solves_its_equation() -> None:
    """P = A P A' + Q to rounding, for each of several persons' b."""
    p, b = Truth(), np.linspace(-4, 2, 7)
    yy, yw, ww = _stationary(p, b)
    q = np.array(p.innovation_cov)[[0, 1, 1, 2]].reshape(2, 2)
    for i in range(len(b)):
        a, cov = np.array([[p.a_y, b[i]], [p.c, p.a_w]]), np.array([[yy[i], yw[i]], [yw[i], ww[i]]])
        assert np.allclose(a @ cov @ a.T + q, cov, rtol=1e-12)
        assert np.linalg.eigvalsh(cov).min() > 0


def test_true_scores_are_levels_trend_and_within_parts() -> None:
    p, truth = Truth(), demo_truth(persons=80)
    s = truth.sessions.join(truth.persons, on="patient").join(truth.therapists, on="therapist")
    y = p.mean_y + p.pd_y * s["pd"] + s["y_person"] + s["y_therapist"] + p.trend_y * (s["session"] - 1) + s["y_within"]
    w = p.mean_w + p.pd_w * s["pd"] + s["w_person"] + s["w_therapist"] + p.trend_w * (s["session"] - 1) + s["w_within"]
    assert np.allclose(y, s["y"], atol=1e-9)
    assert np.allclose(w, s["w"], atol=1e-9)


# drop-out


def test_innovations_do_not_depend_on_being_observed(big: tuple[pl.DataFrame, pl.DataFrame, DemoTruth]) -> None:
    """Missing at random: at the sessions still held the innovations have mean 0, session by session too."""
    p, d = Truth(), lagged(big[2])
    d = d.with_columns(
        e_y=pl.col("y_within") - p.a_y * pl.col("y_lag") - pl.col("b") * pl.col("w_lag"),
        e_w=pl.col("w_within") - p.a_w * pl.col("w_lag") - p.c * pl.col("y_lag"),
    )
    for part in (d, d.filter(pl.col("session") > 6)):
        for e in (part["e_y"], part["e_w"]):
            assert_near([e.mean()], [0], [e.std() / math.sqrt(len(e))])


def test_drop_out_follows_low_and_falling_alliance(big: tuple[pl.DataFrame, pl.DataFrame, DemoTruth]) -> None:
    people = big[2].persons
    final = big[2].sessions.join(people, on="patient").filter(pl.col("session") == pl.col("last"))
    for column in ("w", "w_within"):
        left, stayed = (final.filter(pl.col("dropped_out") == out)[column] for out in (True, False))
        error = math.sqrt(left.var() / len(left) + stayed.var() / len(stayed))
        assert left.mean() < stayed.mean() - Z * error
    assert 0.2 < people["dropped_out"].mean() < 0.35
    assert not demo_truth(persons=50, truth=Truth(**LONG)).persons["dropped_out"].any()


# ruptures


def test_ruptures_are_there_and_recorded(big: tuple[pl.DataFrame, pl.DataFrame, DemoTruth]) -> None:
    for truth in (demo_truth(), big[2]):
        p, ruptures = truth.parameters, truth.ruptures
        at_risk = truth.sessions.filter(pl.col("session") > 1).height
        assert_near([len(ruptures) / at_risk], [p.rupture_rate], [share_error(p.rupture_rate, at_risk)])
        assert all(p.rupture_min <= r.depth <= p.rupture_max for r in ruptures)
        repaired = [r.repair - r.onset for r in ruptures if r.repair is not None]
        assert len(repaired) > len(ruptures) / 2
        assert sum(k <= 3 for k in repaired) > 0.9 * len(repaired)
        assert 0 < sum(r.dropped_out for r in ruptures) < len(ruptures) / 3
        assert any(not r.observed for r in ruptures)


def test_each_rupture_is_what_the_sessions_show() -> None:
    truth = demo_truth()
    p, w = truth.parameters, {(i, t): v for i, t, v in truth.sessions.select("patient", "session", "w_within").rows()}
    here = {(i, t): a for i, t, a in truth.sessions.select("patient", "session", "attended").rows()}
    people = {row["patient"]: row for row in truth.persons.to_dicts()}
    for r in truth.ruptures:
        end = people[r.patient]["last"]
        assert (w[r.patient, r.onset], here[r.patient, r.onset]) == (r.low, r.observed)
        back = [t for t in range(r.onset + 1, end + 1) if w[r.patient, t] >= p.repair_level]
        assert r.repair == (back[0] if back else None)
        assert r.dropped_out == (not back and people[r.patient]["dropped_out"])


def test_without_ruptures_there_are_none() -> None:
    assert demo_truth(truth=Truth(rupture_rate=0)).ruptures == ()


# impossible requests


@pytest.mark.parametrize(
    "change",
    [
        {"sd_b": -1},
        {"women": 1.2},
        {"cor_person": -1.5},
        {"a_y": math.nan},
        {"core_noise": -0.1},
        {"rupture_min": 2},
        {"planned_min": 0},
        {"planned_max": 2},
        {"caseload": 0},
        {"missing_item": 1},
    ],
)
def test_impossible_parameters_are_refused(change: dict[str, float]) -> None:
    with pytest.raises(SessionwiseError, match=r"(?s)Nothing can be simulated.*remedy"):
        Truth(**change)


@pytest.mark.parametrize("change", [{"a_y": 1.0}, {"a_w": -1.1}, {"sd_b": 60.0}, {"sd_e_w": 0}, {"cor_e": 1}])
def test_a_process_that_explodes_is_refused(change: dict[str, float]) -> None:
    with pytest.raises(SessionwiseError, match="no stationary distribution"):
        demo(truth=Truth(**change))


@pytest.mark.parametrize(("seed", "persons"), [(-1, 10), (1, 0)])
def test_impossible_sizes_are_refused(seed: int, persons: int) -> None:
    with pytest.raises(SessionwiseError, match=r"(seed is -1|persons is 0), not a whole number"):
        demo(seed, persons)


# speed


def test_it_is_fast_and_imports_little() -> None:
    times = []
    for _ in range(3):
        start = time.process_time()
        demo()
        times.append(time.process_time() - start)
    assert min(times) < 0.25
    code = "import sys, sessionwise.datasets; print('polars' in sys.modules)"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "False"


# the documentation


def doc_table(heading: str) -> list[list[str]]:
    """The cells of the first table after a heading, without its two head lines."""
    section = re.split(rf"(?m)^## {re.escape(heading)}$", DOC.read_text(encoding="utf-8"))[1]
    rows = re.findall(r"(?m)^\|(.*)\|$", section.split("\n## ")[0])[2:]
    return [[cell.strip().strip("`") for cell in row.split("|")] for row in rows]


def summary(persons: int) -> dict[str, str]:
    """What `docs/demo-data.md` says of a sample, as it says it."""
    frame, exact = demo(persons=persons).frame, demo(persons=persons, scale_scores=True).frame
    truth = demo_truth(persons=persons)
    people, n = frame.unique("patient"), frame.group_by("patient").len()["len"]
    first = (frame["session"] == 1).to_numpy()
    core, wai = scored(frame)
    held, ruptures = truth.sessions, truth.ruptures
    repaired = [r.repair - r.onset for r in ruptures if r.repair is not None]
    quick = sum(k <= 3 for k in repaired)

    def reliability(values: np.ndarray, name: str) -> float:
        return np.corrcoef(deviations(frame, values), deviations(frame, exact[name].to_numpy()))[0, 1] ** 2

    def slope(values: np.ndarray, name: str) -> float:
        return np.polyfit(deviations(frame, exact[name].to_numpy()), deviations(frame, values), 1)[0]

    def pct(part: float, whole: float = 1) -> str:
        return f"{100 * part / whole:.1f} %"

    load = truth.therapists["persons"]
    return {
        "rows (attended sessions)": f"{frame.height:,}",
        "therapists; caseload, median (range)": f"{load.len():,}; {load.median():.0f} ({load.min()}–{load.max()})",
        "women": pct((people["gender"] == "woman").mean()),
        "personality problems": pct(people["pd"].mean()),
        "age, mean (SD)": f"{people['age'].mean():.1f} ({people['age'].std():.1f})",
        "attended sessions, median (quartiles)": f"{n.median():.0f} ({n.quantile(0.25):.0f}–{n.quantile(0.75):.0f})",
        "1–2 attended sessions": pct((n < 3).mean()),
        "3–12 attended sessions": pct(n.is_between(3, 12).mean()),
        "more than 12": pct((n > 12).mean()),
        "scheduled sessions skipped": pct((~held["attended"]).mean()),
        "persons who dropped out": pct(truth.persons["dropped_out"].mean()),
        "CORE-OM at session 1, mean (SD)": f"{core[first].mean():.1f} ({core[first].std(ddof=1):.1f})",
        "WAI-SR at session 1, mean (SD)": f"{wai[first].mean():.2f} ({wai[first].std(ddof=1):.2f})",
        "SD of true within parts, y*; w*": f"{held['y_within'].std():.2f}; {held['w_within'].std():.2f}",
        "within-person reliability, CORE-OM; WAI-SR": f"{reliability(core, 'core_om'):.2f}; "
        f"{reliability(wai, 'wai_sr'):.2f}",
        "within-person slope of scored on true, CORE-OM; WAI-SR": f"{slope(core, 'core_om'):.2f}; "
        f"{slope(wai, 'wai_sr'):.2f}",
        "correlation of scored and true, CORE-OM; WAI-SR": f"{np.corrcoef(core, exact['core_om'])[0, 1]:.2f}; "
        f"{np.corrcoef(wai, exact['wai_sr'])[0, 1]:.2f}",
        "ruptures; persons with one or more": f"{len(ruptures):,}; {pct(len({r.patient for r in ruptures}), persons)}",
        "of these repaired; within 1–3 sessions": f"{pct(len(repaired), len(ruptures))}; {pct(quick, len(ruptures))}",
        "of these not repaired at drop-out": pct(sum(r.dropped_out for r in ruptures), len(ruptures)),
    }


def test_documented_parameters_are_those_of_truth() -> None:
    documented = [(n, float(v), unit, meaning) for n, v, unit, meaning in doc_table("Parameters")]
    assert documented == [(n, float(v), unit, meaning) for n, v, unit, meaning in Truth().describe()]


def test_documented_sample_is_the_one_that_comes_out() -> None:
    small, large = summary(PERSONS), summary(BIG)
    assert doc_table("The sample") == [[name, small[name], large[name]] for name in small]


def test_documented_therapist_shares_follow_from_the_parameters() -> None:
    p, people = Truth(), demo_truth(persons=BIG).persons
    share_pd = p.pd_share * (1 - p.pd_share)
    yy, _, ww = (v.mean() for v in _stationary(p, people["b"].to_numpy()))
    y = p.sd_y_therapist**2 / (p.sd_y_therapist**2 + p.sd_y_person**2 + p.pd_y**2 * share_pd + yy)
    w = p.sd_w_therapist**2 / (p.sd_w_therapist**2 + p.sd_w_person**2 + p.pd_w**2 * share_pd + ww)
    assert (f"{y:.2f}", f"{w:.2f}") == ("0.05", "0.04")
    assert "account for .05 of the variance of true symptom levels" in DOC.read_text(encoding="utf-8")


def test_documented_code_runs() -> None:
    (code,) = re.findall(r"(?ms)^```python\n(.*?)^```", DOC.read_text(encoding="utf-8"))
    names: dict[str, object] = {}
    exec(code, names)
    assert names["table"].frame.equals(demo().frame)
