"""Grams of sites whose rows differ: made alike, or refused with a remedy that works when it is followed to the letter.

SAME 1e-9, relative: log-likelihoods of the added Grams and of the one Panel.
"""

from __future__ import annotations

import copy
import html
import pickle
import re
from collections.abc import Callable
from functools import cache

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import sessionwise as sw
from sessionwise.mixed import residuals
from sessionwise.models.mlm import gram as module

SAME = 1e-9
EVEN = pl.col("patient") % 2 == 0


@cache
def table() -> pl.DataFrame:
    """80 persons of the demo in two sites, even and odd, each with two of three settings, as text and as numbers."""
    frame = sw.datasets.demo(persons=80, scale_scores=True).frame
    return frame.with_columns(
        setting=pl.when(pl.col("patient") % 4 == 0)
        .then(pl.lit("ward"))
        .when(pl.col("patient") % 4 == 1)
        .then(pl.lit("day clinic"))
        .otherwise(pl.lit("home")),
        step=pl.col("patient") % 4,
        wai_sr=pl.col("wai_sr") + pl.when(EVEN).then(0.7).otherwise(0.0),
    )


def panel(rows: pl.DataFrame) -> sw.Panel:
    return sw.Panel(rows, person="patient", session="session", cluster="therapist")


def site(chosen: pl.Expr, **changes: pl.Expr) -> sw.Panel:
    return panel(table().filter(chosen).with_columns(**changes))


def both(model: sw.MLM) -> sw.MLMFit:
    return model.fit([model.gram(site(EVEN)), model.gram(site(~EVEN))])


def whole(model: sw.MLM) -> sw.MLMFit:
    return model.fit(panel(table()))


# --- values, means, knots ---------------------------------------------------------------------------


@pytest.mark.parametrize("term", ["setting", "C(setting)", "C(setting, contr.sum)", "C(step)", "setting:session"])
def test_values_that_no_site_has_all_of_are_named_as_the_remedy_says(term: str) -> None:
    model = sw.MLM(f"core_om ~ session + {term} + (1 | patient)")
    with pytest.raises(sw.GramError, match="has other values in one Gram than in another") as caught:
        both(model)
    followed = re.search(r"Write (.+\]\)) for|Add (levels=\[.+?\]) to (.+) in the formula", caught.value.remedy)
    assert followed
    written = followed[1] or f"{followed[3].removesuffix(')')}, {followed[2]})"
    named = sw.MLM(model.formula.replace(followed[3] or "setting", written))
    fit = both(named)
    assert fit.loglik == pytest.approx(whole(model).loglik, rel=SAME)
    assert fit.fixef.keys() == whole(named).fixef.keys()


def test_a_site_that_has_one_value_or_one_that_the_other_has_not() -> None:
    model = sw.MLM("core_om ~ session + setting + (1 | patient)")
    with pytest.raises(sw.DesignError, match="one value only") as caught:
        model.gram(site(pl.col("setting") == "ward"))
    assert "C(setting, levels=" in caught.value.remedy
    first = model.gram(site(EVEN))
    with pytest.raises(sw.DesignError, match="not there when the design was made: day clinic") as caught:
        model.gram(site(~EVEN), like=first)
    assert 'C(setting, levels=["day clinic", "home", "ward"])' in caught.value.remedy
    assert "like=" in caught.value.remedy
    complete = model.gram(site(pl.col("patient") < 1040))
    rest = [model.gram(site((pl.col("patient") >= 1040) & chosen), like=complete) for chosen in (EVEN, ~EVEN)]
    assert model.fit([complete, *rest]).loglik == pytest.approx(whole(model).loglik, rel=SAME)


def test_a_value_that_nobody_has_is_left_out_and_said() -> None:
    fit = both(sw.MLM('core_om ~ C(setting, levels=["day clinic", "home", "ward", "zoo"]) + (1 | patient)'))
    assert [f.code for f in fit.findings.warnings] == ["rank-deficient"]
    assert fit.loglik == pytest.approx(whole(sw.MLM("core_om ~ setting + (1 | patient)")).loglik, rel=SAME)


