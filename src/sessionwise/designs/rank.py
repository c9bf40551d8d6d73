"""Rank: which columns are combinations of the ones before them.

R of X = QR is made block by block, so that a million rows cost one small matrix; columns are then taken up in
order, as lm and lme4 do: one whose part outside those before it is below 1e-7 of it is left out. Columns that
are nowhere near that, nearly all there are, are told by their cross-products, for a tenth of the time.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

TOLERANCE = 1e-7
_BLOCK = 8192  # rows, which stay in the processor's cache: several times as fast as all of them at once
_NO_DOUBT = 1e-4  # of a column lies outside the others: cross-products in doubles are not that wrong
_SOME = 4096  # rows, enough to see that columns are independent


@dataclass(frozen=True, slots=True)
class Alias:
    """Column `column` is the sum of `weights` times columns `of` (numbers of columns). spread : its SD."""

    column: int
    of: tuple[int, ...]
    weights: tuple[float, ...]
    spread: float


def aliases(x: np.ndarray, constant: int | None) -> tuple[Alias, ...]:
    """The columns of x, float64 (n, p), that are combinations of earlier ones.

    constant : number of the column of ones, if there is one; the others are then centred, so that a small
        variation around a large mean counts.
    """
    if constant in (None, 0) and _clearly_independent(x):
        return ()
    p = x.shape[1]
    middle = np.zeros(p)
    if constant is not None:
        middle = x.mean(axis=0)
        middle[constant] = 0.0
    largest = np.maximum(x.max(axis=0), -x.min(axis=0))
    width = np.where(largest > 0, largest, 1.0)
    r = _triangle(x, middle, width)
    length = np.linalg.norm(r, axis=0)
    length[length <= 1e-12 * np.sqrt(len(x))] = 0.0  # varies less than doubles can tell
    kept: list[int] = []
    found = []
    for j in range(p):
        weights = np.zeros(len(kept))
        if length[j] > 0:
            earlier, this = r[:, kept] / length[kept], r[:, j] / length[j]
            weights = np.linalg.lstsq(earlier, this, rcond=None)[0]
            if np.linalg.norm(this - earlier @ weights) >= TOLERANCE:
                kept.append(j)
                continue
        spread = 0.0 if length[j] == 0 else float(x[:, j].std())
        found.append(_alias(j, spread, np.array(kept, np.int64), weights, middle, length * width, constant))
    return tuple(found)


def _clearly_independent(x: np.ndarray) -> bool:
    """Whether a large part of each column lies outside those before it: true is certain, false leaves it open.

    That part's length is a pivot of the cross-products. It only grows with more rows, so some rows are tried first;
    beside the column's length in all rows, not centred, it looks too small rather than too large.
    """
    with np.errstate(all="ignore"):
        for step in dict.fromkeys((len(x) // _SOME | 1, 1)):  # odd, so that each session number has its turn
            products = np.asarray(sum(block.T @ block for block in _blocks(x[::step])))
            squares = products.diagonal() if step == 1 else _squares(x)
            if not squares.min(initial=np.inf) > 1e-200:  # so small that digits are lost
                return False
            scale = 1 / np.sqrt(squares)
            try:
                pivots = np.diag(np.linalg.cholesky(products * scale * scale[:, None]))
            except np.linalg.LinAlgError:
                continue
            if (pivots > _NO_DOUBT).all():
                return True
    return False


def _squares(x: np.ndarray) -> np.ndarray:
    return np.asarray(np.sum([[column @ column for column in block.T] for block in _blocks(x)], axis=0))


def _alias(
    j: int,
    spread: float,
    kept: np.ndarray,
    weights: np.ndarray,
    middle: np.ndarray,
    size: np.ndarray,
    constant: int | None,
) -> Alias:
    """Weights of centred and scaled columns as weights of the columns themselves."""
    told = {int(k): float(w * size[j] / size[k]) for k, w in zip(kept, weights, strict=True) if abs(w) > 1e-6}
    if constant is not None:
        told.pop(constant, None)
        shares = [middle[j], *(-w * middle[k] for k, w in told.items())]
        if abs(sum(shares)) > 1e-9 * max(map(abs, shares)):
            told[constant] = float(sum(shares))
    return Alias(j, tuple(sorted(told)), tuple(told[k] for k in sorted(told)), spread)


def _triangle(x: np.ndarray, middle: np.ndarray, width: np.ndarray) -> np.ndarray:
    """R of the QR decomposition of (x - middle) / width, float64 (<= p, p)."""
    r: np.ndarray = np.empty((0, x.shape[1]))
    for block in _blocks(x):
        r = np.asarray(np.linalg.qr(np.concatenate([r, (block - middle) / width]), mode="r"))
    return r


def _blocks(x: np.ndarray) -> Iterator[np.ndarray]:
    return (x[first : first + _BLOCK] for first in range(0, len(x), _BLOCK))
