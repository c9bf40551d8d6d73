"""Residuals: how residuals of a person's sessions go together, and the cross-products that follow from it.

With R the residuals' relative covariance, a fit needs X'R^-1 X for each person and log det R. `Products` gives both
for any parameters rho, from what was summed once:

- independent residuals: the cross-products as they are;
- a variance for each stratum: one set of cross-products a stratum, weighted;
- AR(1) by session number, also across skipped sessions (correlation phi^d between sessions d apart): with sums over
  the pairs of consecutive sessions d apart, rho_d = phi^d,
      X'R^-1 X = all + sum_d [rho_d^2 (cc_d + pp_d) - rho_d cross_d] / (1 - rho_d^2),
      log det R = sum_d n_d log(1 - rho_d^2),
  exact whatever the gaps (the residual process is Markov); no row is touched again;
- continuous-time AR(1), correlation phi^(time apart): every gap is different, so the rows are transformed anew for
  each phi, also exact;
- exchangeable residuals, R = (1 - c) I + c 11' for a person of whom all sessions are alike: with the cross-products
  about persons' means, and those of the means by the number n of sessions that persons have, ratio = c / (1 - c),
      X'R^-1 X = (1 + ratio) (within + sum_n means_n / (1 + ratio n)),
      log det R = sum_n persons_n (log(1 + ratio n) - n log(1 + ratio)).
  It is another way to write a random intercept of persons (exchangeable.py); a formula has the random term.

rho is unbounded: atanh(phi) for AR(1), log(-log phi) for continuous time, atanh(sqrt(c)) for exchangeable residuals,
log of each standard deviation relative to the first stratum's. In continuous time phi is here the correlation at the
usual gap, so that the search does not know whether time is in seconds or in years.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np

from ..grams import Gram, filled, products

#: Those that a model may be given. "exchangeable" is the engine's own.
KINDS = ("independent", "ar1", "car1")

#: Lagged cross-products may take this many bytes; with more different gaps than that, rows are used.
MOST_BYTES = 1_500_000_000
_STEP = 1e-5
_LAST_DIGIT = 2.0**-52
_MOST = 12.0
#: rho of continuous time below which even gaps a billion times the usual one correlate fully.
_LEAST_DECAY = -30.0
#: Beyond these rho there is no maximum to be had: phi of 1 or -1, a stratum without variance.
_END, _END_OF_DECAY = 11.0, -25.0
#: rho of exchangeable residuals beyond which their ratio is no number.
_MOST_SPREAD = 170.0


@dataclass(frozen=True, slots=True, eq=False)
class Residual:
    """Which residuals: what the likelihood needs to know of the rows used.

    kind : one of KINDS, or "exchangeable".
    gaps : float64 (n_rows,), distance from the person's row before, in sessions or in `unit`; NaN at a person's first.
    strata : int64 (n_rows,), 0 .. n_strata - 1; all 0 without strata.
    labels : names of the strata, () without.
    unit : of the gaps in continuous time, their median, in the unit of the time column (`in_continuous_time`).

    Only continuous time needs the rows once cross-products are there; gaps and strata have length 0 where the rows are
    elsewhere.
    """

    kind: str
    gaps: np.ndarray
    strata: np.ndarray
    labels: tuple[str, ...] = ()
    unit: float = 1.0

    @property
    def without_rows(self) -> Residual:
        """Which residuals, and nothing about any row."""
        return Residual(self.kind, np.zeros(0), np.zeros(0, np.int64), self.labels, self.unit)

    def __reduce__(self) -> tuple[object, ...]:
        if self.kind == "independent" and not self.labels:  # nothing of the rows but how many there are
            return independent, (len(self.gaps),)
        return Residual, (self.kind, np.array(self.gaps), np.array(self.strata), self.labels, self.unit)

    @property
    def names(self) -> tuple[str, ...]:
        """Names of rho, as users see them."""
        if self.kind == "exchangeable":
            return ("correlation",)
        return (*(["phi"] if self.kind != "independent" else []), *(f"sd ratio {label}" for label in self.labels[1:]))

    def relative_sds(self, natural: np.ndarray) -> dict[str, float]:
        """Name of each stratum -> its standard deviation relative to the first's; empty without strata."""
        ratios = natural[len(self.names) - len(self.labels[1:]) :].tolist()
        return dict(zip(self.labels, [1.0, *ratios], strict=True)) if self.labels else {}

    def natural(self, rho: np.ndarray) -> np.ndarray:
        """phi at a gap of 1 and the ratios of standard deviations from rho; of exchangeable residuals their
        correlation."""
        if self.kind == "exchangeable":
            return np.asarray(np.tanh(rho) ** 2)
        rho = np.clip(rho, -_MOST, _MOST)  # beyond it the numbers no longer change, or overflow
        out: np.ndarray = np.exp(rho)
        if self.kind == "ar1":
            out[0] = np.tanh(rho[0])
        elif self.kind == "car1":
            out[0] = np.exp(-_decay(rho))
        return out

    def per_unit(self, natural: np.ndarray) -> np.ndarray:
        """With phi per unit of the time column, as users see it, rather than at a gap of 1 (the usual one)."""
        return self._with_power(natural, 1.0 / self.unit)

    def at_usual_gap(self, per_unit: np.ndarray) -> np.ndarray:
        """The way back from `per_unit`."""
        return self._with_power(per_unit, self.unit)

    def _with_power(self, natural: np.ndarray, power: float) -> np.ndarray:
        if self.kind != "car1" or power == 1.0:
            return natural
        return np.concatenate([natural[:1] ** power, natural[1:]])

    def sensitivity(self, rho: np.ndarray) -> np.ndarray:
        """How much a unit of each of rho changes what it stands for: the correlation at the usual gap, log ratios of
        standard deviations. Nearly 0 for continuous time where phi is 0: then it is at its boundary."""
        change = np.ones(len(rho))
        if self.kind == "exchangeable":
            return np.asarray(np.tanh(np.abs(rho)))
        if self.kind == "ar1":
            change[0] = 1 - np.tanh(rho[0]) ** 2
        elif self.kind == "car1":
            decay = _decay(rho)
            change[0] = decay * np.exp(-decay)
        return change

    def is_at_end(self, rho: np.ndarray) -> bool:
        """Whether a search was led where residuals of some rows have no variance of their own: the likelihood grows
        without end where these rows can be fitted exactly. phi of 0 in continuous time is an end that may be best."""
        if self.kind == "exchangeable":
            return False
        if self.kind == "car1":
            return bool(rho[0] < _END_OF_DECAY or (np.abs(rho[1:]) > _END).any())
        return bool((np.abs(rho) > _END).any())

    def start(self) -> np.ndarray:
        """Where the search for rho begins: correlation 0.2 at the usual gap, equal variances, correlation
        0.2 of exchangeable residuals."""
        rho = np.zeros(len(self.names))
        if self.kind == "exchangeable":
            rho[0] = 0.5
        if self.kind == "ar1":
            rho[0] = np.arctanh(0.2)
        elif self.kind == "car1":
            rho[0] = np.log(-np.log(0.2))
        return rho


