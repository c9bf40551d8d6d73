"""`sessionwise fit --model dsem`: options as text, JSON, and what is refused."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import sessionwise as sw
from sessionwise.cli.model_options import ModelOptions, described

from .commands import ROLES, main, run

PAIR = ["--outcome", "core_om", "--process", "wai_sr"]
#: Simple enough to be drawn in a moment.
SIMPLE = ["--random", "none", "--course", "none"]


@pytest.fixture(scope="module")
def scores(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("scores") / "sessions.csv"
    sw.datasets.demo(persons=60, scale_scores=True).frame.write_csv(path)
    return path


def test_it_is_the_librarys_fit(scores: Path) -> None:
    told = json.loads(run("fit", "--model", "dsem", *PAIR, *SIMPLE, "--seed", "3", scores, *ROLES, "--json"))
    panel = sw.Panel(sw.read(scores), person="patient", session="session")
    fit = sw.DSEM.reciprocal("core_om", "wai_sr", random="none", course=None).fit(panel, seed=3)
    assert (told["command"], told["model"], told["seed"]) == ("fit", "DSEM", 3)
    assert [p["estimate"] for p in told["parameters"]] == fit.tidy()["estimate"].to_list()
    assert told["verdict"] == fit.verdict.to_dict()
    within = ["--within", "core_om ~ lag(core_om) + lag(wai_sr)", "--within", "wai_sr ~ lag(wai_sr) + lag(core_om)"]
    text = run("fit", "--model", "dsem", *within, *SIMPLE, "--error", "wai_sr=0.02", scores, *ROLES)
    assert "Scores hold measurement error, wai_sr as given" in " ".join(text.split())


def test_figures_are_written_beside_the_numbers(scores: Path, tmp_path: Path) -> None:
    given = ["--model", "dsem", *PAIR, *SIMPLE, "--size", "20", "--most", "100", "--figures", tmp_path, scores, *ROLES]
    told = json.loads(run("fit", *given, "--json"))
    assert [Path(path).name for path in told["figures"]] == [
        "impulse-responses.png", "prior-posterior.png", "chains.png"
    ]  # fmt: skip
    assert all(Path(path).read_bytes().startswith(b"\x89PNG") for path in told["figures"])
    assert f"written: {tmp_path / 'chains.png'}" in run("fit", *given).replace("\n", "").replace("  ", " ")


def test_options_become_fields_of_the_description() -> None:
    made = described(
        "dsem", None,
        ModelOptions(
            within=("y ~ lag(y) + lag(w)", "w ~ lag(w) + y"), between="~ pd", random=("y ~ lag(w)",),
            variances="RANDOM",
            trend="linear", course="none", error=("y=0.1", "w=2"), first="stationary", clusters=True,
            treatment_length=True, person_outcome=("o",), factor=True, correlated="none", priors=("MPLUS",),
        ),
    )  # fmt: skip
    assert made == sw.DSEM(
        ("y ~ lag(y) + lag(w)", "w ~ lag(w) + y"), "~ pd", ("y ~ lag(w)",), "random", "linear", None,
        {"y": 0.1, "w": 2},
        "stationary", True, True, ("o",), True, "none", "mplus",
    )  # fmt: skip
    short = described("dsem", None, ModelOptions(("y",), ("w",), error=("items",), random=("all",), effect_sd=0.2,
                     priors=("y ~ lag(w)=0,2", "sd(w)=1.5")))  # fmt: skip
    assert short == sw.DSEM.reciprocal("y", "w", error="items", random="all", effect_sd=0.2,
                                       priors={"y ~ lag(w)": (0, 2), "sd(w)": 1.5})  # fmt: skip


def test_a_verdict_names_options(scores: Path) -> None:
    text = run("fit", "--model", "dsem", *PAIR, *SIMPLE, "--size", "1e6", "--most", "100", scores, *ROLES)
    assert "Draw more with --most 200, or use a simpler model: --random none" in " ".join(text.split())


def test_checks_and_leaving_one_out_are_there_on_request(scores: Path) -> None:
    asked = ["--model", "dsem", *PAIR, *SIMPLE, "--size", "20", "--most", "200", "--checks", "--loo", scores, *ROLES]
    told = json.loads(run("fit", *asked, "--json"))
    panel = sw.Panel(sw.read(scores), person="patient", session="session")
    fit = sw.DSEM.reciprocal("core_om", "wai_sr", random="none", course=None).fit(panel, size=20, most=200)
    assert told["loo"] == fit.loo(panel).to_dict()
    assert [c["p"] for c in told["checks"]["checks"]] == fit.predictive_checks(panel).tidy()["p"].to_list()
    assert list(told["r_squared"]) == ["core_om", "wai_sr"]
    text = " ".join(run("fit", *asked).split())
    assert "Posterior predictive checks" in text
    assert "Leaving one person out: elpd" in text
    assert "--course free" in text  # symptoms fall, and the model was given no course


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--model", "riclpm", *PAIR, "--waves", "3", "--loo", "FILE"], "--loo is no option of --model riclpm"),
        (["--model", "dsem", "--outcome", "core_om", "FILE"], "needs --outcome and --process"),
        (
            ["--model", "dsem", *PAIR, "--within", "y ~ lag(y)", "FILE"],
            "--within says what --outcome and --process say",
        ),
        (["--model", "dsem", *PAIR, "--error", "wai_sr=0.02", "--error", "x", "FILE"], "--error is 'x'"),
        (["--model", "dsem", *PAIR, "--error", "wai_sr=much", "FILE"], "--error needs a number"),
        (["--model", "dsem", *PAIR, "--waves", "3", "FILE"], "--waves is no option of --model dsem"),
        (["--model", "dpm", "y ~ lag(y)", "--figures", "f", "FILE"], "--figures is no option of --model dpm"),
        (["--model", "riclpm", *PAIR, "--seed", "3", "FILE"], "--seed is no option of --model riclpm"),
        (["--model", "dsem", *PAIR, "--error", "items", "FILE"], "needs the items of core_om"),
        (["--model", "dsem", *PAIR, "--random", "core_om ~ lag(x)", "FILE"], "no path of the model"),
    ],
)
def test_what_is_refused(scores: Path, capsys, monkeypatch, arguments: list[str], said: str) -> None:
    given = [str(scores) if a == "FILE" else a for a in arguments]
    status, _, error = main(capsys, monkeypatch, "fit", *given, *ROLES)
    assert status == 1
    assert said in " ".join(error.split())
    assert "remedy:" in error
