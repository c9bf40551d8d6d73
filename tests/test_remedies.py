"""A remedy that names an argument or an option is followed as it stands, and the fault is gone.

Each fault is met from Python and from the command line. What to write is taken from the remedy's record, the Argument
in its Wording, and not read out of the sentence.
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import polars as pl
import pytest
from typer.testing import CliRunner

import sessionwise as sw
from sessionwise.cli.app import app
from sessionwise.errors import Argument, Wording

RUNNER = CliRunner()


@dataclass(frozen=True)
class Fault:
    """make : writes the file. verb : of the command line, with {file}. call : the same in Python, of path and
    arguments. said : part of what is wrong."""

    make: Callable[[Path], Path]
    verb: str
    call: Callable[..., Any]
    said: str


def _workbook(folder: Path) -> Path:
    from xlsxwriter import Workbook

    path = folder / "two.xlsx"
    with Workbook(str(path)) as book:
        for name in ("First one", "Second"):
            sheet = book.add_worksheet(name)
            for i, row in enumerate([["patient", "session", "y"], [1, 1, 3], [1, 2, 4], [2, 1, 5]]):
                sheet.write_row(i, 0, row)
    return path


def _one_sheet_without_rows(folder: Path) -> Path:
    from xlsxwriter import Workbook

    path = folder / "rows.xlsx"
    with Workbook(str(path)) as book:
        sheet = book.add_worksheet("Data")
        for i, row in enumerate([["patient", "session", "y"], [1, 1, 3], [1, 2, 4]]):
            sheet.write_row(i, 0, row)
        book.add_worksheet("Empty")
    return path


def _text(folder: Path, *first: str) -> Path:
    """A CSV file with these lines above its header."""
    path = folder / "titled.csv"
    rows = [f"{who},{when},{who + when}" for who in (1, 2, 3) for when in (1, 2)]
    path.write_text("\n".join([*first, "patient,session,y", *rows]) + "\n")
    return path


def _sheet(folder: Path, *first: list[str]) -> Path:
    """A workbook with these rows above its header."""
    from xlsxwriter import Workbook

    path = folder / "titled.xlsx"
    rows = [[who, when, who + when] for who in (1, 2, 3) for when in (1, 2)]
    with Workbook(str(path)) as book:
        sheet = book.add_worksheet("Data")
        for i, row in enumerate([*first, ["patient", "session", "y"], *rows]):
            sheet.write_row(i, 0, row)
    return path


def _redcap(folder: Path, events: tuple[str, ...]) -> Path:
    path = folder / "redcap.csv"
    rows = [f"{who},{event},{i + who}" for who in (1, 2, 3) for i, event in enumerate(events)]
    path.write_text("record_id,redcap_event_name,phq\n" + "\n".join(rows) + "\n")
    return path


def _panel(path: Path, **options: Any) -> sw.Panel:
    return sw.Panel(sw.read(path, **options), person="patient", session="session")


def _sem(folder: Path, sessions: tuple[int, ...], session: Callable[[int], int] = int) -> Path:
    rng = np.random.default_rng(1)
    n = 80
    who = np.repeat(np.arange(n), len(sessions))
    level = rng.normal(size=(n, 2))[who]
    frame = pl.DataFrame(
        {
            "patient": who,
            "session": np.tile([session(s) for s in sessions], n),
            "y": level[:, 0] + rng.normal(size=len(who)),
            "x": level[:, 1] + rng.normal(size=len(who)),
        }
    )
    path = folder / "waves.csv"
    frame.write_csv(path)
    return path


def _with_codes(folder: Path) -> Path:
    path = _sem(folder, (1, 2, 3, 4, 5))
    frame = pl.read_csv(path).with_row_index("row")
    phq = pl.when(pl.col("row") % 20 == 3).then(-999.0).otherwise((pl.col("y") * 3 + 10).clip(0, 27).round())
    frame.select("patient", "session", "x", phq.alias("PHQ-9 Summe")).write_csv(path)
    return path


ANALYZE = "analyze --person patient --session session --outcome 'PHQ-9 Summe' --process x -o {folder}/r.html {file}"
FIT = "fit --person patient --session session --model riclpm --outcome y --process x {file}"
CHECK = "check --person patient --session session {file}"
REDCAP = "check --person record_id --session session {file}"

FAULTS = {
    "no sheet named": Fault(_workbook, CHECK, sw.read, "none was named"),
    "an empty sheet": Fault(_one_sheet_without_rows, CHECK + " --read sheet=Empty", sw.read, "The sheet is empty"),
    "a title above the header": Fault(
        lambda folder: _text(folder, "My study"), CHECK, sw.read, "The header line has one field"
    ),
    "a padded title above the header": Fault(
        lambda folder: _text(folder, "My study,,"), CHECK, sw.read, "looks like a title above the header"
    ),
    "a title with the delimiter in it": Fault(lambda folder: _text(folder, "My study, 2020"), CHECK, sw.read, "fields"),
    "a title in a workbook": Fault(
        lambda folder: _sheet(folder, ["My study"]), CHECK, sw.read, "looks like a title above the header"
    ),
    "names of groups above those of columns": Fault(
        lambda folder: _sheet(folder, ["Who", "", "PHQ"]), CHECK, sw.read, "names of groups above those of columns"
    ),
    "an event without a number": Fault(
        lambda folder: _redcap(folder, ("baseline_arm_1", "session_1_arm_1", "session_2_arm_1")),
        REDCAP,
        sw.read,
        "No session number can be told",
    ),
    "events that count different things": Fault(
        lambda folder: _redcap(folder, ("week_2_arm_1", "month_3_arm_1", "month_6_arm_1")),
        REDCAP,
        sw.read,
        "count different things",
    ),
    "codes that were not declared": Fault(
        _with_codes,
        ANALYZE,
        lambda path, as_scored=(), **options: sw.Study("PHQ-9 Summe", "x", as_scored=as_scored, dynamic=False).run(
            _panel(path, **options)
        ),
        "impossible values",
    ),
    "waves that are not there": Fault(
        lambda folder: _sem(folder, (1992, 1994, 1996, 1998)),
        FIT,
        lambda path, **options: sw.RICLPM("y", "x", **options).fit(_panel(path)),
        "waves in a row",
    ),
}
#: What Python's call has beside the path where the command line has an option already.
GIVEN: dict[str, dict[str, Any]] = {"an empty sheet": {"sheet": "Empty"}}


def arguments(remedy: str) -> list[Argument]:
    assert isinstance(remedy, Wording), remedy
    # Without a value it says where one is to stand, such as `delimiter=`.
    found = [part for part in remedy.parts if isinstance(part, Argument) and not part.python.endswith("=")]
    assert found, remedy
    return found


def given_by(argument: Argument) -> dict[str, Any]:
    """The keyword arguments that it writes, whether alone or in a call of `read`."""
    reading = SimpleNamespace(read=lambda path, **options: options)
    written = argument.python if argument.python.startswith("sessionwise.") else f"dict({argument.python})"
    return dict(eval(written, {"sessionwise": reading, "path": None, "dict": dict}))


def _error(call: Callable[[], Any]) -> sw.SessionwiseError | None:
    try:
        call()
    except sw.SessionwiseError as error:
        return error
    return None


@pytest.mark.parametrize("name", FAULTS)
def test_each_argument_of_a_remedy_mends_the_fault_in_python(name: str, tmp_path: Path) -> None:
    fault = FAULTS[name]
    path = fault.make(tmp_path)
    error = _error(lambda: fault.call(path, **GIVEN.get(name, {})))
    assert error is not None
    assert fault.said in str(error)
    for argument in arguments(error.remedy):
        given = GIVEN.get(name, {}) | given_by(argument)
        again = _error(lambda given=given: fault.call(path, **given))  # type: ignore[misc]
        assert again is None or fault.said not in str(again), argument


@pytest.mark.parametrize("name", FAULTS)
def test_each_option_of_a_remedy_mends_the_fault_on_the_command_line(name: str, tmp_path: Path) -> None:
    fault = FAULTS[name]
    path = fault.make(tmp_path)
    command = shlex.split(fault.verb.format(file=shlex.quote(str(path)), folder=shlex.quote(str(tmp_path))))
    said = RUNNER.invoke(app, command)
    error = said.exception if isinstance(said.exception, sw.SessionwiseError) else None
    assert said.exit_code != 0 or error
    wrong = _error(lambda: fault.call(path, **GIVEN.get(name, {})))
    assert wrong is not None
    for argument in arguments(wrong.remedy):
        written = shlex.split(shlex.join(argument.option))  # through a shell
        after = RUNNER.invoke(app, [*command, *written])
        assert fault.said not in " ".join(after.output.split()) + str(after.exception or ""), argument
        assert not isinstance(after.exception, sw.SessionwiseError) or fault.said not in str(after.exception)


def test_a_note_of_commas_that_could_mark_choices_is_mended_by_either_argument(tmp_path: Path) -> None:
    path = tmp_path / "choices.csv"
    cells = ['"1,3"', '"2,4"', '"1,2"', "3", "2", '"1,4"']
    rows = [f"{1 + i // 2},{1 + i % 2},{cell}" for i, cell in enumerate(cells)]
    path.write_text("patient,session,why\n" + "\n".join(rows) + "\n")

    def said(**options: Any) -> list[Any]:
        return [f for f in sw.read(path, **options).findings if "separate choices" in f.what]

    (note,) = said()
    given = arguments(note.remedy)
    assert [one.option for one in given] == [("--read", "decimal=,"), ("--read", "types.why=text")]
    command = [*shlex.split(CHECK.format(file=shlex.quote(str(path)))), "--json"]
    before = RUNNER.invoke(app, command).output
    assert "separate choices" in before
    assert all(shlex.join(one.option) in before for one in given)
    for argument in given:
        assert not said(**given_by(argument))
        assert "separate choices" not in RUNNER.invoke(app, [*command, *argument.option]).output


def test_the_remedy_of_a_verdict_is_an_option_on_the_command_line(tmp_path: Path) -> None:
    """Random intercepts that the lags leave nothing to: `without` in Python, `--without` on the command line."""
    rng = np.random.default_rng(0)
    persons, waves = 60, 4
    y = np.zeros((persons, waves))
    x = rng.normal(size=(persons, waves)) + rng.normal(size=(persons, 1))
    y[:, 0] = rng.normal(size=persons)
    for wave in range(1, waves):
        y[:, wave] = 0.6 * y[:, wave - 1] + rng.normal(size=persons)
    path = tmp_path / "none.csv"
    who, when = np.repeat(np.arange(persons), waves), np.tile(np.arange(1, waves + 1), persons)
    pl.DataFrame({"patient": who, "session": when, "y": y.ravel(), "x": x.ravel()}).write_csv(path)
    fit = sw.RICLPM("y", "x", waves=waves).fit(_panel(path))
    assert not fit.verdict.admissible
    (argument,) = arguments(fit.verdict.remedy)
    assert argument.python == "without=['y']"
    assert argument.option == ("--without", "y")
    mended = sw.RICLPM("y", "x", waves=waves, **given_by(argument)).fit(_panel(path))
    assert mended.verdict.admissible
    command = [*shlex.split(FIT.format(file=shlex.quote(str(path)))), "--waves", str(waves)]
    assert "--without y" in " ".join(RUNNER.invoke(app, command).output.split())
    assert "--without" not in RUNNER.invoke(app, [*command, *argument.option]).output


def test_each_argument_of_a_remedy_mends_the_fault_in_a_settings_file(tmp_path: Path) -> None:
    """A key of study.toml is the name of an option, and holds what follows it."""
    fault = FAULTS["codes that were not declared"]
    path = fault.make(tmp_path)
    wrong = _error(lambda: fault.call(path))
    assert wrong is not None
    for argument in arguments(wrong.remedy):
        keys: dict[str, list[str]] = {}
        for option, value in zip(argument.option[::2], argument.option[1::2], strict=True):
            keys.setdefault(option.removeprefix("--"), []).append(value)
        config = tmp_path / "study.toml"
        config.write_text("\n".join(f"{key} = {json.dumps(values)}" for key, values in keys.items()))
        command = shlex.split(fault.verb.format(file=shlex.quote(str(path)), folder=shlex.quote(str(tmp_path))))
        after = RUNNER.invoke(app, [*command, "--overwrite", "--config", str(config)])
        assert after.exit_code == 0, (argument, after.output, after.exception)
