"""What holds for every verb: one file of its name, registered, documented, with the options of what it builds."""

from __future__ import annotations

import re
from dataclasses import fields, is_dataclass
from importlib import import_module
from pathlib import Path
from typing import Any, get_args, get_type_hints

import pytest
import typer

import sessionwise as sw
from sessionwise import cli as package
from sessionwise.cli import app as cli
from sessionwise.cli.answering import Answering
from sessionwise.cli.files import SessionsFile
from sessionwise.cli.model_options import CALLED, ModelOptions, model_options, models
from sessionwise.cli.options import SINGULAR, literals
from sessionwise.cli.places import ReportFiles
from sessionwise.cli.settings import Settings

from .commands import run

ROOT = Path(__file__).parents[2]
#: Files of the command line that are no verb.
SHARED = {
    "__init__", "answering", "app", "console", "files", "model_options", "options", "places", "remedies", "settings",
}  # fmt: skip
#: What each verb builds, and the options that it has beside its fields.
BUILT: dict[str, tuple[list[type], set[str]]] = {
    "demo": ([], {"out", "seed", "quick", "json_"}),
    "check": ([SessionsFile, Answering], {"json_"}),
    "score": ([SessionsFile, Answering], {"out_of_range", "output", "overwrite", "json_"}),
    "describe": ([SessionsFile, Answering], {"out_of_range", "column", "figures", "json_"}),
    "detect": (
        [SessionsFile, Answering],
        {"column", "detector", "set_", "patients", "seed", "out_of_range", "figures", "json_"},
    ),
    "track": (
        [SessionsFile, Answering],
        {
            "reference",
            "learn",
            "column",
            "covariate",
            "shape",
            "level",
            "folds",
            "seed",
            "show",
            "overwrite",
            "out_of_range",
            "figures",
            "json_",
        },
    ),
    "fit": (
        [SessionsFile, Answering, ModelOptions],
        {"arguments", "model", "test", "seed", "size", "most", "checks", "loo", "figures", "out_of_range", "json_"},
    ),
    "analyze": ([Settings], {"config", "json_"}),
}
COMMANDS: dict[str, Any] = typer.main.get_command(cli.app).commands  # type: ignore[attr-defined]
VERBS = sorted(COMMANDS)


def names(kind: Any) -> set[str]:
    """Fields of a dataclass and of those in it."""
    hints = get_type_hints(kind)
    inner = [names(hints[f.name]) for f in fields(kind) if is_dataclass(hints[f.name])]
    return set().union({f.name for f in fields(kind) if not is_dataclass(hints[f.name])}, *inner)


def test_every_file_is_a_verb_or_shared() -> None:
    files = {path.stem for path in Path(package.__file__).parent.glob("*.py")}
    assert files - SHARED == set(VERBS)
    assert files >= SHARED


@pytest.mark.parametrize("verb", VERBS)
def test_a_verb_is_a_function_of_its_files_name(verb: str) -> None:
    module = import_module(f"sessionwise.cli.{verb}")
    function = getattr(module, verb)
    assert function.__module__ == module.__name__
    (registered,) = (c for c in cli.app.registered_commands if c.name == verb)
    assert registered.callback is function
    assert registered.epilog == module.EPILOG
    assert module.EPILOG.startswith(f"Example: sessionwise {verb} ")
    assert (module.__doc__ or "").startswith(f"{verb}: ")


@pytest.mark.parametrize("verb", VERBS)
def test_a_verb_has_the_options_of_what_it_builds(verb: str) -> None:
    kinds, others = BUILT[verb]
    expected = set().union(others, *(names(kind) for kind in kinds))
    if verb == "fit":
        expected -= {"file"}  # one of its arguments, behind the formula
    assert {parameter.name for parameter in COMMANDS[verb].params} - {"help"} == expected
    assert all(parameter.help for parameter in COMMANDS[verb].params)


@pytest.mark.parametrize("verb", VERBS)
def test_a_verb_has_help_with_its_example_and_is_documented(verb: str) -> None:
    text = run(verb, "--help")
    assert f"Example: sessionwise {verb}" in text
    assert "--json" in text
    page = (ROOT / "docs" / "command-line.md").read_text(encoding="utf-8")
    assert f"| `{verb}` |" in page


def test_options_of_every_file_are_documented() -> None:
    page = (ROOT / "docs" / "command-line.md").read_text(encoding="utf-8")
    table = page[page.index("| option | meaning |") : page.index("`analyze` needs none of these")]
    documented = {name for line in table.splitlines() for name in re.findall(r"^\| `--([a-z-]+)", line)}
    common = (names(SessionsFile) | names(Answering) | {"out_of_range", "json"}) - {"file"}
    assert documented == {name.replace("_", "-") for name in common}


def test_settings_are_the_fields_of_a_study() -> None:
    asked = {SINGULAR.get(f.name, f.name) for f in fields(sw.Study)}
    assert names(Settings) == asked | {"out_of_range", "quick"} | names(SessionsFile) | names(Answering) | names(
        ReportFiles
    )


def test_options_of_fit_are_the_fields_of_the_models() -> None:
    described = {CALLED.get(f.name, f.name) for kind in models().values() for f in fields(kind)} - {"formula"}
    assert names(ModelOptions) == described | {"df"}
    assert set(model_options("clpm")) == set(model_options("riclpm")) - {"without"}
    assert model_options("mlm")["df"] == "df"
    assert model_options("riclpm")["outcome"] == "x"


def test_help_names_every_choice_and_says_what_is_taken() -> None:
    """Choices and defaults are those of the descriptions."""
    helps = {parameter.name: parameter.help for verb in ("fit", "analyze") for parameter in COMMANDS[verb].params}
    for kind in (*models().values(), sw.Study):
        for name, choices in literals(kind).items():
            text = helps[CALLED.get(name, name)]
            assert all(f"'{choice}'" in text for choice in choices), name
    for kind in (sw.MLM, sw.RICLPM, sw.CLPM, sw.Study):
        defaults = {f.name: f.default for f in fields(kind)}
        for name in literals(kind):
            if defaults[name] is not None:
                assert f"'{defaults[name]}' (default" in helps[name], name


def test_verbs_of_the_library() -> None:
    assert {"check", "score", "describe", "detect"} == set(VERBS) & set(sw.__all__)
    assert get_args(get_type_hints(sw.score)["out_of_range"]) == ("error", "missing")