def test_a_value_compared_with_may_be_at_another_site() -> None:
    model = sw.MLM('core_om ~ session + I(setting == "ward") + (1 | patient)')
    assert both(model).loglik == pytest.approx(whole(model).loglik, rel=SAME)
    wrong = sw.MLM('core_om ~ session + I(setting == "wardd") + (1 | patient)')
    assert [f.what for f in both(wrong).findings.warnings] == [
        'Column I(setting == "wardd") was left out: it is zero in every row used.'
    ]


@pytest.mark.parametrize("numeric_first", [True, False])
def test_numbers_at_one_site_and_labels_at_the_other(numeric_first: bool) -> None:
    model = sw.MLM("core_om ~ session + setting + (1 | patient)")
    sites = [site(EVEN), site(~EVEN, setting=pl.col("step"))]
    first, second = sites[::-1] if numeric_first else sites
    with pytest.raises(sw.GramError, match="setting holds numbers in one Gram and labels in another"):
        model.gram(first) + model.gram(second)
    with pytest.raises(sw.DesignError) as caught:
        model.gram(second, like=model.gram(first))
    assert "levels=" not in caught.value.remedy


@pytest.mark.parametrize("term", ["center(wai_sr)", "scale(wai_sr)", "bs(wai_sr, df=4)", "poly(wai_sr, 2)"])
def test_what_was_learned_from_a_sites_own_rows(term: str) -> None:
    model = sw.MLM(f"core_om ~ {term} + (1 | patient)", "ML")
    with pytest.raises(sw.GramError, match=re.escape(f"{term} was made differently")) as caught:
        both(model)
    assert "model.gram(panel, like=first)" in caught.value.remedy
    term = term.replace("df=4", 'df=4, extrapolation="extend"')
    model = sw.MLM(f"core_om ~ {term} + (1 | patient)", "ML")
    first = model.gram(site(EVEN))
    fit = model.fit([first, model.gram(site(~EVEN), like=first)])
    if "bs" not in term:  # knots change the model, centre and scale only its coefficients
        assert fit.loglik == pytest.approx(whole(model).loglik, rel=SAME)
    expected = fit.predict(panel(table()), "population")
    assert np.corrcoef(expected, whole(model).predict(panel(table()), "population"))[0, 1] > 0.98


def test_a_site_without_a_row_that_can_be_used() -> None:
    empty = site(EVEN, core_om=pl.lit(None, pl.Float64))
    for term, error in (("session", ""), ("center(wai_sr)", "learns from the rows used"), ("setting", "has no value")):
        model = sw.MLM(f"core_om ~ {term} + (1 | patient)")
        other = model.gram(site(~EVEN))
        if error:
            with pytest.raises(sw.DesignError, match=error) as caught:
                model.gram(empty)
            assert "like=" in caught.value.remedy
        fit = model.fit([model.gram(empty, like=other), other])
        assert fit.loglik == pytest.approx(model.fit(site(~EVEN)).loglik, rel=SAME)
        lost = next(f for f in fit.findings if f.code == "persons-lost")
        assert lost.what.startswith(f"{len(empty.persons)} of 80 persons")


def test_a_site_without_a_column() -> None:
    model = sw.MLM("core_om ~ session + pd + (1 | patient)")
    with pytest.raises(sw.FormulaError, match="no column 'pd'"):
        model.gram(panel(table().drop("pd")))


# --- persons, clusters, rows ------------------------------------------------------------------------


def test_a_person_is_in_one_gram_even_where_none_of_its_rows_is_used() -> None:
    model = sw.MLM("core_om ~ session + (1 | patient)")
    first = model.gram(site(EVEN))
    one = site(pl.col("patient") == 1002, core_om=pl.lit(None, pl.Float64))
    with pytest.raises(sw.GramError, match="1 person is in more than one Gram: 1002") as caught:
        first + model.gram(one)
    assert "one table" in caught.value.remedy
    assert "site's name" in caught.value.remedy