def in_continuous_time(gaps: np.ndarray, strata: np.ndarray, labels: tuple[str, ...] = ()) -> Residual:
    """Residuals of which those a time t apart correlate phi^t. gaps : (n_rows,) in the unit of the time column, above
    0; NaN at a person's first row."""
    known = gaps[~np.isnan(gaps)]
    usual = float(np.median(known)) if len(known) else 1.0
    return Residual("car1", gaps / usual, strata, labels, usual)


def _decay(rho: np.ndarray) -> float:
    """-log of the correlation at a gap of 1, in continuous time."""
    return math.exp(min(max(float(rho[0]), _LEAST_DECAY), _MOST))


def independent(n: int) -> Residual:
    """Independent residuals of one variance for n rows; takes no memory for them."""
    return Residual("independent", np.broadcast_to(np.nan, n), np.broadcast_to(np.int64(0), n))


@dataclass(frozen=True, slots=True, eq=False)
class Combined:
    """Cross-products with R for one rho, packed, and log det R."""

    packed: np.ndarray
    log_r: float


class Products(Protocol):
    """Cross-products as a function of rho."""

    def combined(self, rho: np.ndarray) -> Combined: ...

    def slope(self, rho: np.ndarray, adjoint: np.ndarray) -> np.ndarray:
        """d/d rho of <adjoint, products> + log det R, (len(rho),)."""
        ...

    @property
    def smallest_stratum(self) -> float:
        """Rows of the stratum that has fewest."""
        ...

    def shaken(self, rng: np.random.Generator) -> Products:
        """As what was summed would be, had its last digit been rounded another way."""
        ...


