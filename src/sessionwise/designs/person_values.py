"""Person values: a column from a person's other sessions. Arrays in, arrays out; rows sorted by person and session.

Everywhere `starts`, int64 (n_persons + 1,), says that rows starts[i]:starts[i + 1] belong to person i, and NaN is
missing.
"""

from __future__ import annotations

import numpy as np

#: Numbers smaller than this share of those that they are the difference of are their rounding.
ROUNDING = 1e-12
#: A person's own line is not drawn through fewer observed sessions.
FEWEST_FOR_LINE = 3


def person_means(x: np.ndarray, starts: np.ndarray) -> np.ndarray:
    """Mean of the observed x of each person, float64 (n_persons,); NaN where none is observed."""
    observed = ~np.isnan(x)
    n = np.add.reduceat(observed, starts[:-1], dtype=np.int64)
    total = np.add.reduceat(np.where(observed, x, 0.0), starts[:-1])
    means: np.ndarray = np.divide(total, n, out=np.full(len(n), np.nan), where=n > 0)
    return means


def largest(x: np.ndarray, starts: np.ndarray) -> np.ndarray:
    """The largest observed x of the person, in each row, float64 (n_rows,)."""
    return to_rows(np.fmax.reduceat(x, starts[:-1]), starts)


def without_rounding(x: np.ndarray, size: np.ndarray) -> np.ndarray:
    """x with zero where it is nothing but rounding; size : of the numbers that x was made from, (n_rows,)."""
    with np.errstate(invalid="ignore"):
        return np.where(np.abs(x) <= ROUNDING * size, 0.0, x)


def to_rows(of_person: np.ndarray, starts: np.ndarray) -> np.ndarray:
    """A number for each person (n_persons,) as a number for each row (n_rows,)."""
    return np.repeat(of_person, np.diff(starts))


def detrended(x: np.ndarray, sessions: np.ndarray, starts: np.ndarray) -> np.ndarray:
    """x minus the person's own least-squares line over session numbers, float64 (n_rows,).

    NaN where x is, and for persons with fewer than FEWEST_FOR_LINE observed sessions. Like `within` it has mean
    zero in each person; unlike it, it holds no trend (Curran & Bauer 2011, Annual Review of Psychology 62).
    """
    first = to_rows(sessions[starts[:-1]], starts)  # whole numbers, so that no digit is lost however large they are
    time = np.where(np.isnan(x), np.nan, (sessions - first).astype(np.float64))
    x = x - to_rows(person_means(x, starts), starts)
    time -= to_rows(person_means(time, starts), starts)
    products = np.add.reduceat(np.nan_to_num(x * time), starts[:-1])
    squares = np.add.reduceat(np.nan_to_num(time * time), starts[:-1])
    enough = np.add.reduceat(~np.isnan(x), starts[:-1], dtype=np.int64) >= FEWEST_FOR_LINE
    slopes = np.divide(products, squares, out=np.full(len(squares), np.nan), where=enough)
    return np.asarray(x - to_rows(slopes, starts) * time)


def source_rows(sessions: np.ndarray, starts: np.ndarray, k: int, by: str) -> np.ndarray:
    """The row that is k sessions before each row, int64 (n_rows,); -1 where there is none.

    by : 'session', the row with a session number k lower; 'row', the k-th row before. A negative k looks ahead.
    """
    n = len(sessions)
    if by == "row" or abs(k) == 1:
        source = np.arange(n, dtype=np.int64) - k
        found = source >= to_rows(starts[:-1], starts) if k > 0 else source < to_rows(starts[1:], starts)
        if by == "session":
            found &= sessions - sessions.take(source, mode="clip") == k
    else:
        codes = to_rows(np.arange(len(starts) - 1), starts)
        first = int(sessions.min()) - abs(k)
        key = codes * (int(sessions.max()) + abs(k) + 1 - first) + (sessions - first)
        source = np.minimum(np.searchsorted(key, key - k), n - 1)
        found = key[source] == key - k
    source[~found] = -1
    return source
