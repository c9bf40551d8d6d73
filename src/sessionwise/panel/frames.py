"""Any dataframe in, the same kind out: the only file that knows how dataframe libraries differ.

Inside, a column is read as a polars Series in which missing is null, whatever it was before
(NaN, None, NaT, pandas.NA), so that the rest of the package knows one meaning of 'missing'.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import narwhals as nw
import numpy as np

from ..errors import PanelError, some
from .as_text import as_text
from .kept import kept
from .table import Origin, Table

_FIRST_DAY, _LAST_DAY = -719_162, 2_932_896  # 0001-01-01 and 9999-12-31, in days from 1970-01-01

if TYPE_CHECKING:
    import polars as pl


def eager(data: Any) -> tuple[nw.DataFrame[Any], Origin, nw.Implementation | None]:
    """A dataframe of any kind as an eager narwhals frame that nobody else can change.

    Returns the frame, where its rows came from, and, if `data` was lazy (a polars LazyFrame, a
    DuckDB relation, ...), the implementation to go back to in `restore`.

    Raises
    ------
    PanelError : not a dataframe.
    """
    if isinstance(data, Table):
        return nw.from_native(data.frame, eager_only=True).clone(), data.origin, None
    try:
        frame = nw.from_native(data)
        if isinstance(frame, nw.LazyFrame):
            frame.collect_schema()  # finds columns of one name, which a query allows
    except nw.exceptions.DuplicateError:
        raise PanelError(
            "the table has several columns of one name.",
            where=f"columns: {some(getattr(data, 'columns', ()), 12)}",
            remedy="Rename them, so that every column has a name of its own.",
        ) from None
    except TypeError:
        raise PanelError(
            f"a {type(data).__name__} is not a table.",
            remedy="Give a dataframe (pandas, polars, pyarrow, DuckDB, ...) or the result of sessionwise.read(path).",
        ) from None
    odd = [name for name in frame.columns if not isinstance(name, str)]
    if odd:
        raise PanelError(
            f"Column names must be text, not numbers such as {odd[0]!r}.",
            where=f"columns: {some(odd)}",
            remedy="Rename them, for example: frame.columns = frame.columns.map(str).",
        )
    patterns = [name for name in frame.columns if is_pattern(name)]
    if patterns:
        raise PanelError(
            f"the column name {patterns[0]!r} begins with ^ and ends with $, as patterns of names do.",
            where=f"columns: {some(patterns)}",
            remedy="Rename the column.",
        )
    if isinstance(frame, nw.LazyFrame):
        lazy = frame.implementation
        return frame.collect("polars"), Origin(), lazy
    return _own(frame), Origin(), None


def is_pattern(name: str) -> bool:
    """Whether polars would take a column's name for a regular expression, wherever it is used."""
    return name.startswith("^") and name.endswith("$")


def _own(frame: nw.DataFrame[Any]) -> nw.DataFrame[Any]:
    """A copy where the kind of dataframe can be changed in place; polars and new pandas copy no data until it is."""
    if frame.implementation.is_pyarrow():
        return frame
    if frame.implementation.is_pandas() and _copies_on_write(frame.implementation.to_native_namespace()):
        return nw.from_native(frame.to_native().copy(deep=False), eager_only=True)
    return frame.clone()


def _copies_on_write(pandas: Any) -> bool:
    """Whether what is changed in a dataframe later never shows in its shallow copies."""
    return int(pandas.__version__.split(".")[0]) >= 3


def restore(frame: nw.DataFrame[Any], lazy: nw.Implementation | None) -> Any:
    """The native frame, lazy again if it came so; changing it leaves `frame` as it is."""
    if lazy is None:
        return _own(frame).to_native()
    return frame.lazy(backend=lazy).to_native()  # type: ignore[arg-type]


def column(frame: nw.DataFrame[Any], name: str) -> pl.Series:
    """One column as a polars Series of a usual type, missing as null, no copy where the memory layout allows."""
    return usual(_column(frame, name))


def _column(frame: nw.DataFrame[Any], name: str) -> pl.Series:
    import polars as pl

    if frame.implementation.is_polars():
        series: pl.Series = frame.to_native().get_column(name)
    elif frame.implementation.is_pyarrow():
        series = pl.Series(name, frame.to_native()[name])
    else:
        return _from_other(frame.get_column(name))
    has_nan = series.dtype.is_float() and np.isnan(series.to_numpy()).any()
    return series.fill_nan(None) if has_nan else series


def usual(series: pl.Series) -> pl.Series:
    """`series` with a type that the rest of the package knows.

    Decimals and numbers of 128 bits become Int64 if they are whole and fit, otherwise Float64; bytes and objects text;
    dates outside the years 1 to 9999, which no calendar here has, missing.
    """
    import polars as pl

    kind = series.dtype
    if kind.is_decimal() or kind in (pl.Int128, pl.UInt128):
        try:
            return series.cast(pl.Int64) if kind in (pl.Int128, pl.UInt128) else _whole_decimals(series)
        except pl.exceptions.PolarsError:
            return _beyond_64_bits(series)
    if kind in (pl.Binary, pl.Object):
        return as_text(series)
    if kind in (pl.Date, pl.Datetime) and series.null_count() < len(series):
        inside = _in_calendar(series)
        if not bool(inside.all()):
            return kept(series, inside)
    return series


def _beyond_64_bits(series: pl.Series) -> pl.Series:
    """Floats, or text where rounding to floats would make two values one, as with long identifiers."""
    import polars as pl

    floats = series.cast(pl.Float64)
    return floats if floats.n_unique() == series.n_unique() else series.cast(pl.String)


