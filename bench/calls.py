"""python -m bench.calls: who calls whom between the parts of sessionwise, while it does its main work.

Counts distinct pairs of functions, caller and called, that stand in different parts (packages or modules directly under
sessionwise), and how many of these point upward against the order of tests/helpers/layers.py. A call that goes through
another library counts for the nearest function of sessionwise that leads to it. Each piece of work is done in a fresh
process on the demo data, in all of its threads; what happens while modules load does not count.

The package measured is the one that Python finds first: PYTHONPATH=elsewhere/src measures another tree. Parts that went
by another name before are counted under today's (`parts moved`), and as they are named there (`as named`).
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
import tempfile
import threading
from collections import Counter
from collections.abc import Callable
from inspect import CO_GENERATOR
from pathlib import Path
from types import FrameType
from typing import Any

from tests.helpers.layers import LEVELS

PERSONS = 300
#: A function is called by its module and name: 'study.run', 'run'.
Function = tuple[str, str]
Pair = tuple[Function, Function]

#: Modules and packages by their names before they moved -> today's part; the longest name counts.
MOVED = {
    "_command": "cli",
    "_demo_sample": "datasets",
    "_demo_truth": "datasets",
    "_fit_command": "cli",
    "_options": "cli",
    "_study_command": "cli",
    "_study_command.guess": "study",
    "_threads": "threads",
    "check": "checks",
    "describe": "descriptions",
    "design": "designs",
    "frames": "panel",
    "gram": "grams",
    "inference": "mixed",
    "inference.nickell": "models",
    "instruments": "scoring",
    "likelihood": "mixed",
    "number": "panel",
    "read": "readers",
    "report": "reports",
    "role_columns": "panel",
    "roles": "panel",
    "table": "panel",
}


# --- the work -------------------------------------------------------------------------------------------------------


def run(folder: Path) -> Callable[[], Any]:
    """Study.run."""
    panel = _panel()
    study = _study()
    return lambda: study.run(panel)


def analyze(folder: Path) -> Callable[[], Any]:
    """The command from a file of items to the report and its tables."""
    import sessionwise as sw
    from sessionwise.cli import main

    file = folder / "sessions.csv"
    sw.datasets.demo(persons=PERSONS).frame.write_csv(file)
    roles = ["--person", "patient", "--session", "session", "--cluster", "therapist"]
    asked = ["--outcome", "core_om", "--process", "wai_sr", "--moderator", "pd", "-i", "core-om", "-i", "wai-sr"]
    written = ["--output", str(folder / "report.html"), "--results", str(folder / "tables")]
    sys.argv = ["sessionwise", "analyze", str(file), *roles, *asked, *written]
    return main


def report(folder: Path) -> Callable[[], Any]:
    """StudyResult.report."""
    panel = _panel()
    result = _study().run(panel)
    return lambda: result.report(folder / "report.html", panel)


WORK = {"Study.run": run, "analyze": analyze, "report": report}


def _panel() -> Any:
    import sessionwise as sw

    table = sw.datasets.demo(persons=PERSONS, scale_scores=True)
    return sw.Panel(table, person="patient", session="session", cluster="therapist")


def _study() -> Any:
    import sessionwise as sw

    return sw.Study("core_om", "wai_sr", moderators=["pd"])


# --- one process ----------------------------------------------------------------------------------------------------


#: What `options.takes` puts around a function.
DECORATORS = ("takes.<locals>.decorate.<locals>.checked",)


def calls(work: Callable[[], Any]) -> set[Pair]:
    """Pairs of functions of sessionwise of which the first called the second, in any thread."""
    found: set[Pair] = set()

    def profile(frame: FrameType, event: str, _: Any) -> None:
        if event == "call" and not frame.f_code.co_flags & CO_GENERATOR:
            called = _function(frame)
            caller = called and _caller(frame)
            if called and caller and caller != called:
                found.add((caller, called))

    threading.setprofile(profile)
    sys.setprofile(profile)
    try:
        work()
    except SystemExit as end:
        if end.code:
            raise
    finally:
        sys.setprofile(None)
        threading.setprofile(None)  # type: ignore[arg-type]
    return found


def _caller(frame: FrameType) -> Function | None:
    """The nearest function of sessionwise that led to this one; None where a module was loading in between."""
    above = frame.f_back
    while above is not None:
        if above.f_code.co_name == "<module>":
            return None
        if function := _function(above):
            return function
        above = above.f_back
    return None


def _function(frame: FrameType) -> Function | None:
    """A comprehension is the function it stands in; what a decorator puts around a function is no function of its own,
    but leads to that one."""
    module = frame.f_globals.get("__name__", "")
    if not module.startswith("sessionwise") or frame.f_code.co_name == "<module>":
        return None
    if frame.f_code.co_qualname in DECORATORS:
        return None
    name = re.sub(r"\.<locals>\.<(list|set|dict)comp>|\.<locals>\.<genexpr>", "", frame.f_code.co_qualname)
    return module.removeprefix("sessionwise").removeprefix(".") or "__init__", name


# --- counting -------------------------------------------------------------------------------------------------------


def as_named(module: str) -> str:
    return module.split(".")[0]


def moved(module: str) -> str:
    names = [name for name in MOVED if module == name or module.startswith(name + ".")]
    return MOVED[max(names, key=len)] if names else as_named(module)


def between(pairs: set[Pair], part: Callable[[str], str]) -> list[tuple[str, str, Pair]]:
    """Those that lead from one part to another, with both parts."""
    ends = [(part(caller[0]), part(called[0]), (caller, called)) for caller, called in sorted(pairs)]
    return [end for end in ends if end[0] != end[1]]


def upward(ends: list[tuple[str, str, Pair]]) -> list[tuple[str, str, Pair]]:
    return [end for end in ends if LEVELS[end[1]] >= LEVELS[end[0]]]


def measured(name: str) -> set[Pair]:
    """The pairs of a piece of work, done in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-m", "bench.calls", "--one", name],
        cwd=Path(__file__).parents[1],
        stdout=subprocess.PIPE,
        check=True,
    )
    last = done.stdout.decode().splitlines()[-1]
    return {(tuple(caller), tuple(called)) for caller, called in json.loads(last)}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.calls", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--one", choices=WORK, help="do one piece of work here and print its pairs as JSON")
    parser.add_argument("--pairs", action="store_true", help="list the parts, and every call that points upward")
    asked = parser.parse_args()
    if asked.one:
        with tempfile.TemporaryDirectory() as folder:
            found = calls(WORK[asked.one](Path(folder)))
        print(f"\n{json.dumps(sorted(found))}")
        return
    print(f"{'':12}{'functions':>10}{'as named':>10}{'parts moved':>13}{'upward':>8}")
    for name in WORK:
        pairs = measured(name)
        ends = between(pairs, moved)
        up = upward(ends)
        row = len({f for pair in pairs for f in pair}), len(between(pairs, as_named)), len(ends), len(up)
        print(f"{name:12}{row[0]:10,}{row[1]:10,}{row[2]:13,}{row[3]:8,}", flush=True)
        if asked.pairs:
            for (one, other), n in Counter(end[:2] for end in ends).most_common():
                print(f"    {n:4} {one} -> {other}")
            for _, _, ((a, f), (b, g)) in up:
                print(f"    upward: {a}.{f} -> {b}.{g}")


if __name__ == "__main__":
    main()
