"""Where a column varies: within persons, between persons, between clusters.

In: one float64 column and the panel's row structure. Out: a `Components`. The estimates are those of the multilevel
model's engine (`mixed`); this file forms the sums it needs, decides which levels can be told apart at all, and says
what was left out.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from ..findings import Finding
from ..mixed.exchangeable import random_intercepts
from ..mixed.inference.variance_shares import VarianceShares, share_intervals, solved, variance_shares
from ..threads import one_thread

if TYPE_CHECKING:
    from ..panel import Panel

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Interval = tuple[float, float]

#: A sum of squares smaller than this share of the values' squared size is rounding, not variation: a value
#: is held to 1e-16 of its size, a mean of many to about 1e-14, and squared that is 1e-28.
ROUNDING = 1e-26


@dataclass(frozen=True, slots=True, eq=False)
class Components:
    """Variances of one column, by restricted maximum likelihood (REML), in squared units of the column.

    within : between sessions of the same person.
    person : between persons of the same cluster (between all persons where there is no cluster level).
    cluster : between clusters; None without a cluster level.
    icc : (person + cluster) / total: the correlation of two sessions of the same person.
    icc_cluster : cluster / total: the correlation of sessions of two persons of the same cluster.
    icc_interval, icc_cluster_interval : 95 % profile likelihood.
    criterion : −2 log restricted likelihood at the estimates, lme4's convention.
    n_per_person : int64 (n_persons,) values of each person in the panel's order.
    findings : what could not be estimated, and why.

    Anything that the data do not tell is None. A variance of exactly 0 is an estimate at the boundary.
    """

    within: float | None
    person: float | None
    cluster: float | None
    icc: float | None
    icc_cluster: float | None
    icc_interval: Interval | None
    icc_cluster_interval: Interval | None
    criterion: float | None
    n_per_person: Ints = field(repr=False)
    findings: tuple[Finding, ...] = ()

    @property
    def between(self) -> float | None:
        """Variance between persons, clusters included."""
        return None if self.person is None else self.person + (self.cluster or 0.0)

    @property
    def harmonic_n(self) -> float | None:
        """Harmonic mean of the number of values per person, over persons who have any."""
        n = self.n_per_person[self.n_per_person > 0]
        return float(len(n) / (1.0 / n).sum()) if len(n) else None

    @property
    def reliability(self) -> float | None:
        """Of a person's mean over `harmonic_n` sessions: between / (between + within / n)."""
        n = self.harmonic_n
        if self.between is None or self.within is None or n is None or self.between + self.within == 0:
            return None
        return self.between / (self.between + self.within / n)

    @property
    def reliability_per_person(self) -> Floats:
        """float64 (n_persons,): the same with each person's own number of values, NaN where there is none."""
        n = self.n_per_person.astype(float)
        out = np.full(len(n), np.nan)
        if self.between is not None and self.within is not None and self.between + self.within > 0:
            has = n > 0
            out[has] = self.between / (self.between + self.within / n[has])
        return out


@dataclass(frozen=True, slots=True, eq=False)
class Home:
    """The cluster to which each person is counted.

    codes : int64 (n_persons,) position in `panel.clusters`: that of most of the person's sessions, of the
        earliest among equals; −1 if none is known.
    moved : how many persons have sessions in more than one cluster.
    unknown : how many have none.
    """

    codes: Ints
    moved: int
    unknown: int


def home(panel: Panel) -> Home | None:
    """Which cluster each person belongs to; None without the role."""
    if panel.cluster_codes is None or panel.clusters is None:
        return None
    persons, codes = panel.codes, panel.cluster_codes.astype(np.int64)
    known = np.flatnonzero(codes >= 0)
    width = len(panel.clusters)
    pairs, first, counts = np.unique(persons[known] * width + codes[known], return_index=True, return_counts=True)
    who = pairs // max(width, 1)
    best = np.lexsort((first, -counts, who))
    leading = np.append(True, who[best][1:] != who[best][:-1])[: len(best)]
    out = np.full(panel.n_persons, -1, np.int64)
    out[who[best][leading]] = pairs[best][leading] % max(width, 1)
    moved = int((np.bincount(who, minlength=panel.n_persons) > 1).sum())
    return Home(out, moved, int((out < 0).sum()))


@one_thread()
def variance_components(panel: Panel, column: str, *, cluster: bool = True) -> Components:
    """Variance of a numeric column within persons, between persons and between clusters.

    panel : sessions nested in persons; with the role cluster, persons are nested in clusters.
    column : a numeric column.
    cluster : False for two levels even where there are clusters.

    A person who changes cluster counts to the cluster of most of their sessions; a person without a cluster
    counts as a cluster of one. Persons with one session contribute (to the between part and the mean).
    Missing values are left out. Missing at random and normal distributions are assumed.

    Raises PanelError if there is no such column or it is not numeric.
    """
    return components(panel[column], panel, home(panel) if cluster else None)