def _whole_decimals(series: pl.Series) -> pl.Series:
    import polars as pl

    floats = series.cast(pl.Float64)
    return series.cast(pl.Int64) if bool((floats == floats.floor()).all()) else floats


def _in_calendar(series: pl.Series) -> pl.Series:
    """Whether each date is in the years 1 to 9999; true where it is missing."""
    import polars as pl

    unit = {"ns": 10**9, "us": 10**6, "ms": 10**3}
    size = 1 if series.dtype == pl.Date else 86_400 * unit[series.dtype.time_unit]  # type: ignore[attr-defined]
    days = series.to_physical().cast(pl.Int64) // size
    inside: pl.Series = days.is_between(_FIRST_DAY + 1, _LAST_DAY - 1).fill_null(True)  # a time zone may shift by one
    return inside


def numbers(frame: nw.DataFrame[Any], name: str) -> np.ndarray | None:
    """One column as float64, missing as NaN, no copy where the memory layout allows; None if it holds no numbers."""
    import polars as pl

    if frame.implementation.is_polars():
        series: pl.Series = frame.to_native().get_column(name)
    else:
        other = frame.get_column(name)
        if other.dtype.is_float() or other.dtype.is_integer():
            values = other.to_numpy()
            if values.dtype.kind in "fiu":  # else objects, some of them missing
                return np.asarray(values, np.float64)
        series = _column(frame, name)
    if not _is_numeric(series):
        return None
    return (series if series.dtype == pl.Float64 else series.cast(pl.Float64)).to_numpy()


def holds_numbers(frame: nw.DataFrame[Any], name: str) -> bool:
    """Whether `numbers` gives any: numeric columns, true and false, missing everywhere."""
    if frame.implementation.is_polars():
        return _is_numeric(frame.to_native().get_column(name))
    dtype = frame.get_column(name).dtype
    if dtype in (nw.Object, nw.Unknown):  # only the values tell
        return _is_numeric(column(frame, name))
    return dtype.is_numeric() or dtype == nw.Boolean


def text_among_numbers(series: pl.Series) -> np.ndarray:
    """Positions, int64 ascending, of cells that are no numbers in a text column where most are; else none."""
    import polars as pl

    if series.dtype.is_temporal():
        return np.zeros(0, np.int64)
    text = series.cast(pl.String)
    bad = (text.cast(pl.Float64, strict=False).is_null() & text.is_not_null()).arg_true()
    few = len(bad) < 0.5 * max(1, len(text) - text.null_count())
    return bad.to_numpy().astype(np.int64) if few else np.zeros(0, np.int64)


def holds_lists(frame: nw.DataFrame[Any], name: str) -> bool:
    """Whether a column's cells are lists or records."""
    if frame.implementation.is_polars():
        return bool(frame.to_native().get_column(name).dtype.is_nested())
    return frame.get_column(name).dtype.is_nested()


def _is_numeric(series: pl.Series) -> bool:
    import polars as pl

    return series.dtype.is_numeric() or series.dtype in (pl.Boolean, pl.Null)


def _from_other(series: nw.Series[Any]) -> pl.Series:
    """pandas and its relatives, through NumPy or Python objects, so that pyarrow is not needed."""
    import polars as pl

    dtype, name = series.dtype, series.name
    if dtype.is_numeric():
        array = series.to_numpy()
        if dtype.is_float() or array.dtype.kind in "iu" or not series.is_null().any():
            return pl.Series(name, array, nan_to_null=True)
    if isinstance(dtype, (nw.Categorical, nw.Enum)):
        categories = series.to_native().cat
        levels = [str(v) for v in categories.categories]
        labels = np.array([*levels, None], object)[categories.codes.to_numpy()]  # code -1 is missing
        return pl.Series(name, labels.tolist(), dtype=pl.Enum(levels))
    if getattr(getattr(series.to_native(), "dtype", None), "kind", "") == "c":
        raise PanelError(
            f"column {name!r} holds complex numbers.",
            remedy=f"Give their real part: frame[{name!r}] = numpy.real(frame[{name!r}]).",
        )
    values = series.to_list()
    missing = series.is_null()
    if missing.any():
        values = [None if gone else value for value, gone in zip(values, missing.to_list(), strict=True)]
    try:
        return pl.Series(name, values)
    except (TypeError, OverflowError, pl.exceptions.PolarsError):  # a column of mixed Python objects
        if all(isinstance(v, int | float) and not isinstance(v, bool) for v in values if v is not None):
            floats = pl.Series(name, [None if v is None else _as_float(v) for v in values], dtype=pl.Float64)
            if floats.n_unique() == len(set(values)):  # else rounding would make two persons one
                return floats
        return pl.Series(name, [None if v is None else str(v) for v in values], dtype=pl.String)


def _as_float(value: float) -> float:
    """An infinite one for integers that are too large."""
    try:
        return float(value)
    except OverflowError:
        return math.inf if value > 0 else -math.inf


def attach(frame: nw.DataFrame[Any], arrays: Mapping[str, Any]) -> nw.DataFrame[Any]:
    """`frame` with float64 arrays added or replaced as columns; NaN becomes the frame's own missing value."""
    if not arrays:
        return frame
    new = []
    for name, values in arrays.items():
        series = nw.new_series(name, values, nw.Float64, backend=frame.implementation)
        new.append(series if frame.implementation.is_pandas_like() else series.fill_nan(None))
    return frame.with_columns(*new)
