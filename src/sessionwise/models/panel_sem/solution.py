"""SEMEstimates: a blueprint fitted to wide data, in the engine's terms.

Variables are brought to mean 0 and SD 1 over all waves and persons, so that starts and tolerances suit any unit; what
comes out is in the variables' own units.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np

from ...errors import ModelError, some
from ...sem import (
    Dependent,
    Moments,
    Optimum,
    Patterns,
    Rows,
    Saturated,
    Structure,
    covariance,
    evaluate,
    independence,
    meat,
    optimise,
    patterns,
    saturated,
    trace,
)
from ...threads import one_thread
from .blueprint import Grouped, Parameter
from .waves import Wide

Errors = Literal["expected", "observed", "robust"]
#: So few waves, and persons in a group, may leave two optima: so many starts are tried even if the first led to one.
FEW_WAVES, FEW_PERSONS, FEW_STARTS = 5, 200, 6


@dataclass(frozen=True, slots=True)
class Traces:
    """tr A^-1 B of the model, the saturated and the independence model, for scaled tests."""

    model: float
    above: float
    below: float


@dataclass(frozen=True, eq=False)
class SEMEstimates:
    """What was estimated.

    grouped : the model. data : patterns of each group in standard units. scale, centre : of each variable.
    optimum : in standard units. theta : parameters (q,) in the variables' units; vcov : (q, q), by `errors`.
    criterion : -2 log-likelihood in the variables' units. above : saturated model of each group, None where the data do
    not determine it; below : without covariances, both in standard units. traces : for robust errors.
    """

    grouped: Grouped
    data: tuple[Patterns, ...]
    scale: Mapping[str, float]
    centre: Mapping[str, float]
    optimum: Optimum
    theta: np.ndarray
    vcov: np.ndarray
    errors: Errors
    criterion: float
    above: tuple[Saturated, ...] | None
    below: tuple[Saturated, ...]
    traces: Traces | None

    @property
    def n(self) -> int:
        return sum(data.n for data in self.data)

    @property
    def parameters(self) -> tuple[Parameter, ...]:
        return self.grouped.parameters

    @cached_property
    def structures(self) -> list[Structure]:
        return self.grouped.structures()

    @property
    def groups(self) -> list[tuple[Structure, Patterns]]:
        """As the engine wants them, in standard units."""
        return list(zip(self.structures, self.data, strict=True))

    @property
    def df(self) -> int:
        k = self.data[0].k
        return len(self.data) * (k * (k + 1) // 2 + k) - len(self.theta)

    @one_thread()
    def moments(self, theta: np.ndarray | None = None) -> list[Moments]:
        """Implied by parameters (q,) in the variables' units, of each group; default the estimates."""
        return [s.moments(self.theta if theta is None else theta) for s in self.structures]


def solve(grouped: Grouped, wide: Wide, errors: Errors | None) -> SEMEstimates:
    """`errors`: None for expected where no value is missing, observed elsewhere.

    Raises
    ------
    ModelError : more parameters than moments, columns that depend on each other, a likelihood that cannot be had.
    """
    scale, centre = _units(wide)
    centres = np.array([centre[c.variable] for c in wide.columns])
    scales = np.array([scale[c.variable] for c in wide.columns])
    data, rows = zip(*_by_group((wide.values - centres) / scales, wide, grouped), strict=True)
    _enough(grouped, data, wide)
    structures = grouped.structures()
    groups = list(zip(structures, data, strict=True))
    above = _saturated(data, wide)
    try:
        few = len(grouped.blueprint.waves) <= FEW_WAVES and min(d.n for d in data) <= FEW_PERSONS
        starts = list(_starts(grouped, _covariance(data, above)))
        optimum = optimise(groups, starts, least=FEW_STARTS if few else 1)
    except np.linalg.LinAlgError:
        raise ModelError(
            "the likelihood has no value at any start.",
            remedy="Check the columns for extreme values, and use fewer waves.",
        ) from None
    chosen: Errors = errors or ("expected" if all(d.complete for d in data) else "observed")
    squares = meat(groups, rows, optimum.theta) if chosen == "robust" else None
    hessian = evaluate(groups, optimum.theta, expected=True).hessian if chosen == "expected" else optimum.hessian
    vcov = covariance(groups, optimum.theta, hessian, squares)
    below = tuple(independence(d) for d in data)
    traces = None
    if squares is not None:
        traces = Traces(trace(hessian, squares), _traced(above, data, rows), _traced(below, data, rows))
    units = grouped.spread_out(grouped.blueprint.in_units(scale))
    moved = grouped.spread_out(grouped.blueprint.moved(centre))
    jacobian = sum(float(d.pairs.diagonal() @ np.log(scales)) for d in data)
    return SEMEstimates(
        grouped,
        tuple(data),
        scale,
        centre,
        optimum,
        optimum.theta * units + moved,
        vcov * np.outer(units, units),
        chosen,
        optimum.criterion + 2 * jacobian,
        above,
        below,
        traces,
    )


