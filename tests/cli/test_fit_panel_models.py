"""`sessionwise fit --model riclpm | clpm | dpm`: options as text, JSON, and what is refused."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import sessionwise as sw
from sessionwise.cli.model_options import ModelOptions, described, positional

from .commands import ITEMS, ROLES, main, run

PAIR = ["--outcome", "core_om", "--process", "wai_sr"]


@pytest.fixture(scope="module")
def scores(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("scores") / "sessions.csv"
    sw.datasets.demo(persons=300, scale_scores=True).frame.write_csv(path)
    return path


def panel_of(path: Path) -> sw.Panel:
    return sw.Panel(sw.read(path), person="patient", session="session")


def test_riclpm(scores: Path) -> None:
    told = json.loads(run("fit", "--model", "riclpm", *PAIR, scores, *ROLES, "--waves", "5", "--json"))
    fit = sw.RICLPM("core_om", "wai_sr", waves=5).fit(panel_of(scores))
    assert (told["command"], told["model"], told["file"]) == ("fit", "riclpm", "sessions.csv")
    assert {p["term"]: p["estimate"] for p in told["parameters"]} == pytest.approx(fit.estimates)
    assert told["indices"]["chi2"] == pytest.approx(fit.chi2)
    assert told["verdict"]["admissible"] is True
    assert "wai_sr → core_om" in run("fit", scores, "--model", "riclpm", *PAIR, *ROLES, "--waves", "1-5")


def test_every_option_reaches_the_model(scores: Path) -> None:
    options = ["--waves", "1,2,3,4", "--lags", "free", "--means", "linear", "--residuals", "equal", "--covariate", "pd"]
    options += ["--covariate", "age", "--group", "gender", "--same", "lag", "--errors", "robust"]
    told = json.loads(run("fit", "--model", "clpm", *PAIR, *options, scores, *ROLES, "--json"))
    fit = sw.CLPM(
        "core_om", "wai_sr", waves=(1, 2, 3, 4), lags="free", means="linear", residuals="equal",
        covariates=("pd", "age"), group="gender", same=("lag",), errors="robust",
    ).fit(panel_of(scores))  # fmt: skip
    assert told["deviance"] == pytest.approx(fit.deviance)
    assert told["scaled_indices"]["chi2"] == pytest.approx(fit.scaled_indices.chi2)
    assert told["groups"] == ["man", "woman"]


def test_from_the_end_and_without_an_intercept(scores: Path) -> None:
    options = ["--from-end", "--without", "wai_sr", "--waves", "4"]
    told = json.loads(run("fit", "--model", "riclpm", *PAIR, *options, scores, *ROLES, "--json"))
    assert told["waves"] == [-3, -2, -1, 0]
    assert [row["variable"] for row in told["intercepts"]] == ["core_om"]


def test_dpm(scores: Path) -> None:
    formula = "core_om ~ lag(core_om) + pre(lag(wai_sr)) | pd"
    told = json.loads(run("fit", formula, scores, "--model", "dpm", *ROLES, "--waves", "5", "--same-wave", "--json"))
    fit = sw.DPM(formula, waves=5, same_wave=True).fit(panel_of(scores))
    assert told["loglik"] == pytest.approx(fit.loglik)
    assert told["standardised"] == []


def test_items_are_scored_first(tmp_path: Path) -> None:
    sw.datasets.demo(persons=200).frame.write_csv(tmp_path / "items.csv")
    text = run("fit", "--model", "riclpm", *PAIR, tmp_path / "items.csv", *ROLES, *ITEMS, "--waves", "4")
    assert "200 persons" in text


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--model", "riclpm", "--outcome", "core_om", "FILE"], "needs --outcome and --process"),
        (["--model", "riclpm", *PAIR, "--method", "ML", "FILE"], "--method is no option of --model riclpm"),
        (["--model", "clpm", *PAIR, "--without", "wai_sr", "FILE"], "use --model riclpm"),
        (["--model", "riclpn", *PAIR, "y ~ x", "FILE"], "Did you mean 'riclpm'?"),
        (["--model", "dpm", "FILE"], "needs FORMULA and FILE"),
        (["FILE"], "needs FORMULA and FILE"),
        (["--model", "riclpm", *PAIR, "y ~ x", "FILE"], "arguments given: 2"),
        (["--model", "riclpm", *PAIR, "--waves", "many", "FILE"], "--waves is 'many'"),
        (["core_om ~ session", "--waves", "3", "FILE"], "--waves is no option of --model mlm"),
        (["--model", "riclpm", "--outcome", "core_omm", "--process", "wai_sr", "FILE"], "Did you mean 'core_om'?"),
        (["--model", "riclpm", *PAIR, "--waves", "2", "FILE"], "2 waves"),
    ],
)
def test_what_is_refused(scores: Path, capsys, monkeypatch, arguments: list[str], said: str) -> None:
    given = [str(scores) if a == "FILE" else a for a in arguments]
    status, _, error = main(capsys, monkeypatch, "fit", *given, *ROLES)
    assert status == 1
    assert said in error
    assert "remedy:" in error


def test_options_become_fields_of_the_description() -> None:
    assert described("mlm", "y ~ x", ModelOptions(method="ml")) == sw.MLM("y ~ x", "ML")
    assert described("mlm", "y ~ x", ModelOptions(df="normal")) == sw.MLM("y ~ x")
    assert described("riclpm", None, ModelOptions(("a", "b"), ("c",))) == sw.RICLPM(("a", "b"), "c")
    made = described("clpm", None, ModelOptions(("a",), ("b",), lags="FREE", covariate=("d", "e"), waves="2-4"))
    assert made == sw.CLPM("a", "b", lags="free", covariates=("d", "e"), waves=(2, 3, 4))
    assert positional(["y ~ x", "f.csv"], "mlm") == ("y ~ x", Path("f.csv"))
    assert positional(["f.csv"], "clpm") == (None, Path("f.csv"))


def test_tests(scores: Path, capsys, monkeypatch) -> None:
    options = ["--waves", "4", "--group", "gender"]
    asked = ["--test", "stationarity", "--test", "lags", "--test", "groups"]
    told = json.loads(run("fit", "--model", "riclpm", *PAIR, scores, *ROLES, *options, *asked, "--json"))
    panel = panel_of(scores)
    fit = sw.RICLPM("core_om", "wai_sr", waves=4, group="gender").fit(panel)
    assert told["tests"]["stationarity"]["chi2"] == pytest.approx(fit.stationarity(panel).chi2)
    assert told["tests"]["groups"]["df"] == 4
    assert [t["chi2"] for t in told["tests"]["lags"]] == pytest.approx(fit.lag_tests()["chi2"].to_list())
    assert "by the likelihood ratio" in run(
        "fit", "--model", "clpm", *PAIR, scores, *ROLES, *options[:2], "--test", "lags"
    )
    for given, said in (
        (["core_om ~ session", "--test", "lags"], "for panel models"),
        ([*PAIR, "--model", "riclpm", "--test", "lag"], "Did you mean"),
    ):
        assert said in main(capsys, monkeypatch, "fit", *given, str(scores), *ROLES)[2]
