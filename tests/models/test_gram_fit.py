"""Fits from Grams: a fit of a Panel is the fit of its Gram, and of the added Grams of its persons split in any way.

Tolerances
----------
SAME 1e-9 relative: sums over persons in another order, columns moved to the means of all; 3e-10 was found.
DF 1e-5 relative, with residual parameters: degrees of freedom take differences of differences there, 2e-6 was found.
RANEF 1e-8 of a residual standard deviation: effects are small differences.
"""

from __future__ import annotations

import io
import pickle
from collections.abc import Callable
from functools import cache, reduce
from itertools import pairwise
from typing import Any

import numpy as np
import polars as pl
import pytest

import sessionwise as sw
from sessionwise.models import MLM, MLMFit, MLMGram

SAME, DF, RANEF = 1e-9, 1e-5, 1e-8


@cache
def table() -> pl.DataFrame:
    """120 persons of the demo, whose therapists differ; a spell that changes within persons; a column with a large mean
    in half of the persons."""
    frame = sw.datasets.demo(persons=120, scale_scores=True).frame
    half = pl.col("patient") % 2 == 0
    return frame.with_columns(
        spell=(pl.col("session") - 1) // 4,
        stand_in=((pl.col("patient") + pl.col("session") // 3) % 5).cast(pl.String),
        far=pl.col("wai_sr") + pl.when(half).then(1000.0).otherwise(0.0),
    )


@cache
def panel() -> sw.Panel:
    return sw.Panel(table(), person="patient", session="session", cluster="therapist", time="date")


MODELS = {
    "linear": MLM("core_om ~ lag(core_om) + session"),
    "no intercept": MLM("core_om ~ 0 + session + pd + (1 | patient)"),
    "slopes": MLM("core_om ~ session * pd + within(wai_sr) + between(wai_sr) + (1 + session | patient)", "ML"),
    "apart": MLM("core_om ~ session + (1 + session || patient) + (0 + wai_sr | therapist)"),
    "chain": MLM(
        "core_om ~ lag(within(wai_sr)) * pd + (1 + lag(within(wai_sr)) | patient) + (1 + session | therapist)"
    ),
    "clusters alone": MLM("core_om ~ session + (1 | therapist)"),
    "crossed": MLM("core_om ~ session + (1 | patient) + (1 + session | stand_in)"),
    "inside": MLM("core_om ~ session + (1 | patient) + (1 | patient:spell)"),
    "all": MLM("core_om ~ session + (1 | patient) + (1 | patient:spell) + (1 | stand_in) + (1 | therapist)", "ML"),
    "category": MLM("core_om ~ gender * session + (1 | patient)"),
    "left out": MLM("core_om ~ session + pd + I(1 - pd) + (1 | patient)"),
    "far apart": MLM("core_om ~ session + far + (1 + far | patient)"),
    "ar1": MLM("core_om ~ session + within(wai_sr) + (1 | patient)", residual="ar1"),
    "strata": MLM("core_om ~ session + (1 | patient) + (1 | therapist)", variance_by="gender"),
    "ar1 and strata": MLM("core_om ~ session + (1 | patient)", "ML", residual="ar1", variance_by="gender"),
}


@cache
def whole(name: str) -> MLMFit:
    return MODELS[name].fit(panel())


def of_person(column: str) -> np.ndarray:
    values = panel()[column] if panel().is_numeric(column) else panel().labels(column).codes
    return np.array([values[i] for i in panel().starts[:-1]])


def batches(how: str) -> list[np.ndarray]:
    """Persons of each batch."""
    persons, rng = panel().persons, np.random.default_rng(1)
    if how == "whole":
        return [persons]
    if how == "any":
        return np.array_split(rng.permutation(persons), 7)
    if how == "last first":
        return [persons[70:], persons[:70]]
    if how == "by level":  # with quite other means
        level = np.argsort([np.nanmean(panel()["core_om"][a:b]) for a, b in pairwise(panel().starts)])
        return [persons[level[:30]], persons[level[30:]]]
    if how == "one person each":
        return [persons[i : i + 1] for i in range(len(persons))]
    codes = of_person(how)
    return [persons[codes == c] for c in np.unique(codes)]


def levels_of(name: str, persons: np.ndarray) -> set[tuple[str, object]]:
    """Levels of therapists and their like that the rows of these persons have."""
    factors = [f for f in ("therapist", "stand_in") if f"| {f})" in MODELS[name].formula]
    rows = table().filter(pl.col("patient").is_in(persons.tolist()))
    return {(f, level) for f in factors for level in rows[f].unique()}


def grams(model: MLM, how: str) -> list[MLMGram]:
    parts = batches(how)
    learns = "gender" in model.formula and len(parts) > 1
    first = model.gram(panel()) if learns else None  # a site alone may lack a category
    return [model.gram(panel().subset(persons), like=first) for persons in parts]


def assert_same(fit: MLMFit, other: MLMFit) -> None:
    assert fit.terms == other.terms
    assert fit.verdict == other.verdict
    assert (fit.nobs, fit.npersons, fit.nclusters) == (other.nobs, other.npersons, other.nclusters)
    a, b = fit.solution, other.solution
    np.testing.assert_allclose(a.criterion, b.criterion, rtol=SAME)
    error = np.sqrt(b.vcov.diagonal())
    np.testing.assert_allclose(a.beta / error, b.beta / error, rtol=SAME, atol=SAME)
    np.testing.assert_allclose(a.vcov / np.outer(error, error), b.vcov / np.outer(error, error), rtol=SAME, atol=SAME)
    np.testing.assert_allclose(a.sigma, b.sigma, rtol=SAME)
    np.testing.assert_allclose(a.theta, b.theta, rtol=10 * SAME, atol=SAME * np.abs(b.theta).max(initial=1.0))
    np.testing.assert_allclose(a.residual, b.residual, rtol=SAME, atol=SAME)
    np.testing.assert_allclose(fit.tests.df, other.tests.df, rtol=DF if len(b.residual) else 10 * SAME)
    for group, effects in fit.effects.items():
        assert effects.labels.tolist() == other.effects[group].labels.tolist()
        scale = np.abs(other.effects[group].values).max() + b.sigma
        np.testing.assert_allclose(effects.values / scale, other.effects[group].values / scale, atol=RANEF)


SPLITS = ("whole", "any", "last first", "by level", "pd", "therapist")


@pytest.mark.parametrize("how", SPLITS)
@pytest.mark.parametrize("name", MODELS)
def test_added_grams_are_the_whole(name: str, how: str) -> None:
    fit = MODELS[name].fit(grams(MODELS[name], how))
    assert_same(fit, whole(name))
    said = [{f.code: (f.count, f.what) for f in x.findings} for x in (fit, whole(name))]
    shared = said[0].pop("levels-in-several-grams", None)
    assert said[0] == said[1]
    levels = [level for persons in batches(how) for level in levels_of(name, persons)]
    assert (shared is not None) is (len(set(levels)) < len(levels))


@pytest.mark.parametrize("name", ["linear", "chain", "crossed", "category", "left out", "ar1 and strata"])
def test_a_batch_for_each_person(name: str) -> None:
    """Some have no row that can be used, one level, one category: that is judged of all together."""
    assert_same(MODELS[name].fit(grams(MODELS[name], "one person each")), whole(name))


def test_the_gram_of_a_panel_is_what_its_fit_takes() -> None:
    """To the last digit, where persons stand in one order."""
    model = MODELS["slopes"]
    one, other = model.fit(model.gram(panel())), whole("slopes")
    assert np.array_equal(one.solution.beta, other.solution.beta)
    assert one.deviance == other.deviance
    assert str(one) == str(other)


def test_it_does_not_matter_in_which_order_they_are_added() -> None:
    made = grams(MODELS["all"], "any")
    fits = [MODELS["all"].fit(x) for x in (made, made[::-1], reduce(lambda a, b: a + b, made), made[0] + made[1])]
    for fit in fits[:3]:
        assert_same(fit, whole("all"))
    assert fits[3].npersons == len(np.concatenate(batches("any")[:2]))


def test_the_method_is_the_fits() -> None:
    made = MLM(MODELS["chain"].formula, "REML").gram(panel())
    assert_same(MLM(MODELS["chain"].formula, "ML").fit(made), MLM(MODELS["chain"].formula, "ML").fit(panel()))


class Shapes(pickle.Pickler):
    """Of all arrays that are pickled."""

    def __init__(self, file: io.BytesIO) -> None:
        super().__init__(file)
        self.found: list[tuple[int, ...]] = []

    def reducer_override(self, value: object) -> object:
        if isinstance(value, np.ndarray):
            self.found.append(value.shape)
        return NotImplemented


def test_sites_send_no_session() -> None:
    """What a site sends has no array as long as its sessions, and is as large for twice as many sessions a person."""

    def site(sessions: int) -> tuple[MLMGram, int]:
        rng = np.random.default_rng(1)
        frame = pl.DataFrame(
            {
                "p": np.repeat(np.arange(40), sessions),
                "s": np.tile(np.arange(sessions), 40),
                "x": rng.standard_normal(40 * sessions),
                "y": rng.standard_normal(40 * sessions),
                "g": np.repeat(np.arange(40) % 2, sessions),
            }
        )
        made = MLM("y ~ x + (1 + x | p)", residual="ar1", variance_by="g").gram(
            sw.Panel(frame, person="p", session="s")
        )
        return made, 40 * sessions

    for sessions in (6, 12):
        made, rows = site(sessions)
        shapes = Shapes(io.BytesIO())
        shapes.dump(made)
        assert len(shapes.found) > 10
        assert not [shape for shape in shapes.found if rows in shape]
    small, large = (len(pickle.dumps(site(n)[0])) for n in (6, 12))
    assert large < 1.01 * small


def test_two_sites_and_what_they_sent() -> None:
    model = MODELS["chain"]
    sites = [pickle.loads(pickle.dumps(g)) for g in grams(model, "therapist")]
    assert_same(model.fit(sites), whole("chain"))


@pytest.mark.parametrize("name", ["chain", "ar1 and strata"])
def test_what_takes_the_panel_again(name: str) -> None:
    """A fit of Grams holds no residual's row: those of the Panel are used."""
    fit, other = MODELS[name].fit(grams(MODELS[name], "any" if name == "chain" else "whole")), whole(name)
    np.testing.assert_allclose(fit.fitted(panel()), other.fitted(panel()), rtol=1e-7)
    np.testing.assert_allclose(fit.predict(panel()), other.predict(panel()), rtol=1e-7)
    drawn = [np.asarray(x.simulate(panel(), seed=3)["core_om"]) for x in (fit, other)]
    np.testing.assert_allclose(drawn[0], drawn[1], rtol=1e-7)
    for a, b in zip(fit.robust(panel()).to_numpy()[:, 1:], other.robust(panel()).to_numpy()[:, 1:], strict=True):
        np.testing.assert_allclose(a.astype(float), b.astype(float), rtol=1e-6, atol=1e-9)
    np.testing.assert_allclose(fit.explained(panel()).f1, other.explained(panel()).f1, rtol=1e-8)
    ends = [x.confint("bootstrap", panel=panel(), n=8, seed=2).select("low", "high").to_numpy() for x in (fit, other)]
    np.testing.assert_allclose(ends[0], ends[1], rtol=1e-5, atol=1e-7)


def test_simple_slopes_and_comparisons() -> None:
    fit, other = MODELS["slopes"].fit(grams(MODELS["slopes"], "by level")), whole("slopes")
    a, b = (x.slopes("session").to_numpy() for x in (fit, other))
    np.testing.assert_allclose(a[:, 1:].astype(float), b[:, 1:].astype(float), rtol=1e-7)
    a, b = (x.confint("profile", which=["sigma"]).to_numpy() for x in (fit, other))
    np.testing.assert_allclose(a[:, 1:].astype(float), b[:, 1:].astype(float), rtol=1e-7)


def test_an_lrt_of_fits_from_grams_and_panel() -> None:
    larger = MLM("core_om ~ session + (1 | patient) + (1 | therapist)", "ML", residual="ar1", variance_by="gender")
    a = larger.fit(larger.gram(panel())).lrt(whole("ar1 and strata"))
    b = larger.fit(panel()).lrt(whole("ar1 and strata"))
    np.testing.assert_allclose(a.chi2, b.chi2, atol=1e-6)


# --- what does not belong together ------------------------------------------------------------------


def test_a_person_in_two_grams() -> None:
    model = MODELS["slopes"]
    with pytest.raises(sw.GramError, match="3 persons are in more than one Gram"):
        model.fit([model.gram(panel().subset(panel().persons[:9])), model.gram(panel().subset(panel().persons[6:]))])


@pytest.mark.parametrize(
    ("other", "what"),
    [
        (MLM("core_om ~ session + (1 | patient)"), "formula"),
        (MLM(MODELS["slopes"].formula, residual="ar1"), "residual"),
        (MLM(MODELS["slopes"].formula, variance_by="gender"), "variance_by"),
    ],
)
def test_another_model(other: MLM, what: str) -> None:
    model = MODELS["slopes"]
    with pytest.raises(sw.GramError, match=f"another model: its {what} is"):
        model.fit(other.gram(panel()))
    with pytest.raises(sw.GramError, match=f"another model: its {what} is"):
        model.gram(panel()) + other.gram(panel())
    with pytest.raises(sw.GramError, match=f"another model: its {what} is"):
        model.gram(panel(), like=other.gram(panel()))


@pytest.mark.parametrize("formula", ["core_om ~ gender + (1 | patient)", "core_om ~ bs(session, df=4) + (1 | patient)"])
def test_what_was_learned_elsewhere_needs_like(formula: str) -> None:
    model = MLM(formula)
    frame = table().with_columns(gender=pl.when(pl.col("patient") < 1040).then(pl.lit("x")).otherwise("gender"))
    data = sw.Panel(frame, person="patient", session="session")
    persons = data.persons[data.persons < 1060], data.persons[data.persons >= 1060]
    first, second = (model.gram(data.subset(p)) for p in persons)
    with pytest.raises(sw.GramError) as caught:
        first + second
    assert "like=" in caught.value.remedy
    again = model.gram(data.subset(persons[1]), like=first)
    if "bs" not in formula:
        assert_same(model.fit([first, again]), model.fit(data))
    else:  # knots of the first
        assert model.fit([first, again]).npersons == model.fit(data).npersons


def test_labels_of_two_kinds() -> None:
    model = MLM("core_om ~ session + (1 | patient)")
    text = sw.Panel(table().with_columns(pl.col("patient").cast(pl.String)), person="patient", session="session")
    with pytest.raises(sw.GramError, match="numbers in one Gram and text"):
        model.gram(panel().subset(panel().persons[:5])) + model.gram(text)


def test_other_names_of_roles() -> None:
    model = MLM("core_om ~ session")
    data = sw.Panel(table().with_columns(other=pl.col("patient") + 1000), person="other", session="session")
    with pytest.raises(sw.GramError, match="the person is 'patient' in one Gram and 'other'"):
        model.gram(panel()) + model.gram(data)


def test_continuous_time_needs_the_sessions() -> None:
    model = MLM("core_om ~ session + (1 | patient)", residual="car1")
    with pytest.raises(sw.ModelError, match="would have to hold the sessions") as caught:
        model.gram(panel())
    assert "ar1" in caught.value.remedy


@pytest.mark.parametrize("data", [None, [], "patients", [1, 2]])
def test_what_is_no_panel_and_no_gram(data: object) -> None:
    with pytest.raises((sw.ModelError, sw.GramError)) as caught:
        MODELS["linear"].fit(data)
    assert caught.value.remedy
    with pytest.raises(sw.ModelError, match="is no Panel"):
        MODELS["linear"].gram(data)


def few(persons: int = 3, sessions: int = 99, **changes: pl.Expr) -> sw.Panel:
    frame = table().filter(pl.col("patient") <= 1000 + persons, pl.col("session") <= sessions)
    return sw.Panel(frame.with_columns(**changes), person="patient", session="session")


POWERS = "core_om ~ session + wai_sr + I(session^2) + I(wai_sr^2) + I(session^3) + I(wai_sr^3) + I(session*wai_sr)"


@pytest.mark.parametrize(
    ("formula", "data", "options"),
    [
        ("core_om ~ session + (1 | patient)", lambda: few(core_om=pl.lit(4.0)), {}),
        ("core_om ~ session + (1 | patient)", lambda: few(core_om=pl.lit(None, pl.Float64)), {}),
        ("core_om ~ 1 + (1 | pd)", lambda: few(pd=pl.lit(1)), {}),
        ("core_om ~ 1 + (1 + session + wai_sr | patient)", lambda: few(sessions=2), {}),
        (POWERS, lambda: few(1), {}),
        ("core_om ~ 1 + (1 | patient)", lambda: few(sessions=1), {"residual": "ar1"}),
        ("core_om ~ session + (1 | patient)", lambda: few(gender=pl.lit("woman")), {"variance_by": "gender"}),
    ],
)
def test_what_cannot_be_fitted_is_said_as_of_a_panel(
    formula: str, data: Callable[[], sw.Panel], options: dict[str, Any]
) -> None:
    panel = data()
    model = MLM(formula, **options)
    with pytest.raises(sw.SessionwiseError) as of_panel:
        model.fit(panel)
    with pytest.raises(sw.SessionwiseError) as of_gram:
        model.fit(model.gram(panel))
    assert of_gram.value.what == of_panel.value.what
    assert of_gram.value.remedy == of_panel.value.remedy
    if len(panel.persons) > 1:
        with pytest.raises(sw.SessionwiseError) as added:
            model.fit([model.gram(panel.subset([p])) for p in panel.persons])
        assert added.value.what == of_panel.value.what


def test_two_factors_that_divide_the_rows_alike_only_in_a_batch() -> None:
    """A batch of one person has one therapist and one patient; together they differ."""
    model = MLM("core_om ~ session + (1 | patient) + (1 | twin)")
    frame = table().with_columns(twin=pl.col("patient") // 2)
    data = sw.Panel(frame, person="patient", session="session")
    split = [data.subset([p]) for p in data.persons]
    assert_same(model.fit([model.gram(p) for p in split]), model.fit(data))
    alike = sw.Panel(table().with_columns(twin=-pl.col("patient")), person="patient", session="session")
    with pytest.raises(sw.ModelError, match="divide the rows in the same way"):
        model.fit([model.gram(alike.subset(p)) for p in (alike.persons[:50], alike.persons[50:])])


def test_spells_that_divide_alike() -> None:
    model = MLM("core_om ~ session + (1 | patient:spell) + (1 | patient:other)")
    data = sw.Panel(table().with_columns(other=-pl.col("spell")), person="patient", session="session")
    for grams_of in ([data], [data.subset(data.persons[:50]), data.subset(data.persons[50:])]):
        with pytest.raises(sw.ModelError, match="divide the rows in the same way"):
            model.fit([model.gram(p) for p in grams_of])


def test_columns_that_nearly_depend_on_each_other() -> None:
    """Rows of one Panel, or Grams made alike, keep their digits; a sum of others has lost them, and says so."""
    frame = table().with_columns(near=pl.col("session") + 1e-5 * pl.col("wai_sr"))
    data = sw.Panel(frame, person="patient", session="session")
    model = MLM("core_om ~ session + near + (1 | patient)")
    parts = [data.subset(data.persons[:60]), data.subset(data.persons[60:])]
    first = model.gram(parts[0])
    alike = model.fit([first, model.gram(parts[1], like=first)])
    of_rows = model.fit(data)
    np.testing.assert_allclose(alike.solution.beta, of_rows.solution.beta, rtol=1e-6)
    np.testing.assert_allclose(alike.deviance, of_rows.deviance, rtol=1e-9)
    with pytest.raises(sw.ModelError, match="have lost what is left") as caught:
        model.fit([model.gram(p) for p in parts])
    assert "like=" in caught.value.remedy


def test_a_slope_that_varies_only_between_batches() -> None:
    """Constant within each therapist of each clinic, but not of both: then its slope can be told, and no finding says
    otherwise."""
    frame = table().with_columns(clinic=pl.col("patient") % 2, fixed=pl.lit(3.0))
    data = sw.Panel(frame, person="patient", session="session", cluster="therapist")
    clinic = np.array([data["clinic"][i] for i in data.starts[:-1]])
    parts = [data.subset(data.persons[clinic == c]) for c in (0, 1)]
    for column, said in (("clinic", False), ("fixed", True)):
        model = MLM(f"core_om ~ session + (1 + {column} | therapist)", "ML")
        grams = [model.gram(p) for p in parts]
        assert all(g.constant == (("therapist", column),) for g in grams)
        codes = {f.code for f in model.fit(grams).findings} - {"levels-in-several-grams"}
        assert codes == {f.code for f in model.fit(data).findings}
        assert ("constant-slope" in codes) is said
