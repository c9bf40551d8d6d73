"""`sessionwise fit FORMULA FILE`: the multilevel model."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

import sessionwise as sw

from .commands import ITEMS, ROLES, main, run

FORMULA = "core_om ~ session + within(wai_sr) + between(wai_sr) + (1 + session | patient)"


def test_fit(items_file: Path) -> None:
    text = run("fit", FORMULA, items_file, *ROLES, *ITEMS)
    assert text.startswith("Multilevel model (REML): ")
    assert "Satterthwaite" in text
    told = json.loads(run("fit", FORMULA, items_file, *ROLES, *ITEMS, "--method", "ml", "--residual", "ar1", "--json"))
    panel = sw.score(sw.Panel(sw.read(items_file), person="patient", session="session"), "core-om", "wai-sr")
    fit = sw.MLM(FORMULA, "ML", "ar1").fit(panel)
    assert told["fixef"] == pytest.approx(fit.fixef)
    assert told["residual_parameters"]["phi"] == pytest.approx(fit.residual["phi"])
    assert told["verdict"]["converged"] is True
    assert told["command"] == "fit"


def test_other_degrees_of_freedom(items_file: Path) -> None:
    text = run("fit", FORMULA, items_file, *ROLES, *ITEMS, "--df", "kenward-roger")
    assert "Kenward and Roger" in text


def test_names_in_capitals_and_a_number(items_file: Path) -> None:
    options = ["--method", "Ml", "--residual", "AR1", "--df", "Kenward-Roger"]
    with pytest.raises(sw.ModelError, match="REML"):  # it was understood: Kenward and Roger's method needs REML
        run("fit", FORMULA, items_file, *ROLES, *ITEMS, *options)
    told = json.loads(run("fit", FORMULA, items_file, *ROLES, *ITEMS, *options[:4], "--df", "Residual", "--json"))
    assert (told["method"], told["residual"]) == ("ML", "ar1")
    assert told["df"]["session"] == told["nobs"] - 4
    told = json.loads(run("fit", FORMULA, items_file, *ROLES, *ITEMS, "--df", "12", "--json"))
    assert set(told["df"].values()) == {12}
    assert "Coefficients; 12 df" in run("fit", FORMULA, items_file, *ROLES, *ITEMS, "--df", "12")


@pytest.mark.parametrize("df", ["kenward", "-3", "0", "inf", "nan", ""])
def test_unknown_degrees_of_freedom_are_refused_before_the_file_is_read(df: str) -> None:
    with pytest.raises(sw.SessionwiseError, match=r"--df is (empty|one of satterthwaite)") as caught:
        run("fit", FORMULA, "no-such-file.csv", *ROLES, "--df", df)
    assert caught.value.remedy


def test_a_fit_that_did_not_converge_ends_with_status_0_and_says_so(items_file: Path, monkeypatch) -> None:
    from sessionwise.models.mlm import model

    def stopped(*arguments: object, **options: object) -> object:
        return replace(optimise(*arguments, **options), converged=False)

    optimise = model.optimise
    monkeypatch.setattr(model, "optimise", stopped)
    told = json.loads(run("fit", FORMULA, items_file, *ROLES, *ITEMS, "--json", code=0))
    assert told["verdict"]["converged"] is False
    assert "Not converged" in told["verdict"]["message"]


def test_it_refuses_with_a_remedy(items_file: Path, capsys, monkeypatch) -> None:
    arguments = ("fit", "core_omm ~ session + (1 | patient)", items_file, *ROLES, *ITEMS)
    status, _, err = main(capsys, monkeypatch, *arguments)
    assert status == 1
    assert "Did you mean 'core_om'" in err
    assert "remedy" in err