def test_labels_with_the_sites_name_can_be_added() -> None:
    """What the remedy says, of two sites that both count from 1."""
    model = sw.MLM("core_om ~ session + (1 | patient)")
    count = pl.col("patient").rank("dense").cast(pl.Int64)
    sites = {"a": site(EVEN, patient=count), "b": site(~EVEN, patient=count)}
    with pytest.raises(sw.GramError, match="40 persons are in more than one Gram"):
        model.fit([model.gram(p) for p in sites.values()])
    named = [panel(p.to_frame().with_columns(patient=pl.format(f"{n} {{}}", "patient"))) for n, p in sites.items()]
    assert model.fit([model.gram(p) for p in named]).loglik == pytest.approx(whole(model).loglik, rel=SAME)


def test_levels_that_several_sites_have_are_said_in_whatever_order_they_are_added() -> None:
    model = sw.MLM("core_om ~ session + (1 | patient) + (1 | therapist)")
    grams = [model.gram(site(pl.col("patient") % 3 == i)) for i in range(3)]
    used = [set(table().filter(pl.col("patient") % 3 == i)["therapist"]) for i in range(3)]
    shared = (used[0] & used[1]) | (used[0] & used[2]) | (used[1] & used[2])
    for fit in (model.fit(grams), model.fit(grams[0] + grams[1] + grams[2]), model.fit(sum(reversed(grams)))):
        note = next(f for f in fit.findings if f.code == "levels-in-several-grams")
        assert (note.severity, note.count) == ("note", len(shared))
    apart = site(~EVEN, therapist=pl.format("b {}", "therapist"))
    fit = model.fit([model.gram(site(EVEN)), model.gram(apart)])
    assert "levels-in-several-grams" not in {f.code for f in fit.findings}


def test_every_row_that_was_dropped_is_counted() -> None:
    model = sw.MLM("core_om ~ lag(core_om) + wai_sr + (1 | patient)")
    rows = table().with_columns(wai_sr=pl.when(pl.col("session") == 3).then(None).otherwise(pl.col("wai_sr")))
    parts = [panel(rows.filter(pl.col("patient") % 5 == i)) for i in range(5)]
    grams = [model.gram(p) for p in parts]
    for fit in (model.fit(grams), model.fit(sum(grams))):
        dropped = {f.code: f.count for f in fit.findings if f.code.startswith("dropped-")}
        assert dropped == {f.code: f.count for f in model.fit(panel(rows)).findings if f.code.startswith("dropped-")}
        assert fit.nobs + sum(dropped.values()) == fit.recipe.n_given == len(rows)
    assert dropped == {code: sum(f.count for g in grams for f in g.findings if f.code == code) for code in dropped}


@settings(max_examples=25)
@given(
    st.lists(st.integers(0, 4), min_size=24, max_size=24),
    st.integers(0, 2**32 - 1),
    st.sampled_from(["independent", "ar1"]),
)
def test_however_persons_are_split(part: list[int], seed: int, residual: str) -> None:
    rng = np.random.default_rng(seed)
    n = rng.integers(2, 9, 24)
    p = np.repeat(np.arange(24), n)
    s = np.concatenate([np.sort(rng.choice(12, k, replace=False)) for k in n])
    x = rng.standard_normal(len(p)) + 40 * rng.standard_normal(24)[p]
    y = 100 + x + rng.standard_normal(24)[p] + rng.standard_normal(len(p))
    y[rng.random(len(y)) < 0.1] = np.nan
    rows = pl.DataFrame({"p": p, "s": s, "x": x, "y": y, "g": p % 4})
    model = sw.MLM("y ~ within(x) + between(x) + s + (1 | p) + (1 | g)", residual=residual)

    def of(frame: pl.DataFrame) -> sw.Panel:
        return sw.Panel(frame.with_columns(pl.col("y").fill_nan(None)), person="p", session="s", cluster="g")

    site = np.array(part)[p]
    fit = model.fit([model.gram(of(rows.filter(pl.Series(site == i)))) for i in sorted(set(part))])
    assert fit.loglik == pytest.approx(model.fit(of(rows)).loglik, rel=SAME)


# --- what is given, shown, kept ---------------------------------------------------------------------

MODEL = sw.MLM("core_om ~ lag(core_om) + (1 | patient) + (1 | therapist)", residual="ar1", variance_by="gender")


@cache
def gram() -> sw.MLMGram:
    return MODEL.gram(site(EVEN))


