"""Every error says what is wrong, where, and what to do; what is kept or left out is counted."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

import sessionwise as sw
from helpers.crosslagged import panel, panel_of, table

MODEL = sw.RICLPM("x", "y", waves=4)


def changed(*expressions: pl.Expr, seed: int = 1) -> sw.Panel:
    return panel_of(table(seed).with_columns(*expressions))


def at(session: int, value: object, name: str = "x") -> pl.Expr:
    return pl.when(pl.col("session") == session).then(value).otherwise(pl.col(name)).alias(name)


DATA = {
    "a wave nobody has a value at": (
        changed(at(3, None, "y")), MODEL, "nobody has a value of y at wave 3", "waves 1, 2, 3, 4", "Leave the wave out",
    ),
    "a wave nobody reached": (
        panel(), sw.RICLPM("x", "y", waves=6), r"nobody has a session at wave 5", "1, 2, 3, 4", "fewer waves",
    ),
    "a wave nobody reached by number": (
        panel(), sw.RICLPM("x", "y", waves=(1, 2, 9)), r"nobody has a session at wave 9", "1, 2, 3, 4",
        "waves=(1, 2, 3, 4)",
    ),
    "more waves than memory": (panel(), sw.CLPM("x", "y", waves=10**9), "nobody has a session at wave 5", "", "fewer"),
    "a constant wave": (
        changed(at(2, 7.0)), MODEL, "not vary between persons at wave 2: 120 persons have the value 7", "", "Leave",
    ),
    "constant but for rounding": (changed(at(2, pl.col("x") * 1e-15 + 5)), MODEL, "x does not vary", "", "Leave"),
    "a wave of one person": (
        panel_of(table().filter((pl.col("session") < 4) | (pl.col("person") == 3))),
        MODEL, "x does not vary between persons at wave 4: 1 person has", "", "Leave this wave out",
    ),
    "constant in a group": (
        changed(pl.when((pl.col("session") == 2) & (pl.col("group") == "b")).then(1).otherwise("y").alias("y")),
        sw.RICLPM("x", "y", waves=4, group="group"),
        "y does not vary between persons at wave 2 in group b", "", "Leave this wave out",
    ),
    "a copied wave": (
        panel_of(table().with_columns(
            pl.when(pl.col("session") == 3).then(pl.col("x").shift(1)).otherwise(pl.col("x")).alias("x"))),
        MODEL, r"x \[\d\], x \[\d\] depend on each other", "wide data", "copied",
    ),
    "a copied column": (changed(pl.col("x").alias("y")), MODEL, "depend on each other", "wide data", "copied"),
    "a sum of columns": (
        changed((pl.col("x") + 2 * pl.col("y")).alias("z")), sw.RICLPM("x", "y", "z", waves=4),
        "depend on each other", "wide data", "copied",
    ),
    "a copied column with missing values": (
        panel_of(table(1, 150, missing=0.15).with_columns(
            pl.when(pl.col("session") == 3).then(pl.col("x").shift(1)).otherwise(pl.col("x")).alias("x"))),
        MODEL, r"x \[\d\], x \[\d\] depend on each other", "wide data", "copied",
    ),
    "infinite": (
        changed(pl.when(pl.col("person") == 5).then(np.inf).otherwise(pl.col("x")).alias("x")), MODEL,
        "x is infinite or beyond 1e[+]100 in 4 rows", "person 5, session 1", "Correct these cells",
    ),
    "beyond reason": (
        changed(pl.when((pl.col("person") == 5) & (pl.col("session") == 1)).then(1e60).otherwise("x").alias("x")),
        MODEL, r"x \[2\] varies by .* only, and x at other waves goes up to 1e[+]60", "", "extreme values",
    ),
    "few persons": (
        panel_of(table().filter(pl.col("person") < 2)), MODEL, "16 values of 2 persons for 27", "waves", "Use",
    ),
    "few persons in a group": (
        panel_of(table().filter((pl.col("group") == "a") | (pl.col("person") < 6))),
        sw.RICLPM("x", "y", waves=4, group="group"), "16 values of 2 persons", "group b", "Use fewer waves",
    ),
    "two waves": (panel(), sw.RICLPM("x", "y", waves=2), "2 waves; the model needs 3", "1, 2", "multilevel"),
    "no wave": (panel(), sw.RICLPM("x", "y", waves=0), "0 waves; the model needs 3", "", "multilevel"),
    "few who stay": (
        panel_of(table().filter((pl.col("session") < 3) | (pl.col("person") < 20))), sw.RICLPM("x", "y"),
        "only 2 waves in a row have values of x, y for half of the persons", "session 1", "waves=(1, 2, 3, 4)",
    ),
    "waves not ascending": (panel(), sw.RICLPM("x", "y", waves=(1, 3, 2)), r"waves is \(1, 3, 2\)", "", "ascending"),
    "waves twice": (panel(), sw.RICLPM("x", "y", waves=(1, 2, 2, 3)), "waves is", "", "ascending"),
    "waves not whole": (panel(), sw.RICLPM("x", "y", waves=(1, 2.5, 3)), "waves is", "", "ascending"),
    "waves not numbers": (panel(), sw.RICLPM("x", "y", waves="1234"), "waves is '1234'", "", "ascending"),
    "waves infinite": (panel(), sw.RICLPM("x", "y", waves=(1, 2, np.inf)), "waves is", "", "ascending"),
    "waves true": (panel(), sw.RICLPM("x", "y", waves=True), "waves is True", "", "ascending"),
    "a covariate that changes": (
        panel(), sw.RICLPM("x", "y", covariates="z"), "'z' changes within", "120 persons, such as person 0", "first",
    ),
    "a covariate of text": (
        panel(), sw.RICLPM("x", "y", covariates="group"), r"'group' holds categories \(a, b\)", "", "0 and 1",
    ),
    "a constant covariate": (
        changed(pl.lit(2.0).alias("w")), sw.RICLPM("x", "y", covariates="w"), "w does not vary", "", "out",
    ),
    "one group": (
        changed(pl.lit("a").alias("group")), sw.RICLPM("x", "y", group="group"), "'group' has 1 level", "", "Leave",
    ),
    "a group that changes": (
        changed(pl.col("session").alias("group")), sw.CLPM("x", "y", group="group"), "changes within", "person", "same",
    ),
    "lags too long": (
        panel(), sw.DPM("y ~ lag(y, 3)", waves=4), "4 waves are too few for a lag of 3", "DPM", "Use 5 waves",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", list(DATA))
def test_data(name):
    data, model, what, where, remedy = DATA[name]
    with pytest.raises(sw.ModelError, match=what) as caught:
        model.fit(data)
    assert where in caught.value.where
    assert remedy in caught.value.remedy
    assert caught.value.remedy


def test_more_parameters_than_moments():
    with pytest.raises(
        sw.ModelError, match=r"the model has \d+ parameters, and the \d+ columns only \d+ means"
    ) as caught:
        sw.DPM("y ~ pre(lag(x))", waves=3, lags="free", same_wave=True).fit(panel())
    assert "Use more waves" in caught.value.remedy


COLUMNS = [
    sw.RICLPM("x", "no", waves=4), sw.RICLPM("x", "y", covariates="no"), sw.RICLPM("x", "y", group="no"),
    sw.DPM("no ~ lag(x)"), sw.DPM("y ~ lag(no)"), sw.DPM("y ~ lag(x) | no"),
]  # fmt: skip


@pytest.mark.parametrize("model", COLUMNS, ids=str)
def test_unknown_column(model):
    with pytest.raises(sw.PanelError, match="no column 'no'") as caught:
        model.fit(panel())
    assert "person, session, x, y, z" in caught.value.where


def test_text_for_numbers():
    with pytest.raises(sw.PanelError, match="holds text"):
        sw.RICLPM("x", "group").fit(panel())


@pytest.mark.parametrize("model", [MODEL, sw.CLPM("x", "y"), sw.DPM("y ~ lag(x)")], ids=repr)
def test_not_a_panel(model):
    with pytest.raises(sw.ModelError, match="a DataFrame is no Panel") as caught:
        model.fit(table())
    assert "sw.Panel(" in caught.value.remedy


OPTIONS = {
    "the same column twice": (lambda: sw.RICLPM("x", "x"), "'x' is used twice"),
    "an indicator twice": (lambda: sw.RICLPM(("x", "z"), ("y", "z")), "'z' is used twice"),
    "a variable as covariate": (lambda: sw.RICLPM("x", "y", covariates="y"), "'y' is used twice"),
    "a third one twice": (lambda: sw.CLPM("x", "y", "x"), "'x' is used twice"),
    "no column": (lambda: sw.RICLPM("x", ""), "y is ''"),
    "no indicator": (lambda: sw.RICLPM((), "y"), r"x is \(\)"),
    "unknown lags": (lambda: sw.RICLPM("x", "y", lags="fre"), "lags is 'fre'. Did you mean 'free'"),
    "unknown means": (lambda: sw.CLPM("x", "y", means="quadratic"), "means is"),
    "unknown residuals": (lambda: sw.CLPM("x", "y", residuals=True), "residuals is True"),
    "unknown errors": (lambda: sw.DPM("y ~ lag(x)", errors="hc3"), "errors is"),
    "unknown kind": (lambda: sw.RICLPM("x", "y", group="group", same="lags"), "same is 'lags'. Did you mean 'lag'"),
    "same without groups": (lambda: sw.RICLPM("x", "y", same="lag"), "no group is named"),
    "without nobody": (lambda: sw.RICLPM("x", "y", without="z"), "without names 'z'"),
    "lags of a dynamic panel model": (lambda: sw.DPM("y ~ lag(x)", lags="some"), "lags is"),
}


@pytest.mark.parametrize("name", list(OPTIONS))
def test_options(name):
    make, what = OPTIONS[name]
    with pytest.raises(sw.ModelError, match=what) as caught:
        make()
    assert caught.value.remedy


FORMULAS = {
    "y": "begins with", "log(y) ~ lag(x)": "begins with", "y ~ x * z": "cannot stand as a predictor",
    "y ~ 1 + lag(x)": "cannot stand", "y ~ lag(lag(x))": "cannot stand in lag", "y ~ lag(x, 0)": "whole number",
    "y ~ lag(x, 1.5)": "whole number", "y ~ lag(x, k=z)": "whole number", "y ~ lag(x, 1e999)": "whole number",
    'y ~ lag(x, by="row")': "no option 'by'", "y ~ pre(lag(y))": "predicts itself", "y ~ y": "predicts itself",
    "y ~ lag(x) + lag(x)": "twice", "y ~ lag(x) + pre(lag(x, 2))": "both predetermined", "y ~ lag(x) | y": "twice",
    "y ~ lag(x) | w + w": "twice", "y ~ lag(x) | lag(w)": "cannot stand after", "y ~ (1 | person)": "cannot stand",
    "y ~ ": "formula", "": "formula", "y ~ pre(x, z)": "cannot stand", "y ~ lag(x) + (": "ends",
    "y ~ within(x)": "cannot stand",
}  # fmt: skip


@pytest.mark.parametrize("formula", list(FORMULAS))
def test_formulas(formula):
    with pytest.raises(sw.FormulaError, match=FORMULAS[formula]) as caught:
        sw.DPM(formula)
    assert caught.value.remedy


def test_formulas_that_mean_the_same():
    data = panel()
    one = sw.DPM("y ~ pre(lag(x)) | w", waves=4).fit(data)
    for formula in ("y ~ lag(y) + pre(lag(x)) | w", "y ~ (lag(y, 1) + pre(lag(x, k=1))) | w"):
        assert sw.DPM(formula, waves=4).fit(data).deviance == one.deviance


def test_persons_seen_once_are_kept_and_counted():
    data = table(2, 150).filter((pl.col("person") >= 30) | (pl.col("session") == 1))
    fit = MODEL.fit(panel_of(data))
    assert fit.npersons == 150
    found = next(f for f in fit.findings if f.code == "seen-once")
    assert (found.count, "30 persons" in found.what, "kept" in found.what) == (30, True, True)
    fewer = MODEL.fit(panel_of(data.filter(pl.col("person") >= 30)))
    assert fewer.npersons == 120
    assert fewer.se["mean(x) [1]"] > fit.se["mean(x) [1]"]  # what they contribute


def test_group_missing_for_some_persons():
    data = table().with_columns(pl.when(pl.col("person") < 7).then(None).otherwise(pl.col("group")).alias("group"))
    fit = sw.RICLPM("x", "y", waves=4, group="group").fit(panel_of(data))
    assert fit.npersons == 113
    found = next(f for f in fit.findings if f.code == "no-group")
    assert (found.severity, found.count) == ("warning", 7)


def test_doubts():
    fit = sw.CLPM("x", "y", waves=(1, 2, 4)).fit(panel())
    assert "waves 1, 2, 4 are not equally far apart" in str(fit)
    few = sw.CLPM("x", "y", waves=4).fit(panel(1, 40))
    assert "40 persons for" in str(few)
    assert next(f for f in few.findings if f.code == "few-persons").remedy
    data = table(1, 150).filter((pl.col("session") < 4) | (pl.col("person") < 12))
    low = sw.CLPM("x", "y", waves=4).fit(panel_of(data))
    assert next(f for f in low.findings if f.code == "low-coverage").what.startswith("only 8.0 % of the persons have")


def _biennial() -> sw.Panel:
    return panel_of(table().with_columns(session=pl.col("session") * 2 + 1990))


@pytest.mark.parametrize("waves", [None, 3])
def test_the_waves_that_a_remedy_names_can_be_used(waves):
    with pytest.raises(sw.ModelError) as caught:
        sw.RICLPM("x", "y", waves=waves).fit(_biennial())
    assert "waves=(1992, 1994, 1996, 1998)" in caught.value.remedy
    assert sw.RICLPM("x", "y", waves=(1992, 1994, 1996, 1998)).fit(_biennial()).verdict


def test_what_is_no_variable_of_waves_is_told_where_it_belongs():
    with pytest.raises(sw.ModelError, match="each wave has a mean of its own already") as caught:
        sw.DPM("x ~ pre(lag(y)) + session", waves=4).fit(panel())
    assert caught.value.remedy == "Leave session out of the formula."
    of_persons = panel_of(table().with_columns(c=pl.col("person") % 7 + 0.0))
    with pytest.raises(sw.ModelError, match="does not change within persons") as caught:
        sw.DPM("x ~ pre(lag(y)) + c", waves=4).fit(of_persons)
    assert "y ~ ... | c" in caught.value.remedy
    assert sw.DPM("x ~ pre(lag(y)) | c", waves=4).fit(of_persons).verdict


def test_a_robust_and_a_plain_fit_are_not_compared():
    fits = {errors: [sw.RICLPM("x", "y", lags=lags, errors=errors).fit(panel()) for lags in ("equal", "free")]
            for errors in ("robust", "observed")}  # fmt: skip
    for one, other in (("robust", "observed"), ("observed", "robust")):
        with pytest.raises(sw.ModelError, match="cannot be scaled") as caught:
            fits[one][0].lrt(fits[other][1])
        assert "both with errors='robust', or neither" in caught.value.remedy
    for both in fits.values():
        assert both[0].lrt(both[1]).df > 0
