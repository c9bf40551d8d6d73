"""The demo data as arrays: seed, number of persons and Truth in; persons, process, sessions and items out.

`_demo_truth` states the equations. Randomness is NumPy's PCG64, one independent stream for each part, so
the same seed gives the same data. Arithmetic is elementwise, with sums in a written order.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ..errors import SessionwiseError
from .truth import Truth

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]
    Bools = NDArray[np.bool_]

_REVERSED = np.array([3, 4, 7, 12, 19, 21, 31, 32]) - 1  # CORE-OM
_RISK = np.array([6, 9, 16, 22, 24, 34]) - 1
_PARTS = ("persons", "process", "shocks", "wai", "attendance", "core", "dates")
_FIRST_MONDAY = np.datetime64("2011-01-10", "D")
_INTAKE_WEEKS = 80


@dataclass(frozen=True, slots=True, eq=False)
class People:
    """Persons (n,) and therapists (k,). `therapist` is the index of a person's therapist."""

    label: Ints
    therapist: Ints
    woman: Bools
    age: Ints
    pd: Ints
    y_person: Floats
    w_person: Floats
    b: Floats
    planned: Ints
    y_therapist: Floats
    w_therapist: Floats


@dataclass(frozen=True, slots=True, eq=False)
class Process:
    """True scores, their within parts, and the rupture shocks: each (n, longest planned treatment)."""

    y: Floats
    w: Floats
    y_within: Floats
    w_within: Floats
    shock: Floats


@dataclass(frozen=True, slots=True, eq=False)
class Rows:
    """Who was there when.

    last : (n,) the session at which treatment ended, attended or not.
    attended : (n, longest planned treatment).
    person, session : (rows,) indices from 0 of each attended session.
    wai : (rows, 12) answers, missing as nan.
    """

    last: Ints
    attended: Bools
    person: Ints
    session: Ints
    wai: Floats


@dataclass(frozen=True, slots=True, eq=False)
class Sample:
    """One simulated sample."""

    truth: Truth
    streams: dict[str, np.random.Generator]
    people: People
    process: Process
    rows: Rows


def simulate(seed: int, persons: int, truth: Truth) -> Sample:
    """The whole sample but for the CORE-OM items and dates (`core_items`, `dates`, once each)."""
    if seed < 0 or persons < 1:
        raise SessionwiseError(
            f"Cannot simulate {persons} persons with seed {seed}.",
            remedy="Give a seed of 0 or more and at least 1 person.",
        )
    seeds = np.random.SeedSequence(seed).spawn(len(_PARTS))
    streams = {part: np.random.Generator(np.random.PCG64(s)) for part, s in zip(_PARTS, seeds, strict=True)}
    people = _people(truth, persons, streams["persons"])
    process = _process(truth, people, streams["process"], streams["shocks"])
    rows = _rows(truth, people, process, streams["attendance"], streams["wai"])
    return Sample(truth, streams, people, process, rows)


def _people(p: Truth, n: int, rng: np.random.Generator) -> People:
    therapists = min(n, max(1, round(n / p.caseload)))
    weight = rng.gamma(2.0, size=therapists)
    others = rng.choice(therapists, n - therapists, p=weight / weight.sum())
    pd = (rng.random(n) < p.pd_share).astype(np.int64)
    y_person, w_person = _pair(rng, (n,), p.sd_y_person, p.sd_w_person, p.cor_person)
    extra = rng.negative_binomial(3, 3 / (3 + p.planned_extra), n)
    return People(
        label=1001 + rng.permutation(n),
        therapist=rng.permutation(np.concatenate([np.arange(therapists), others])),
        woman=rng.random(n) < p.women,
        age=np.clip(np.rint(p.age_mean + p.age_sd * rng.standard_normal(n)), 18, 75).astype(np.int64),
        pd=pd,
        y_person=y_person,
        w_person=w_person,
        b=p.b0 + p.b_pd * pd + p.sd_b * rng.standard_normal(n),
        planned=np.minimum(p.planned_min + extra, p.planned_max),
        y_therapist=p.sd_y_therapist * rng.standard_normal(therapists),
        w_therapist=p.sd_w_therapist * rng.standard_normal(therapists),
    )


def _pair(
    rng: np.random.Generator, shape: tuple[int, ...], sd_1: float, sd_2: float, cor: float
) -> tuple[Floats, Floats]:
    """Two arrays of normal numbers with these SDs and this correlation."""
    first, second = rng.standard_normal(shape), rng.standard_normal(shape)
    return sd_1 * first, sd_2 * (cor * first + (1 - cor * cor) ** 0.5 * second)


