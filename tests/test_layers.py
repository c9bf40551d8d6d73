"""Imports point downward only, and go in no circle: every import counts, inside functions and for types included.

The order and what may stand against it are in helpers/layers.py.
"""

from itertools import pairwise

import pytest

from helpers.import_graph import Import, Module, circle, graph, imports, modules
from helpers.layers import FACADES, LAYERS, LEVELS
from helpers.places import PACKAGE

MODULES = modules(PACKAGE)
IMPORTS = imports("sessionwise", MODULES)


def part(module: str) -> str:
    """'panel.frames' is of 'panel'."""
    return module.split(".")[0]


def upward(edge: Import) -> bool:
    one, other = part(edge.importer), part(edge.imported)
    return one != other and LEVELS[other] >= LEVELS[one]


def excused(edge: Import) -> bool:
    return (edge.importer, edge.imported) in FACADES


# --- the package -------------------------------------------------------------------------------------


def test_every_part_is_in_one_layer_and_every_name_of_a_layer_is_a_part():
    assert sorted(name for layer in LAYERS for name in layer) == sorted({part(module.name) for module in MODULES})


@pytest.mark.parametrize("module", [module.name for module in MODULES])
def test_imports_point_downward(module):
    assert not [edge for edge in IMPORTS if edge.importer == module and upward(edge) and not excused(edge)]


def test_imports_go_in_no_circle():
    assert not circle(graph(edge for edge in IMPORTS if not excused(edge)))


@pytest.mark.parametrize("pair", FACADES, ids=lambda pair: " -> ".join(pair))
def test_an_excuse_is_needed_and_for_a_facade(pair):
    """Alone among the rest it points upward or closes a circle; the module loads without it."""
    own = [edge for edge in IMPORTS if (edge.importer, edge.imported) == pair]
    rest = [edge for edge in IMPORTS if not excused(edge)]
    assert own, "there is no such import any more"
    assert any(upward(edge) for edge in own) or circle(graph([*rest, *own])), "it needs no excuse any more"
    assert not [edge for edge in own if edge.how == "loading"]


def test_excuses_have_reasons():
    assert all(FACADES.values())


# --- the reading of imports --------------------------------------------------------------------------

PARTS = ["__init__", "errors", "findings", "panel", "panel.frames", "readers", "readers.text", "readers.cells", "cli"]


def read(importer: str, text: str, package: bool = False) -> set[tuple[str, str]]:
    others = [Module(name, "", name in ("__init__", "panel", "readers")) for name in PARTS if name != importer]
    found = imports("some", [Module(importer, text, package), *others])
    assert {edge.importer for edge in found} <= {importer}
    return {(edge.imported, edge.how) for edge in found}


@pytest.mark.parametrize(
    ("importer", "text", "found"),
    [
        ("cli", "from .errors import a, b\nfrom . import findings", {"errors", "findings"}),
        ("cli", "from . import __version__\nimport numpy\nfrom errors import x\nimport errors", {"__init__"}),
        ("cli", "import some.panel.frames as f\nfrom some.readers import read", {"panel.frames", "readers"}),
        ("cli", "from some import panel, Panel\nimport some", {"panel", "__init__"}),
        ("cli", "from .panel import frames, Panel", {"panel.frames", "panel"}),
        ("cli", "class A:\n    from .panel import frames", {"panel.frames"}),
        ("readers.text", "from ..panel import Panel\nfrom .cells import x", {"panel", "readers.cells"}),
        ("readers.text", "from . import cells, read\nfrom .. import errors", {"readers.cells", "readers", "errors"}),
        ("readers.text", "from .text import itself", set()),
    ],
)
def test_imports_while_loading(importer, text, found):
    assert read(importer, text) == {(name, "loading") for name in found}


def test_imports_of_a_package_itself():
    assert read("panel", "from .frames import x\nfrom ..errors import y", package=True) == {
        ("panel.frames", "loading"),
        ("errors", "loading"),
    }
    assert read("__init__", "from .panel import Panel\nfrom . import errors", package=True) == {
        ("panel", "loading"),
        ("errors", "loading"),
    }


@pytest.mark.parametrize("test", ["TYPE_CHECKING", "typing.TYPE_CHECKING"])
def test_imports_in_functions_and_of_types_are_told_apart(test):
    text = f"""
import numpy
if {test}:
    from .panel import Panel
if numpy.there:
    from . import findings
class A:
    def f(self):
        if self:
            async def g():
                from .errors import x
        from .cli import y
"""
    assert read("readers", text.replace("from .", "from .."), package=True) == {
        ("panel", "typing"),
        ("findings", "loading"),
        ("errors", "calling"),
        ("cli", "calling"),
    }


# --- circles -----------------------------------------------------------------------------------------


def found_circle(**texts: str) -> list[str]:
    return circle(graph(imports("some", [Module(name.replace("_", "."), text) for name, text in texts.items()])))


@pytest.mark.parametrize(
    "back",
    [
        "from .a import x",
        "def f():\n    from .a import x",
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from .a import x",
    ],
    ids=["while loading", "inside a function", "of types"],
)
def test_a_circle_is_found(back):
    texts = {"a": "from .b import x", "b": "from .c import x", "d": "from .a import x"}
    found = found_circle(**texts, c=back)
    assert set(found) == {"a", "b", "c"}
    assert found[0] == found[-1]
    assert set(pairwise(found)) == {("a", "b"), ("b", "c"), ("c", "a")}
    assert not found_circle(**texts, c="from .e import x", e="")


def test_loading_a_module_loads_its_package_first():
    texts = {"a": "from .p.q import x", "p_q": "", "p_r": "from ..a import x"}
    assert not found_circle(**texts, p="")
    assert set(found_circle(**texts, p="from .p.r import x")) == {"a", "p", "p.r"}


def test_a_module_may_import_beside_it_what_its_package_imports():
    assert not found_circle(p="from .p import r\nfrom .p import q", p_q="from .r import x", p_r="")


# --- the order ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("importer", "imported", "wrong"),
    [
        ("panel.frames", "errors", False),
        ("panel.frames", "panel.table", False),
        ("checks.columns", "readers.cells", False),
        ("reports.figures", "plot", False),
        ("panel.frames", "checks", True),
        ("readers.text", "scoring.score", True),
        ("plot.paths", "reports", True),
        ("study.result", "__init__", True),
    ],
)
def test_upward(importer, imported, wrong):
    assert upward(Import(importer, imported, "calling")) is wrong