@dataclass(frozen=True, slots=True, eq=False)
class Rows:
    """Columns of the likelihood, centred and scaled, and whose rows they are.

    head : names, centres and scales of the columns, and the persons; without products.
    columns : k arrays (n_rows,). starts, ends : int64 (persons,) in the order of the persons.
    """

    head: Gram
    columns: Sequence[np.ndarray]
    starts: np.ndarray
    ends: np.ndarray

    def gram(self, columns: Sequence[np.ndarray]) -> Gram:
        """Of other values in as many columns."""
        k = len(columns)
        packed, _ = products(columns, self.starts, self.ends, np.zeros(k), np.ones(k))
        return filled(self.head, packed, self.ends - self.starts)


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """Cross-products over some rows, or pairs of rows, of each person.

    role : 'all' rows of a stratum, with weight 1 / (w_s w_t) for strata s and t; over the pairs of consecutive rows
        `gap` sessions apart 'square', the rows of a stratum in both, and 'cross', current times previous plus previous
        times current, each with that weight times a function of phi^gap. Of exchangeable residuals 'within', about
        persons' means, and 'means', those of the persons with `gap` sessions, each times their number.
    gram : the products; its n counts rows, of 'cross' pairs, of 'means' persons.
    """

    role: str
    gap: int
    strata: tuple[int, int]
    gram: Gram


@dataclass(frozen=True, slots=True, eq=False)
class Independent:
    """One set of products, whatever rho."""

    packed: np.ndarray

    def combined(self, rho: np.ndarray) -> Combined:
        return Combined(self.packed, 0.0)

    def slope(self, rho: np.ndarray, adjoint: np.ndarray) -> np.ndarray:
        return np.zeros(0)

    @property
    def smallest_stratum(self) -> float:
        return math.inf

    def shaken(self, rng: np.random.Generator) -> Independent:
        return Independent(_shaken(self.packed, rng))


@dataclass(frozen=True, slots=True, eq=False)
class Lagged:
    """Sums of parts for AR(1) by session number and strata. pairs : gap -> number of pairs. sizes : rows a stratum."""

    residual: Residual
    parts: tuple[Part, ...]
    pairs: dict[int, int]
    sizes: np.ndarray

    def combined(self, rho: np.ndarray) -> Combined:
        weights = self._weights(rho)
        packed = np.zeros_like(self.parts[0].gram.packed)
        for weight, part in zip(weights, self.parts, strict=True):
            packed += weight * part.gram.packed
        return Combined(packed, self._log_r(rho))

    def slope(self, rho: np.ndarray, adjoint: np.ndarray) -> np.ndarray:
        """Weights and log det R are differentiated by central differences: they are a handful of closed formulas."""
        inner = np.array([np.vdot(adjoint, part.gram.packed) for part in self.parts])

        def at(r: np.ndarray) -> float:
            return float(self._weights(r) @ inner + self._log_r(r))

        return _central(at, rho)

    @property
    def smallest_stratum(self) -> float:
        return float(self.sizes.min())

    def shaken(self, rng: np.random.Generator) -> Lagged:
        parts = [replace(p, gram=replace(p.gram, packed=_shaken(p.gram.packed, rng))) for p in self.parts]
        return replace(self, parts=tuple(parts))

    def _phi_sd(self, rho: np.ndarray) -> tuple[float, np.ndarray]:
        natural = self.residual.natural(rho)
        phi = float(natural[0]) if self.residual.kind == "ar1" else 0.0
        ratios = natural[1:] if self.residual.kind == "ar1" else natural
        return phi, np.concatenate([[1.0], ratios])

    def _weights(self, rho: np.ndarray) -> np.ndarray:
        phi, sd = self._phi_sd(rho)
        weights = []
        for part in self.parts:
            s, t = part.strata
            r = phi**part.gap if part.role != "all" else 0.0
            factor = {"all": 1.0, "square": r * r, "cross": -r}[part.role] / (1 - r * r)
            weights.append(factor / (sd[s] * sd[t]))
        return np.array(weights)

    def _log_r(self, rho: np.ndarray) -> float:
        phi, sd = self._phi_sd(rho)
        of_gaps = sum(n * np.log1p(-(phi ** (2 * d))) for d, n in self.pairs.items())
        return float(of_gaps + 2 * self.sizes @ np.log(sd))


