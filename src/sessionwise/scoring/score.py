"""score: item columns to scale columns, by an instrument's key. The kernel is core/score.hpp.

A person's score on a scale of n items with c answered is the answered items' sum × n / c (sum scores),
their mean, or their mean × 10, times the scale's factor; reversed items count as low + high − answer. Where more
items are missing than the scale allows, the score is missing.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from os import PathLike
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from .._core import score as _kernel
from ..errors import Argument, ScoreError, Wording, nearest, some
from ..findings import Finding
from ..options import PANEL, TEXT, YES_OR_NO, one_of, takes
from ..panel import Panel
from ..show import plain_dict, text
from ..words import counted, numbered
from .answered import Answered, impossible, own_answers
from .instrument import FACTS, Instrument
from .item_columns import ItemMapping, further_column, item_columns
from .registry import instrument as _instrument

if TYPE_CHECKING:
    import polars as pl

ScaleCounts = tuple[int, int, int, int, int]  # complete, pro-rated, items filled, too few, empty


@dataclass(frozen=True, slots=True)
class ScaleRecord:
    """What scoring did for one scale. Counts are of sessions, except `items_filled`.

    complete : every item answered.
    prorated : some missing, within the limit; items_filled : how many items that were.
    too_few : some answered, but more missing than the limit: no score.
    empty : nothing answered: no score.
    """

    column: str
    complete: int
    prorated: int
    items_filled: int
    too_few: int
    empty: int
    max_missing: int


@dataclass(frozen=True, slots=True)
class ScoreRecord:
    """What scoring did for one instrument; `Panel.records` keeps it.

    key : the instrument with the range and reversed items that were used.
    items : item -> column. already_reversed : as given to `score`.
    out_of_range : answers taken as missing. scales : the total first.
    """

    key: Instrument
    items: Mapping[int, str]
    already_reversed: bool
    out_of_range: int
    scales: tuple[ScaleRecord, ...]

    @property
    def instrument(self) -> str:
        """Name of the instrument."""
        return self.key.name

    @property
    def answers(self) -> tuple[float, float]:
        """(low, high) of the answers."""
        return self.key.low, self.key.high

    def to_dict(self) -> dict[str, object]:
        """Plain values, for JSON."""
        told: dict[str, object] = {
            "instrument": self.instrument,
            "answers": self.answers,
            "already_reversed": self.already_reversed,
            "out_of_range": self.out_of_range,
            "items": self.items,
            "scales": self.scales,
        }
        return plain_dict(told)

    def __rich__(self) -> object:
        from rich import box
        from rich.console import Group
        from rich.table import Table
        from rich.text import Text

        low, high = self.answers
        title = f"{self.instrument}, answers {low:g} to {high:g}: number of sessions"
        about = "pro-rated: items missing within the limit (filled: how many); too few: more missing, no score"
        table = Table(
            title=title,
            title_justify="left",
            caption=about,
            caption_justify="left",
            box=box.SIMPLE_HEAD,
            pad_edge=False,
            min_width=len(about),
        )
        heads = ("column", "scores", "complete", "pro-rated", "filled", "too few", "none")
        for i, head in enumerate(heads):
            table.add_column(head, justify="left" if i < 2 else "right", no_wrap=True)
        for s, scale in zip(self.scales, self.key.scales, strict=True):
            counts = (s.complete, s.prorated, s.items_filled, s.too_few, s.empty)
            least, most = scale.limits(low, high)
            table.add_row(s.column, f"{least:g} to {most:g}", *(f"{n:,}" for n in counts))
        note = [Text(f"note: {self.key.note}")] if self.key.note else []
        return Group(table, *note)

    def __str__(self) -> str:
        return text(self)


@takes(ScoreError, panel=PANEL, already_reversed=YES_OR_NO, out_of_range=TEXT)
def score(
    panel: Panel,
    *instruments: str | PathLike[str] | Instrument,
    items: ItemMapping | Mapping[str, ItemMapping] | None = None,
    answers: tuple[float, float] | Mapping[str, tuple[float, float]] | None = None,
    already_reversed: bool = False,
    out_of_range: Literal["error", "missing"] = "error",
) -> Panel:
    """The Panel with one column for each scale of the instruments, such as 'core_om' and 'core_om_risk'.

    Parameters
    ----------
    panel : with a column for each item.
    instruments : names (see `instruments()`), paths of your own instrument files, or Instruments.
    items : which column holds which item, if their names do not tell: a dict item -> column, the
        columns in item order, or a pattern such as 'Q{}_core'. With several instruments, a dict
        name -> one of these.
    answers : (low, high) where a form is used with other answers than the usual ones, such as (1, 7)
        for the WAI-SR. With several instruments, a dict name -> (low, high).
    already_reversed : the file holds reversed items turned round already.
    out_of_range : 'error' stops at an answer outside the range; 'missing' takes it as missing and says
        how many.

    Returns
    -------
    Panel whose `findings` say how many sessions were pro-rated or could not be scored (notes), and
    which facts of the key are not verified (warnings); `records` has the counts (ScoreRecord).

    Raises
    ------
    ScoreError : items not found, not numeric or out of range; a score column that is there already.
    InstrumentError : unknown instrument or range, malformed instrument file.
    """
    if not instruments:
        example = Argument("score(panel, 'core-om', 'wai-sr')", ("-i", "core-om", "-i", "wai-sr"))
        raise ScoreError("no instrument was named.", remedy=Wording("For example ", example, "."))
    one_of("out_of_range", out_of_range, ("error", "missing"), ScoreError)
    keys = [_instrument(given) for given in instruments]
    ranges = _by_name(answers, keys, "answers", isinstance(answers, tuple))
    single = isinstance(items, (str, list, tuple)) or (
        isinstance(items, Mapping) and all(isinstance(k, int) for k in items)
    )
    mappings = _by_name(items, keys, "items", single)
    for key in keys:
        name = key.name
        if name in ranges:
            key = key.with_range(*ranges[name])
        if already_reversed:
            key = key.already_reversed()
        panel = _score_one(panel, key, mappings.get(name), out_of_range, already_reversed)
    return panel


def _by_name(given: Any, keys: list[Instrument], setting: str, single: bool) -> dict[str, Any]:
    """A setting given once (for one instrument) or by instrument, as a dict by name."""
    if given is None:
        return {}
    names = [key.name for key in keys]
    if single:
        if len(keys) > 1:
            raise ScoreError(
                f"{setting} was given once for {len(keys)} instruments.",
                remedy=f"Give {setting}={{{names[0]!r}: ...}}.",
            )
        return {names[0]: given}
    for name in given:
        if name not in names:
            raise ScoreError(
                f"{setting} names {name!r}, and {name!r} is not among the instruments.{nearest(str(name), names)}",
                remedy=f"The instruments are {some(names)}.",
            )
    return dict(given)


def _score_one(
    panel: Panel, key: Instrument, mapping: ItemMapping | None, out_of_range: str, already_reversed: bool
) -> Panel:
    columns = item_columns(key, panel.columns, mapping)
    clash = [name for name in key.columns if name in panel]
    own = next((f"item {item}" for item, name in columns.items() if name in clash), None)
    if own is not None:
        base = key.name.replace("-", "")
        raise ScoreError(
            f"{key.name} would write its score to the column {clash[0]!r}, which holds its {own}.",
            where=f"columns {some(columns.values(), 3)}",
            remedy=f"Rename the columns of the items in the file, for example {base + '_1'!r}, {base + '_2'!r}, ...",
        )
    if clash:
        raise ScoreError(
            f"the Panel has a column {clash[0]!r} already, which {key.name} would write.",
            where=f"columns: {some(clash)}",
            remedy="Rename or drop that column, or use the score that is there.",
        )
    scores, counts, outside = _scores(panel, key, columns)
    found = []
    if sum(outside):
        if out_of_range == "error":
            _raise_out_of_range(panel, key, columns, outside)
        found.append(_outside_finding(key, columns, outside))
    record = ScoreRecord(key, columns, already_reversed, sum(outside), _scale_records(key, counts))
    found.append(_scored_finding(record, len(panel)))
    found += Answered(key, columns).reversed_finding(panel.series)
    further = None if mapping is not None else further_column(key, panel.columns, columns)
    if further is not None:
        found.append(_further_finding(key, further))
    found += unverified_finding(key)
    return panel.with_columns(dict(zip(key.columns, scores, strict=True)), found, (record,))


def _scores(
    panel: Panel, key: Instrument, columns: Mapping[int, str]
) -> tuple[list[np.ndarray], list[ScaleCounts], list[int]]:
    """Scores, (n_rows,) a scale, in the Panel's order, counts by scale, answers out of range by item."""
    series = [_numeric(panel, name) for name in columns.values()]
    at = {item: i for i, item in enumerate(columns)}
    between = _without_impossible(key, at, series)
    most = [len(s.items) - 1 if s.parts else s.max_missing for s in key.scales]  # of parts: as these have it
    scales = [([at[i] for i in s.items], m, float(s.times)) for s, m in zip(key.scales, most, strict=True)]
    reverse = [item in key.reversed for item in columns]
    together = np.empty((len(scales), len(series[0])))  # one allocation: large ones get huge pages
    scores = list(together)
    streams = [s.__arrow_c_stream__() for s in series]
    counts, outside = _kernel(streams, key.low, key.high, reverse, scales, scores)
    for i, scale in enumerate(key.scales):
        if scale.parts:
            parts = [array for array, other in zip(scores, key.scales, strict=True) if other.name in scale.parts]
            answers = {item: series[at[item]] for item in scale.items}
            counts[i] = _add_parts(key, parts, scores[i], answers, counts[i])
    for array in (together, *scores):
        array.flags.writeable = False
    return scores, counts, [beyond + between.get(item, 0) for item, beyond in zip(at, outside, strict=True)]


