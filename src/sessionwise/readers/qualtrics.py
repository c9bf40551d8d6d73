"""Qualtrics exports: below the column names stand the question texts and a row of ImportIds, and only then the answers.

The row of ImportIds tells such an export: every cell of it is JSON such as {"ImportId":"QID3_1"}. The legacy format,
and files from which that row was taken, have the texts alone: there Qualtrics names its own columns (StartDate, or V8,
and below it "Start Date"), which no answer does.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ..findings import Finding
from ..panel.exact import exact
from ..words import agree, counted, numbered
from .headers import is_number

if TYPE_CHECKING:
    import polars as pl

_IMPORT_ID = re.compile(r"""\s*\{\s*["']ImportId["']\s*:""")
_OWN = frozenset(
    {"responseid", "responseset", "name", "externaldatareference", "externalreference", "emailaddress", "status"}
    | {"recipientemail", "recipientfirstname", "recipientlastname", "ipaddress", "responsetype", "startdate"}
    | {"enddate", "recordeddate", "finished", "progress", "durationinseconds", "distributionchannel", "userlanguage"}
    | {"locationlatitude", "locationlongitude"}
)
_LEGACY_NAME = re.compile(r"V[0-9]+")
_RENAMED = ("Status", "Response Type")
_ENOUGH = 3  # of Qualtrics' own columns
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

    An export without the texts, or with the texts below the ImportIds, is one too, and one without ImportIds.
    """
    at = next((i for i, row in enumerate(rows[:2]) if _import_ids(row)), None)
    if at is None:
        if not rows or not _own_texts(names, rows[0]):
            return Below()
        at = 0
    texts = () if _import_ids(rows[0]) else rows[0]
    said = {name: " ".join((text or "").split()) for name, text in zip(names, texts, strict=False)}
    return Below(at + 1, {name: text for name, text in said.items() if name and text and text != name})


def _import_ids(row: Sequence[str | None]) -> bool:
    cells = [cell for cell in row if cell and cell.strip()]
    return bool(cells) and all(_IMPORT_ID.match(cell) for cell in cells)


def _own_texts(names: Sequence[str], row: Sequence[str | None]) -> bool:
    """Whether the row holds texts, by what stands in Qualtrics' own columns."""
    pairs = [(name, (cell or "").strip()) for name, cell in zip(names, row, strict=False)]
    known = sum(_plain(cell) in _OWN and _is_text_of(name, cell) for name, cell in pairs)
    return known >= _ENOUGH and not any(is_number(cell) for _, cell in pairs) and any(n != c for n, c in pairs)


def _is_text_of(name: str, cell: str) -> bool:
    """Whether this stands below this name of a column of Qualtrics' own."""
    return _plain(name) == _plain(cell) or bool(_LEGACY_NAME.fullmatch(name)) or (name, cell) == _RENAMED


def _plain(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower())


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