@dataclass(frozen=True, slots=True, eq=False)
class Transformed:
    """Continuous-time AR(1), or AR(1) with very many different gaps: rows decorrelated anew for each phi."""

    residual: Residual
    rows: Rows

    def combined(self, rho: np.ndarray) -> Combined:
        natural = self.residual.natural(rho)
        sd = np.concatenate([[1.0], natural[1:]])[self.residual.strata]
        later = np.flatnonzero(~np.isnan(self.residual.gaps))
        gaps = self.residual.gaps[later]
        if self.residual.kind == "car1":
            log_r = -_decay(rho) * gaps  # rather than by phi, which has no digits left close to 1
            r, width = np.exp(log_r), np.sqrt(-np.expm1(2 * log_r))
        else:
            r = natural[0] ** gaps
            with np.errstate(divide="ignore"):  # a correlation that is 0 in doubles
                width = np.sqrt(-np.expm1(2 * np.log(np.abs(r))))
        made = []
        for column in self.rows.columns:
            z = column / sd
            z[later] = (z[later] - r * z[later - 1]) / width
            made.append(z)
        log_det = 2 * np.log(width).sum() + 2 * np.log(sd).sum()
        return Combined(self.rows.gram(made).packed, float(log_det))

    def slope(self, rho: np.ndarray, adjoint: np.ndarray) -> np.ndarray:
        def at(r: np.ndarray) -> float:
            made = self.combined(r)
            return float(np.vdot(adjoint, made.packed) + made.log_r)

        return _central(at, rho)

    @property
    def smallest_stratum(self) -> float:
        return float(np.bincount(self.residual.strata).min())

    def shaken(self, rng: np.random.Generator) -> Transformed:
        columns = [_shaken(column, rng) for column in self.rows.columns]
        return replace(self, rows=replace(self.rows, columns=columns))


@dataclass(frozen=True, slots=True, eq=False)
class Exchangeable:
    """Products about persons' means and of these means.

    within : packed. means : (sizes, numbers packed), for each number of sessions that persons have.
    sizes, persons : float64 (sizes,), these numbers, and how many persons have them.
    """

    residual: Residual
    within: np.ndarray
    means: np.ndarray
    sizes: np.ndarray
    persons: np.ndarray

    def combined(self, rho: np.ndarray) -> Combined:
        ratio = self._ratio(rho)
        grow = 1.0 + ratio * self.sizes
        packed = (1.0 + ratio) * (self.within + ((1.0 / grow) @ self.means).reshape(self.within.shape))
        return Combined(packed, float(self.persons @ (np.log(grow) - self.sizes * math.log1p(ratio))))

    def slope(self, rho: np.ndarray, adjoint: np.ndarray) -> np.ndarray:
        ratio = self._ratio(rho)
        grow = 1.0 + ratio * self.sizes
        of_grow = self.persons * self.sizes * ratio / (1.0 + ratio) + self.means @ adjoint.ravel() / grow
        of_ratio = float(np.vdot(self.within, adjoint) + of_grow @ ((1.0 - self.sizes) / grow))
        return np.array([2.0 * math.copysign(math.sqrt(ratio * (1.0 + ratio)), rho[0]) * of_ratio])

    @property
    def smallest_stratum(self) -> float:
        return math.inf

    def shaken(self, rng: np.random.Generator) -> Exchangeable:
        return replace(self, within=_shaken(self.within, rng), means=_shaken(self.means, rng))

    def _ratio(self, rho: np.ndarray) -> float:
        """c / (1 - c)."""
        return math.sinh(min(abs(float(rho[0])), _MOST_SPREAD)) ** 2


def _exchangeable(residual: Residual, parts: Sequence[Part]) -> Exchangeable:
    within = next(part.gram.packed for part in parts if part.role == "within")
    means = [part for part in parts if part.role == "means"]
    sizes = np.array([float(part.gap) for part in means])
    persons = np.array([float(part.gram.n_rows) for part in means])
    return Exchangeable(residual, within, np.array([part.gram.packed.ravel() for part in means]), sizes, persons)


