"""The program as a whole: what --help imports, and an error as one message."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from .commands import ROLES, main


@pytest.mark.parametrize("verb", [[], ["fit"], ["analyze"]])
def test_help_imports_nothing_heavy(verb: list[str]) -> None:
    code = (
        "import sys; from sessionwise.cli import app; "
        f"app.app({[*verb, '--help']}, standalone_mode=False); "
        "print(sorted({'numpy', 'polars', 'narwhals', 'altair', 'scipy', 'tomllib'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


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
