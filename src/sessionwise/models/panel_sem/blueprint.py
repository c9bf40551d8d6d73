"""Blueprint: a panel model as nodes, paths and named parameters, before any data.

A model file draws it with a Draft. Parameters are numbers by name; a name in several cells is one parameter, which is
how lags are equal over waves. Several groups have the same blueprint, and share the parameters that are to be equal.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from ...errors import ModelError
from ...sem import Cells, Structure

#: What a parameter is. 'lag', 'effect': of another wave, of the same one; 'covariate': of a person's covariate. 'mean',
#: 'trend' (per wave). 'intercept': variances and covariances of random intercepts or of the person's effect; 'first':
#: within-person ones at the first wave; 'residual': of what the lags leave over. 'loading', 'unique': of indicators.
#: 'nuisance': moments of predictors.
ParameterKind = Literal[
    "lag", "effect", "covariate", "mean", "trend", "intercept", "first", "residual", "loading", "unique", "nuisance"
]


@dataclass(frozen=True, slots=True)
class Column:
    """A column of the wide data: a variable at a wave; wave None for what does not change."""

    variable: str
    wave: int | None = None

    def __str__(self) -> str:
        return at_wave(self.variable, self.wave)


def at_wave(name: str, wave: int | None) -> str:
    """`name [wave]`, or the name alone for what holds for all waves."""
    return name if wave is None else f"{name} [{wave}]"


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter of the model.

    name : unique. kind : what it is. outcome, predictor : the variables that it is about; the same one for a variance,
    none for a mean's predictor. wave : of the outcome, None where it holds for all of them. group : None if for all.
    steps : waves from predictor to outcome, of a lag. variance : whether it is a variance, as a Draft finds out.
    """

    name: str
    kind: ParameterKind
    outcome: str
    predictor: str = ""
    wave: int | None = None
    group: str | None = None
    steps: int = 1
    variance: bool = False


@dataclass(frozen=True, slots=True)
class Cell:
    """A parameter's place, to or of node `row` from or with node `column`."""

    row: int
    column: int
    name: str


@dataclass(frozen=True, eq=False)
class Blueprint:
    """A panel model.

    columns : the observed nodes, which come first. units : for every node the variable in whose unit it is.
    fixed : paths of fixed size, (row, column, size). paths, spread, intercepts : cells.
    parameters : in the order in which they are shown. starts : of each by name, for variables with mean 0 and SD 1.
    within : node of a variable's within-person part at a wave. persons : node of its random intercept.
    waves : labels. variables : those with lagged effects, the outcome first.
    """

    columns: tuple[Column, ...]
    units: tuple[str, ...]
    fixed: tuple[tuple[int, int, float], ...]
    paths: tuple[Cell, ...]
    spread: tuple[Cell, ...]
    intercepts: tuple[Cell, ...]
    parameters: tuple[Parameter, ...]
    starts: Mapping[str, float]
    within: Mapping[tuple[str, int], int]
    persons: Mapping[str, int]
    waves: tuple[int, ...]
    variables: tuple[str, ...]

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(p.name for p in self.parameters)

    def structure(self, place: Mapping[str, int], size: int) -> Structure:
        """For arrays: `place` of each parameter's name among `size` of them; those without a place are zero."""

        def cells(given: Sequence[Cell]) -> Cells:
            return Cells.of([(c.row, c.column, place[c.name]) for c in given if c.name in place])

        base = np.zeros((len(self.units), len(self.units)))
        for row, column, value in self.fixed:
            base[row, column] = value
        return Structure(base, len(self.columns), cells(self.paths), cells(self.spread), cells(self.intercepts), size)

    def started(self, covariance: np.ndarray) -> np.ndarray:
        """Starts (q,), those of the predictors' moments from a covariance of the columns (k, k), in standard units."""
        kinds = {p.name: p.kind for p in self.parameters}
        column = {node: row for row, node, value in reversed(self.fixed) if row < len(self.columns) and value == 1}
        known = dict(self.starts)
        for cell in self.spread:
            if kinds[cell.name] == "nuisance":
                known[cell.name] = covariance[column.get(cell.row, cell.row), column.get(cell.column, cell.column)]
        return np.array([known[name] for name in self.names])

    def in_units(self, scale: Mapping[str, float]) -> np.ndarray:
        """What each parameter is multiplied by when variables are (q,): scale by variable."""
        by_name: dict[str, float] = {}
        for cell in self.paths:
            by_name[cell.name] = scale[self.units[cell.row]] / scale[self.units[cell.column]]
        for cell in self.spread:
            by_name[cell.name] = scale[self.units[cell.row]] * scale[self.units[cell.column]]
        for cell in self.intercepts:
            by_name[cell.name] = scale[self.units[cell.row]]
        return np.array([by_name[name] for name in self.names])

    def moved(self, centre: Mapping[str, float]) -> np.ndarray:
        """What is added to each parameter when variables are moved (q,): only means move."""
        level = {cell.name for cell in self.intercepts}
        return np.array([centre[p.outcome] if p.name in level and p.kind != "trend" else 0.0 for p in self.parameters])


