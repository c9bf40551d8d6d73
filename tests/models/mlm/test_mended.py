"""What a review of the multilevel model found: simulation, verdicts, comparisons, what is no Panel, headlines."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import polars as pl
import pytest

import sessionwise as sw
from helpers.sessions import nested
from sessionwise.models import MLM
from sessionwise.models.mlm.verdict import verdict


def table() -> pl.DataFrame:
    """x has mean 0; there is no column z."""
    plain = nested(3, 40, attended=1).with_columns(x=(pl.col("x") - 4) / 2)
    return plain.rename({"p": "patient", "g": "big"}).drop("z")


def panel_of(data: pl.DataFrame) -> sw.Panel:
    return sw.Panel(data, person="patient", session="s", cluster="big", time="t")


@pytest.fixture(scope="module")
def panel() -> sw.Panel:
    return panel_of(table())


# --- simulation from parameters -----------------------------------------------------------------


@pytest.mark.parametrize(
    ("formula", "column", "term"),
    [
        ("z ~ lag(z) + (1 | patient)", "z", r"lag\(z\)"),
        ("z ~ x + (1 + lag(z) | patient)", "z", r"lag\(z\)"),
        ("log(z) ~ x * lag(within(z)) + (1 | patient)", "z", r"lag\(within\(z\)\)"),
        ("lead(z) ~ z + (1 | patient)", "z", "z"),
    ],
)
def test_a_response_that_is_also_a_predictor_must_be_there(panel, formula, column, term):
    with pytest.raises(sw.ModelError, match=f"{term} needs values of '{column}'") as caught:
        MLM(formula).simulate(panel, fixef={}, varcorr={}, sigma=1, seed=1)
    assert formula in caught.value.where
    assert f"Add a column '{column}'" in caught.value.remedy


def test_a_response_that_is_there_keeps_its_values_in_other_terms(panel):
    model = MLM("y ~ lag(y) + (1 | patient)")
    new = model.simulate(panel, fixef={"(Intercept)": 0, "lag(y)": 1}, varcorr={"patient": 0}, sigma=1e-9, seed=1)
    later = np.isfinite(new["y"])
    np.testing.assert_allclose(new["y"][later], panel["y"][np.flatnonzero(later) - 1], atol=1e-6)


GOOD = {"fixef": {"(Intercept)": 0, "x": 1}, "varcorr": {"patient": 1.0}, "sigma": 1.0, "seed": 1}


@pytest.mark.parametrize(
    ("options", "residual", "said"),
    [
        ({"residual": "ar1"}, {"phi": 1.0}, "phi is 1"),
        ({"residual": "ar1"}, {"phi": -1.2}, "phi is -1.2"),
        ({"residual": "ar1"}, {"phi": np.nan}, "phi is nan"),
        ({"residual": "car1"}, {"phi": -0.2}, "phi is -0.2"),
        ({"residual": "car1"}, {"phi": 0.0}, "phi is 0"),
        ({"residual": "car1"}, {"phi": 1.0}, "phi is 1"),
        ({"variance_by": "b"}, {"sd ratio b=1": 0.0}, "sd ratio b=1 is 0"),
        ({"variance_by": "b"}, {"sd ratio b=1": -2.0}, "sd ratio b=1 is -2"),
        ({"variance_by": "b"}, {"sd ratio b=1": np.inf}, "sd ratio b=1 is inf"),
    ],
)
def test_impossible_residual_parameters(panel, options, residual, said):
    with pytest.raises(sw.ModelError, match=said) as caught:
        MLM("y ~ x + (1 | patient)", **options).simulate(panel, **GOOD, residual=residual)
    assert "Give a finite value" in caught.value.remedy


@pytest.mark.parametrize(("residual", "phi"), [("ar1", -0.9), ("ar1", 0.0), ("car1", 0.9)])
def test_possible_residual_parameters(panel, residual, phi):
    new = MLM("y ~ x + (1 | patient)", residual=residual).simulate(panel, **GOOD, residual={"phi": phi})
    assert np.isfinite(new["y"]).all()


@pytest.mark.parametrize(
    ("random", "matrix", "said"),
    [
        ("(1 | patient)", [[1, 0], [0, 1]], "does not fit"),
        ("(1 + x | patient)", 1.0, "does not fit"),
        ("(1 + x | patient)", [1.0, 1.0], "does not fit"),
        ("(1 + x | patient)", [[1, 0], [0]], "does not fit"),
        ("(1 + x | patient)", [[1, 0.2], [0.3, 1]], "does not fit"),
        ("(1 + x | patient)", [[1e-12, 5e-13], [0, 1e-12]], "does not fit"),
        ("(1 + x | patient)", [[1, 2], [2, 1]], "does not fit"),
        ("(1 + x | patient)", [[0, 1], [1, 1]], "does not fit"),
        ("(1 + x | patient)", [[np.nan, 0], [0, 1]], "does not fit"),
        ("(1 + x || patient)", [[1, 0.2], [0.2, 1]], r"\(Intercept\) and x may not covary"),
        ("(1 | patient) + (0 + x | patient)", [[1, 0.2], [0.2, 1]], r"\(Intercept\) and x may not covary"),
        ("(1 | patient) + (0 + x | patient)", 1.0, "does not fit"),
    ],
)
def test_impossible_covariances(panel, random, matrix, said):
    with pytest.raises(sw.ModelError, match=said) as caught:
        MLM(f"y ~ x + {random}").simulate(panel, **(GOOD | {"varcorr": {"patient": matrix}}))
    assert "patient" in caught.value.where
    assert caught.value.remedy


@pytest.mark.parametrize(
    ("random", "matrix"),
    [
        ("(1 + x | patient)", [[1, 0.2], [0.2, 1]]),
        ("(1 + x | patient)", [[4, 2], [2, 1]]),
        ("(1 + x | patient)", [[0, 0], [0, 1]]),
        ("(1 + x || patient)", [[1, 0], [0, 1e-9]]),
        ("(1 | patient) + (0 + x | patient)", [[1, 0], [0, 1]]),
    ],
)
def test_possible_covariances(panel, random, matrix):
    new = MLM(f"y ~ x + {random}").simulate(panel, **(GOOD | {"varcorr": {"patient": matrix}}))
    assert np.isfinite(new["y"]).all()


def test_terms_of_two_groups_in_turns(panel):
    """Each group's matrix is cut into its own terms, wherever these stand in the formula."""
    model = MLM("y ~ x + (0 + x | patient) + (1 | big) + (1 | patient)")
    new = model.simulate(
        panel, fixef=GOOD["fixef"], varcorr={"patient": [[0, 0], [0, 25.0]], "big": 0}, sigma=1e-9, seed=1
    )
    rest = new["y"] - panel["x"]
    of_patient = rest.reshape(-1, 6)
    np.testing.assert_allclose(of_patient, of_patient[:, :1].repeat(6, axis=1), atol=1e-6)
    assert 3 < of_patient[:, 0].std() < 7


