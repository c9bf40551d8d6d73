"""Running verbs in a test, and the options that most of them need for the demo data."""

from __future__ import annotations

import sys

import pytest
from typer.testing import CliRunner

from sessionwise.cli import app as cli

ROLES = ["--person", "patient", "--session", "session"]
ITEMS = ["-i", "core-om", "-i", "wai-sr"]


def run(*arguments: object, code: int = 0) -> str:
    """Standard output of a verb that ends with `code`; an error of the package is raised."""
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
