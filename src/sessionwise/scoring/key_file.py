"""An instrument's TOML file -> Instrument. Strict: whatever is not understood is an InstrumentError
that names the file, the key and the remedy. The format is documented in docs/instruments.md.
"""

from __future__ import annotations

import math
import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import NoReturn, cast, get_args

from ..errors import InstrumentError, nearest, some
from .instrument import FACTS, Answers, Band, Certainty, Higher, Instrument, Scale, Scoring, Source, reliable_change

_NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
_SUFFIX = re.compile(r"([a-z][a-z0-9]*(_[a-z0-9]+)*)?")
_PREFIX = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")


def read_file(path: Path) -> Instrument:
    """The instrument in the TOML file at `path`. Raises InstrumentError."""
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise InstrumentError(
            f"there is no instrument file {str(path)!r}", where=str(path), remedy="check the path"
        ) from None
    except (OSError, UnicodeDecodeError) as error:
        raise InstrumentError(
            f"the instrument file cannot be read: {error}",
            where=str(path),
            remedy="give a readable TOML text file in UTF-8",
        ) from None
    return parse(text, str(path))


def parse(text: str, where: str) -> Instrument:
    """The instrument in TOML `text`; `where` names it in messages. Raises InstrumentError."""
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise InstrumentError(
            f"the instrument file is not TOML: {error}", where=where, remedy="correct the file at that line"
        ) from None
    return _instrument(_Table(data, where, ""))


class _Table:
    """A TOML table that knows its place, and checks what is taken from it."""

    def __init__(self, data: Mapping[str, object], file: str, place: str) -> None:
        self.data, self.file, self.place = data, file, place

    def fail(self, key: str, what: str, remedy: str) -> NoReturn:
        at = f"{self.place}.{key}" if self.place and key else self.place or key
        raise InstrumentError(f"{at}: {what}" if at else what, where=f"{self.file}, key {at or 'top'}", remedy=remedy)

    def only(self, *known: str) -> None:
        for key in self.data:
            if key not in known:
                self.fail(
                    key, f"unknown key {key!r}.{nearest(key, known)}", f"remove it; known keys: {', '.join(known)}"
                )

    def need(self, key: str) -> None:
        if key not in self.data:
            self.fail(key, f"the key {key!r} is missing.{nearest(key, self.data)}", f"add a line `{key} = ...`")

    def text(self, key: str, default: str | None = None) -> str:
        if default is None:
            self.need(key)
        value = self.data.get(key, default)
        if not isinstance(value, str):
            self.fail(key, f"expected text, found {value!r}", f'write `{key} = "..."`')
        return value

    def number(self, key: str) -> float | None:
        if key not in self.data:
            return None
        return self._float(key, self.data[key])

    def count(self, key: str, least: int, default: int | None = None) -> int:
        if default is None:
            self.need(key)
        value = self.data.get(key, default)
        if isinstance(value, bool) or not isinstance(value, int) or value < least:
            self.fail(key, f"expected a whole number of at least {least}, found {value!r}", "give such a number")
        return value

    def flag(self, key: str, default: bool) -> bool:
        value = self.data.get(key, default)
        if not isinstance(value, bool):
            self.fail(key, f"expected true or false, found {value!r}", f"write `{key} = true` or `{key} = false`")
        return value

    def choice(self, key: str, options: Sequence[str], default: str | None = None) -> str:
        value = self.text(key, default)
        if value not in options:
            self.fail(key, f"{value!r} is not known.{nearest(value, options)}", f"use one of {', '.join(options)}")
        return value

    def items(self, key: str, n: int, default: object = None) -> tuple[int, ...]:
        value = self.data.get(key, default)
        if value is None:
            self.need(key)
        if value == "all":
            return tuple(range(1, n + 1))
        if not isinstance(value, list) or any(isinstance(i, bool) or not isinstance(i, int) for i in value):
            self.fail(key, f"expected a list of item numbers, found {value!r}", "write for example `[1, 4, 7]`")
        outside = [i for i in value if not 1 <= i <= n]
        if outside:
            self.fail(key, f"item {some(outside)} is not among the items 1 to {n}", "correct the list or `items`")
        twice = sorted({i for i in value if value.count(i) > 1})
        if twice:
            self.fail(key, f"item {some(twice)} is listed twice", "list each item once")
        return tuple(sorted(value))

    def range(self, key: str) -> tuple[float, float]:
        self.need(key)
        return self._range(key, self.data[key])

    def ranges(self, key: str) -> tuple[tuple[float, float], ...]:
        value = self.data.get(key, [])
        if not isinstance(value, list):
            self.fail(key, f"expected a list of ranges, found {value!r}", "write for example `[[1, 7]]`")
        return tuple(self._range(key, v) for v in value)

    def numbers(self, key: str) -> tuple[float, ...]:
        self.need(key)
        value = self.data[key]
        if not isinstance(value, list):
            self.fail(key, f"expected a list of numbers, found {value!r}", "write for example `[0, 2, 4]`")
        return tuple(self._float(key, v) for v in value)

    def texts(self, key: str) -> tuple[str, ...]:
        value = self.data.get(key, [])
        if not isinstance(value, list) or not all(isinstance(v, str) for v in value):
            self.fail(key, f"expected a list of texts, found {value!r}", 'write for example `["abc"]`')
        return tuple(value)

    def tables(self, key: str) -> list[_Table]:
        value = self.data.get(key, [])
        if not isinstance(value, list) or not all(isinstance(v, dict) for v in value):
            self.fail(key, f"expected tables, found {value!r}", f"write `[[{key}]]` above each of them")
        inside = f"{self.place}.{key}" if self.place else key
        return [_Table(v, self.file, f"{inside}[{i}]") for i, v in enumerate(value, start=1)]

    def _float(self, key: str, value: object) -> float:
        if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
            self.fail(key, f"expected a number, found {value!r}", "give a number")
        return float(value)

    def _range(self, key: str, value: object) -> tuple[float, float]:
        if not isinstance(value, list) or len(value) != 2:
            self.fail(key, f"expected [lowest, highest], found {value!r}", "write for example `[0, 4]`")
        low, high = (self._float(key, v) for v in value)
        if low >= high:
            self.fail(key, f"the lowest answer {low:g} is not below the highest {high:g}", "write the lowest first")
        return low, high


