"""Whether a table seems to have one row a person, with sessions side by side."""

from __future__ import annotations

import re

from ..errors import Argument, Wording
from ..findings import Finding
from ..panel.table import Table
from .headers import names_persons

_TIME = re.compile(
    r"^(session|sess|ses|visit|wave|time|week|day|date|occasion|t|occ|measurement)(no|nr|num|number)?$", re.I
)
_NUMBERED = re.compile(r"^(.*\D)(\d{1,3})(\D*)$")
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
        if column == who:
            continue
        if two := _TWO.match(column):
            stems.setdefault(f"{two[1]}{{item}}{two[3]}{{session}}", set()).add(two[4])
        elif one := _NUMBERED.match(column):
            stems.setdefault(f"{one[1]}{{}}{one[3]}", set()).add(one[2])
    patterns = [p for p, numbers in stems.items() if len(numbers) >= 3]
    if not patterns:
        return None
    option = [word for pattern in patterns for word in ("--wide", pattern)]
    turned = Argument(f"wide={patterns!r}, person={who!r}", (*option, "--person", who))
    return Finding(
        "warning",
        "looks-wide",
        f"Every {who!r} stands once, and columns are numbered: it may be one row a person, sessions side by side.",
        where=table.source,
        count=sum(len(stems[p]) for p in patterns),
        remedy=Wording("If so, read it with ", turned, "."),
    )