def _process(p: Truth, people: People, rng: np.random.Generator, shocks: np.random.Generator) -> Process:
    """The two within-person processes, from their stationary distribution on, and the true scores."""
    n, length = len(people.b), int(people.planned.max())
    var_y, cov, var_w = _stationary(p, people.b)
    z_1, z_2 = _pair(rng, (n,), 1.0, 1.0, 0.0)
    e_y, e_w = _pair(rng, (n, length), p.sd_e_y, p.sd_e_w, p.cor_e)
    struck = shocks.random((n, length)) < p.rupture_rate
    struck[:, 0] = False
    shock = np.where(struck, shocks.uniform(p.rupture_min, p.rupture_max, (n, length)), 0.0)
    e_w += p.rupture_mean - shock
    y, w = np.empty((n, length)), np.empty((n, length))
    y[:, 0] = np.sqrt(var_y) * z_1
    w[:, 0] = cov / np.sqrt(var_y) * z_1 + np.sqrt(var_w - cov * cov / var_y) * z_2
    for t in range(1, length):
        y[:, t] = p.a_y * y[:, t - 1] + people.b * w[:, t - 1] + e_y[:, t]
        w[:, t] = p.a_w * w[:, t - 1] + p.c * y[:, t - 1] + e_w[:, t]
    time = np.arange(length)
    start_y = p.mean_y + p.pd_y * people.pd + people.y_person + people.y_therapist[people.therapist]
    start_w = p.mean_w + p.pd_w * people.pd + people.w_person + people.w_therapist[people.therapist]
    level_y = start_y[:, None] + p.trend_y * time
    level_w = start_w[:, None] + p.trend_w * time
    return Process(y=level_y + y, w=level_w + w, y_within=y, w_within=w, shock=shock)


def _stationary(p: Truth, b: Floats) -> tuple[Floats, Floats, Floats]:
    """Var(y*), Cov(y*, w*), Var(w*) of each person's process: P = A P A' + Q, by Cramer's rule."""
    a, c, d = p.a_y, p.c, p.a_w
    det = a * d - b * c
    if np.any(abs(det) >= 1) or np.any(abs(a + d) >= 1 + det) or min(p.sd_e_y, p.sd_e_w) <= 0 or abs(p.cor_e) == 1:
        raise SessionwiseError(
            "The within-person process has no stationary distribution.",
            where="Truth: a_y, a_w, c, b0, b_pd, sd_b, sd_e_y, sd_e_w, cor_e",
            remedy="Take smaller lagged effects, and innovations with SDs above 0 and a correlation inside -1 and 1.",
        )
    one = np.ones_like(b)
    q_yy, q_yw, q_ww = p.innovation_cov
    m_1 = ((1 - a * a) * one, -a * c * one, -c * c * one)
    m_2 = (-2 * a * b, 1 - a * d - b * c, -2 * c * d * one)
    m_3 = (-b * b, -b * d, (1 - d * d) * one)
    q = (q_yy * one, q_yw * one, q_ww * one)
    whole = _determinant(m_1, m_2, m_3)
    return _determinant(q, m_2, m_3) / whole, _determinant(m_1, q, m_3) / whole, _determinant(m_1, m_2, q) / whole


def _determinant(u: tuple[Floats, ...], v: tuple[Floats, ...], w: tuple[Floats, ...]) -> Floats:
    """Of the 3 x 3 matrices with columns u, v, w."""
    first = u[0] * (v[1] * w[2] - v[2] * w[1])
    second = u[1] * (v[0] * w[2] - v[2] * w[0])
    third = u[2] * (v[0] * w[1] - v[1] * w[0])
    return first - second + third


def _rows(p: Truth, people: People, process: Process, rng: np.random.Generator, items: np.random.Generator) -> Rows:
    """Skipped sessions (completely at random), WAI-SR answers, drop-out, and what remains."""
    shape = process.w.shape
    attended = (rng.random(shape) >= p.skip) & (np.arange(shape[1]) < people.planned[:, None])
    attended[:, 0] = True
    person, session = np.nonzero(attended)
    wai = _wai_items(p, process.w[person, session], person, shape[0], items)
    score = np.zeros(shape)
    answered = ~np.isnan(wai)
    score[attended] = np.where(answered, wai, 0.0).sum(axis=1) / np.maximum(answered.sum(axis=1), 1)
    last = _endings(p, people.planned, attended, score, rng.random(shape))
    kept = session < last[person]
    attended &= np.arange(shape[1]) < last[:, None]
    return Rows(last, attended, person[kept], session[kept], wai[kept])


