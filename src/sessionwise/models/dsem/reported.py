"""Reported: the chains' numbers in the data's units, each with a name.

Names: 'y ~ lag(w)' a coefficient (the mean over persons where it is random), 'y' the mean level, 'trend(y)' the mean of
persons' own linear courses per session, 'log variance(y)' the mean log innovation variance; 'a | pd' what one unit of a
person-level predictor adds to a; 'sd(a)', 'cor(a, b)' of random effects; 'innovation sd(y)', 'first sd(y)', 'cluster
sd(y)', 'error sd(y)'; 'course(y, s)' the common course at session s beside the first; 'o ~ a' of person-level outcomes,
'o ~ 1' where all effects
are 0 and person-level predictors at their means.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ...gibbs.layout import Layout
from ...gibbs.specification import Structure

if TYPE_CHECKING:
    from .data import Scaled
    from .paths import Path, Paths


@dataclass(frozen=True, slots=True)
class Effects:
    """The random effects of a person, in the sampler's order. names : of each. units : data units for one standard one.
    shifts : added to the mean. random, common : paths whose coefficients differ between persons, and the others.
    common_units : of the latter, as `units`."""

    names: tuple[str, ...]
    units: np.ndarray
    shifts: np.ndarray
    random: tuple[Path, ...]
    common: tuple[Path, ...]
    common_units: np.ndarray


@dataclass(frozen=True, slots=True, eq=False)
class Reported:
    """names : (n,). kinds : 'effect', 'level', 'moderation', 'spread', 'noise', 'course' or 'outcome'. draws : (chains,
    kept, n), in the data's units."""

    names: tuple[str, ...]
    kinds: tuple[str, ...]
    draws: np.ndarray

    def __getitem__(self, name: str) -> np.ndarray:
        """(chains, kept) of one."""
        return np.asarray(self.draws[:, :, self.names.index(name)])


def effects_of(paths: Paths, random: tuple[bool, ...], structure: Structure, data: Scaled) -> Effects:
    """random : whether each of the paths is."""
    names: list[str] = []
    units: list[float] = []
    shifts: list[float] = []
    for k, variable in enumerate(paths.variables):
        for power in range(structure.own_columns):
            names.append(("{}", "trend({})", "curve({})")[power].format(variable))
            units.append(float(data.sd[k] / data.trend_unit**power))
            shifts.append(float(data.centre[k]) if power == 0 else 0.0)
    free = tuple(p for p, is_random in zip(paths.paths, random, strict=True) if is_random)
    for path in free:
        names.append(path.name)
        units.append(path_unit(path, paths, data))
        shifts.append(0.0)
    for k, variable in enumerate(paths.variables):
        if structure.log_variances[k]:
            names.append(f"log variance({variable})")
            units.append(1.0)
            shifts.append(float(2 * np.log(data.sd[k])))
    common = tuple(p for p, is_random in zip(paths.paths, random, strict=True) if not is_random)
    common_units = np.array([path_unit(path, paths, data) for path in common])
    return Effects(tuple(names), np.array(units), np.array(shifts), free, common, common_units)


def path_unit(path: Path, paths: Paths, data: Scaled) -> float:
    """Data units of the response for one of the predictor, of a coefficient of 1 in standard units."""
    sd = dict(zip(paths.variables, data.sd, strict=True))
    covariates = dict(zip(paths.covariates, data.covariate_sd, strict=True))
    return float(sd[path.response] / (sd | covariates)[path.predictor])


