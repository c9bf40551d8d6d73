"""`sessionwise describe`."""

from __future__ import annotations

import json
from pathlib import Path

import sessionwise as sw

from .commands import ROLES, run


def test_describe_with_figures(items_file: Path, tmp_path: Path) -> None:
    folder = tmp_path / "figures"
    text = run("describe", items_file, *ROLES, "-i", "core-om", "--column", "core_om", "--figures", folder)
    assert "80 persons" in text
    names = {p.name for p in folder.glob("[!.]*")}
    assert names == {"trajectories-core_om.png", "drop-out.png", "missing.png"}
    assert all(p.read_bytes().startswith(b"\x89PNG") for p in folder.glob("*.png"))
    told = json.loads(run("describe", items_file, *ROLES, "-i", "core-om", "--column", "core_om", "--json"))
    assert told["sample"]["persons"] == 80
    panel = sw.Panel(sw.read(items_file, person="patient"), person="patient", session="session")
    description = sw.describe(sw.score(panel, "core-om"), ["core_om"])
    assert {key: told[key] for key in description.to_dict()} == json.loads(json.dumps(description.to_dict()))
    assert told["figures"] == []
