"""Whether a table seems to have one row a person, with sessions side by side."""

from __future__ import annotations

import re
from collections.abc import Mapping

from ..errors import Argument, Wording, some
from ..findings import Finding
from ..panel.table import Table
from .headers import names_persons
from .wave_words import in_columns, one_order

_TIME = re.compile(
    r"^(session|sess|ses|visit|wave|time|week|day|date|occasion|t|occ|measurement)(no|nr|num|number)?$", re.I
)
_LAST_NUMBER = re.compile(r"\d+")
_NUMBERED = re.compile(r"^(.*\D)(\d{1,3})(\D*)$")
_LIMESURVEY = re.compile(r".*(\[SQ\d+\]|_SQ\d+)$")
_TWO = re.compile(r"^(.*\D)(\d{1,3})(\D+)(\d{1,3})$")


def looks_wide(table: Table, person: str | None) -> Finding | None:
    """A warning with the patterns to use, if a table seems to have one row a person and sessions side by side."""
    who = person or next((c for c in table.columns if names_persons(c)), None)
    if who is None or who not in table.columns or any(_TIME.match(c) for c in table.columns):
        return None
    if table[who].head(1000).is_duplicated().any() or table[who].is_duplicated().any() or len(table) < 2:
        return None
    stems: dict[str, set[str]] = {}
    for column in table.columns:
        if column == who or _LIMESURVEY.match(column):
            continue
        if two := _TWO.match(column):
            stems.setdefault(f"{two[1]}{{item}}{two[3]}{{session}}", set()).add(two[4])
        elif one := _NUMBERED.match(column):
            stems.setdefault(f"{one[1]}{{}}{one[3]}", set()).add(one[2])
    patterns = [p for p, numbers in stems.items() if len(numbers) >= 3]
    waves = in_columns([c for c in table.columns if c != who])
    if waves and sum(map(len, waves.values())) >= sum(len(stems[p]) for p in patterns):
        return _waves(table, who, waves)
    if not patterns:
        return None
    return Finding(
        "warning",
        "looks-wide",
        f"Every {who!r} stands once, and columns are numbered: it may be one row a person, sessions side by side.",
        where=table.source,
        count=sum(len(stems[p]) for p in patterns),
        remedy=Wording("If so, read it with ", _turned(patterns, who), "."),
    )


def _turned(patterns: list[str], who: str) -> Argument:
    option = [word for pattern in patterns for word in ("--wide", pattern)]
    return Argument(f"wide={patterns!r}, person={who!r}", (*option, "--person", who))


def _waves(table: Table, who: str, waves: Mapping[str, list[str]]) -> Finding:
    """The warning with patterns of words, such as 'phq9_{pre|post}'."""
    ordered = one_order(waves)
    words = list(dict.fromkeys(word for own in waves.values() for word in own))
    what = f"Every {who!r} stands once, and columns are named by waves ({some(map(repr, words))}): it may be one row a "
    what += "person, waves side by side."
    count = sum(map(len, waves.values()))
    if ordered is None:
        first = next(iter(waves))
        listed = [first.replace("{}", f"{{{'|'.join(waves[first])}}}")]
        remedy = Wording("If so, list them in their order, as in ", _turned(listed, who), ".")
    else:
        patterns = _with_items({name: f"{{{'|'.join(ordered[name])}}}" for name in waves})
        remedy = Wording("If so, and if this is their order, read it with ", _turned(patterns, who), ".")
    return Finding("warning", "looks-wide", what, where=table.source, count=count, remedy=remedy)


def _with_items(holes: Mapping[str, str]) -> list[str]:
    """Patterns of names with a hole -> the hole's words; those that differ in one number only as one, with items."""
    groups: dict[tuple[str, str], list[str]] = {}
    for name, words in holes.items():
        numbers = list(_LAST_NUMBER.finditer(name))
        as_item = f"{name[: numbers[-1].start()]}{{item}}{name[numbers[-1].end() :]}" if numbers else name
        groups.setdefault((as_item, words), []).append(name)
    return [
        (as_item if len(names) > 1 else names[0]).replace("{}", words) for (as_item, words), names in groups.items()
    ]
