"""Which module of a package imports which, and how; circles among them.

Names of modules are those below the package: 'panel.frames', 'panel' for panel/__init__.py, '__init__' for the
package's own. Every import statement counts, wherever it stands; import_module('...') does not.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import Literal

#: While the module loads; when a function is called; by the type checker alone.
How = Literal["loading", "calling", "typing"]


@dataclass(frozen=True, slots=True)
class Module:
    """A module's source. package : whether it is the __init__ of a package."""

    name: str
    text: str
    package: bool = False


@dataclass(frozen=True, slots=True)
class Import:
    """importer, imported : names of modules of the package."""

    importer: str
    imported: str
    how: How


def modules(root: Path) -> list[Module]:
    """All modules below a package's folder; of a compiled one what its .pyi says."""
    found = []
    for path in sorted(root.rglob("*.py*")):
        if path.suffix not in (".py", ".pyi"):
            continue
        *folders, stem = path.relative_to(root).with_suffix("").parts
        package = stem == "__init__"
        name = ".".join(folders if package else [*folders, stem]) or "__init__"
        found.append(Module(name, path.read_text(encoding="utf-8"), package))
    return found


def imports(package: str, among: Iterable[Module]) -> list[Import]:
    """What modules of a package import of it. A name that is no module there is its package's, or the module's."""
    among = list(among)
    known = {module.name for module in among}
    found: dict[Import, None] = {}
    for module in among:
        for path, how in _statements(module, package):
            imported = _module_of(path, known)
            if imported != module.name:
                found[Import(module.name, imported, how)] = None
    return list(found)


def graph(edges: Iterable[Import]) -> dict[str, set[str]]:
    """Importer -> imported. To load 'study.words.phrases' is to load 'study.words' and 'study' before it, unless the
    importer stands in these itself."""
    found: dict[str, set[str]] = {}
    for edge in edges:
        inside = {edge.importer, *_packages(edge.importer)}
        above = (package for package in _packages(edge.imported) if package not in inside)
        found.setdefault(edge.importer, set()).update([edge.imported, *above])
    return found


def circle(of: Mapping[str, set[str]]) -> list[str]:
    """Modules each of which imports the next, the first again at the end; [] if there is no such circle."""
    try:
        TopologicalSorter(of).prepare()
    except CycleError as error:
        return error.args[1][::-1]
    return []


def _statements(module: Module, package: str) -> Iterator[tuple[tuple[str, ...], How]]:
    """The path below the package of each name that is imported of it, and when."""
    parts = () if module.name == "__init__" else tuple(module.name.split("."))
    here = parts if module.package else parts[:-1]
    for node, how in _imports(ast.parse(module.text), "loading"):
        if isinstance(node, ast.Import):
            names = [tuple(alias.name.split(".")) for alias in node.names]
            yield from ((name[1:], how) for name in names if name[0] == package)
            continue
        base = tuple(node.module.split(".")) if node.module else ()
        if node.level:
            base = here[: len(here) + 1 - node.level] + base
        elif base[0] != package:
            continue
        else:
            base = base[1:]
        yield from (((*base, alias.name), how) for alias in node.names)


def _imports(node: ast.AST, how: How) -> Iterator[tuple[ast.Import | ast.ImportFrom, How]]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Import | ast.ImportFrom):
            yield child, how
        elif isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            yield from _imports(child, "calling")
        elif isinstance(child, ast.If) and ast.unparse(child.test).endswith("TYPE_CHECKING"):
            yield from _imports(child, "typing")
        else:
            yield from _imports(child, how)


def _module_of(path: tuple[str, ...], known: set[str]) -> str:
    """The module that a path leads to: itself, or the one whose name it ends with."""
    for end in (len(path), len(path) - 1):
        name = ".".join(path[:end])
        if name in known:
            return name
    return "__init__" if len(path) <= 1 else ".".join(path[:-1])


def _packages(name: str) -> list[str]:
    """Packages that a module stands in: 'study.words.phrases' in 'study' and 'study.words'."""
    parts = name.split(".")
    return [".".join(parts[:end]) for end in range(1, len(parts))]
