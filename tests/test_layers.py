"""Imports point downward only.

A part is a module or package directly under sessionwise. It may import the parts of the layers below its
own, and those named for it in BESIDE. A part that is in no layer fails.
"""

import ast
from pathlib import Path

import pytest

LAYERS = [
    ["errors", "_core", "threads"],
    ["words", "options"],
    ["findings"],
    ["show"],
    ["panel"],
    ["readers", "scoring", "datasets"],
    ["checks", "descriptions"],
    ["formula"],
    ["designs"],
    ["grams"],
    ["mixed", "sem"],
    ["models"],
    ["simulate", "events"],
    ["reports", "plot", "study", "power"],
    ["__init__"],
    ["cli"],
]
BESIDE = {
    "power": {"study"},
    "reports": {"plot", "study"},
    "study": {"plot", "reports"},
}

ROOT = Path(__file__).parent.parent / "src" / "sessionwise"
LEVEL = {part: level for level, parts in enumerate(LAYERS) for part in parts}


def part_of(path: Path) -> str:
    return path.relative_to(ROOT).parts[0].removesuffix(".py")


def imported(path: Path, text: str) -> set[str]:
    """Parts that a module's source imports, wherever in the file."""
    package = ("sessionwise", *path.relative_to(ROOT).parts[:-1])
    parts = set()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            names = [a.name.split(".") for a in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = list(package[: len(package) + 1 - node.level]) if node.level else []
            base += (node.module or "").split(".") if node.module else []
            names = [[*base, a.name] for a in node.names]
        else:
            continue
        parts.update(name[1] if len(name) > 1 else "__init__" for name in names if name[0] == "sessionwise")
    return {part if part in LEVEL or exists(part) else "__init__" for part in parts}  # a name of __init__


def exists(part: str) -> bool:
    return (ROOT / part).is_dir() or (ROOT / f"{part}.py").exists()


def wrong(part: str, imports: set[str]) -> set[str]:
    """Imports that do not point downward."""
    beside = BESIDE.get(part, set()) | {part}
    return {other for other in imports - beside if other not in LEVEL or LEVEL[other] >= LEVEL[part]}


MODULES = sorted(ROOT.rglob("*.py"))


@pytest.mark.parametrize("path", MODULES, ids=lambda p: p.relative_to(ROOT).as_posix())
def test_imports_point_downward(path):
    part = part_of(path)
    assert part in LEVEL, f"{part} is in no layer of this test's table"
    assert not wrong(part, imported(path, path.read_text(encoding="utf-8")))


@pytest.mark.parametrize("part", BESIDE)
def test_beside_is_of_the_same_layer(part):
    assert {LEVEL[other] for other in BESIDE[part]} == {LEVEL[part]}


@pytest.mark.parametrize(
    ("file", "text", "parts"),
    [
        ("grams.py", "from .errors import some\nfrom . import findings", {"errors", "findings"}),
        ("readers/text.py", "from ..panel import Table\nfrom .cells import numbers", {"panel", "readers"}),
        ("readers/text.py", "def f():\n    from .. import cli", {"cli"}),
        ("grams.py", "import sessionwise.cli as c\nfrom sessionwise.checks import check", {"cli", "checks"}),
        ("grams.py", "from sessionwise import Panel\nimport numpy", {"__init__"}),
    ],
)
def test_the_reader_of_imports(file, text, parts):
    assert imported(ROOT / file, text) == parts


def test_the_judge_of_imports():
    assert wrong("panel", {"errors", "panel"}) == set()
    assert wrong("panel", {"checks", "cli", "unheard_of"}) == {"checks", "cli", "unheard_of"}
    assert wrong("readers", {"checks"}) == {"checks"}
    assert wrong("checks", {"readers"}) == set()
    assert wrong("reports", {"plot"}) == set()
    assert wrong("plot", {"reports"}) == {"reports"}
