"""One column in numbers: those that vary from session to session, and those that belong to the person."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ..panel.constancy import gathered, own_values
from ..panel.labels import levels
from .variance import Components, Floats, Home, Interval, components

if TYPE_CHECKING:
    from ..panel import Panel


@dataclass(frozen=True, slots=True, eq=False)
class Variable:
    """A numeric column that varies from session to session; None where the data do not tell.

    n, persons : values, and persons who have any. missing : attended sessions without a value.
    mean, sd, min, max : over all values, each session counting once (sd with divisor n − 1).
    sd_within, sd_between : square roots of the REML variances; between includes clusters. In the column's units.
    icc : share of variance between persons (clusters included); icc_cluster : between clusters.
    reliability : of a person's mean over `harmonic_n` sessions, between / (between + within / n).
    components : the variances themselves, and `components.reliability_per_person`.
    """

    name: str
    n: int
    persons: int
    missing: int
    mean: float | None
    sd: float | None
    min: float | None
    max: float | None
    sd_within: float | None
    sd_between: float | None
    icc: float | None
    icc_interval: Interval | None
    icc_cluster: float | None
    icc_cluster_interval: Interval | None
    reliability: float | None
    harmonic_n: float | None
    components: Components


@dataclass(frozen=True, slots=True)
class PersonVariable:
    """A numeric column that is the same in all sessions of a person. n, mean, sd, min, max over persons;
    missing : persons without a value."""

    name: str
    n: int
    missing: int
    mean: float | None
    sd: float | None
    min: float | None
    max: float | None


@dataclass(frozen=True, slots=True)
class Category:
    """A column of labels that is the same in all sessions of a person. counts : label -> persons."""

    name: str
    counts: Mapping[str, int]
    missing: int


def variable(name: str, values: Floats, panel: Panel, homes: Home | None, ends: bool = True) -> Variable:
    """Of float64 (n_rows,) values in the panel's order; intervals if `ends`."""
    parts = components(values, panel, homes, ends)
    seen = values[np.isfinite(values)]
    return Variable(
        name=name,
        n=len(seen),
        persons=int((parts.n_per_person > 0).sum()),
        missing=len(values) - len(seen),
        mean=float(seen.mean()) if len(seen) else None,
        sd=_sd(seen),
        min=float(seen.min()) if len(seen) else None,
        max=float(seen.max()) if len(seen) else None,
        sd_within=None if parts.within is None else float(np.sqrt(parts.within)),
        sd_between=None if parts.between is None else float(np.sqrt(parts.between)),
        icc=parts.icc,
        icc_interval=parts.icc_interval,
        icc_cluster=parts.icc_cluster,
        icc_cluster_interval=parts.icc_cluster_interval,
        reliability=parts.reliability,
        harmonic_n=parts.harmonic_n,
        components=parts,
    )


def per_person(values: Floats, panel: Panel) -> Floats | None:
    """float64 (n_persons,) if no person has two different values (NaN: no value), else None."""
    import polars as pl

    series = pl.Series(values, nan_to_null=True)
    own = own_values(series, panel.starts)
    return None if len(own.changing) else gathered(series, own.first).to_numpy()


def person_variable(name: str, values: Floats) -> PersonVariable:
    """Of float64 (n_persons,) values, NaN for none."""
    seen = values[np.isfinite(values)]
    if not len(seen):
        return PersonVariable(name, 0, len(values), None, None, None, None)
    facts = float(seen.mean()), _sd(seen), float(seen.min()), float(seen.max())
    return PersonVariable(name, len(seen), len(values) - len(seen), *facts)


def category(name: str, panel: Panel) -> Category | None:
    """Counts of persons per label; None if a person has two labels."""
    if not panel.is_constant(name):
        return None
    labels, codes = levels(panel.per_person(name))
    counts = np.bincount(codes[codes >= 0], minlength=len(labels))
    persons = {str(label): n for label, n in zip(labels.tolist(), counts.tolist(), strict=True)}
    return Category(name, persons, int((codes < 0).sum()))


def _sd(values: Floats) -> float | None:
    return float(values.std(ddof=1)) if len(values) > 1 else None
