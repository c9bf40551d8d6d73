"""Dates, times and durations that SPSS, Stata and SAS store as numbers, by the column's display format.

SPSS counts seconds from 1582-10-14, SAS days or seconds from 1960-01-01, Stata days, milliseconds or periods from 1960.
Sources: SPSS and SAS language references (date and time formats), Stata's help datetime_display_formats.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from ..panel.kept import kept

if TYPE_CHECKING:
    import numpy as np
    import polars as pl

Unit = Literal["day", "second", "millisecond", "week", "month", "quarter", "half"]
Shown = Literal["date", "datetime", "clock", "duration", "period"]

_SPSS_ORIGIN, _ORIGIN_1960 = -141_428, -3_653  # in days from 1970-01-01
_DAY = 86_400_000_000
_FIRST, _LAST = -719_162, 2_932_896  # 0001-01-01 and 9999-12-31, in days from 1970-01-01

_SPSS: dict[str, Shown] = {
    **dict.fromkeys(("DATE", "ADATE", "EDATE", "SDATE", "JDATE"), "date"),
    **dict.fromkeys(("DATETIME", "YMDHMS"), "datetime"),
    **dict.fromkeys(("TIME", "MTIME"), "clock"),
    "DTIME": "duration",
    **dict.fromkeys(("MOYR", "QYR", "WKYR"), "period"),
}
_SAS_DATES = (
    "DATE DAY DDMMYY DDMMYYB DDMMYYC DDMMYYD DDMMYYN DDMMYYP DDMMYYS DOWNAME JULDAY JULIAN MMDDYY MMDDYYB MMDDYYC "
    "MMDDYYD MMDDYYN MMDDYYP MMDDYYS MMYY MMYYC MMYYD MMYYN MMYYP MMYYS MONNAME MONTH MONYY NLDATE NLDATEMN NLDATEW "
    "NLDATEWN QTR QTRR WEEKDATE WEEKDATX WEEKDAY WORDDATE WORDDATX YEAR YYMM YYMMC YYMMD YYMMN YYMMP YYMMS YYMMDD "
    "YYMMDDB YYMMDDC YYMMDDD YYMMDDN YYMMDDP YYMMDDS YYMON YYQ YYQC YYQD YYQN YYQP YYQS YYQR YYQRC YYQRD YYQRN YYQRP "
    "YYQRS B8601DA E8601DA IS8601DA MINGUO NENGO EURDFDD EURDFDE EURDFDN EURDFDWN EURDFMN EURDFMY EURDFWDX EURDFWKX"
)
_SAS: dict[str, Shown] = {
    **dict.fromkeys(_SAS_DATES.split(), "date"),
    **dict.fromkeys(
        ("DATETIME", "DATEAMPM", "DTDATE", "DTMONYY", "DTWKDATX", "DTYEAR", "DTYYQC", "MDYAMPM", "NLDATM", "NLDATMAP")
        + ("NLDATMTM", "NLDATMW", "B8601DN", "B8601DT", "B8601DZ", "E8601DN", "E8601DT", "E8601DZ", "IS8601DT"),
        "datetime",
    ),
    **dict.fromkeys(
        ("TIME", "TIMEAMPM", "TOD", "HHMM", "HOUR", "MMSS", "NLTIME", "NLTIMAP", "B8601TM", "E8601TM", "IS8601TM"),
        "clock",
    ),
}
_STATA: dict[str, tuple[Shown, Unit]] = {
    "d": ("date", "day"),
    "c": ("datetime", "millisecond"),
    "C": ("datetime", "millisecond"),
    "w": ("period", "week"),
    "m": ("period", "month"),
    "q": ("period", "quarter"),
    "h": ("period", "half"),
}
_STATA_FORMAT = re.compile(r"%-?(?:t([dcCwmqh])|(d))(.*)", re.DOTALL)
_STATA_CLOCK = re.compile(r"[HhMmSs:._+apAP]*[Hh][HhMmSs:._+apAP]*")


@dataclass(frozen=True, slots=True)
class Stored:
    """shown : what the numbers stand for. unit : of what they count. origin : days from 1970-01-01 to where they count
    from."""

    shown: Shown
    unit: Unit
    origin: int


@dataclass(frozen=True, slots=True, eq=False)
class Dated:
    """values : Date, Datetime, Time or Duration, null where missing. beyond : rows whose date no calendar here has."""

    values: pl.Series
    beyond: np.ndarray


def stored_as(kind: str, form: str) -> Stored | None:
    """How a column of this display format is stored in a file of this kind, or None if it holds plain numbers."""
    if kind == "dta":
        match = _STATA_FORMAT.match(form)
        if match is None:
            return None
        shown, unit = _STATA[match[1] or match[2]]
        if shown == "datetime" and _STATA_CLOCK.fullmatch(match[3]):
            shown = "clock"
        return Stored(shown, unit, _ORIGIN_1960)
    base = re.sub(r"[\d.]*$", "", form.upper())
    if kind in ("sav", "por"):
        return Stored(_SPSS[base], "second", _SPSS_ORIGIN) if base in _SPSS else None
    full = base if base in _SAS else re.sub(r"[\d.]*$", "", form.upper().split(".")[0])
    if full not in _SAS:
        return None
    return Stored(_SAS[full], "day" if _SAS[full] == "date" else "second", _ORIGIN_1960)


def dated(name: str, numbers: np.ndarray, stored: Stored) -> Dated:
    """A column of stored numbers (float64, NaN missing) with its type.

    Clock times become durations if one of them has 24 hours or more, or is negative; periods their first day.
    """
    import numpy as np
    import polars as pl

    known = np.isfinite(numbers)
    if stored.shown == "duration" or (stored.shown == "clock" and not _on_clocks(numbers[known], stored.unit)):
        micro, good = _microseconds(numbers, stored.unit)
        values = pl.Series(name, micro).cast(pl.Duration("us"))
    elif stored.shown == "clock":
        micro, good = _microseconds(numbers, stored.unit)
        values = pl.Series(name, micro * 1000).cast(pl.Time)
    elif stored.unit in ("day", "second", "millisecond"):
        micro, good = _microseconds(numbers, stored.unit)
        micro = micro + stored.origin * _DAY
        days = micro // _DAY
        good &= (days >= _FIRST) & (days <= _LAST)
        values = pl.Series(name, micro if stored.shown == "datetime" else days * _DAY).cast(pl.Datetime("us"))
        values = values if stored.shown == "datetime" else values.dt.date()
    else:
        days, good = _first_days(numbers, stored.unit)
        values = pl.Series(name, days).cast(pl.Int32).cast(pl.Date)
    good &= known
    values = kept(values, pl.Series(good))
    return Dated(values, np.flatnonzero(known & ~good))


def _on_clocks(numbers: np.ndarray, unit: Unit) -> bool:
    """Whether all are times of one day."""
    day = 86_400_000 if unit == "millisecond" else 86_400
    return bool(((numbers >= 0) & (numbers < day)).all())


def _microseconds(numbers: np.ndarray, unit: Unit) -> tuple[np.ndarray, np.ndarray]:
    """int64 microseconds, and which of them 64 bits hold."""
    import numpy as np

    size = {"day": _DAY, "second": 1_000_000, "millisecond": 1_000}[unit]
    with np.errstate(invalid="ignore", over="ignore"):
        exact = np.floor(numbers) * _DAY if unit == "day" else np.round(numbers * size)
        good = np.abs(exact) < 4e18
    return np.where(good, exact, 0).astype(np.int64), good


def _first_days(numbers: np.ndarray, unit: Unit) -> tuple[np.ndarray, np.ndarray]:
    """Days from 1970-01-01 to the first day of each period since 1960, and which are in a calendar."""
    import numpy as np

    a_year = {"week": 52, "month": 12, "quarter": 4, "half": 2}[unit]
    with np.errstate(invalid="ignore"):
        good = np.isfinite(numbers) & (np.abs(numbers) < 9000 * a_year)
    count = np.floor(np.where(good, numbers, 0)).astype(np.int64)
    year, place = 1960 + count // a_year, count % a_year
    good &= (year >= 1) & (year <= 9999)
    year = np.where(good, year, 1960)
    month = np.zeros_like(place) if unit == "week" else place * (12 // a_year)
    first = ((year - 1970) * 12 + month).astype("datetime64[M]").astype("datetime64[D]").astype(np.int64)
    return first + (7 * place if unit == "week" else 0), good