def components(values: Floats, panel: Panel, homes: Home | None, ends: bool = True) -> Components:
    """`variance_components` of float64 (n_rows,) values in the panel's order; intervals if `ends`."""
    ok = np.isfinite(values)
    starts = panel.starts[:-1]
    n = np.add.reduceat(ok, starts, dtype=np.int64) if len(values) else np.zeros(0, np.int64)
    total = int(n.sum())
    if not total:
        return _none(n, "no-values", "There are no values.")
    shift = float(values[ok].mean())
    centred = np.where(ok, values - shift, 0.0)
    has = n > 0
    mean = np.add.reduceat(centred, starts)[has] / n[has]
    deviation = np.where(ok, centred - np.repeat(_spread(mean, has), np.diff(panel.starts)), 0.0)
    ssw = float(deviation @ deviation)
    noise = ROUNDING * total * (shift * shift + float(centred @ centred) / total)
    ssw = ssw if ssw > noise else 0.0
    codes = None if homes is None else homes.codes[has]
    return _estimate(n, n[has], mean, ssw, noise, codes, ends)


def _estimate(
    n: Ints, counts: Ints, mean: Floats, ssw: float, noise: float, codes: Ints | None, ends: bool
) -> Components:
    """Which levels can be told apart, then their variances."""
    persons, total = len(counts), float(counts.sum())
    df_within = total - persons
    within = ssw / df_within if df_within else None
    if persons < 2:
        return _none(n, "one-person", "Fewer than two persons have values: nothing is known between persons.", within)
    spread = float(counts @ (mean - counts @ mean / total) ** 2)
    if spread + ssw <= noise:
        return _none(n, "constant", "All values are the same: there is no variance to divide.", 0.0, 0.0)
    if not df_within:
        what = "No person has two values: variance within and between persons cannot be told apart."
        return _none(n, "one-value-each", what)
    codes, said = _levels(codes)
    if ssw == 0.0:
        return _no_within(n, mean, codes, said)
    fit = solved(random_intercepts(counts, mean, ssw, codes))
    shares = variance_shares(fit)
    found = share_intervals(fit) if ends else None
    return Components(
        within=shares.within,
        person=shares.person,
        cluster=shares.group,
        icc=shares.between_share,
        icc_cluster=shares.group_share,
        icc_interval=None if found is None else found.between,
        icc_cluster_interval=None if found is None else found.group,
        criterion=fit.criterion,
        n_per_person=n,
        findings=(*said, *_boundary(shares)),
    )


def _levels(codes: Ints | None) -> tuple[Ints | None, list[Finding]]:
    """Cluster codes from 0, those without a cluster alone; None if there is no cluster level to estimate."""
    if codes is None:
        return None, []
    alone = codes < 0
    codes = np.where(alone, codes.max() + 1 + np.cumsum(alone), codes)
    known, codes = np.unique(codes, return_inverse=True)
    clusters = len(known)
    if clusters < 2:
        return None, [Finding("note", "one-cluster", "There is one cluster: no variance between clusters.")]
    if clusters == len(codes):
        what = "Every cluster has one person: variance between clusters and between persons cannot be told apart."
        return None, [Finding("note", "one-person-each", what)]
    return codes, []


def _no_within(n: Ints, mean: Floats, codes: Ints | None, said: list[Finding]) -> Components:
    """The column is the same in all sessions of a person: REML among persons' values, each counting once."""
    what = "The values are the same in all sessions of a person: there is no variance within persons."
    said = [*said, Finding("note", "no-within", what)]
    person, cluster, icc_cluster, cluster_interval = float(mean.var(ddof=1)), None, None, None
    if codes is not None:
        size = np.bincount(codes)
        middle = np.bincount(codes, mean) / size
        ssw = float(((mean - middle[codes]) ** 2).sum())
        if ssw > ROUNDING * float(mean @ mean):
            fit = solved(random_intercepts(size, middle, ssw))
            shares = variance_shares(fit)
            person, cluster, icc_cluster = shares.within, shares.person, shares.between_share
            cluster_interval = share_intervals(fit).between
        else:
            person, cluster, icc_cluster = 0.0, float(middle.var(ddof=1)), 1.0
    return Components(0.0, person, cluster, 1.0, icc_cluster, None, cluster_interval, None, n, tuple(said))


def _boundary(shares: VarianceShares) -> list[Finding]:
    """What a variance of zero means."""
    if shares.between_share == 0.0:
        what = "Persons' means differ no more than chance would have it: the variance between persons is 0."
        return [Finding("note", "no-between", what)]
    if shares.person == 0.0:
        what = "Persons of the same cluster differ no more than chance would have it: that variance is 0."
        return [Finding("note", "no-between", what)]
    if shares.group == 0.0:
        what = "Clusters differ no more than chance would have it: the variance between clusters is 0."
        return [Finding("note", "no-cluster", what)]
    return []


def _none(n: Ints, code: str, what: str, within: float | None = None, person: float | None = None) -> Components:
    return Components(within, person, None, None, None, None, None, None, n, (Finding("note", code, what),))


def _spread(mean: Floats, has: npt.NDArray[np.bool_]) -> Floats:
    """Persons' means put back among all persons, 0 where there is none."""
    out = np.zeros(len(has))
    out[has] = mean
    return out