# --- the verdict --------------------------------------------------------------------------------


def test_a_variance_of_zero():
    rng = np.random.default_rng(1)
    flat = table()
    y = rng.standard_normal(len(flat))
    y -= np.repeat(y.reshape(-1, 6).mean(axis=1), 6)
    panel = panel_of(flat.with_columns(pl.Series("y", y)))
    fit = MLM("y ~ x + (1 | big)").fit(panel)
    v = fit.verdict
    assert v.converged
    assert "the variance of (Intercept) between levels of big is estimated as zero" in v.message
    assert v.state == "singular"
    assert "leaves the fit as it is" in v.message
    assert "changes without it" not in v.message
    assert "||" not in v.remedy
    assert "bigs" not in str(v)
    assert "persons" not in str(v)
    assert MLM("y ~ x").fit(panel).deviance == pytest.approx(fit.deviance, abs=1e-6)


def test_a_correlation_of_one():
    """True of the patients drawn; estimated so in half of such samples, this among them."""
    rng, data = np.random.default_rng(0), table()
    u, x = rng.standard_normal(40)[data["patient"].to_numpy()], data["x"].to_numpy()
    y = u + u * x + rng.standard_normal(len(data))
    fit = MLM("y ~ x + (1 + x | patient)").fit(panel_of(data.with_columns(pl.Series("y", y))))
    v = fit.verdict
    assert v.converged
    assert "the correlation of (Intercept) and x over patient is +1" in v.message
    assert v.state == "singular"
    assert "the fit changes without it" in v.message
    assert "leaves the fit as it is" not in v.message
    assert "||" in v.remedy
    assert fit.varcorr["patient"].corr[0, 1] == pytest.approx(1, abs=1e-4)


def at(fit, factor):
    """The verdict if the random term's relative factor, of centred and scaled columns, were this."""
    (block,) = fit.solution.problem.blocks
    theta = np.asarray(factor, float)[block.places]
    parameters = np.concatenate([theta, fit.solution.optimum.parameters[len(theta) :]])
    solution = replace(fit.solution, optimum=replace(fit.solution.optimum, parameters=parameters))
    return verdict(solution).message, solution


def test_an_intercept_is_that_of_the_columns_given():
    """Lines that meet at the mean of x: the intercept, where x is 0, varies and is the slope turned round."""
    fit = MLM("y ~ x + (1 + x | patient)").fit(panel_of(table().with_columns(pl.col("x") + 3)))
    message, solution = at(fit, [[0, 0], [0, 1]])
    assert solution.covariances[0][0, 0] > 0
    assert "the correlation of (Intercept) and x over patient is -1" in message
    assert "variance" not in message.replace("covariance", "")
    message, _ = at(fit, [[1, 0], [0, 0]])
    assert "the variance of x between levels of patient is estimated as zero" in message
    assert "correlation" not in message