def _units(wide: Wide) -> tuple[dict[str, float], dict[str, float]]:
    """SD and mean of each variable over all its waves and persons."""
    scale, centre = {}, {}
    for variable in dict.fromkeys(c.variable for c in wide.columns):
        own = wide.values[:, [c.variable == variable for c in wide.columns]]
        known = own[np.isfinite(own)]
        scale[variable], centre[variable] = float(known.std()), float(known.mean())
    return scale, centre


def _by_group(values: np.ndarray, wide: Wide, grouped: Grouped) -> Iterator[tuple[Patterns, Rows]]:
    for g in range(max(1, len(grouped.labels))):
        yield patterns(values[wide.group == g])


def _covariance(data: Sequence[Patterns], above: Sequence[Saturated] | None) -> np.ndarray:
    """Of the columns (k, k), about right, over all groups."""
    if above is None:
        return np.diag(sum(d.n * independence(d).covariance.diagonal() for d in data) / sum(d.n for d in data))
    return np.asarray(sum(d.n * s.covariance for d, s in zip(data, above, strict=True)) / sum(d.n for d in data))


def _starts(grouped: Grouped, covariance: np.ndarray) -> Iterator[np.ndarray]:
    """The usual one, then with less and with more that is stable in persons, then around the usual one."""
    blueprint = grouped.blueprint
    usual = blueprint.started(covariance)
    kinds = np.array([p.kind for p in blueprint.parameters])
    yield grouped.spread_out(usual)
    for persons, lags in ((0.1, 0.5), (0.8, 1.0), (0.3, 0.0)):
        other = usual.copy()
        other[kinds == "intercept"] *= persons / 0.4
        other[kinds == "lag"] *= lags
        yield grouped.spread_out(other)
    rng = np.random.default_rng(0)
    for _ in range(4):
        noise = np.where(kinds == "lag", 0.4, 0.1) * rng.standard_normal(len(usual))
        yield grouped.spread_out(np.where(usual > 0, usual * np.exp(2 * noise), noise))


def _saturated(data: Sequence[Patterns], wide: Wide) -> tuple[Saturated, ...] | None:
    try:
        found = [saturated(d) for d in data]
    except Dependent as error:
        raise ModelError(
            f"{some(wide.columns[i] for i in error.variables)} depend on each other: one is a linear combination of "
            "the others.",
            where="the wide data, one column a variable and wave",
            remedy="Check whether a column was copied or made from others; leave out a wave or a variable.",
        ) from None
    return None if any(one is None for one in found) else tuple(one for one in found if one is not None)


def _traced(models: Sequence[Saturated] | None, data: Sequence[Patterns], rows: Sequence[Rows]) -> float:
    if models is None:
        return np.nan
    total = 0.0
    for m, d, r in zip(models, data, rows, strict=True):
        own = [(m.structure, d)]
        total += trace(evaluate(own, m.theta).hessian, meat(own, [r], m.theta))
    return total


def _enough(grouped: Grouped, data: Sequence[Patterns], wide: Wide) -> None:
    k, q = data[0].k, len(grouped.parameters)
    moments = len(data) * (k * (k + 1) // 2 + k)
    if q > moments:
        raise ModelError(
            f"the model has {q} parameters, and the {k} columns only {moments} means, variances and covariances.",
            remedy="Use more waves, or hold lags and residual variances equal over waves.",
        )
    own = len(grouped.places[0])
    for label, d in zip(grouped.labels or ("",), data, strict=True):
        values = int(d.pairs.diagonal().sum())
        if values < own or d.n < 3:
            raise ModelError(
                f"{values:,} values of {d.n:,} persons for {own} parameters.",
                where=f"group {label}" if label else f"waves {some(wide.coverage.waves, 12)}",
                remedy="Use fewer waves, lags equal over waves, or more persons.",
            )