def _endings(p: Truth, planned: Ints, attended: Bools, score: Floats, luck: Floats) -> Ints:
    """The session at which each treatment ended.

    After each session a person leaves with a probability that depends on the last observed WAI-SR score
    and on the mean of those before it. So drop-out is missing at random: given what was observed it does
    not depend on what was not.
    """
    n, length = score.shape
    last = planned.copy()
    latest, total, count = score[:, 0], np.zeros(n), np.zeros(n)
    for t in range(length - 1):
        if t > 0:
            seen = attended[:, t]
            total, count = np.where(seen, total + latest, total), count + seen
            latest = np.where(seen, score[:, t], latest)
        change = np.where(count > 0, latest - total / np.maximum(count, 1), 0.0)
        logit = p.drop_base + p.drop_early * (t < 3) + p.drop_level * (latest - p.mean_w) + p.drop_change * change
        leaves = luck[:, t] < 1 / (1 + np.exp(np.minimum(-logit, 700.0)))
        last = np.where(leaves & (t + 1 < last), t + 1, last)
    return last


def _wai_items(p: Truth, true: Floats, person: Ints, persons: int, rng: np.random.Generator) -> Floats:
    """WAI-SR items: the true score, spread over items, plus stable and passing deviations."""
    level = 3.8 + _spread(12, 5, 0.45)
    loading = 1 + _spread(12, 7, 0.25)
    expected = level + loading * (true - 3.8)[:, None] + _own_way(rng, p.wai_person, persons, person, 12)
    return _answers(rng, expected, p.wai_noise, 1, 5, p.missing_item)


def core_items(sim: Sample) -> Floats:
    """CORE-OM items of all rows. Risk items are endorsed little; eight items are keyed the other way."""
    p, rng, rows = sim.truth, sim.streams["core"], sim.rows
    level, loading = np.full(34, 0.35), np.full(34, 0.5)
    others = np.setdiff1d(np.arange(34), _RISK)
    level[others] = (34 * 1.8 - 6 * 0.35) / 28 + _spread(28, 11, 0.5)
    loading[others] = (34 - 6 * 0.5) / 28 + _spread(28, 9, 0.3)
    true = sim.process.y[rows.person, rows.session] / 10
    own = _own_way(rng, p.core_person, len(sim.people.b), rows.person, 34)
    items = _answers(rng, level + loading * (true - 1.8)[:, None] + own, p.core_noise, 0, 4, p.missing_item)
    items[:, _REVERSED] = 4 - items[:, _REVERSED]
    return items


def _spread(n: int, step: int, half: float) -> Floats:
    """n numbers from -half to half, evenly apart, mean 0, in an order that looks like none (step prime to n)."""
    return (2 * (np.arange(n) * step % n) / (n - 1) - 1) * half


def _own_way(rng: np.random.Generator, sd: float, persons: int, person: Ints, items: int) -> Floats:
    """The persons' stable deviations on single items, one row a session."""
    deviation: Floats = sd * rng.standard_normal((persons, items))
    return deviation[person]


def _answers(rng: np.random.Generator, expected: Floats, noise: float, low: int, high: int, missing: float) -> Floats:
    """Whole answers from `low` to `high`, some missing (nan)."""
    answer = np.clip(np.rint(expected + noise * rng.standard_normal(expected.shape)), low, high)
    answer[rng.random(expected.shape) < missing] = np.nan
    return answer


def dates(sim: Sample) -> NDArray[np.datetime64]:
    """Of all rows: weekly from the person's first week, on the person's weekday or now and then another."""
    rng, rows = sim.streams["dates"], sim.rows
    n, length = sim.process.y.shape
    week = rng.integers(0, _INTAKE_WEEKS, (n, 1)) + np.arange(length)
    usual = rng.integers(0, 5, (n, 1))
    day = np.where(rng.random((n, length)) < 0.15, rng.integers(0, 5, (n, length)), usual)
    days: Ints = 7 * week + day
    return np.asarray(_FIRST_MONDAY + days[rows.person, rows.session].astype("timedelta64[D]"))
