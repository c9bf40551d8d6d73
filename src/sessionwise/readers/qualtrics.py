"""Qualtrics exports: below the column names stand the question texts and a row of ImportIds, and only then the answers.

The row of ImportIds tells such an export: every cell of it is JSON such as {"ImportId":"QID3_1"}.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ..findings import Finding
from ..panel.exact import exact
from ..words import agree, counted, numbered

if TYPE_CHECKING:
    import polars as pl

_IMPORT_ID = re.compile(r"""\s*\{\s*["']ImportId["']\s*:""")
_PREVIEWS = {
    "Status": ("survey preview", "survey test"),
    "DistributionChannel": ("preview", "test"),
}


@dataclass(frozen=True, slots=True)
class Below:
    """What stands between the names and the answers. rows : how many, 0 in other files. labels : column -> text."""

    rows: int = 0
    labels: dict[str, str] = field(default_factory=dict)


def below_names(names: Sequence[str], rows: Sequence[Sequence[str | None]]) -> Below:
    """What `rows`, the first two below the names, are: question texts and ImportIds, or answers.

    An export without the texts, or with the texts below the ImportIds, is one too.
    """
    at = next((i for i, row in enumerate(rows[:2]) if _import_ids(row)), None)
    if at is None:
        return Below()
    texts = rows[0] if at == 1 else ()
    said = {name: " ".join((text or "").split()) for name, text in zip(names, texts, strict=False)}
    return Below(at + 1, {name: text for name, text in said.items() if name and text and text != name})


def _import_ids(row: Sequence[str | None]) -> bool:
    cells = [cell for cell in row if cell and cell.strip()]
    return bool(cells) and all(_IMPORT_ID.match(cell) for cell in cells)


def left_out(below: Below, numbers: Sequence[int], word: str, source: str) -> Finding:
    """The note on the rows that are no answers; `numbers` are theirs in the file."""
    n = len(numbers)
    what = f"Read as a Qualtrics export: {numbered(word, numbers)} {agree(n, 'is', 'are')} no answers and "
    what += f"{agree(n, 'was', 'were')} left out"
    what += "; the question texts became labels of the columns." if below.labels else "."
    return Finding("note", "qualtrics", what, source, n)


def previews(frame: pl.DataFrame, source: str) -> list[Finding]:
    """A warning if answers were given in a preview of the survey; they stay."""
    import polars as pl

    for name, words in _PREVIEWS.items():
        if frame.schema.get(name) == pl.String:
            n = int(frame.select(exact(name).str.strip_chars().str.to_lowercase().is_in(words).sum()).item())
            if n:
                what = f"{counted(n, 'row')} {agree(n, 'comes', 'come')} from a preview of the survey, as column "
                what += f"{name!r} says, and {agree(n, 'was', 'were')} kept."
                remedy = "If no patient gave these answers, take the rows out of the file."
                return [Finding("warning", "survey-preview", what, f"{source}, column {name}", n, remedy)]
    return []
