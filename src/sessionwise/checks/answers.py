"""Item columns of known instruments: range, whole numbers, straight-lining, copies, reversed items."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from os import PathLike

import numpy as np

from ..errors import Argument, Wording, missing_codes, some
from ..findings import Finding
from ..scoring import Answered, Instrument, Wanted, answered
from ..scoring.answered import impossible, own_answers
from ..words import counted
from .sheet import Sheet

#: Fewer answers than this agree by chance too often to be taken for a copy.
_COPY_ITEMS = 10


def keys(sheet: Sheet, wanted: Wanted) -> tuple[list[Answered], list[Finding]]:
    """Instruments in the data: those wanted (an error for each that is not there), those scored, others found."""
    wanted = [wanted] if isinstance(wanted, str | PathLike | Instrument) else wanted
    found, errors = answered(sheet.columns, sheet.panel.records if sheet.panel is not None else (), wanted)
    return found, [Finding("error", "instrument-not-found", e.what, e.where, 0, e.remedy) for e in errors]


def check_instruments(sheet: Sheet, instruments: Sequence[Answered]) -> list[Finding]:
    """Findings on the answers."""
    found = []
    for key in instruments:
        numeric = {i: c for i, c in key.columns.items() if sheet.series(c).dtype.is_numeric()}
        found += _range(sheet, key.instrument, numeric)
        found += _whole(sheet, key.instrument, numeric)
        found += _own(sheet, key.instrument, numeric)
        if len(numeric) == len(key.columns):
            turned = key.reversed_finding(sheet.series)
            found += turned or _straight(sheet, key)
    return found + _copies(sheet, instruments)


def _range(sheet: Sheet, key: Instrument, columns: Mapping[int, str]) -> list[Finding]:
    low, high, cells, said = np.inf, -np.inf, 0, []
    codes: dict[str, list[float]] = {}
    for name in columns.values():
        series = sheet.series(name)
        least, most = series.min(), series.max()
        if least is None or most is None:
            continue
        low, high = min(low, float(least)), max(high, float(most))  # type: ignore[arg-type]
        if float(least) >= key.low and float(most) <= key.high:  # type: ignore[arg-type]
            continue
        values = series.drop_nulls()
        codes[name] = sorted({float(v) for v in values.filter((values < key.low) | (values > key.high)).unique()})
        rows = ((series < key.low) | (series > key.high)).fill_null(False).arg_true().to_numpy()
        cells += len(rows)
        said.append(f"column {name!r}: {series[int(rows[0])]:g} at {sheet.where(rows[:1])}")
    if not cells:
        return []
    answers = sum(len(sheet.series(c)) - sheet.series(c).null_count() for c in columns.values())
    what = f"{counted(cells, 'answer')} to {key.name} outside {key.low:g} to {key.high:g}; scoring stops at them."
    common = cells >= 0.01 * answers
    remedy = _range_remedy(key, low, high, codes, common)
    return [Finding("warning", "answer-out-of-range", what, some(said, 3), cells, remedy)]


def _range_remedy(key: Instrument, low: float, high: float, codes: Mapping[str, list[float]], common: bool) -> str:
    """What most likely happened: another range, a shifted one, codes for missing, or slips."""
    options = [o for o in key.range_options if o[0] <= low and high <= o[1]]
    if common and options:
        a, b = options[0]
        answers = Argument(f"answers=({a:g}, {b:g})", ("--answers", f"{key.name}={a:g}-{b:g}"))
        return Wording(f"If the form has answers from {a:g} to {b:g}, score it with ", answers, ".")
    if common and (low, high) in ((key.low + 1, key.high + 1), (key.low - 1, key.high - 1)):
        return f"Answers run from {low:g} to {high:g}: shift them by one, so that they run from {key.low:g}."
    name, values = next(iter(codes.items()))
    declared = missing_codes({name: values[:5]}, more=len(codes) > 1)
    return Wording("Correct them; if they are codes for missing, declare them: ", declared, ".")


def _whole(sheet: Sheet, key: Instrument, columns: Mapping[int, str]) -> list[Finding]:
    if not key.whole:
        return []
    cells, said = 0, []
    for name in columns.values():
        series = sheet.series(name)
        if series.dtype.is_integer():
            continue
        rows = (series != series.round(0)).fill_null(False).arg_true().to_numpy()
        if len(rows):
            cells += len(rows)
            said.append(f"column {name!r}: {series[int(rows[0])]:g} at {sheet.where(rows[:1])}")
    if not cells:
        return []
    what = f"{counted(cells, 'answer')} to {key.name} not whole."
    remedy = "Answers are whole numbers; correct them, or leave them empty if they were filled in by a program."
    return [Finding("warning", "answer-not-whole", what, some(said, 3), cells, remedy)]


def _own(sheet: Sheet, key: Instrument, columns: Mapping[int, str]) -> list[Finding]:
    """Answers within the range that an item with answers of its own does not have."""
    cells, said = 0, []
    for item, name in columns.items():
        if key.values_of(item) is None:
            continue
        values = sheet.series(name).cast(float).to_numpy()
        inside = (values >= key.low) & (values <= key.high)
        if key.whole:
            inside &= values == np.round(values)  # the others are told as not whole
        rows = np.flatnonzero(inside & impossible(key, item, values))
        if len(rows):
            cells += len(rows)
            said.append(f"column {name!r}: {values[rows[0]]:g} at {sheet.where(rows[:1])}")
    if not cells:
        return []
    what = f"{counted(cells, 'answer')} to {key.name} that the item does not have ({own_answers(key)})."
    remedy = "Scoring stops at them; code the answers as the form scores them."
    return [Finding("warning", "answer-not-there", what, some(said, 3), cells, remedy)]


def _straight(sheet: Sheet, key: Answered) -> list[Finding]:
    """Sessions with one answer to all items of a form that has reversed ones."""
    items = len(key.columns)
    if not key.instrument.reversed or items - len(key.instrument.reversed) < 2:
        return []
    first, *rest = (sheet.series(c).cast(float).to_numpy() for c in key.columns.values())
    rows = np.flatnonzero(~np.isnan(first))
    for values in rest:  # few rows are left after a few items
        rows = rows[values[rows] == first[rows]]
    if not len(rows):
        return []
    what = (
        f"In {counted(len(rows), 'row')} all {items} items of {key.instrument.name} have the same answer, "
        "although some items are reversed."
    )
    remedy = "The form may not have been read; consider an analysis without these rows."
    return [Finding("note", "straight-lining", what, sheet.where(rows), len(rows), remedy)]


def _copies(sheet: Sheet, instruments: Sequence[Answered]) -> list[Finding]:
    """Sessions whose answers, all of them, are those of the person's session before."""
    columns = [c for key in instruments for c in key.columns.values() if sheet.series(c).dtype.is_numeric()]
    if sheet.panel is None or len(columns) < _COPY_ITEMS:
        return []
    rows = np.arange(1, len(sheet.panel))
    rows = rows[~np.isin(rows, sheet.panel.starts)]
    filled = np.zeros(len(sheet.panel), np.int64)
    varied = np.zeros(len(sheet.panel), bool)
    first = sheet.series(columns[0]).cast(float).to_numpy()
    for name in columns:
        values = sheet.series(name).cast(float).to_numpy()
        now, before = values[rows], values[rows - 1]
        rows = rows[(now == before) | (np.isnan(now) & np.isnan(before))]
        filled[rows] += ~np.isnan(values[rows])
        varied[rows] |= values[rows] != first[rows]
    rows = rows[(filled[rows] >= _COPY_ITEMS) & varied[rows]]
    if not len(rows):
        return []
    what = f"In {counted(len(rows), 'row')} all {len(columns)} answers are those of the person's session before."
    remedy = "Delete them if the form was carried over rather than filled in again."
    return [Finding("note", "copied-answers", what, sheet.where(rows), len(rows), remedy)]