def _add_parts(
    key: Instrument, parts: list[np.ndarray], score: np.ndarray, answers: Mapping[int, pl.Series], counts: ScaleCounts
) -> ScaleCounts:
    """The parts' scores added up, into `score`; its counts.

    score, counts : as if any item might be missing. answers : of each item.
    """
    import polars as pl

    total = np.sum(parts, axis=0)
    lost = np.isnan(total) & ~np.isnan(score)
    score[:] = total
    missing = 0
    for item, series in answers.items():
        values = series.filter(pl.Series(lost)).cast(pl.Float64).to_numpy()
        missing += int((np.isnan(values) | impossible(key, item, values)).sum())
    complete, prorated, filled, _, empty = counts
    few = int(lost.sum())
    return complete, prorated - few, filled - missing, few, empty


def _without_impossible(key: Instrument, at: Mapping[int, int], series: list[pl.Series]) -> dict[int, int]:
    """Take answers that an item with answers of its own does not have out of `series`; item -> how many there were."""
    import polars as pl

    found = {}
    for item in (item for own in key.answers for item in own.items):
        one = series[at[item]]
        no_answer = impossible(key, item, one.cast(pl.Float64).to_numpy())
        found[item] = int(no_answer.sum())
        if found[item]:
            series[at[item]] = one.zip_with(pl.Series(~no_answer), pl.Series([None], dtype=one.dtype))
    return found