def _instrument(t: _Table) -> Instrument:
    t.only(
        "name", "title", "items", "range", "range_options", "whole", "higher", "reversed",
        "prefixes", "licence", "note", "answers", "scale", "source",
    )  # fmt: skip
    name = t.text("name")
    if not _NAME.fullmatch(name):
        t.fail("name", f"{name!r} is not a name", "use lower-case letters, digits and single hyphens, as in 'core-om'")
    prefixes = t.texts("prefixes")
    for prefix in prefixes:
        if not _PREFIX.fullmatch(prefix):
            t.fail("prefixes", f"{prefix!r} is not a prefix", "use lower-case letters, digits and single underscores")
    n = t.count("items", 1)
    low, high = t.range("range")
    t.need("scale")
    higher = cast(Higher, t.choice("higher", get_args(Higher)))
    scales = _scales(t, n, low, high, higher)
    names = [s.name for s in scales]
    if not names or names[0] != "":
        t.fail("scale", "the first scale is not the total", 'begin with a `[[scale]]` that has `name = ""`')
    if len(set(names)) < len(names):
        t.fail("scale", "two scales have the same name", "give every scale its own name")
    if scales[0].higher != higher:
        t.fail("scale", f"the total is higher when {scales[0].higher}, and `higher` above says {higher}", "say it once")
    return Instrument(
        name=name,
        title=t.text("title"),
        items=tuple(range(1, n + 1)),
        low=low,
        high=high,
        scales=scales,
        reversed=t.items("reversed", n),
        range_options=t.ranges("range_options"),
        whole=t.flag("whole", True),
        answers=_answers(t, n, low, high),
        higher=higher,
        prefixes=prefixes,
        licence=t.text("licence", ""),
        note=t.text("note", ""),
        sources=tuple(_source(s, names) for s in t.tables("source")),
    )


def _answers(t: _Table, n: int, low: float, high: float) -> tuple[Answers, ...]:
    """Items that have only some of the answers."""
    found = []
    taken: set[int] = set()
    for one in t.tables("answers"):
        one.only("items", "values")
        items, values = one.items("items", n), one.numbers("values")
        if not items:
            one.fail("items", "the answers are of no items", "list them")
        if twice := sorted(taken.intersection(items)):
            one.fail("items", f"item {some(twice)} has answers already", "list each item once")
        taken.update(items)
        if list(values) != sorted(set(values)) or len(values) < 2 or (values[0], values[-1]) != (low, high):
            one.fail(
                "values",
                f"the answers do not rise from {low:g} to {high:g}",
                "begin with the lowest answer of `range` and end with the highest, as in `[0, 2, 4]`",
            )
        if t.flag("whole", True) and any(value != round(value) for value in values):
            one.fail("values", "these answers are not all whole", "write `whole = false` above, or correct them")
        found.append(Answers(items, values))
    if found and t.data.get("range_options"):
        t.fail(
            "answers",
            "these answers are of one range, and there are `range_options`",
            "leave these out, or write one file for each range",
        )
    return tuple(found)


def _scales(t: _Table, n: int, low: float, high: float, higher: Higher) -> tuple[Scale, ...]:
    tables = t.tables("scale")
    of_items = [None if "parts" in s.data else _scale(s, n, low, high, higher) for s in tables]
    known = {s.name: s for s in of_items if s is not None}
    return tuple(
        _sum(table, known, low, high, higher) if scale is None else scale
        for table, scale in zip(tables, of_items, strict=True)
    )


