"""docs/describe.md names every coefficient."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path

from sessionwise.descriptions import Reliability

DOC = Path(__file__).parents[2] / "docs" / "describe.md"


def test_the_page_names_every_coefficient() -> None:
    text = DOC.read_text(encoding="utf-8")
    for name in (f.name for f in fields(Reliability) if f.name.startswith("r_")):
        assert f"`{name}`" in text
