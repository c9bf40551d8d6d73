"""A user's column is given to polars by its very name, in one way only."""

from __future__ import annotations

import ast
from pathlib import Path

import polars as pl
import pytest

from helpers.places import ROOT
from sessionwise.panel.exact import each, exact

SOURCES = sorted((ROOT / "src" / "sessionwise").rglob("*.py"))


@pytest.mark.parametrize("name", ["*", "^a", "a$", "core.*", "{}"])
def test_the_column_of_this_name_alone(name: str) -> None:
    frame = pl.DataFrame({"a": [1], name: [2], "b": [3]})
    assert frame.select(exact(name)).rows() == [(2,)]
    assert frame.select(each(["b", name])).rows() == [(3, 2)]


@pytest.mark.parametrize("file", SOURCES, ids=lambda file: str(file.relative_to(ROOT / "src")))
def test_no_other_name_reaches_polars_as_an_expression(file: Path) -> None:
    """`pl.col` takes '*' and '^...$' for patterns: it is given names that are written in the code, and no others."""
    calls = [node for node in ast.walk(ast.parse(file.read_text())) if isinstance(node, ast.Call)]
    for call in calls:
        function = call.func
        if isinstance(function, ast.Attribute) and function.attr == "col" and isinstance(function.value, ast.Name):
            assert all(isinstance(name, ast.Constant) for name in call.args), ast.unparse(call)
