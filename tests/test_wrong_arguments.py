"""A wrong argument anywhere is refused by an error of this package: no error of a library below reaches a user.

Each parameter of each public function and method is given each of a table of values that it was not made for, beside
arguments that are right. What comes out is a result or a SessionwiseError; or a TypeError that Python raises itself
before the function is entered, for a missing or an unknown keyword.
"""

from __future__ import annotations

import inspect
import signal
import sys
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import sessionwise as sw
from helpers.public_calls import CALLS, FUNCTIONS, METHODS, World, of_object

#: Whole reports take long to draw.
LONG = {"report", "StudyResult.report"}
#: Seconds within which each call is to end.
LIMIT = 20


class Taken(BaseException):
    """Raised in the place of a call, with its arguments."""

    def __init__(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        self.args_given, self.kwargs_given = args, kwargs


Callee = Callable[..., Any]
#: Of each function or class: what is called, and the right arguments.
Right = tuple[Callee, dict[str, Any]]

#: Classes that users make objects of, and functions that need no linear algebra.
OTHER_CALLS: dict[str, Callable[[World], Right]] = {
    "Panel": lambda w: (sw.Panel, {"table": w.table, "person": "patient", "session": "session"}),
    "MLM": lambda w: (_fitting(sw.MLM, w), {"formula": "core_om ~ session + (1 | patient)"} | _defaults(sw.MLM)),
    "RICLPM": lambda w: (_fitting(sw.RICLPM, w), {"x": "core_om", "y": "wai_sr", "waves": 3} | _defaults(sw.RICLPM)),
    "CLPM": lambda w: (_fitting(sw.CLPM, w), {"x": "core_om", "y": "wai_sr", "waves": 3} | _defaults(sw.CLPM)),
    "DPM": lambda w: (
        _fitting(sw.DPM, w),
        {"formula": "core_om ~ lag(core_om) + pre(lag(wai_sr))", "waves": 5} | _defaults(sw.DPM),
    ),
    "SuddenGain": lambda w: (_fitting(sw.SuddenGain, w), {"column": "core_om"} | _defaults(sw.SuddenGain)),
    "RuptureRepair": lambda w: (_fitting(sw.RuptureRepair, w), {"column": "wai_sr"} | _defaults(sw.RuptureRepair)),
    "ModelRupture": lambda w: (_fitting(sw.ModelRupture, w), {"column": "wai_sr"} | _defaults(sw.ModelRupture)),
    "ControlChart": lambda w: (_fitting(sw.ControlChart, w), {"column": "wai_sr"} | _defaults(sw.ControlChart)),
    "ReliableChange": lambda w: (_fitting(sw.ReliableChange, w), {"column": "core_om"} | _defaults(sw.ReliableChange)),
    "ExpectedCourse": lambda w: (
        _fitting(sw.ExpectedCourse, w),
        {"column": "core_om"} | _defaults(sw.ExpectedCourse),
    ),
    "Setting": lambda w: (sw.Setting, _defaults(sw.Setting)),
    "Study": lambda w: (
        _fitting(sw.Study, w),
        {"outcome": "core_om", "process": "wai_sr"} | _defaults(sw.Study) | {"dynamic": False},
    ),
    "read": lambda w: (sw.read, {"path": _file(w)}),
    "long_to_wide": lambda w: (
        sw.long_to_wide,
        {"data": w.table, "columns": ["core_om"], "person": "patient", "session": "session"},
    ),
    "wide_to_long": lambda w: (sw.wide_to_long, {"data": _wide(w), "patterns": "core_om_{n}", "person": "patient"}),
    "number_sessions": lambda w: (sw.number_sessions, {"table": w.table, "person": "patient", "by": "date"}),
    "instrument": lambda w: (sw.instrument, {"name": "wai-sr"}),
    "parse_formula": lambda w: (sw.parse_formula, {"text": "y ~ x"}),
    "datasets.demo": lambda w: (sw.datasets.demo, {"persons": 20}),
}


def _fitting(model: type, world: World) -> Callee:
    """A model and what is done with it: some arguments are looked at with the data."""

    def fit(**given: Any) -> object:
        made = model(**given)
        if hasattr(made, "detect"):
            return made.detect(world.panel, patients=20)
        return made.run(world.panel) if model is sw.Study else made.fit(world.panel)

    fit.__signature__ = inspect.signature(model)  # type: ignore[attr-defined]
    return fit


def _defaults(model: type) -> dict[str, Any]:
    parameters = inspect.signature(model).parameters.values()
    return {p.name: p.default for p in parameters if p.default is not p.empty and p.name != "waves"}


def _file(world: World) -> Any:
    path = world.folder / "sessions.csv"
    if not path.exists():
        world.table.frame.write_csv(path)
    return path


def _wide(world: World) -> Any:
    table = world.table.frame.select("patient", "session", "core_om")
    return sw.long_to_wide(table, ["core_om"], person="patient", session="session")


def right(name: str, world: World) -> Right:
    """What is called under a name, and the arguments that the list of public calls gives it."""
    if name in OTHER_CALLS:
        callee, given = OTHER_CALLS[name](world)
        whole = {p.name: p.default for p in _parameters(callee).values() if p.default is not p.empty} | given
        return callee, whole
    owner, _, attribute = name.rpartition(".")
    home: Any = getattr(sw, owner) if owner else sw
    own = inspect.getattr_static(home, attribute)
    function = getattr(home, attribute)

    def take(*args: Any, **kwargs: Any) -> Any:
        raise Taken(args, kwargs)

    call = CALLS.get(name) or of_object(name)
    call(world)  # whatever else it needs is made
    homes = [home] if inspect.isclass(home) else [home, sys.modules[function.__module__]]
    for place in homes:
        setattr(place, attribute, take)
    try:
        call(world)
    except Taken as taken:
        bound = inspect.signature(function).bind(*taken.args_given, **taken.kwargs_given)
    finally:
        for place in homes:
            setattr(place, attribute, own)
    bound.apply_defaults()
    return function, dict(bound.arguments)


def _parameters(function: Callee) -> dict[str, inspect.Parameter]:
    kinds = (inspect.Parameter.VAR_KEYWORD, inspect.Parameter.VAR_POSITIONAL)
    return {n: p for n, p in inspect.signature(function).parameters.items() if p.kind not in kinds}


def wrong(world: World) -> dict[str, Any]:
    return {
        "None": None,
        "3": 3,
        "-1": -1,
        "0": 0,
        "nan": float("nan"),
        "inf": 1e400,
        "empty": "",
        "text": "no such",
        "[]": [],
        "['a']": ["a"],
        "{}": {},
        "object": object(),
        "dataframe": pd.DataFrame({"a": [1.0, 2.0]}),
        "panel": world.panel,
        "lambda": lambda *_: None,
        "True": True,
    }


@contextmanager
def limited() -> Iterator[None]:
    def stop(*_: object) -> None:
        raise TimeoutError

    before = signal.signal(signal.SIGALRM, stop)
    signal.alarm(LIMIT)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


def outcome(function: Callee, given: dict[str, Any]) -> Exception | None:
    """The error that is not one of ours, if one comes."""
    names = _parameters(function)
    kinds = inspect.signature(function).parameters
    args = [given[n] for n in names if kinds[n].kind is inspect.Parameter.POSITIONAL_ONLY]
    keywords = {}
    for n, value in given.items():
        if kinds.get(n) is not None and kinds[n].kind is inspect.Parameter.VAR_POSITIONAL:
            return _called(partial(function, *value))
        if n in kinds and kinds[n].kind is inspect.Parameter.VAR_KEYWORD:
            keywords |= value
        elif n not in names or kinds[n].kind is not inspect.Parameter.POSITIONAL_ONLY:
            keywords[n] = value
    return _called(lambda: function(*args, **keywords))


def _called(call: Callable[[], object]) -> Exception | None:
    try:
        with limited(), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            repr(call())
    except sw.SessionwiseError:
        return None
    except Exception as error:  # what the test is about
        return error
    return None


def names() -> list[str]:
    engines = [n for n in FUNCTIONS if n.startswith(("mixed.", "descriptions.")) or "," in n]
    skipped = {"MLMFit.of", "Table.to_pandas", *engines}
    return [n for n in dict.fromkeys([*OTHER_CALLS, *FUNCTIONS, *METHODS]) if n not in skipped]


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    return World(tmp_path_factory.mktemp("wrong"))


def failures(name: str, world: World) -> list[tuple[str, str, Exception]]:
    function, given = right(name, world)
    found = []
    for parameter in _parameters(function):
        if parameter == "self":
            continue
        for said, value in wrong(world).items():
            error = outcome(function, given | {parameter: value})
            if error is not None:
                found.append((parameter, said, error))
    return found


@pytest.mark.parametrize("name", [pytest.param(n, marks=pytest.mark.slow) if n in LONG else n for n in names()])
def test_a_wrong_argument_is_refused_by_an_error_of_ours(
    name: str, world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)  # a place can be any text
    found = failures(name, world)
    assert not found, "\n".join(f"{p}={said}: {type(e).__name__}: {e}" for p, said, e in found)


@pytest.mark.parametrize(
    ("call", "said", "remedy"),
    [
        (
            lambda w: sw.Panel(w.table, person=["patient"], session="session"),
            "person is ['patient']",
            "person='patient'",
        ),
        (lambda w: sw.MLM(["y ~ x"]), "formula is ['y ~ x']", "formula='y ~ x'"),
        (lambda w: sw.Study(["y"], "w", dynamic=False), "outcome is ['y']", "outcome='y'"),
        (lambda w: sw.describe(w.panel, 3), "columns is 3, not a list of names", "a list of names"),
        (lambda w: sw.read(pd.DataFrame({"a": [1]})), "path of a file, not a DataFrame", "Give it to Panel"),
        (lambda w: sw.describe(w.table), "a Table is no Panel", "sw.Panel("),
        (lambda w: w.mlm.confint(level=95), "level is 95", "such as 0.95"),
        (lambda w: sw.MLM("core_om ~ 1").fit(w.panel, threads=1.5), "threads is 1.5", "a whole number, 0 or more"),
    ],
)
def test_what_is_said(call: Callable[[World], object], said: str, remedy: str, world: World) -> None:
    with pytest.raises(sw.SessionwiseError) as caught:
        call(world)
    assert said in caught.value.what
    assert remedy in caught.value.remedy
