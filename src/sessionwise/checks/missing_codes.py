"""Numbers that look like codes for 'missing': reported, never taken for missing.

A negative code counts if all else in the column is not negative; a positive one (9, 99, 999, ...) if it is
separated from all other values by more than the values are from each other.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ..errors import Wording, missing_codes, some
from ..findings import Finding
from ..words import agree, counted
from .sheet import Sheet

if TYPE_CHECKING:
    import polars as pl

_NEGATIVE = [-float(c) for c in (6, 7, 8, 9, 55, 66, 77, 88, 99, 555, 666, 777, 888, 999, 9999, 99999)]
_POSITIVE = [float(c) for c in (8, 9, 66, 77, 88, 99, 666, 777, 888, 999, 7777, 8888, 9999, 99999, 999999)]


@dataclass(frozen=True, slots=True, eq=False)
class _Suspect:
    """One column's suspicious codes, with the rows that hold them."""

    column: str
    codes: list[float]
    rows: np.ndarray


def check_missing_codes(sheet: Sheet, items: set[str]) -> list[Finding]:
    """One Finding on all columns but `items`, whose range is known and checked by itself."""
    suspects = [s for name in sheet.data_columns if name not in items and (s := _suspect(sheet, name))]
    if not suspects:
        return []
    cells = sum(len(s.rows) for s in suspects)
    codes = sorted({c for s in suspects for c in s.codes})
    what = (
        f"{some([f'{c:g}' for c in codes])} in {counted(len(suspects), 'column')} "
        f"({counted(cells, 'cell')}) {agree(len(codes), 'looks', 'look')} like codes for 'missing'."
    )
    where = some([f"column {s.column!r}: {sheet.where(s.rows)}" for s in suspects], 3)
    declared = missing_codes({s.column: s.codes for s in suspects[:3]}, more=len(suspects) > 3)
    remedy = Wording("If so, declare them: ", declared, ".")
    return [Finding("warning", "missing-code", what, where, cells, remedy)]


def _suspect(sheet: Sheet, name: str) -> _Suspect | None:
    series = sheet.series(name)
    if not series.dtype.is_numeric():
        return None
    low, high = series.min(), series.max()
    if low not in _NEGATIVE and high not in _POSITIVE:
        return None
    values = np.unique(series.drop_nulls().cast(float).to_numpy())
    codes = _negative(values) + _positive(values, lambda code: _times(sheet, series, code))
    if not codes:
        return None
    return _Suspect(name, codes, series.cast(float).is_in(codes).fill_null(False).arg_true().to_numpy())


def _negative(values: np.ndarray) -> list[float]:
    below = values[values < 0]
    return below.tolist() if len(below) < len(values) and np.isin(below, _NEGATIVE).all() else []


def _positive(values: np.ndarray, times: Callable[[float], int]) -> list[float]:
    """Codes at the top of the ascending `values`."""
    rest = values[values >= 0]
    codes: list[float] = []
    while len(rest) and rest[-1] in _POSITIVE:
        codes.insert(0, float(rest[-1]))
        rest = rest[:-1]
    while codes and (len(rest) < 2 or not _apart(rest, codes[0], times)):
        rest = np.append(rest, codes.pop(0))
    return codes


def _apart(rest: np.ndarray, code: float, times: Callable[[float], int]) -> bool:
    """Whether `code` is clearly separated from the values below it."""
    gap, spread = code - rest[-1], rest[-1] - rest[0]
    if gap >= 5 * max(spread, 1.0):
        return True
    if code < 10:
        return bool(gap >= 3 and len(rest) <= 8 and (rest == np.round(rest)).all()) and times(code) > 1
    return bool(gap >= 5 + spread / 2) and times(code) > 1


def _times(sheet: Sheet, series: pl.Series, code: float) -> int:
    """How many persons have the code; how many rows, where persons are not known."""
    rows = (series == code).fill_null(False).arg_true().to_numpy()
    return len(rows) if sheet.panel is None else len(np.unique(sheet.panel.codes[rows]))
