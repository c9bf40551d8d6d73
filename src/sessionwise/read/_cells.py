"""Cells of a text column as numbers, with everything that stood in the way told apart.

`numbers` looks at each distinct value once, so a column of a million answers costs little more than one of a hundred.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    import numpy as np
    import polars as pl

Decimal = Literal[".", ","]
Doubt = Literal["", "thousands", "mixed-decimals", "too-long"]

MARKERS = ("na", "n/a", "nan", "null", "#n/a", ".")
"""Text that means "no value" in a column of numbers, in lower case. Blank cells mean it everywhere."""

_EXPONENT = r"([eE][+-]?[0-9]+)?$"
_INTEGER = r"^[+-]?[0-9]+$"
_POINT = r"^[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)" + _EXPONENT
_COMMA = r"^[+-]?([0-9]+,[0-9]*|,[0-9]+)" + _EXPONENT
_POINT_THOUSANDS = r"^[+-]?[1-9][0-9]{0,2}(\.[0-9]{3})+$"
_COMMA_THOUSANDS = r"^[+-]?[1-9][0-9]{0,2}(,[0-9]{3})+$"
_PADDED = r"^([+-]?0[0-9]|\+)"
_EXACT = 2**53


@dataclass(frozen=True, slots=True, eq=False)
class Numbers:
    """A column read as numbers.

    values : Int64 if every number is a whole one, else Float64; null where missing or not a number.
    bad : int64 array of the rows whose cell is not a number and not a missing marker.
    markers : marker as written ('NA', '.', ...) -> how many cells; empty cells are not listed.
    decimal_comma : whether decimals were read from commas.
    padded : how many numbers have a leading zero or a plus sign, so that a number would not give back the cell.
    doubt : 'thousands' (every comma is followed by three digits), 'mixed-decimals' (comma and point in one column),
        'too-long' (a whole number that 64 bits do not hold), or ''.
    """

    values: pl.Series
    bad: np.ndarray
    markers: Mapping[str, int]
    decimal_comma: bool = False
    padded: int = 0
    doubt: Doubt = ""

    @property
    def exact(self) -> bool:
        """Every cell is a number or missing, and nothing about it is in doubt."""
        return not len(self.bad) and not self.padded and not self.doubt


def numbers(series: pl.Series, decimal: Decimal | None = None) -> Numbers:
    """The cells of `series` as numbers; nothing is raised, cells that are none are listed.

    `decimal` None finds the decimal sign out: a comma if commas stand in decimal places and points do not.
    Numeric columns come back as they are (Boolean as 0 and 1); other types have only bad cells.
    """
    import numpy as np
    import polars as pl

    none = np.empty(0, np.int64)
    if series.dtype.is_integer() or series.dtype == pl.Boolean:
        return Numbers(series.cast(pl.Int64, strict=False), none, {})
    if series.dtype.is_numeric():
        return Numbers(series.cast(pl.Float64).fill_nan(None), none, {})
    if series.dtype == pl.Null:
        return Numbers(series.cast(pl.Float64), none, {})
    if isinstance(series.dtype, pl.Categorical | pl.Enum):
        series = series.cast(pl.String)
    if series.dtype != pl.String:
        empty = pl.Series(series.name, [None] * len(series), dtype=pl.Float64)
        return Numbers(empty, series.is_not_null().arg_true().to_numpy().astype(np.int64), {})
    return _text_numbers(series, decimal)


def _text_numbers(series: pl.Series, decimal: Decimal | None) -> Numbers:
    import numpy as np
    import polars as pl

    distinct = series.drop_nulls().alias("cell").value_counts(name="n")
    cell, n = distinct["cell"], distinct["n"]
    text = cell.str.strip_chars()
    blank = text == ""
    marker = text.str.to_lowercase().is_in(MARKERS)
    whole = text.str.contains(_INTEGER)
    point, comma = text.str.contains(_POINT), text.str.contains(_COMMA)
    point_decimal = point & text.str.contains(".", literal=True)
    thousands = text.str.contains(_COMMA_THOUSANDS)

    doubt: Doubt = ""
    use_comma = decimal == ","
    if decimal is None and bool((comma | thousands).any()):
        if bool(point_decimal.any()):
            doubt = "mixed-decimals"
        elif bool((comma & ~thousands).any()):
            use_comma = True
        else:
            doubt = "thousands"
    good = (comma | (point & ~point_decimal)) if use_comma else point
    parsed, too_long = _parse(text, good, whole, use_comma)
    wrong = cell.filter(~(good | blank | marker))
    if parsed.dtype == pl.Int64 and not len(wrong) and bool(((cell == text) & ~text.str.starts_with("+")).all()):
        values = series.cast(pl.Int64, strict=False)
    else:
        values = _spread(series, cell, parsed)
    bad = series.is_in(wrong.implode()).fill_null(False).arg_true() if len(wrong) else pl.Series([], dtype=pl.UInt32)
    written = zip(text.filter(marker).to_list(), n.filter(marker).to_list(), strict=True)
    markers: dict[str, int] = {}
    for sign, count in written:
        markers[sign] = markers.get(sign, 0) + count
    padded = int(n.filter(good & text.str.contains(_PADDED)).sum())
    found_comma = use_comma and bool((comma & good).any())
    return Numbers(
        values, bad.to_numpy().astype(np.int64), markers, found_comma, padded, "too-long" if too_long else doubt
    )


def _parse(text: pl.Series, good: pl.Series, whole: pl.Series, use_comma: bool) -> tuple[pl.Series, bool]:
    """The distinct values as numbers, and whether one of them is too long to be held exactly."""
    import polars as pl

    number = pl.select(pl.when(good).then(text.str.strip_prefix("+"))).to_series()
    if not bool((good & ~whole).any()):
        parsed = number.cast(pl.Int64, strict=False)
        return parsed, parsed.null_count() > number.null_count()
    if use_comma:
        number = number.str.replace(",", ".", literal=True)
    parsed = number.cast(pl.Float64, strict=False)
    over = (parsed.abs() >= _EXACT) & whole
    lost = parsed.null_count() > number.null_count() or bool(parsed.is_infinite().any())
    return parsed, lost or bool(over.any())


def _spread(series: pl.Series, cell: pl.Series, parsed: pl.Series) -> pl.Series:
    """From distinct values back to rows."""
    import polars as pl

    known = parsed.is_not_null()
    if not bool(known.any()):
        return (
            pl.Series(series.name, [None], dtype=parsed.dtype).new_from_index(0, len(series))
            if len(series)
            else (pl.Series(series.name, [], dtype=parsed.dtype))
        )
    return series.replace_strict(
        cell.filter(known), parsed.filter(known), default=None, return_dtype=parsed.dtype
    ).rename(series.name)


def shows_decimal_comma(series: pl.Series) -> bool:
    """Whether a text column, taken alone, can only be numbers with a decimal comma."""
    found = numbers(series)
    return found.decimal_comma and not len(found.bad)


def point_could_group(series: pl.Series) -> bool:
    """Whether every decimal point in a text column could as well separate thousands ('1.250')."""
    text = series.drop_nulls().unique().str.strip_chars()
    with_point = text.filter(text.str.contains(".", literal=True) & text.str.contains(_POINT))
    return len(with_point) > 0 and bool(with_point.str.contains(_POINT_THOUSANDS).all())
