"""Options from the fields of dataclasses: the signature that Typer sees, and what a verb is given."""

from __future__ import annotations

import inspect
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

import pytest
import typer
from typer.testing import CliRunner

import sessionwise as sw
from sessionwise.cli.options import (
    READING,
    Json,
    OptionsOf,
    Values,
    built,
    chosen,
    flag,
    literals,
    number,
    options,
    used,
    values_of,
    verb,
)


@dataclass(frozen=True)
class Inner:
    code: Annotated[tuple[str, ...], typer.Option(help="Repeat.", rich_help_panel=READING)] = ()
    size: Annotated[int | None, typer.Option(help="A number.")] = None


@dataclass(frozen=True)
class Outer:
    file: Annotated[Path, typer.Argument(help="A file.")]
    person: Annotated[str | None, typer.Option(help="A column.")]
    inner: Inner = field(default_factory=Inner)
    loud: Annotated[bool, typer.Option("--loud", help="A flag.")] = False


def run(command: Any, *arguments: str) -> tuple[int, str]:
    app = typer.Typer()
    app.command()(verb(command))
    result = CliRunner().invoke(app, list(arguments))
    return result.exit_code, result.output


def test_a_verb_is_given_what_its_options_describe() -> None:
    got: list[Any] = []

    def whole(outer: Outer, json_: Json = False) -> None:
        """Some help."""
        got.append((outer, json_))

    status, out = run(whole, "f.csv", "--person", "p", "--code", "a", "--code", "b", "--loud", "--json")
    assert status == 0, out
    assert got == [(Outer(Path("f.csv"), "p", Inner(("a", "b")), loud=True), True)]
    got.clear()
    assert run(whole, "f.csv", "--person", "p")[0] == 0
    assert got == [(Outer(Path("f.csv"), "p"), False)]
    status, out = run(whole, "f.csv")
    assert status == 2  # a field without a default has to be given
    assert "--person" in out
    assert "Some help." in run(whole, "--help")[1]


def test_a_verb_may_be_given_the_values_that_were_used() -> None:
    got: list[Any] = []

    def optional(given: Annotated[Values, OptionsOf(Outer, optional=True)]) -> None:
        got.append(given)

    def without(given: Annotated[Values, OptionsOf(Outer, without=("file", "code"))]) -> None:
        got.append(given)

    assert run(optional)[0] == 0
    assert run(optional, "f.csv", "--size", "0", "--code", "a")[0] == 0
    assert run(without, "--person", "p")[0] == 0
    assert got == [{}, {"file": Path("f.csv"), "size": 0, "code": ["a"]}, {"person": "p"}]
    assert run(without, "--person", "p", "--code", "a")[0] == 2


def test_options_under_a_heading_stand_last() -> None:
    def whole(outer: Outer, json_: Json = False) -> None: ...

    assert list(inspect.signature(verb(whole)).parameters) == ["file", "person", "size", "loud", "json_", "code"]
    assert [option.name for option in options(OptionsOf(Outer))] == ["file", "person", "size", "loud", "code"]


def test_there_and_back() -> None:
    outer = Outer(Path("f"), None, Inner(("a",), 3), loud=True)
    assert values_of(outer) == {"file": Path("f"), "person": None, "size": 3, "loud": True, "code": ("a",)}
    assert built(Outer, values_of(outer)) == outer
    assert built(Inner, {"code": None}) == Inner()
    with pytest.raises(TypeError, match="person"):
        built(Outer, {"file": Path("f")})


def test_what_was_used() -> None:
    assert used({"a": None, "b": False, "c": (), "d": [], "e": 0, "f": "", "g": True}) == {"e": 0, "f": "", "g": True}


def test_choices_of_a_description() -> None:
    assert literals(sw.MLM) == {"method": ("REML", "ML"), "residual": ("independent", "ar1", "car1")}
    assert literals(sw.Study)["trend"] == ("free", "linear", "quadratic")


def test_a_choice_and_a_number() -> None:
    assert flag("first_sessions") == "--first-sessions"
    assert chosen("--x", "b", ("a", "b")) == "b"
    with pytest.raises(sw.SessionwiseError, match=r"x is 'linaer'\. Did you mean 'linear'\?") as caught:
        chosen("x", "linaer", ("linear", "none"), "study.toml")
    assert (caught.value.where, caught.value.remedy) == ("study.toml", "Use one of 'linear', 'none'.")
    assert [number("--x", text) for text in ("-9", "1.5")] == [-9, 1.5]
    assert isinstance(number("--x", "-9"), int)
    with pytest.raises(sw.SessionwiseError, match="--x needs a number, not 'a'"):
        number("--x", "a")
