"""The command line as a user runs it: whole verbs, their JSON, their help, their errors."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest
from typer.testing import CliRunner

import sessionwise as sw
from sessionwise.cli import app as cli

ROLES = ["--person", "patient", "--session", "session"]
VERBS = {c.name or c.callback.__name__ for c in cli.app.registered_commands if c.callback}


@pytest.fixture(scope="module")
def demo_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("demo") / "sessions.csv"
    sw.datasets.demo(persons=80).frame.write_csv(path)
    return path


def run(*arguments: object, code: int = 0) -> str:
    """Standard output of a verb that ends with `code`."""
    result = CliRunner().invoke(cli.app, [str(a) for a in arguments])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    assert result.exit_code == code, result.output
    return result.stdout


def main(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, *arguments: object
) -> tuple[int, str, str]:
    """Status, standard output and standard error of the whole program."""
    monkeypatch.setattr(sys, "argv", ["sessionwise", *(str(a) for a in arguments)])
    with pytest.raises(SystemExit) as stop:
        cli.main()
    out, err = capsys.readouterr()
    return int(stop.value.code or 0), out, err


@pytest.mark.parametrize("verb", sorted(VERBS))
def test_every_verb_has_help_with_an_example_and_is_documented(verb: str) -> None:
    text = run(verb, "--help")
    assert f"Example: sessionwise {verb}" in text
    assert "--json" in text
    page = (Path(__file__).parents[1] / "docs" / "command-line.md").read_text(encoding="utf-8")
    assert f"| `{verb}` |" in page


def test_verbs_are_those_of_the_library() -> None:
    for verb in VERBS - {"demo", "fit", "analyze"}:
        assert callable(getattr(sw, verb))
    assert callable(sw.MLM.fit)


def test_help_imports_nothing_heavy() -> None:
    code = (
        "import sys, sessionwise.cli; print(sorted({'numpy','polars','narwhals','altair','scipy'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


FORMULA = "core_om ~ session + within(wai_sr) + between(wai_sr) + (1 + session | patient)"
ITEMS = ["-i", "core-om", "-i", "wai-sr"]


def test_fit(demo_file: Path) -> None:
    text = run("fit", FORMULA, demo_file, *ROLES, *ITEMS)
    assert text.startswith("Multilevel model (REML): ")
    assert "Satterthwaite" in text
    told = json.loads(run("fit", FORMULA, demo_file, *ROLES, *ITEMS, "--method", "ml", "--residual", "ar1", "--json"))
    panel = sw.score(sw.Panel(sw.read(demo_file), person="patient", session="session"), "core-om", "wai-sr")
    fit = sw.MLM(FORMULA, "ML", "ar1").fit(panel)
    assert told["fixef"] == pytest.approx(fit.fixef)
    assert told["residual_parameters"]["phi"] == pytest.approx(fit.residual["phi"])
    assert told["verdict"]["converged"] is True
    assert told["command"] == "fit"


def test_fit_with_other_degrees_of_freedom(demo_file: Path) -> None:
    text = run("fit", FORMULA, demo_file, *ROLES, *ITEMS, "--df", "kenward-roger")
    assert "Kenward and Roger" in text


def test_fit_takes_names_in_capitals_and_a_number(demo_file: Path) -> None:
    options = ["--method", "Ml", "--residual", "AR1", "--df", "Kenward-Roger"]
    with pytest.raises(sw.ModelError, match="REML"):  # it was understood: Kenward and Roger's method needs REML
        run("fit", FORMULA, demo_file, *ROLES, *ITEMS, *options)
    told = json.loads(run("fit", FORMULA, demo_file, *ROLES, *ITEMS, *options[:4], "--df", "Residual", "--json"))
    assert (told["method"], told["residual"]) == ("ML", "ar1")
    assert told["df"]["session"] == told["nobs"] - 4
    told = json.loads(run("fit", FORMULA, demo_file, *ROLES, *ITEMS, "--df", "12", "--json"))
    assert set(told["df"].values()) == {12}
    assert "Coefficients; 12 df" in run("fit", FORMULA, demo_file, *ROLES, *ITEMS, "--df", "12")


@pytest.mark.parametrize("df", ["kenward", "-3", "0", "inf", "nan", ""])
def test_unknown_degrees_of_freedom_are_refused_before_the_file_is_read(df: str) -> None:
    with pytest.raises(sw.SessionwiseError, match="--df is one of satterthwaite") as caught:
        run("fit", FORMULA, "no-such-file.csv", *ROLES, "--df", df)
    assert caught.value.remedy


def test_fit_that_did_not_converge_ends_with_status_0_and_says_so(demo_file: Path, monkeypatch) -> None:
    from sessionwise.models.mlm import model

    def stopped(*arguments: object, **options: object) -> object:
        return replace(optimise(*arguments, **options), converged=False)

    optimise = model.optimise
    monkeypatch.setattr(model, "optimise", stopped)
    told = json.loads(run("fit", FORMULA, demo_file, *ROLES, *ITEMS, "--json", code=0))
    assert told["verdict"]["converged"] is False
    assert "Not converged" in told["verdict"]["message"]


def test_fit_refuses_with_a_remedy(demo_file: Path, capsys, monkeypatch) -> None:
    arguments = ("fit", "core_omm ~ session + (1 | patient)", demo_file, *ROLES, *ITEMS)
    status, _, err = main(capsys, monkeypatch, *arguments)
    assert status == 1
    assert "Did you mean 'core_om'" in err
    assert "remedy" in err


def test_check(demo_file: Path) -> None:
    text = run("check", demo_file, *ROLES, "--cluster", "therapist", "--time", "date")
    assert "check:" in text
    told = json.loads(run("check", demo_file, *ROLES, "--json"))
    assert told["command"] == "check"
    assert told["sessionwise"] == sw.__version__
    assert all(set(f) == {"severity", "code", "what", "where", "count", "remedy"} for f in told["findings"])


def test_check_ends_with_status_1_on_errors(tmp_path: Path) -> None:
    path = tmp_path / "twice.csv"
    path.write_text("patient,session,x\n1,1,2\n1,1,3\n1,2,4\n", encoding="utf-8")
    told = json.loads(run("check", path, *ROLES, "--json", code=1))
    (error,) = (f for f in told["findings"] if f["severity"] == "error")
    assert error["code"] == "duplicate-session"
    assert "lines 2, 3" in error["where"]


def test_score_writes_the_scales(demo_file: Path, tmp_path: Path) -> None:
    out = tmp_path / "scored.parquet"
    told = json.loads(run("score", demo_file, *ROLES, "-i", "core-om", "-i", "wai-sr", "-o", out, "--json"))
    written = pl.read_parquet(out)
    assert told["columns"] == [*sw.instrument("core-om").columns, *sw.instrument("wai-sr").columns]
    assert set(told["columns"]) <= set(written.columns)
    total = told["records"][0]["scales"][0]
    assert total["complete"] + total["prorated"] == written["core_om"].is_not_null().sum()
    assert "pro-rated" in run("score", demo_file, *ROLES, "-i", "core-om")


def test_score_options(tmp_path: Path) -> None:
    path = tmp_path / "w.csv"
    rows = ["patient,session," + ",".join(f"a{i}" for i in range(1, 13)), "1,1" + ",7" * 12, "1,2" + ",-9" * 12]
    path.write_text("\n".join(rows) + "\n", encoding="utf-8")
    told = json.loads(
        run(
            "score",
            path,
            *ROLES,
            "-i",
            "wai-sr",
            "--items",
            "wai-sr=a{}",
            "--answers",
            "wai-sr=1-7",
            "--missing",
            "-9",
            "--json",
        )
    )
    total = told["records"][0]["scales"][0]
    assert (total["complete"], total["empty"]) == (1, 1)
    assert told["records"][0]["answers"] == [1, 7]


def test_wide_files(tmp_path: Path) -> None:
    path = tmp_path / "wide.csv"
    path.write_text("patient,core_1,core_2,core_3\n1,20,18,\n2,15,,12\n", encoding="utf-8")
    told = json.loads(run("describe", path, "--person", "patient", "--wide", "core_{}", "--json"))
    assert told["sample"]["sessions"] == 4


def test_describe_with_figures(demo_file: Path, tmp_path: Path) -> None:
    folder = tmp_path / "figures"
    text = run("describe", demo_file, *ROLES, "-i", "core-om", "--column", "core_om", "--figures", folder)
    assert "80 persons" in text
    names = {p.name for p in folder.iterdir()}
    assert names == {"trajectories-core_om.png", "drop-out.png", "missing.png"}
    assert all(p.read_bytes().startswith(b"\x89PNG") for p in folder.iterdir())
    told = json.loads(run("describe", demo_file, *ROLES, "-i", "core-om", "--column", "core_om", "--json"))
    assert told["sample"]["persons"] == 80


@pytest.mark.parametrize("as_json", [False, True])
def test_an_error_is_one_message(
    as_json: bool, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    arguments = ["check", tmp_path / "none.csv", *ROLES] + ["--json"] * as_json
    status, out, err = main(capsys, monkeypatch, *arguments)
    assert status == 1
    if as_json:
        assert json.loads(out)["error"]["kind"] == "ReadError"
    else:
        assert err.startswith("error: ")
        assert "none.csv" in err
        assert "Traceback" not in err


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--missing", "none"], "--missing needs a number"),
        (["--read", "header_rows=4"], "Did you mean 'header_row'"),
        (["--read", "header_row"], "--read needs option=value"),
        (["--answers", "1-7"], "--answers needs instrument=value"),
        (["--answers", "wai-sr=seven"], "--answers needs low-high"),
        (["--out-of-range", "drop"], "--out-of-range is one of error, missing"),
        (["-o", "scored.docx"], "cannot write a .docx"),
        (["-o", "nowhere/scored.csv"], "no such folder"),
    ],
)
def test_wrong_options_are_explained(options: list[str], message: str, demo_file: Path) -> None:
    with pytest.raises(sw.SessionwiseError, match=message):
        run("score", demo_file, *ROLES, "-i", "core-om", *options)


def test_no_session_column() -> None:
    with pytest.raises(sw.SessionwiseError, match="no session column"):
        run("check", "x.csv", "--person", "p")


def test_the_data_are_never_overwritten(demo_file: Path) -> None:
    before = demo_file.read_bytes()
    with pytest.raises(sw.SessionwiseError, match="overwrite your data"):
        run("score", demo_file, *ROLES, "-i", "core-om", "-o", demo_file)
    assert demo_file.read_bytes() == before


def test_every_option_of_read_can_be_given(tmp_path: Path) -> None:
    path = tmp_path / "german.csv"
    path.write_text("Klinik Nord\n\npatient;datum;core\n007;01.02.2023;1,5\n007;08.02.2023;-9\n", encoding="cp1252")
    reading = ["--read", "header_row=3", "--read", "dates.datum=%d.%m.%Y", "--read", "decimal=,"]
    told = json.loads(
        run("describe", path, "--person", "patient", "--number-by", "datum", "--missing", "-9", *reading, "--json")
    )
    assert told["sample"]["sessions"] == 2
    assert any(f["code"] == "sessions-numbered" for f in told["read"])


def test_check_and_describe_score_as_they_are_told(tmp_path: Path) -> None:
    """Answers 1 to 7, columns named otherwise, reversed items turned round already."""
    rng = sw.datasets.demo(persons=40).frame
    path = tmp_path / "odd.csv"
    turned = {f"core_om_{i}": 4 - pl.col(f"core_om_{i}") for i in sw.instrument("core-om").reversed}
    odd = rng.with_columns(**turned).rename({f"core_om_{i}": f"q{i}" for i in range(1, 35)})
    odd.write_csv(path)
    how = ["-i", "core-om", "--items", "core-om=q{}", "--already-reversed"]
    codes = {f["code"] for f in json.loads(run("check", path, *ROLES, *how, "--json"))["findings"]}
    assert not codes & {"already-reversed", "instrument-not-found"}
    told = json.loads(run("describe", path, *ROLES, *how, "--json"))
    right = sw.score(sw.Panel(rng, person="patient", session="session"), "core-om")
    expected = sw.reliability(right, "core-om").r_cn
    (found,) = (r for r in told["reliability"] if r["name"] == "core_om")
    assert found["r_cn"] == pytest.approx(expected)


def test_a_write_that_fails_is_explained(demo_file: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(sw.SessionwiseError, match="cannot write"):
        run("demo", "--out", tmp_path / "file")


@pytest.mark.parametrize("verb", ["check", "score", "describe"])
@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["-i", "core-om", "--answers", "wai-sr=1-7"], "--answers is about 'wai-sr', which is not named with -i"),
        (["-i", "core-om", "--items", "core-10=q{}"], "--items is about 'core-10'.*Did you mean 'core-om'"),
        (["--answers", "wai-sr=1-7"], "Add -i wai-sr"),
        (["--already-reversed"], "--already-reversed needs an instrument"),
    ],
)
def test_no_option_is_ignored(verb: str, options: list[str], message: str, demo_file: Path) -> None:
    with pytest.raises(sw.SessionwiseError, match=message):
        run(verb, demo_file, *ROLES, *options)