def _numeric(panel: Panel, name: str) -> pl.Series:
    series = panel.series(name)
    import polars as pl

    if series.dtype in _kernel_types():
        return series

    return pl.Series(name, panel[name])  # a column wholly missing, a boolean; or the error that says what is wrong


def _kernel_types() -> tuple[Any, ...]:
    import polars as pl

    signed = (pl.Int8, pl.Int16, pl.Int32, pl.Int64)
    return (*signed, pl.UInt8, pl.UInt16, pl.UInt32, pl.UInt64, pl.Float32, pl.Float64)


def _scale_records(key: Instrument, counts: list[ScaleCounts]) -> tuple[ScaleRecord, ...]:
    return tuple(
        ScaleRecord(key.column(scale), *count, scale.max_missing)
        for scale, count in zip(key.scales, counts, strict=True)
    )


def _raise_out_of_range(panel: Panel, key: Instrument, columns: Mapping[int, str], outside: list[int]) -> None:
    item, name = next(pair for pair, n in zip(columns.items(), outside, strict=True) if n)
    values = panel[name]
    rows = np.flatnonzero(impossible(key, item, values))
    where = f"column {name!r}: {values[rows[0]]:g} at {panel.where(rows)}"
    others = sum(n > 0 for n in outside) - 1
    other_range = Argument("answers=...", ("--answers", f"{key.name}=LOW-HIGH"))
    what = f"{key.name} is answered from {key.low:g} to {key.high:g}, and {sum(outside):,} answers are outside."
    if own := own_answers(key):
        what = f"{what[:-1]}, or are none that their item has ({own})."
    raise ScoreError(
        what,
        where=where + (f"; and {counted(others, 'more column')}" if others else ""),
        remedy=Wording(
            f"Correct the answers, {'code them as the form scores them, ' if own else ''}"
            "declare missing codes when reading (",
            Argument("missing=...", ("--missing", "COLUMN=CODE")),
            "), ",
            *(("name another range (", other_range, "), ") if key.range_options else ()),
            "or score with ",
            Argument("out_of_range='missing'", ("--out-of-range", "missing")),
            ".",
        ),
    )