@dataclass(frozen=True, slots=True, eq=False)
class Grouped:
    """A blueprint for several groups at once.

    parameters : of all groups. places : for each group where its parameters stand among them, int (q of one group,).
    """

    blueprint: Blueprint
    labels: tuple[str, ...]
    parameters: tuple[Parameter, ...]
    places: tuple[np.ndarray, ...]

    def structures(self) -> list[Structure]:
        names = self.blueprint.names
        size = len(self.parameters)
        return [self.blueprint.structure(dict(zip(names, own.tolist(), strict=True)), size) for own in self.places]

    def spread_out(self, values: np.ndarray) -> np.ndarray:
        """Values of one group's parameters (q,) for those of all groups."""
        out = np.empty(len(self.parameters))
        for own in self.places:
            out[own] = values
        return out


def grouped(blueprint: Blueprint, labels: Sequence[str], same: Collection[str]) -> Grouped:
    """`labels` of the groups, empty for one; `same`: kinds of parameters that are equal in all groups."""
    if not labels:
        return Grouped(blueprint, (), blueprint.parameters, (np.arange(len(blueprint.parameters)),))
    shared = [p for p in blueprint.parameters if p.kind in same]
    found = list(shared)
    places = []
    for label in labels:
        own = []
        for p in blueprint.parameters:
            if p.kind not in same:
                p = replace(p, name=f"{p.name} ({label})", group=label)
                found.append(p)
            own.append(p.name)
        places.append(own)
    at = {p.name: i for i, p in enumerate(found)}
    return Grouped(
        blueprint, tuple(labels), tuple(found), tuple(np.array([at[n] for n in own], np.intp) for own in places)
    )


class Draft:
    """A blueprint being drawn; `done` ends it."""

    def __init__(self, columns: Sequence[Column]) -> None:
        self.columns = tuple(columns)
        self.at = {column: i for i, column in enumerate(columns)}
        self.units = [column.variable for column in columns]
        self.fixed: list[tuple[int, int, float]] = []
        self.paths: list[Cell] = []
        self.spread: list[Cell] = []
        self.intercepts: list[Cell] = []
        self.parameters: dict[str, Parameter] = {}
        self.starts: dict[str, float] = {}
        self.within: dict[tuple[str, int], int] = {}
        self.persons: dict[str, int] = {}

    def node(self, unit: str) -> int:
        """A new latent node in the unit of a variable."""
        self.units.append(unit)
        return len(self.units) - 1

    def fix(self, row: int, column: int, value: float = 1.0) -> None:
        self.fixed.append((row, column, value))

    def path(self, row: int, column: int, parameter: Parameter, start: float = 0.0) -> None:
        self.paths.append(Cell(row, column, self._named(parameter, start)))

    def covary(self, row: int, column: int, parameter: Parameter, start: float = 0.0) -> None:
        self.spread.append(Cell(row, column, self._named(replace(parameter, variance=row == column), start)))

    def mean(self, row: int, parameter: Parameter, start: float = 0.0) -> None:
        self.intercepts.append(Cell(row, 0, self._named(parameter, start)))

    def _named(self, parameter: Parameter, start: float) -> str:
        if self.parameters.setdefault(parameter.name, parameter) != parameter:
            raise ModelError(f"two parameters are named {parameter.name!r}.", remedy="Rename a column.")
        self.starts.setdefault(parameter.name, start)
        return parameter.name

    def done(self, waves: Sequence[int], variables: Sequence[str], order: Sequence[ParameterKind]) -> Blueprint:
        """`order`: of the kinds, as the parameters are shown."""
        kinds = {kind: i for i, kind in enumerate(order)}
        shown = sorted(self.parameters.values(), key=lambda p: kinds[p.kind])
        return Blueprint(
            self.columns,
            tuple(self.units),
            tuple(self.fixed),
            tuple(self.paths),
            tuple(self.spread),
            tuple(self.intercepts),
            tuple(shown),
            dict(self.starts),
            dict(self.within),
            dict(self.persons),
            tuple(waves),
            tuple(variables),
        )
