"""docs/describe.md runs as it stands, and names every coefficient."""

from __future__ import annotations

import re
from dataclasses import fields
from pathlib import Path

import pytest

from sessionwise.describe import Reliability

DOC = Path(__file__).parents[2] / "docs" / "describe.md"


def test_the_page_runs(capsys: pytest.CaptureFixture[str]) -> None:
    blocks = re.findall(r"```python\n(.*?)```", DOC.read_text(encoding="utf-8"), re.S)
    assert blocks
    space: dict[str, object] = {}
    for block in blocks:
        exec(block, space)
    assert capsys.readouterr().out.startswith("646 persons")


def test_the_page_names_every_coefficient() -> None:
    text = DOC.read_text(encoding="utf-8")
    for name in (f.name for f in fields(Reliability) if f.name.startswith("r_")):
        assert f"`{name}`" in text