def test_lines_that_meet_at_zero():
    fit = MLM("y ~ x + (1 + x | patient)").fit(panel_of(table().with_columns(pl.col("x") + 3)))
    c = fit.solution.problem.transform.blocks[0]
    message, solution = at(fit, [[-c[0, 1] / c[0, 0], 0], [1, 0]])
    assert solution.covariances[0][0, 0] == pytest.approx(0, abs=1e-12)
    assert "the variance of (Intercept) between levels of patient is estimated as zero" in message
    assert "correlation" not in message


def test_a_combination_that_does_not_vary(panel):
    fit = MLM("y ~ x + s + (1 + x + s | patient)").fit(panel)
    message, _ = at(fit, [[1, 0, 0], [0, 1, 0], [0.5, 0.5, 0]])
    assert "one combination of (Intercept), x, s does not vary between levels of patient" in message
    assert "the fit changes without it" in message


def test_both_have_sentences_of_their_own(panel):
    fit = MLM("y ~ x + s + (1 + x + s | patient)").fit(panel)
    message, _ = at(fit, [[0, 0, 0], [0, 1, 0], [0, 0, 0]])
    assert "the variance of s" in message
    assert "leaves the fit as it is" in message
    regular, _ = at(fit, np.eye(3))
    assert regular == "Converged."


@pytest.mark.parametrize(("phi", "said"), [(1e-8, True), (0.0, True), (0.3, False)])
def test_phi_of_zero_is_said(panel, phi, said):
    fit = MLM("y ~ x + (1 | patient)", residual="car1").fit(panel)
    rho = np.log(-np.log(phi)) if phi > 0 else 12.0
    parameters = np.append(np.ones(1), rho)
    v = verdict(replace(fit.solution, optimum=replace(fit.solution.optimum, parameters=parameters, converged=True)))
    assert ("phi is estimated as zero: residuals at neighbouring sessions" in v.message) == said
    assert v.remedy == ("Use residual='independent'." if said else "")


# --- comparisons --------------------------------------------------------------------------------


def test_lrt_names_the_fit_that_has_not_converged(panel):
    small, large = (MLM(f, "ML").fit(panel) for f in ("y ~ x + (1 | patient)", "y ~ x + (1 + x | patient)"))
    bad = replace(large, solution=replace(large.solution, optimum=replace(large.solution.optimum, converged=False)))
    for one, two in ((small, bad), (bad, small)):
        with pytest.raises(
            sw.ModelError, match=r"the larger model \(y ~ x \+ \(1 \+ x \| patient\)\) has not converged"
        ):
            one.lrt(two)


def test_lrt_of_other_rows_says_so(panel):
    """As many rows, but others: responses of one name have other values."""
    half = len(panel.persons) // 2
    here, there = panel.subset(panel.persons[:half]), panel.subset(panel.persons[half:])
    one, two = MLM("y ~ x + (1 | patient)", "ML").fit(here), MLM("y ~ x + (1 + x | patient)", "ML").fit(there)
    assert one.nobs == two.nobs
    with pytest.raises(sw.ModelError, match="fitted to different rows: 'y' has other values"):
        one.lrt(two)


def test_lrt_of_names_that_differ(panel):
    one, two = (MLM(f, "ML").fit(panel) for f in ("y ~ x + (1 | patient)", "y ~ I(x) + (1 + I(x) | patient)"))
    with pytest.raises(sw.ModelError, match="cannot be told to be nested") as caught:
        one.lrt(two)
    assert "smaller model first" not in caught.value.remedy


def test_comparison_and_explained_print_themselves(panel):
    small, large = (MLM(f).fit(panel) for f in ("y ~ x + (1 | patient)", "y ~ x + (1 + x | patient)"))
    for made in (small.lrt(large), large.explained(panel)):
        assert max(map(len, str(made).splitlines())) <= 80
        assert "<table>" in made._repr_html_()


# --- what is no Panel, and headlines --------------------------------------------------------------


@pytest.mark.parametrize("kind", ["polars", "pandas"])
def test_a_table_is_no_panel(kind):
    given = table() if kind == "polars" else table().to_pandas()
    with pytest.raises(sw.ModelError, match="a DataFrame is no Panel") as caught:
        MLM("y ~ x + (1 | patient)").fit(given)
    assert "sw.Panel(table, person=..., session=...)" in caught.value.remedy
    assert caught.value.where


def test_headline_says_which_model(panel):
    assert str(MLM("y ~ x").fit(panel)).startswith("Linear model (REML): ")
    assert str(MLM("y ~ x", "ML").fit(panel)).startswith("Linear model (ML): ")
    assert str(MLM("y ~ x + (1 | patient)").fit(panel)).startswith("Multilevel model (REML): ")


def test_degrees_of_freedom_as_a_number(panel):
    assert "Coefficients; 12 df" in MLM("y ~ x + (1 | patient)").fit(panel).summary(12)
