"""Answered: an instrument together with the columns that hold its items, as scored if it was scored.

`check` and `describe` look at the same answers, in the same range and direction, that `score` used.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from os import PathLike
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import Argument, ScoreError, Wording, some
from ..findings import Finding
from ..panel import Panel
from .instrument import Instrument
from .item_columns import ItemMapping, item_columns, may_be_there
from .registry import instrument, instruments

if TYPE_CHECKING:
    import polars as pl

#: Reversed items are judged on about so many rows, and on no fewer than so many.
_JUDGED, _FEWEST = 500, 50

Name = str | PathLike[str] | Instrument
Wanted = Sequence[Name] | Mapping[Name, ItemMapping | None]


@dataclass(frozen=True, slots=True)
class Answered:
    """instrument : its key, with the range and reversed items that were used. columns : item -> column."""

    instrument: Instrument
    columns: Mapping[int, str]

    def oriented(self, panel: Panel) -> tuple[np.ndarray, int]:
        """float64 (n_rows, n_items) answers with reversed items turned round, and how many were outside the range.

        Answers outside the range are NaN, as they are for scores.
        """
        key = self.instrument
        answers = np.column_stack([panel[self.columns[item]] for item in key.items])
        outside = np.column_stack([impossible(key, item, answers[:, i]) for i, item in enumerate(key.items)])
        answers[outside] = np.nan
        turn = [key.items.index(item) for item in key.reversed]
        answers[:, turn] = key.low + key.high - answers[:, turn]
        return answers, int(outside.sum())

    def reversed_already(self, series: Callable[[str], pl.Series]) -> tuple[list[int], float] | None:
        """Whether the items to be reversed seem to be turned round in the table.

        They do if, as they stand, they go together with the other items instead of against them: their
        mean correlation with the others' mean is above 0.1. Judged on about 500 rows, evenly spaced,
        with every other item answered.

        series : gives a column of the table (`Panel.series`).
        Returns the items that correlate above zero and the mean correlation; None if they seem right or
        there is too little to judge (fewer than 50 rows, fewer than 3 other items).
        """
        key = self.instrument
        others = [item for item in key.items if item not in key.reversed]
        if not key.reversed or len(others) < 3:
            return None
        step = max(1, len(series(self.columns[others[0]])) // _JUDGED)

        def values(item: int) -> np.ndarray:
            x: np.ndarray = series(self.columns[item]).gather_every(step).cast(float, strict=False).to_numpy().copy()
            x[impossible(key, item, x)] = np.nan
            return x

        rest = np.column_stack([values(item) for item in others]).mean(axis=1)
        each = {item: _correlation(values(item), rest) for item in key.reversed}
        known = [r for r in each.values() if not np.isnan(r)]
        if not known or np.mean(known) <= 0.1:
            return None
        return [item for item, r in each.items() if r > 0], float(np.mean(known))

    def reversed_finding(self, series: Callable[[str], pl.Series]) -> list[Finding]:
        """A warning if the reversed items seem to be turned round in the table, else nothing."""
        found = self.reversed_already(series)
        if found is None:
            return []
        items, together = found
        what = f"Items {some(items, 12)} of {self.instrument.name} seem to be reversed already."
        where = f"mean correlation with the other items {together:.2f}, as they stand in the file"
        turned = Argument("already_reversed=True", ("--already-reversed",))
        remedy = Wording("If so, score with ", turned, ".")
        return [Finding("warning", "already-reversed", what, where, len(items), remedy)]


def impossible(key: Instrument, item: int, values: np.ndarray) -> np.ndarray:
    """Which of these are no answer to the item: outside the range, or not among the item's own answers.

    values : float64, NaN where nothing is answered. Returns booleans of the same shape; False for NaN.
    """
    outside: np.ndarray = (values < key.low) | (values > key.high)
    own = key.values_of(item)
    return outside if own is None else outside | ~(np.isnan(values) | np.isin(values, own))


def own_answers(key: Instrument) -> str:
    """The items that have answers of their own, with these, as in 'items 9, 10: 0, 2, 4'; '' if there are none."""
    return "; ".join(
        f"items {', '.join(map(str, own.items))}: {', '.join(f'{value:g}' for value in own.values)}"
        for own in key.answers
    )


def answered(
    columns: Sequence[str], records: Sequence[Any] = (), wanted: Wanted = (), *, others: bool = True
) -> tuple[list[Answered], list[ScoreError]]:
    """Instruments whose items are among `columns`: those wanted, those scored, then others found by name.

    columns : of the table.
    records : `Panel.records`; a scored instrument is taken as it was scored.
    wanted : instruments, or {instrument: item mapping or None}; for each whose items are not found an
        error is returned.
    others : also the shipped instruments found by their items' names; the longer form wins a column.
    """
    scored = {r.instrument: Answered(r.key, r.items) for r in records if hasattr(r, "key")}
    mappings: Mapping[Any, ItemMapping | None] = wanted if isinstance(wanted, Mapping) else {}
    found: dict[str, Answered] = {}
    errors = []
    for given in wanted:
        key = instrument(given)
        mapping = mappings.get(given)
        try:
            as_scored = scored.get(key.name) if mapping is None and not isinstance(given, Instrument) else None
            found[key.name] = as_scored or Answered(key, item_columns(key, columns, mapping))
        except ScoreError as error:
            errors.append(error)
    if others:
        found = {**scored, **found}
        _add_shipped(found, columns)
    return list(found.values()), errors


def _add_shipped(found: dict[str, Answered], columns: Sequence[str]) -> None:
    taken = {column for one in found.values() for column in one.columns.values()}
    more = []
    for name in instruments():
        key = instrument(name)
        if name not in found and may_be_there(key, columns):
            try:
                more.append(Answered(key, item_columns(key, columns)))
            except ScoreError:
                continue
    for one in sorted(more, key=lambda a: -len(a.columns)):
        if taken.isdisjoint(one.columns.values()):
            taken.update(one.columns.values())
            found[one.instrument.name] = one


def _correlation(x: np.ndarray, y: np.ndarray) -> float:
    """Over the rows where both are there; NaN if they are too few or do not vary."""
    there = ~(np.isnan(x) | np.isnan(y))
    x, y = x[there], y[there]
    if len(x) < _FEWEST or x.std() == 0 or y.std() == 0:
        return float("nan")
    return float(np.corrcoef(x, y)[0, 1])