def _shaken(numbers: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    return np.asarray(numbers * (1.0 + _LAST_DIGIT * rng.choice([-1.0, 1.0], numbers.shape)))


def _central(function: object, rho: np.ndarray) -> np.ndarray:
    assert callable(function)
    slopes = np.empty(len(rho))
    for i in range(len(rho)):
        step = np.zeros(len(rho))
        step[i] = _STEP
        slopes[i] = (function(rho + step) - function(rho - step)) / (2 * _STEP)
    return slopes


def products_of(residual: Residual, parts: Sequence[Part]) -> Products:
    """Products from what was summed."""
    if residual.kind == "independent" and not residual.labels:
        return Independent(parts[0].gram.packed)
    if residual.kind == "exchangeable":
        return _exchangeable(residual, parts)
    pairs: dict[int, int] = {}
    sizes = np.zeros(max(len(residual.labels), 1))
    for part in parts:
        if part.role == "all":
            sizes[part.strata[0]] += part.gram.n_rows
        elif part.role == "cross":
            pairs[part.gap] = pairs.get(part.gap, 0) + part.gram.n_rows
    return Lagged(residual, tuple(parts), pairs, sizes)


def needs_rows(residual: Residual, persons: int, columns: int) -> bool:
    """Whether the rows are decorrelated anew for each phi: in continuous time, and where sessions lie so many different
    gaps apart that their cross-products would take too much memory."""
    if residual.kind == "car1":
        return True
    strata, gaps = max(len(residual.labels), 1), len(_gaps(residual))
    return parts_too_large(strata + gaps * (strata + strata * (strata + 1) // 2), persons, columns)


def parts_too_large(parts: int, persons: int, columns: int) -> bool:
    """Whether so many sets of cross-products would take too much memory."""
    return parts > 1 and parts * persons * columns * (columns + 1) * 4 > MOST_BYTES


def _gaps(residual: Residual) -> list[int]:
    """Numbers of sessions that consecutive rows are apart, ascending, of AR(1)."""
    if residual.kind != "ar1":
        return []
    gaps: list[int] = np.unique(residual.gaps[~np.isnan(residual.gaps)]).astype(int).tolist()
    return gaps


def parts_of(residual: Residual, rows: Rows) -> tuple[Part, ...]:
    """What is summed for residuals that are not simply independent of one variance."""
    strata = max(len(residual.labels), 1)
    own = [np.flatnonzero(residual.strata == s) for s in range(strata)]
    parts = [Part("all", 0, (s, s), _of_rows(rows, chosen)) for s, chosen in enumerate(own)]
    for d in _gaps(residual):
        now = np.flatnonzero(residual.gaps == d)
        of_now, of_before = residual.strata[now], residual.strata[now - 1]
        for s in range(strata):
            after, before = _of_rows(rows, now[of_now == s]), _of_rows(rows, now[of_before == s], before=True)
            both = filled(rows.head, after.packed + before.packed, after.n + before.n)
            parts.append(Part("square", d, (s, s), both))
            for t in range(s, strata):
                pairs = now[(np.minimum(of_now, of_before) == s) & (np.maximum(of_now, of_before) == t)]
                parts.append(Part("cross", d, (s, t), _crossed(rows, pairs)))
    return tuple(parts)


def _of_rows(rows: Rows, chosen: np.ndarray, before: bool = False) -> Gram:
    """Products over the chosen rows, ascending, or over the row before each, for each person."""
    starts, ends = np.searchsorted(chosen, rows.starts), np.searchsorted(chosen, rows.ends)
    at = chosen - 1 if before else chosen
    columns = [c[at] for c in rows.columns]
    return Rows(rows.head, columns, starts, ends).gram(columns)


def _crossed(rows: Rows, now: np.ndarray) -> Gram:
    """Current times previous plus previous times current: (c + p)(c + p)' - cc' - pp'."""
    starts, ends = np.searchsorted(now, rows.starts), np.searchsorted(now, rows.ends)
    both = [c[now] + c[now - 1] for c in rows.columns]
    crossed = Rows(rows.head, both, starts, ends).gram(both).packed
    squares = _of_rows(rows, now).packed, _of_rows(rows, now, before=True).packed
    return filled(rows.head, crossed - squares[0] - squares[1], ends - starts)
