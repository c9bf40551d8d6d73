"""Every option of every verb that is given is used or refused; none counts as left out for being 0, empty or absurd."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

import sessionwise as sw
from sessionwise.cli.app import app

RUNNER = CliRunner()
ROLES = "--person patient --session session"
VERBS = {
    "demo": "demo --out out",
    "check": f"check {ROLES} s.csv",
    "score": f"score {ROLES} -i wai-sr i.csv -o o.csv --overwrite",
    "describe": f"describe {ROLES} s.csv",
    "detect": f"detect {ROLES} --column core_om --detector reliable-change s.csv",
    "track": f"track {ROLES} --column core_om --learn course.json --overwrite --folds 0 s.csv",
    "fit mlm": f"fit {ROLES} 'core_om ~ session + (1 | patient)' s.csv",
    "fit riclpm": f"fit {ROLES} --model riclpm --outcome core_om --process wai_sr --waves 3 s.csv",
    "fit dsem": f"fit {ROLES} --model dsem --outcome core_om --process wai_sr s.csv",
    "analyze": f"analyze {ROLES} --outcome core_om --process wai_sr s.csv -o r.html --overwrite",
}
#: Where any text is one that can be meant: codes that stand for 'missing', places.
FREE = {"--missing", "--results", "--figures", "--output", "--key", "--out"}
#: 0 is a seed, and no simulated patients.
MEANT = {("--seed", "0"), ("--patients", "0")}


def _options(verb: str) -> list[str]:
    command: Any = typer.main.get_command(app).commands[verb.split()[0]]  # type: ignore[attr-defined]
    valued = [p for p in command.params if p.param_type_name != "argument" and not p.is_flag and p.name != "help"]
    return [max(p.opts, key=len) for p in valued]


def _case(verb: str, option: str, value: str) -> Any:
    """To analyze takes two seconds before it looks at most options."""
    marks = [pytest.mark.slow] if verb == "analyze" and value not in ("", "0") else []
    return pytest.param(verb, option, value, marks=marks)


CASES = [
    _case(verb, option, value)
    for verb in VERBS
    for option in _options(verb)
    for value in ("", "0", "-1", "no such", "1e400", "nan")
    if not (option in FREE and value) and (option, value) not in MEANT
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("options")
    sw.datasets.demo(persons=20, scale_scores=True).frame.write_csv(folder / "s.csv")
    sw.datasets.demo(persons=20).frame.write_csv(folder / "i.csv")
    return folder


@pytest.mark.parametrize(("verb", "option", "value"), CASES)
def test_what_cannot_be_meant_is_refused(
    verb: str, option: str, value: str, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder)
    done = RUNNER.invoke(app, [*shlex.split(VERBS[verb]), option, value])
    assert done.exit_code in (1, 2), done.output
    refused = isinstance(done.exception, sw.SessionwiseError)
    # `check` lists what is wrong, and ends with 1; Typer ends with 2 what is no number.
    assert refused or done.exit_code == 2 or (verb == "check" and "error" in done.output), done.exception