def _outside_finding(key: Instrument, columns: Mapping[int, str], outside: list[int]) -> Finding:
    names = [c for c, n in zip(columns.values(), outside, strict=True) if n]
    own = own_answers(key)
    none = f", or none that their item has ({own})," if own else ""
    what = f"{sum(outside):,} answers to {key.name} outside {key.low:g} to {key.high:g}{none} were taken as missing."
    remedy = "Correct them in the file if they are typing errors."
    return Finding("warning", "answers-out-of-range", what, f"columns {some(names)}", sum(outside), remedy)


def _further_finding(key: Instrument, column: str) -> Finding:
    what = f"{key.name} has {len(key.items)} items; column {column!r}, numbered behind them, was not scored."
    mapping = Argument("items=...", ("--items", f"{key.name}=..."))
    remedy = Wording("Check that this is the form meant; a mapping of the items (", mapping, ") says so.")
    return Finding("warning", "item-beyond", what, f"column {column}", 1, remedy)


def unverified_finding(key: Instrument, facts: Collection[str] = FACTS) -> list[Finding]:
    """A warning if no source confirms one of these facts, else nothing. facts : keys of FACTS."""
    open_facts = [str(one) for one in key.unverified_facts if one.fact in facts]
    if not open_facts:
        return []
    what = f"{key.name}: {'; '.join(open_facts)}."
    return [Finding("warning", "key-unverified", what, "", 0, "Check it against the form's manual.")]


def _scored_finding(record: ScoreRecord, rows: int) -> Finding:
    scales = record.scales
    total = scales[0]
    turned = ", its reversed items taken as turned round already," if record.already_reversed else ""
    what = f"{record.instrument}{turned} scored in {total.complete + total.prorated:,} of {rows:,} sessions"
    if total.prorated:
        items = f"{counted(total.items_filled, 'missing item')} filled"
        what += f", {total.prorated:,} of them pro-rated ({items})"
    if total.too_few:
        few = f"more than {counted(total.max_missing, 'missing item')}" if total.max_missing else "an item missing"
        if record.key.scales[0].parts:
            few = "too many items of a part missing"
        what += f"; {total.too_few:,} had {few} and no score"
    if total.empty:
        what += f"; {total.empty:,} had no answer"
    where = numbered("column", [s.column for s in scales], 12)
    return Finding("note", "scored", what + ".", where, total.prorated + total.too_few + total.empty)
