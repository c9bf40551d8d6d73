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
Doubt = Literal["", "thousands", "mixed-decimals", "choices", "percents", "too-long", "too-large"]
Choices = Literal["", "possible", "likely"]
Points = Literal["", "grouping", "decimal"]

MARKERS = ("na", "n/a", "nan", "null", "#n/a", ".")
"""Text that means "no value" in a column of numbers, in lower case. Blank cells mean it everywhere."""

GROUPING = (";", "\t")
"""Delimiters of files in which a point may separate thousands: a comma is free to mark decimals there."""

_EXPONENT = r"([eE][+-]?[0-9]+)?$"
_INTEGER = r"^[+-]?[0-9]+$"
_POINT = r"^[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)" + _EXPONENT
_COMMA = r"^[+-]?([0-9]+,[0-9]*|,[0-9]+)" + _EXPONENT
_POINT_THOUSANDS = r"^[+-]?[1-9][0-9]{0,2}(\.[0-9]{3})+$"
_CHOICES = r"^(0|[1-9][0-9]?),(0|[1-9][0-9]?)$"
_MOST_CHOICES = 20
_COMMA_THOUSANDS = r"^[+-]?[1-9][0-9]{0,2}(,[0-9]{3})+$"
_WHOLE_EXPONENT = r"^[+-]?[0-9]+[eE][+]?[0-9]+$"
_GROUPED = r"^([+-]?[1-9][0-9]{0,2})([ '’\x{a0}\x{202f}][0-9]{3})+([.,][0-9]*)?$"
_GAP = r"[0-9][ '’\x{a0}\x{202f}][0-9]"
_PERCENT = r"\s*%$"
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
        'too-long' (a whole number that 64 bits do not hold), 'too-large' (a number that a double does not hold), or ''.
    points : 'grouping' if every number with a point has exactly three digits after it, so that points could separate
        thousands; 'decimal' if one has not; '' if there are none.
    choices : 'possible' if every comma could as well stand between two choices ('1,3'), neither part having more than
        two digits; 'likely' if besides the second choice is always above the first, and there are several pairs.
    beside : of a doubt that another column of the file gives: that column.
    signs : what was taken off to read them: 'percent signs', 'signs between thousands'.
    merged : the different texts that became one number ('1.1' and '1.10'), in the order of the numbers; None if there
        are none. Surrounding blanks make no difference.
    blanks : how many cells of a text column hold blanks only; None if that was not counted.
    """

    values: pl.Series
    bad: np.ndarray
    markers: Mapping[str, int]
    decimal_comma: bool = False
    padded: int = 0
    doubt: Doubt = ""
    points: Points = ""
    choices: Choices = ""
    beside: str = ""
    signs: tuple[str, ...] = ()
    merged: pl.Series | None = None
    blanks: int | None = None

    @property
    def exact(self) -> bool:
        """Every cell is a number or missing, and nothing about it is in doubt."""
        return not len(self.bad) and not self.padded and not self.doubt

    @property
    def merged_exponents(self) -> bool:
        """Whether whole numbers written with an exponent ('1E4') are among the merged texts."""
        return self.merged is not None and bool(self.merged.str.contains(_WHOLE_EXPONENT).any())


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

    # Few calls on many columns at once: each costs more than what it does on a short column.
    distinct = series.alias("cell").to_frame().filter(pl.col("cell").is_not_null())["cell"].value_counts(name="n")
    cell, n = distinct["cell"], distinct["n"]
    text, signs, percents = _without_signs(cell)
    t = pl.col("text")
    flags = (
        text.alias("text")
        .to_frame()
        .select(
            blank=t == "",
            marker=t.str.to_lowercase().is_in(MARKERS),
            whole=t.str.contains(_INTEGER),
            point=t.str.contains(_POINT),
            comma=t.str.contains(_COMMA),
            point_decimal=t.str.contains(_POINT) & t.str.contains(".", literal=True),
            thousands=t.str.contains(_COMMA_THOUSANDS),
        )
    )
    blank, marker, whole, point, comma, point_decimal, thousands = flags.get_columns()
    if not any(bool(flag.any()) for flag in flags.get_columns()):
        values = pl.Series(series.name, [None], dtype=pl.Int64).new_from_index(0, len(series))
        return Numbers(values, series.is_not_null().arg_true().to_numpy().astype(np.int64), {}, blanks=0)
    use_comma, doubt = _decimal_sign(comma, thousands, point_decimal, decimal)
    if percents is not None and bool(((point | comma) & ~percents).any()):
        doubt = "percents"
    good = (comma | (point & ~point_decimal)) if use_comma else point
    points: Points = ""
    if bool(point_decimal.any()):
        points = "grouping" if bool(text.filter(point_decimal).str.contains(_POINT_THOUSANDS).all()) else "decimal"
    parsed, out_of_range = _parse(text, good, whole, use_comma)
    wrong = cell.filter(~(good | blank | marker))
    if parsed.dtype == pl.Int64 and not len(wrong) and bool(((cell == text) & ~text.str.starts_with("+")).all()):
        values = series.cast(pl.Int64, strict=False)
    else:
        values = _spread(series, cell, parsed)
    bad = series.is_in(wrong.implode()).fill_null(False).arg_true() if len(wrong) else pl.Series([], dtype=pl.UInt32)
    padded = int(n.filter(good & text.str.contains(_PADDED)).sum())
    return Numbers(
        values,
        bad.to_numpy().astype(np.int64),
        _counted(text.filter(marker), n.filter(marker)),
        use_comma and bool((comma & good).any()),
        padded,
        out_of_range or doubt,
        points,
        _choices(text.filter(comma & good)) if use_comma else "",
        "",
        signs,
        _merged(text, parsed) if padded or parsed.dtype.is_float() else None,
        int(n.filter(blank).sum()),
    )


def _without_signs(cells: pl.Series) -> tuple[pl.Series, tuple[str, ...], pl.Series | None]:
    """Numbers as a computer writes them: with a plain minus, no percent sign, nothing between thousands.

    Returns the texts, what was taken off, and which had a percent sign (None if none had).
    """
    import polars as pl

    frame = cells.alias("text").to_frame().select(pl.col("text").str.strip_chars())
    t = pl.col("text")
    found = frame.select(
        minus=t.str.contains("\N{MINUS SIGN}", literal=True).any(),
        percent=t.str.contains(_PERCENT).any(),
        grouped=t.str.contains(_GAP).any(),
    ).row(0)
    text = frame["text"]
    if not any(found):
        return text, (), None
    text = text.str.replace("^\N{MINUS SIGN}", "-")
    signs: list[str] = []
    percents = None
    marked = text.str.contains(r"^[+-]?[0-9.,'’ \x{a0}\x{202f}]*[0-9]\s*%$")
    if bool(marked.any()):
        percents = marked
        text = pl.select(pl.when(marked).then(text.str.replace(_PERCENT, "")).otherwise(text)).to_series()
        signs.append("percent signs")
    grouped = text.str.contains(_GROUPED)
    if bool(grouped.any()):
        plain = text.str.replace_all(r"[ '’\x{a0}\x{202f}]", "")
        text = pl.select(pl.when(grouped).then(plain).otherwise(text)).to_series()
        signs.append("signs between thousands")
    return text, tuple(signs), percents


def _decimal_sign(
    comma: pl.Series, thousands: pl.Series, point_decimal: pl.Series, decimal: Decimal | None
) -> tuple[bool, Doubt]:
    """Whether a comma marks decimals, and what is in doubt about it."""
    if decimal is not None or not bool((comma | thousands).any()):
        return decimal == ",", ""
    if bool(point_decimal.any()):
        return False, "mixed-decimals"
    if bool((comma & ~thousands).any()):
        return True, ""
    return False, "thousands"


def _choices(cells: pl.Series) -> Choices:
    """Whether distinct cells with commas could be lists of two choices."""
    import polars as pl

    if not len(cells) or not bool(cells.str.contains(_CHOICES).all()):
        return ""
    parts = cells.str.split_exact(",", 1).struct.unnest()
    first, second = (parts[name].cast(pl.Int64) for name in parts.columns)
    rising = bool(((first < second) & (second <= _MOST_CHOICES)).all())
    return "likely" if rising and len(cells) > 1 else "possible"


def _counted(text: pl.Series, n: pl.Series) -> dict[str, int]:
    """Marker as written -> how many cells."""
    counts: dict[str, int] = {}
    for sign, count in zip(text.to_list(), n.to_list(), strict=True):
        counts[sign] = counts.get(sign, 0) + count
    return counts


def _parse(text: pl.Series, good: pl.Series, whole: pl.Series, use_comma: bool) -> tuple[pl.Series, Doubt]:
    """The distinct values as numbers, and 'too-long' or 'too-large' if one of them cannot be held."""
    import polars as pl

    number = pl.select(pl.when(good).then(text.str.strip_prefix("+"))).to_series()
    if not bool((good & ~whole).any()):
        parsed = number.cast(pl.Int64, strict=False)
        return parsed, "too-long" if parsed.null_count() > number.null_count() else ""
    if use_comma:
        number = number.str.replace(",", ".", literal=True)
    parsed = number.cast(pl.Float64, strict=False)
    if bool(((parsed.abs() >= _EXACT) & whole).any()):
        return parsed, "too-long"
    lost = parsed.null_count() > number.null_count() or bool(parsed.is_infinite().any())
    return parsed, "too-large" if lost else ""


def _merged(text: pl.Series, parsed: pl.Series) -> pl.Series | None:
    """The texts that share their number with another."""
    import polars as pl

    pairs = pl.DataFrame({"text": text, "number": parsed}).filter(parsed.is_not_null()).unique()
    if pairs["number"].n_unique() == pairs.height:
        return None
    return pairs.filter(pl.col("number").is_duplicated()).sort("number", "text")["text"]


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
