"""Reported priors: the prior of a number of `DSEMFit.tidy()`, in the data's units, as far as it has one of its own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from .priors import CLUSTER, spread_scales

if TYPE_CHECKING:
    from .model import DSEM
    from .reported import Effects, Reported

Family = Literal["normal", "half-t", "uniform", "flat", "flat in variances"]


@dataclass(frozen=True, slots=True)
class ReportedPrior:
    """family : 'normal', 'half-t' with 2 degrees of freedom, 'uniform' from -scale to scale, or flat, in the number
    itself or in variances. scale : SD of the normal, scale of the half-t, in the data's units; 0 where flat. mean : of
    the normal."""

    family: Family
    scale: float = 0.0
    mean: float = 0.0

    @property
    def flat(self) -> bool:
        """Whether it has no density."""
        return self.scale == 0

    def density(self, x: np.ndarray) -> np.ndarray:
        """At x; not of flat ones."""
        if self.family == "normal":
            return np.asarray(np.exp(-(((x - self.mean) / self.scale) ** 2) / 2) / (self.scale * np.sqrt(2 * np.pi)))
        if self.family == "half-t":  # of 2 degrees: density (2 + t²)^(-3/2) on each side
            return np.where(x >= 0, 2 * (2 + (x / self.scale) ** 2) ** -1.5 / self.scale, 0.0)
        return np.where(np.abs(x) <= self.scale, 1 / (2 * self.scale), 0.0)

    def quantile(self, p: float) -> float:
        """Below which it has a share p; not of flat ones."""
        if self.family == "normal":
            from scipy.special import ndtri

            return self.mean + self.scale * float(ndtri(p))
        if self.family == "half-t":  # P(|t| < x) = x / sqrt(2 + x²)
            return self.scale * float(np.sqrt(2 * p**2 / (1 - p**2)))
        return self.scale * (2 * p - 1)


FLAT = ReportedPrior("flat")


def reported_priors(model: DSEM, effects: Effects, reported: Reported) -> dict[str, ReportedPrior]:
    """Name -> prior, of coefficients, means of random effects, what person-level predictors add, SDs and correlations
    between persons and between clusters, and whatever `priors` names."""
    weak, variables = model.priors != "mplus", len(model.paths.variables)
    by_matrix = ReportedPrior("flat in variances")
    out = {name: FLAT for name, kind in zip(reported.names, reported.kinds, strict=True) if kind == "moderation"}
    for path, unit in zip(effects.common, effects.common_units, strict=True):
        out[path.name] = ReportedPrior("normal", float(unit)) if weak else FLAT
    logs = variables if model.variances == "random" else 0
    own = (len(effects.names) - len(effects.random) - logs) // variables
    scales = effects.units * spread_scales(variables, own, len(effects.random), logs, model.effect_sd)
    for j, name in enumerate(effects.names):
        out[name] = FLAT
        out[f"sd({name})"] = ReportedPrior("half-t", float(scales[j])) if weak else by_matrix
        out[f"cluster sd({name})"] = ReportedPrior("half-t", float(CLUSTER * effects.units[j]))
        for other in effects.names[:j]:
            out[f"cor({other}, {name})"] = ReportedPrior("uniform", 1.0) if weak else by_matrix
            out[f"cluster cor({other}, {name})"] = ReportedPrior("uniform", 1.0)
    for name, value in () if isinstance(model.priors, str) else model.priors:
        if isinstance(value, tuple):
            out[name] = ReportedPrior("normal", scale=value[1], mean=value[0])
        else:
            out[name] = ReportedPrior("half-t", value)
    return {name: prior for name, prior in out.items() if name in reported.names}
