"""Truth: the parameters that a Panel is drawn from, by the names of `DSEMFit.tidy()`, checked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ...errors import ModelError, nearest, some

if TYPE_CHECKING:
    from .model import DSEM


@dataclass(frozen=True, slots=True)
class Truth:
    """paths, levels, logs : names of persons' effects: coefficients; levels and own courses, by variable; log variances
    of innovations. values : what was given."""

    paths: tuple[str, ...]
    levels: tuple[str, ...]
    logs: tuple[str, ...]
    values: Mapping[str, float]
    title: str

    @property
    def effects(self) -> tuple[str, ...]:
        """In the order in which they are drawn."""
        return self.paths + self.levels + self.logs

    def of(self, form: str, names: Sequence[str], otherwise: float = 0.0) -> np.ndarray:
        """One number for each of the names, such as 'sd({})'."""
        return np.array([self.values.get(form.format(name), otherwise) for name in names])

    def root(self, sd: np.ndarray, cor: str, names: Sequence[str]) -> np.ndarray:
        """Lower factor of the covariance with these SDs and the correlations 'cor(a, b)' that were given.

        Raises
        ------
        ModelError : no matrix has these correlations.
        """
        correlation = np.eye(len(names))
        for i, one in enumerate(names):
            for j, other in enumerate(names[:i]):
                both = [cor.format(f"{a}, {b}") for a, b in ((other, one), (one, other))]
                correlation[i, j] = correlation[j, i] = next((self.values[n] for n in both if n in self.values), 0.0)
        try:
            return np.asarray(np.linalg.cholesky(correlation) * sd[:, None])
        except np.linalg.LinAlgError:
            raise ModelError(
                f"Correlations {cor.format('...')} are impossible together.",
                where=self.title,
                remedy="Give correlations between -1 and 1 that a matrix can have.",
            ) from None


def truth(model: DSEM, parameters: Mapping[str, float], sessions: int) -> Truth:
    """Of what was given.

    Raises
    ------
    ModelError : an unknown name, an impossible value.
    """
    paths = model.paths
    variables = paths.variables
    own = ("{}", "trend({})", "curve({})")[: {None: 1, "linear": 2, "quadratic": 3}[model.trend]]
    logs = tuple(f"log variance({v})" for v in variables) if model.variances == "random" else ()
    out = Truth(
        tuple(p.name for p in paths.paths), tuple(f.format(v) for v in variables for f in own), logs, {}, model.title
    )
    effects = out.effects
    allowed = {*effects, *(f"sd({e})" for e in effects), *(f"{e} | {w}" for e in effects for w in model.predictors)}
    allowed |= {f"{kind} sd({v})" for kind in ("error", "first") for v in variables}
    allowed |= _pairs("first cor({})", variables)
    if model.factor:
        allowed |= {f"loading({e})" for e in effects} | {"factor sd"}
    else:
        allowed |= _pairs("cor({})", effects)
    if not logs:
        allowed |= {f"innovation sd({v})" for v in variables} | _pairs("innovation cor({})", variables)
    if model.course is not None:
        allowed |= {f"course({v}, {s})" for v in variables for s in range(2, sessions + 1)}
    if model.clusters:
        allowed |= {f"cluster sd({name})" for name in out.levels}
    for o in model.outcomes:
        allowed |= {f"{o} ~ {name}" for name in ("1", *model.predictors, *effects)} | {f"residual sd({o})"}
    for name, number in parameters.items():
        if name not in allowed:
            raise ModelError(
                f"There is no parameter {name!r}.{nearest(name, allowed)}",
                where=model.title,
                remedy=f"Use {some(sorted(allowed))}.",
            )
        spread = name.endswith(" sd") or name.startswith("sd(") or " sd(" in name
        if not np.isfinite(number) or (spread and number < 0):
            raise ModelError(
                f"{name} is {number!r}.", where=model.title, remedy="Give a finite number; an SD is 0 or more."
            )
    return Truth(out.paths, out.levels, logs, {name: float(v) for name, v in parameters.items()}, model.title)


def _pairs(form: str, names: Sequence[str]) -> set[str]:
    return {form.format(f"{a}, {b}") for a in names for b in names if a != b}
