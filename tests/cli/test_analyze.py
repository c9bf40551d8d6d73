"""`analyze` and `demo` as a user runs them: settings, guesses, files, refusals."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from typer.testing import CliRunner

import sessionwise as sw
from sessionwise.cli import app as cli
from sessionwise.cli.analyze import _prepared as prepared
from sessionwise.cli.demo import WHY
from sessionwise.cli.demo import run as demo_verb
from sessionwise.cli.remedies import in_options, reworded
from sessionwise.cli.settings import settings as read_settings
from sessionwise.study import guess
from sessionwise.study.records import NotAnswered
from sessionwise.study.recovered import recovered


def run(*arguments: object) -> str:
    result = CliRunner().invoke(cli.app, [str(a) for a in arguments])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    assert result.exit_code == 0, result.output
    return result.stdout


@pytest.fixture(scope="module")
def scores(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("scores") / "sessions.csv"
    sw.datasets.demo(persons=45, scale_scores=True).frame.write_csv(path)
    return path


# --- whole runs ---------------------------------------------------------------------------------


def test_a_settings_file_and_the_options_give_the_same_bytes(scores: Path, tmp_path: Path) -> None:
    """Report, tables and JSON; only the line of the time differs."""
    config = tmp_path / "study.toml"
    config.write_text(
        f'file = "{scores}"\nperson = "patient"\nsession = "session"\noutcome = "core_om"\nprocess = "wai_sr"\n'
        'moderators = ["pd"]\nfirst-sessions = 5\n',
        encoding="utf-8",
    )
    one = json.loads(
        run("analyze", "--config", config, "-o", tmp_path / "a.html", "--results", tmp_path / "a", "--json")
    )
    two = json.loads(
        run(
            "analyze", scores, "--person", "patient", "--session", "session", "--outcome", "core_om", "--process",
            "wai_sr", "--moderator", "pd", "--first-sessions", "5", "-o", tmp_path / "b.html", "--results",
            tmp_path / "b", "--json",
        )
    )  # fmt: skip
    assert one.pop("written")["report"].endswith("a.html")
    assert two.pop("written")["report"].endswith("b.html")
    assert one == two
    assert one["guessed"] == {}
    assert one["result"]["study"]["first_sessions"] == 5
    texts = [(tmp_path / name).read_text(encoding="utf-8").splitlines() for name in ("a.html", "b.html")]
    different = [a for a, b in zip(*texts, strict=True) if a != b]
    assert all("Time taken: " in line for line in different)
    assert len([line for line in texts[0] if "Time taken: " in line]) == 1
    tables = sorted(p.name for p in (tmp_path / "a").iterdir())
    assert "sensitivity.csv" in tables
    assert all((tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes() for name in tables)


def test_columns_that_are_not_named_are_guessed_and_told(tmp_path: Path) -> None:
    path = tmp_path / "sessions.csv"
    sw.datasets.demo(persons=30).frame.write_csv(path)
    made, full, guessed = prepared(read_settings({"file": path}, None))
    roles = {"person": "patient", "session": "session", "cluster": "therapist"}
    found = {"instrument": "core-om and wai-sr", "outcome": "core_om", "process": "wai_sr"}
    assert guessed == roles | found
    assert full.instrument == ("core-om", "wai-sr")
    assert {"core_om", "wai_sr"} <= set(made.columns)


def test_demo_finds_what_is_true(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    small = sw.datasets.demo
    truth = sw.datasets.demo_truth
    monkeypatch.setattr(sw.datasets, "demo", lambda seed: small(seed, 120))
    monkeypatch.setattr(sw.datasets, "demo_truth", lambda seed: truth(seed, 120))
    told = json.loads(run("demo", "--out", tmp_path / "demo", "--json"))
    assert told["simulated"] is True
    assert Path(told["written"]["report"]).stat().st_size > 500_000
    rows = {row["what"].strip(): row for row in told["recovered"]}
    assert rows["pd = 0"]["true"] == sw.datasets.Truth().b0
    effect = rows["WAI-SR → next CORE-OM, mean"]
    assert effect["corrected_low"] < effect["corrected"] < effect["corrected_high"]
    assert effect["riclpm_low"] < effect["riclpm"] < effect["riclpm_high"]
    few = {(c["direction"], c["key"]): c for c in told["result"]["few_sessions"]["coefficients"]}
    few_effect = few["forward", "effect"]
    assert effect["corrected"] == pytest.approx(few_effect["estimate"] - few_effect["bias"])
    assert rows["CORE-OM → next CORE-OM"]["corrected"] > rows["CORE-OM → next CORE-OM"]["found"]
    page = Path(told["written"]["report"]).read_text(encoding="utf-8")
    assert page.index("These data are simulated") < page.index(told["result"]["answer"][0][:40])


def test_the_demo_truth_is_that_of_the_models() -> None:
    """With plenty of exact scores the coefficients corrected for few sessions are those stated as true."""
    table = sw.datasets.demo(seed=3, persons=2500, scale_scores=True)
    panel = sw.Panel(table, person="patient", session="session", cluster="therapist")
    rows = recovered(sw.Study("core_om", "wai_sr", moderators=["pd"]).run(panel), sw.datasets.demo_truth(3, 2500))
    for row in rows:
        if row.corrected is not None:  # 3.5 standard errors, and what drop-out by alliance does
            assert abs(row.corrected - row.true) < 3.5 * (row.high - row.low) / 3.92 + 0.02 * abs(row.true), row


def test_the_demo_says_why_found_and_true_differ() -> None:
    assert "chance" in WHY
    assert "differ in their effects" in WHY


@pytest.mark.parametrize(
    ("python", "options"),
    [
        (
            "Declare them: sessionwise.read(path, missing={'a': [-9, 99], 'b': ['n/a']}).",
            "Declare them: --missing a=-9 --missing a=99 --missing b=n/a.",
        ),
        ("sessionwise.read(path, missing={'a': [-9], ...}).", "--missing a=-9 ...."),
        ("sessionwise.read(path, missing={...}).", "--missing COLUMN=CODE."),
        ("sessionwise.read(path, missing={'column': ['text', ...]}).", "--missing column=text ...."),
        ("number_sessions(table, person='p', by='date', into='n').", "--number-by date."),
        ("score it with answers=(1, 7).", "score it with --answers NAME=1-7."),
        ("A smaller number, first_sessions=.", "A smaller number, --first-sessions."),
        ("Use lag=1.", "Use --lag 1."),
        ("number_sessions(table, by=...); on the command line, --number-by.",) * 2,
    ],
)
def test_remedies_in_options(python: str, options: str) -> None:
    assert in_options(python) == options


def test_what_is_not_answered_names_options() -> None:
    told = (NotAnswered("a", "b", "Use lag=1."), 3, ("x",))
    assert reworded(told) == (NotAnswered("a", "b", "Use --lag 1."), 3, ("x",))
    assert reworded(told[1:])[1] is told[2]


# --- refusals -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('outcom = "x"', r"no setting 'outcom'\. Did you mean 'outcome'"),
        ("outcome = 3", "outcome is 3"),
        ('lag = "two"', "lag is 'two'"),
        ("docx = 1", "docx is 1"),
        ("moderator = [true]", "moderator is"),
        ("outcome = ", "no TOML"),
        ('trend = "lin"', r"trend is 'lin'\.[\s\S]*'linear', 'quadratic', 'none'"),
        ('out-of-range = "misssing"', r"out-of-range is 'misssing'\. Did you mean 'missing'"),
        ('[study]\noutcome = "x"', r"no table \[study\][\s\S]*at the top of the file"),
    ],
)
def test_a_wrong_setting_is_named(text: str, message: str, tmp_path: Path) -> None:
    config = tmp_path / "study.toml"
    config.write_text(text, encoding="utf-8")
    with pytest.raises(sw.SessionwiseError, match=message) as caught:
        run("analyze", "--config", config)
    assert str(config) in caught.value.where


def test_settings_of_every_kind(tmp_path: Path) -> None:
    config = tmp_path / "study.toml"
    config.write_text(
        'file = "s.csv"\nread = {header_row = 3, decimal = ","}\nmissing = [-9, "n/a"]\ndocx = true\n'
        'answers = {wai-sr = "1-7"}\noutcome = "a"\noutput = "r.html"\nresults = "tables"\n'
        'instrument = ["wai-sr", "own.toml"]\n[items]\ncore-om = "q{}"\n',
        encoding="utf-8",
    )
    made = read_settings({"outcome": "b", "moderator": ["x"], "docx": False}, config)
    assert made.file == tmp_path / "s.csv"
    assert (made.output, made.results) == (tmp_path / "r.html", tmp_path / "tables")
    assert made.instrument == ("wai-sr", str(tmp_path / "own.toml"))
    made = replace(made, instrument=())
    assert made.read == ("header_row=3", "decimal=,")
    assert made.missing == ("-9", "n/a")
    assert made.answers == ("wai-sr=1-7",)
    assert made.items == ("core-om=q{}",)
    assert (made.outcome, made.moderator, made.docx) == ("b", ("x",), True)
    assert made.command() == (
        "sessionwise analyze s.csv --outcome b --moderator x --answers wai-sr=1-7 --items 'core-om=q{}' "
        "--missing -9 --missing n/a --read header_row=3 --read decimal=,"
    )


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["-o", "r.pdf"], "the report is HTML"),
        (["-o", "nowhere/r.html"], "no such folder"),
        (["--outcome", "core_om_wellbeing"], "Add -i core-om"),
        (["--outcome", "core_omm"], "Did you mean 'core_om'"),
        (["--outcome", "gender", "--process", "core_om"], "holds text"),
        (["--outcome", "core_om", "--process", "core_om"], "same column"),
        (["--trend", "cubic"], "trend is 'cubic'"),
        (["--config", "none.toml"], "cannot read the settings"),
    ],
)
def test_wrong_options_are_explained(options: list[str], message: str, scores: Path) -> None:
    with pytest.raises(sw.SessionwiseError, match=message):
        run("analyze", scores, *options)


def test_the_data_are_never_overwritten(scores: Path, tmp_path: Path) -> None:
    copy = tmp_path / "data.html"
    copy.write_bytes(scores.read_bytes())
    with pytest.raises(sw.SessionwiseError, match="overwrite your data"):
        run("analyze", copy, "-o", copy)
    assert copy.read_bytes() == scores.read_bytes()


def test_a_file_is_needed() -> None:
    with pytest.raises(sw.SessionwiseError, match="no file was named"):
        run("analyze")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["-o", "."], r"HTML[\s\S]*report\.html"),
        (["-o", "folder"], r"HTML[\s\S]*folder/report\.html"),
        (["-o", "folder.html"], "this is a folder"),
        (["-o", "file/r.html"], "no such folder"),
        (["-o", "/proc/r.html"], "cannot write"),
        (["--results", "file"], "cannot write"),
        (["--results", "/proc/results"], "cannot write"),
        (["--docx", "-o", "edited.html"], "Word file of this name"),
        (["--results", "."], "beside your data"),
    ],
)
def test_places_are_tried_before_any_work(
    options: list[str], message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("s.csv", "file", "edited.docx"):
        Path(name).write_text("here before", encoding="utf-8")
    for name in ("folder", "folder.html"):
        Path(name).mkdir()
    before = sorted(Path().iterdir())
    with pytest.raises(sw.SessionwiseError, match=message):
        run("analyze", "s.csv", *options)
    assert sorted(Path().iterdir()) == before
    assert Path("edited.docx").read_text(encoding="utf-8") == "here before"


def test_a_trial_leaves_what_is_there(tmp_path: Path) -> None:
    from sessionwise.cli.files import can_be_written

    there = tmp_path / "r.html"
    there.write_text("old", encoding="utf-8")
    can_be_written(there)
    can_be_written(tmp_path / "new.html")
    assert [p.name for p in tmp_path.iterdir()] == ["r.html"]
    assert there.read_text(encoding="utf-8") == "old"


@pytest.mark.parametrize("verb", ["analyze", "score", "describe"])
def test_a_wrong_out_of_range_is_refused_without_an_instrument(verb: str, scores: Path) -> None:
    roles = ["--person", "patient", "--session", "session"]
    with pytest.raises(sw.SessionwiseError, match="out-of-range is"):
        run(verb, scores, *roles, "--out-of-range", "misssing")


def test_remedies_name_options(scores: Path) -> None:
    with pytest.raises(sw.StudyError, match="--first-sessions is 1") as caught:
        run("analyze", scores, "--first-sessions", "1")
    assert caught.value.remedy


# --- guesses ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("what", "columns", "found"),
    [
        ("person", ["Patient_ID", "session"], "Patient_ID"),
        ("person", ["id", "x"], "id"),
        ("session", ["id", "Session No."], "Session No."),
        ("session", ["id", "week"], None),
        ("cluster", ["therapist", "x"], "therapist"),
        ("person", ["name"], None),
    ],
)
def test_a_role_by_its_name(what: str, columns: list[str], found: str | None) -> None:
    assert guess.role(what, columns) == found


def test_two_that_could_be_meant_are_refused() -> None:
    with pytest.raises(sw.SessionwiseError, match="'id', 'patient'"):
        guess.role("person", ["id", "patient", "x"])


def panel(**columns: Any) -> sw.Panel:
    frame = pl.DataFrame({"p": [1, 1, 2], "s": [1, 2, 1], **{name: [1.0, 2.0, 3.0] for name in columns}})
    return sw.Panel(frame, person="p", session="s")


def test_scales_by_what_a_high_score_means() -> None:
    assert guess.scales(panel(core_om=0, wai_sr=0, age=0), None, None) == ("core_om", "wai_sr")
    assert guess.scales(panel(phq_9=0, wai_sr=0), "phq_9", None) == ("phq_9", "wai_sr")
    assert guess.scales(panel(a=0, wai_sr=0), "a", None) == ("a", "wai_sr")
    for unclear in (panel(ors=0, srs=0), panel(core_om=0, wai_sr=0, sai=0), panel(a=0, b=0)):
        with pytest.raises(sw.SessionwiseError, match="--outcome and --process"):
            guess.scales(unclear, None, None)


def test_persons_of_a_wide_file_may_be_its_rows(tmp_path: Path) -> None:
    from sessionwise.cli.files import load

    (tmp_path / "w.csv").write_text("x1,x2\n1,2\n3,4\n", encoding="utf-8")
    table, roles = load(tmp_path / "w.csv", None, None, None, None, None, ["x{}"], None, None)
    assert roles["person"] == "person"
    assert table["person"].to_list() == [1, 1, 2, 2]


def test_progress_is_told_part_by_part(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, scores: Path) -> None:
    said: list[str] = []

    def stopped(*_: object, **options: Any) -> object:
        options["progress"]("the sample", 0, 5)
        raise sw.StudyError("enough.")

    monkeypatch.setattr(sw.Study, "run", stopped)
    asked = read_settings({"file": scores, "output": tmp_path / "r.html"}, None)
    from sessionwise.cli.analyze import run as analyze

    with pytest.raises(sw.StudyError):
        analyze(asked, said.append)
    assert said == ["reading and scoring", "the sample (1 of 5)"]
    assert callable(demo_verb)