def reported(
    draws: np.ndarray,
    layout: Layout,
    structure: Structure,
    paths: Paths,
    effects: Effects,
    data: Scaled,
    outcomes: tuple[str, ...],
) -> Reported:
    """All numbers of the chains by name."""
    out = _Collected()
    variables, sd = paths.variables, data.sd
    for place, path in enumerate(effects.common):
        out.add(path.name, "effect", draws[:, :, layout.theta][:, :, place] * effects.common_units[place])
    gamma = draws[:, :, layout.gamma]
    columns = (np.cumsum(structure.regressed.ravel()).reshape(structure.regressed.shape) - 1).tolist()
    for j, name in enumerate(effects.names):
        if structure.regressed[j, 0]:
            kind = "effect" if "~" in name else "level"
            out.add(name, kind, gamma[:, :, columns[j][0]] * effects.units[j] + effects.shifts[j])
    for j, name in enumerate(effects.names):
        for w, predictor in enumerate(data.predictors, 1):
            out.add(f"{name} | {predictor}", "moderation", gamma[:, :, columns[j][w]] * effects.units[j])
    omega = draws[:, :, layout.omega]
    starts = [structure.group_start(j) for j in range(structure.effects)]
    _spread(out, omega, effects.names, effects.units, starts, "{}", "spread")
    if structure.factor:
        loadings = draws[:, :, layout.factor]
        for j, name in enumerate(effects.names[1:]):
            out.add(f"loading({name})", "spread", loadings[:, :, j] * effects.units[j + 1] / effects.units[0])
        out.add("factor sd", "spread", np.sqrt(loadings[:, :, -1]) * effects.units[0])
    noise = [v for k, v in enumerate(variables) if not structure.log_variances[k]]
    units = np.array([sd[k] for k in range(len(variables)) if not structure.log_variances[k]])
    alone = range(len(noise))
    _spread(
        out,
        draws[:, :, layout.sigma],
        noise,
        units,
        [0 if structure.correlated else j for j in alone],
        "innovation {}",
        "noise",
    )
    if structure.own_first:
        states = [v if lag == 0 else f"{v}, {lag} later" for lag in reversed(range(structure.lags)) for v in variables]
        _spread(
            out, draws[:, :, layout.first], states, np.tile(sd, structure.lags), [0] * len(states), "first {}", "noise"
        )
    if data.errors is not None:
        for k, (variable, error) in enumerate(zip(variables, data.errors, strict=True)):
            mean = float(np.nanmean(error.variance))
            out.add(f"error sd({variable})", "noise", np.sqrt(mean * draws[:, :, layout.error][:, :, k]))
    if data.grid.clusters is not None:
        levels = slice(0, structure.levels)
        _spread(
            out,
            draws[:, :, layout.clusters],
            effects.names[levels],
            effects.units[levels],
            [0] * structure.levels,
            "cluster {}",
            "spread",
        )
    course = np.einsum(
        "sb,dcbk->dcsk", data.grid.basis, draws[:, :, layout.course].reshape(*draws.shape[:2], -1, len(variables))
    )
    reached = np.unique(data.grid.session)
    for k, variable in enumerate(variables):
        for s in reached[reached > data.before] if data.grid.basis.shape[1] else ():
            out.add(f"course({variable}, {data.first + s})", "course", course[:, :, s, k] * sd[k])
    at = layout.outcomes.start
    for o, outcome in enumerate(outcomes):
        named = ["1", *data.predictors]
        scale = float(data.outcome_sd[o])
        unit = [scale] * len(named) + [scale / u for u in effects.units]
        intercept = draws[:, :, at] * scale + data.outcome_centre[o]
        # effects are said in the data's units: where they are zero, not where the sampler's are
        there_shifts = effects.shifts[structure.outcome_on_effects[o]] / effects.units[structure.outcome_on_effects[o]]
        slopes = draws[:, :, at + len(named) : at + len(named) + len(there_shifts)] * scale
        intercept = intercept - slopes @ there_shifts
        for name, u, there in zip(
            [*named, *effects.names],
            unit,
            [*structure.outcome_on_predictors[o], *structure.outcome_on_effects[o]],
            strict=True,
        ):
            if there:
                value = intercept if name == "1" else draws[:, :, at] * u
                out.add(f"{outcome} ~ {name}", "outcome", value)
                at += 1
        out.add(f"residual sd({outcome})", "outcome", np.sqrt(draws[:, :, at]) * scale)
        at += 1
    return out.done()


class _Collected:
    def __init__(self) -> None:
        self.names: list[str] = []
        self.kinds: list[str] = []
        self.draws: list[np.ndarray] = []

    def add(self, name: str, kind: str, draws: np.ndarray) -> None:
        self.names.append(name)
        self.kinds.append(kind)
        self.draws.append(draws)

    def done(self) -> Reported:
        return Reported(tuple(self.names), tuple(self.kinds), np.stack(self.draws, axis=-1))


def _spread(
    out: _Collected,
    packed: np.ndarray,
    names: Sequence[str],
    units: np.ndarray,
    starts: Sequence[int],
    form: str,
    kind: str,
) -> None:
    """SDs, then correlations, of a packed lower triangle of which row i begins at column starts[i]."""
    pairs = [(i, j) for i in range(len(names)) for j in range(starts[i], i + 1)]
    place = {pair: at for at, pair in enumerate(pairs)}
    root = [np.sqrt(packed[:, :, place[i, i]]) for i in range(len(names))]
    for i, name in enumerate(names):
        out.add(form.format(f"sd({name})"), kind, root[i] * units[i])
    for i, j in pairs:
        if i != j:
            out.add(form.format(f"cor({names[j]}, {names[i]})"), kind, packed[:, :, place[i, j]] / (root[i] * root[j]))
