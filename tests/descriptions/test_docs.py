"""docs/describe.md names every coefficient."""

from __future__ import annotations

from dataclasses import fields

from helpers.places import DOCS
from sessionwise.descriptions import Reliability

DOC = DOCS / "describe.md"


def test_the_page_names_every_coefficient() -> None:
    text = DOC.read_text(encoding="utf-8")
    for name in (f.name for f in fields(Reliability) if f.name.startswith("r_")):
        assert f"`{name}`" in text
