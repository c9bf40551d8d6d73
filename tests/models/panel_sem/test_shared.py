"""Published results, from files that are not part of the project (../shared/reference): an RI-CLPM that others fitted
with lavaan, and the dynamic panel model of R's package dpm. The tests skip where the folder is absent."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

import sessionwise as sw
from helpers.lavaan import long, panel
from helpers.places import shared

LAVAAN = 1e-5  # of a standard error, and relative for errors: lavaan stops where the gradient is small
LIKELIHOOD = 1e-7  # absolute


@pytest.mark.parametrize("lags", ["free", "equal"])
def test_riclpm(lags):
    wide = pl.read_csv(shared("riclpm.csv")).with_row_index("person")
    fit = sw.RICLPM("x", "y", waves=5, lags=lags).fit(long(wide))
    measures = dict(pl.read_csv(shared(f"riclpm_lavaan_{lags}_fit.csv")).iter_rows())
    found = fit.indices
    assert fit.verdict
    assert found is not None
    for value, name, slack in (
        (fit.loglik, "logl", LIKELIHOOD), (fit.chi2, "chisq", LIKELIHOOD), (fit.df, "df", 0), (found.cfi, "cfi", 1e-8),
        (found.tli, "tli", 1e-8), (found.rmsea, "rmsea", 1e-8), (found.rmsea_low, "rmsea.ci.lower", 1e-6),
        (found.rmsea_high, "rmsea.ci.upper", 1e-6), (found.srmr, "srmr", 1e-7), (fit.aic, "aic", LIKELIHOOD),
        (fit.bic, "bic", LIKELIHOOD),
    ):  # fmt: skip
        assert value == pytest.approx(measures[name], abs=slack), name
    rows = pl.read_csv(shared(f"riclpm_lavaan_{lags}.csv")).filter(pl.col("op") == "~")
    assert len(rows) == 16
    for lhs, _, rhs, estimate, se in rows.iter_rows():
        name = f"{lhs[1]} ~ lag({rhs[1]})" + (f" [{lhs[2]}]" if lags == "free" else "")
        assert fit.estimates[name] == pytest.approx(estimate, abs=LAVAAN * se)
        assert fit.se[name] == pytest.approx(se, rel=LAVAAN)


def digits(value: float, text: str) -> bool:
    """Whether a value rounds to what was printed."""
    return f"{value:.{len(text.partition('.')[2])}f}" == text


def test_dynamic_panel_model_of_weeks_worked():
    wage = panel("shared:wage_data.csv")
    fit = sw.DPM("wks ~ pre(lag(union)) + lag(lwage) | ed", residuals="equal").fit(wage)
    found = fit.indices
    assert found is not None
    assert (fit.npersons, fit.waves, fit.df) == (595, (1, 2, 3, 4, 5, 6, 7), 76)
    printed = {
        "wks ~ lag(union)": ("-1.206", ".522"), "wks ~ lag(lwage)": ("0.588", ".488"), "wks ~ ed": ("-0.107", ".056"),
        "wks ~ lag(wks)": ("0.188", ".020"),
    }  # fmt: skip
    for name, (estimate, se) in printed.items():
        assert digits(fit.estimates[name], estimate)
        assert digits(fit.se[name], "0" + se)
    assert digits(fit.chi2, "138.476")
    for value, text in (
        (found.rmsea, "0.037"), (found.rmsea_low, "0.027"), (found.rmsea_high, "0.047"), (found.srmr, "0.025"),
    ):  # fmt: skip
        assert digits(value, text)
    free = sw.DPM("wks ~ pre(lag(union)) + lag(lwage) | ed").fit(wage)
    assert (digits(free.chi2, "110.23"), free.df) == (True, 71)
    assert np.isclose(free.lrt(fit).chi2, fit.chi2 - free.chi2)


def test_dynamic_panel_model_of_wages():
    fit = sw.DPM("lwage ~ pre(lag(union))").fit(panel("shared:wage_data.csv"))
    assert (digits(fit.chi2, "271.23"), fit.df) == (True, 37)