def test_it_says_what_it_is() -> None:
    text = str(gram())
    assert text.startswith("Cross-products for a multilevel model: ")
    flat = " ".join(text.split())
    for part in (
        f"{gram().n_rows} of {len(site(EVEN))} sessions, {gram().n_persons} persons",
        MODEL.formula,
        "residuals: AR(1) by session number, variance by gender",
        "columns: core_om, (Intercept), lag(core_om)",
        f"{gram().nbytes / 1000:.1f} kB",
        "no session is in it",
        "rows dropped: no previous session (the person's first)",
    ):
        assert part in flat
        assert part in html.unescape(gram()._repr_html_())
    assert repr(gram()).startswith(f"<MLMGram {MODEL.formula}; {gram().n_rows} sessions of {gram().n_persons} persons")


@pytest.mark.parametrize(
    ("given", "what"),
    [
        (lambda: [gram(), site(~EVEN)], "holds Grams only, and here is a Panel"),
        (lambda: [site(EVEN), site(~EVEN)], "holds Grams only, and here is a Panel"),
        (lambda: [gram(), None], "holds Grams only, and here is a NoneType"),
        (list, "there is no Gram to fit"),
        (tuple, "there is no Gram to fit"),
        (lambda: (g for g in [gram()]), "a generator is no Panel"),
        (lambda: {"a": gram()}, "a dict is no Panel"),
        (lambda: sw.gram({"x": np.ones(2)}, np.array([0, 2]), np.array([1])), "a Gram is no Panel"),
    ],
)
def test_other_things_are_refused(given: Callable[[], object], what: str) -> None:
    with pytest.raises((sw.ModelError, sw.GramError), match=what) as caught:
        MODEL.fit(given())
    assert "model.gram(panel)" in caught.value.remedy


@pytest.mark.parametrize("other", [1, None, "gram", [1]])
def test_only_grams_are_added_and_like(other: object) -> None:
    for fails in (lambda: gram() + other, lambda: other + gram()):
        with pytest.raises(sw.GramError, match="is no Gram of a model"):
            fails()
    with pytest.raises(sw.ModelError, match="not an MLMGram"):
        MODEL.gram(site(~EVEN), like=other or 0)


def test_means_are_given_where_a_gram_is_made() -> None:
    model = sw.MLM("core_om ~ within(wai_sr) + (1 | patient)")
    means = {"wai_sr": dict.fromkeys(site(EVEN).persons.tolist(), 3.0)}
    made = model.gram(site(EVEN), means=means)
    with pytest.raises(sw.ModelError, match="means are given for Grams"):
        model.fit(made, means=means)
    assert model.fit(made).loglik == pytest.approx(model.fit(site(EVEN), means=means).loglik, rel=SAME)
    joint = model.fit([made, model.gram(site(~EVEN))])
    assert joint.loglik == pytest.approx(model.fit(panel(table()), means=means).loglik, rel=SAME)


def test_a_gram_of_another_version_is_not_loaded(monkeypatch: pytest.MonkeyPatch) -> None:
    assert pickle.loads(pickle.dumps(gram())).n_rows == copy.deepcopy(gram()).n_rows == gram().n_rows
    with monkeypatch.context() as patch:
        patch.setattr(module, "version", lambda name: "0.0.1")
        sent = pickle.dumps(gram())
    with pytest.raises(sw.GramError, match=r"made by sessionwise 0\.0\.1, and this is"):
        pickle.loads(sent.replace(b"kept_design", b"gone_design"))  # a module that is no more


def test_gaps_of_many_lengths(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each site's cross-products fit into memory; those of both together do not."""
    model = sw.MLM("core_om ~ session + (1 | patient)", residual="ar1")
    grams = [model.gram(site(EVEN)), model.gram(site(~EVEN))]
    monkeypatch.setattr(residuals, "MOST_BYTES", 1.5 * max(g.nbytes for g in grams))
    with pytest.raises(sw.ModelError, match="so many different gaps apart"):
        model.fit(grams)
    monkeypatch.setattr(residuals, "MOST_BYTES", 1)
    with pytest.raises(sw.ModelError, match="so many different gaps apart") as caught:
        model.gram(site(EVEN))
    assert 'residual="independent"' in caught.value.remedy