def _scale(t: _Table, n: int, low: float, high: float, higher: Higher) -> Scale:
    """A scale of items."""
    t.only(
        "name", "title", "items", "scoring", "factor", "higher", "max_missing",
        "cutoff", "reliable_change", "bands", "parts",
    )  # fmt: skip
    items = t.items("items", n)
    if not items:
        t.fail("items", "the scale has no items", 'list them, or write `items = "all"`')
    max_missing = t.count("max_missing", 0, default=0)
    if max_missing >= len(items):
        t.fail("max_missing", f"{max_missing} of {len(items)} items may be missing", "allow fewer than all items")
    factor = t.number("factor")
    if factor is not None and factor <= 0:
        t.fail("factor", f"{factor:g} is not above 0", "give a positive number; `reversed` turns items round")
    scoring = cast(Scoring, t.choice("scoring", get_args(Scoring)))
    scale = Scale("", "", items, scoring, 1.0 if factor is None else factor, higher, max_missing)
    return _described(t, scale, low, high)


def _sum(t: _Table, known: Mapping[str, Scale], low: float, high: float, higher: Higher) -> Scale:
    """A scale that adds up scores of others. known : the scales of items."""
    t.only("name", "title", "parts", "higher", "cutoff", "reliable_change", "bands")
    parts = t.texts("parts")
    for part in parts:
        if part not in known:
            t.fail("parts", f"there is no scale of items {part!r}.{nearest(part, known)}", "name scales of this file")
    scales = [known[part] for part in parts]
    items = [item for scale in scales for item in scale.items]
    if len(parts) < 2 or len(set(items)) < len(items):
        t.fail("parts", "the parts are not two scales or more without an item in common", "name such scales")
    if any(scale.scoring != "sum" or scale.factor != scales[0].factor for scale in scales):
        t.fail("parts", "the parts are not all sums with one factor", "name scales that are")
    most = sum(scale.max_missing for scale in scales)
    total = Scale("", "", tuple(sorted(items)), "sum", scales[0].factor, higher, most, parts=parts)
    return _described(t, total, low, high)


def _described(t: _Table, scale: Scale, low: float, high: float) -> Scale:
    """With what both kinds of scale have."""
    name = t.text("name")
    if not _SUFFIX.fullmatch(name):
        t.fail("name", f"{name!r} is not a scale name", "use lower-case letters, digits and single underscores")
    scale = replace(
        scale,
        name=name,
        title=t.text("title", name),
        higher=cast(Higher, t.choice("higher", get_args(Higher), scale.higher)),
        cutoff=t.number("cutoff"),
        reliable_change=_reliable_change(t),
        bands=tuple(_band(b) for b in t.tables("bands")),
    )
    least, most = scale.limits(low, high)
    if scale.cutoff is not None and not least <= scale.cutoff <= most:
        outside = f"{scale.cutoff:g} is outside the scores {least:g} to {most:g}"
        t.fail("cutoff", outside, "correct it, `scoring` or `factor`")
    starts = [b.start for b in scale.bands]
    if starts and (starts != sorted(set(starts)) or starts[0] < least or starts[-1] > most):
        t.fail("bands", f"the starts do not rise within {least:g} to {most:g}", "list the bands from low to high")
    return scale


def _band(t: _Table) -> Band:
    t.only("from", "label")
    t.need("from")
    return Band(cast(float, t.number("from")), t.text("label"))


def _reliable_change(t: _Table) -> float | None:
    value = t.data.get("reliable_change")
    if not isinstance(value, dict):
        change = t.number("reliable_change")
        if change is not None and change <= 0:
            t.fail("reliable_change", f"{change:g} is not above 0", "give a positive number")
        return change
    inner = _Table(value, t.file, f"{t.place}.reliable_change")
    inner.only("sd", "reliability")
    for key in ("sd", "reliability"):
        inner.need(key)
    sd, reliability = cast(float, inner.number("sd")), cast(float, inner.number("reliability"))
    if sd <= 0:
        inner.fail("sd", f"{sd:g} is not above 0", "give the standard deviation at baseline")
    if not 0 <= reliability < 1:
        inner.fail("reliability", f"{reliability:g} is not between 0 and 1", "give the reliability coefficient")
    return reliable_change(sd, reliability)


def _source(t: _Table, scales: Sequence[str]) -> Source:
    t.only("about", "citation", "certainty", "doi", "scale")
    t.need("about")
    about = t.texts("about")
    for fact in about:
        if fact not in FACTS:
            t.fail("about", f"{fact!r} is not a fact.{nearest(fact, FACTS)}", f"use some of {', '.join(FACTS)}")
    if not about:
        t.fail("about", "it is about nothing", f"list some of {', '.join(FACTS)}")
    scale = t.text("scale") if "scale" in t.data else None
    if scale is not None and scale not in scales:
        t.fail("scale", f"there is no scale {scale!r}.{nearest(scale, scales)}", "name a scale of this file")
    certainty = cast(Certainty, t.choice("certainty", get_args(Certainty)))
    return Source(about, t.text("citation"), certainty, t.text("doi", ""), scale)
