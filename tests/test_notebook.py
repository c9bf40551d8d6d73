"""In a notebook: text is text, and what is shown is shown once, by its HTML."""

from __future__ import annotations

import builtins
import io
import sys
from types import ModuleType

import pytest
from rich.console import Console

import sessionwise as sw
from helpers.sessions import nested
from sessionwise.scoring import instrument


class ZMQInteractiveShell:
    """What Rich takes a notebook by."""


@pytest.fixture
def shown(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """A notebook, as libraries see it; what was displayed."""
    displayed: list[object] = []
    package, display = ModuleType("IPython"), ModuleType("IPython.display")
    display.display = lambda *things, **_: displayed.extend(things)  # type: ignore[attr-defined]
    package.display = display  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "IPython", package)
    monkeypatch.setitem(sys.modules, "IPython.display", display)
    monkeypatch.setattr(builtins, "get_ipython", ZMQInteractiveShell, raising=False)
    return displayed


@pytest.fixture(scope="module")
def results() -> dict[str, object]:
    panel = sw.Panel(nested(), person="p", session="s", cluster="g")
    table = sw.datasets.demo(persons=30)
    scored = sw.score(sw.Panel(table, person="patient", session="session"), "wai-sr")
    return {
        "check": sw.check(panel),
        "nothing found": sw.Panel(nested(), person="p", session="s").findings,
        "panel": panel,
        "describe": sw.describe(panel, ["x", "y"]),
        "fit": sw.MLM("y ~ x + (1 | p)").fit(panel),
        "gram": sw.MLM("y ~ x + (1 | p)").gram(panel),
        "study": sw.Study("y", "x", dynamic=False).run(panel),
        "score record": scored.records[0],
        "instrument": instrument("wai-sr"),
    }


NAMES = ("check", "nothing found", "panel", "describe", "fit", "gram", "study", "score record", "instrument")


def test_the_notebook_is_one(shown):
    Console(file=io.StringIO()).print("something")
    assert len(shown) == 1


@pytest.mark.parametrize("name", NAMES)
def test_text_is_text_and_nothing_is_shown_beside_it(name, shown, results):
    thing = results[name]
    out = io.StringIO()
    print(thing, file=out)
    assert str(thing).strip()
    assert repr(thing).strip()
    assert out.getvalue() == f"{thing}\n"
    html = getattr(thing, "_repr_html_", lambda: "<p>")()
    assert html.startswith("<")
    assert shown == []


@pytest.mark.parametrize("name", NAMES)
def test_text_is_that_of_a_terminal(name, results, monkeypatch):
    outside = str(results[name])
    monkeypatch.setattr(builtins, "get_ipython", ZMQInteractiveShell, raising=False)
    assert str(results[name]) == outside
