"""`sessionwise check`."""

from __future__ import annotations

import json
from pathlib import Path

import sessionwise as sw

from .commands import ROLES, run


def test_check(items_file: Path) -> None:
    text = run("check", items_file, *ROLES, "--cluster", "therapist", "--time", "date")
    assert "check:" in text
    told = json.loads(run("check", items_file, *ROLES, "--json"))
    assert told["command"] == "check"
    assert told["sessionwise"] == sw.__version__
    assert all(set(f) == {"severity", "code", "what", "where", "count", "remedy"} for f in told["findings"])
    table = sw.read(items_file, person="patient")
    assert told["findings"] == sw.check(table, person="patient", session="session").to_dicts()


def test_it_ends_with_status_1_on_errors(tmp_path: Path) -> None:
    path = tmp_path / "twice.csv"
    path.write_text("patient,session,x\n1,1,2\n1,1,3\n1,2,4\n", encoding="utf-8")
    told = json.loads(run("check", path, *ROLES, "--json", code=1))
    (error,) = (f for f in told["findings"] if f["severity"] == "error")
    assert error["code"] == "duplicate-session"
    assert "lines 2, 3" in error["where"]
