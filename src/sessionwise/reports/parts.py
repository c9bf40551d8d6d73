"""Parts: what a section of a report is made of, in the order of reading. Page and Word file are made of these."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ..findings import Finding
from ..study.records import NotAnswered
from .printed_tables import ShownTable


@dataclass(frozen=True, slots=True)
class Text:
    """A paragraph. kind : 'lead' (the answer), 'plain', 'note' (small)."""

    text: str
    kind: str = "plain"


@dataclass(frozen=True, slots=True)
class Caution:
    """What must be known before the rest is read."""

    title: str
    text: str


@dataclass(frozen=True, slots=True)
class Warnings:
    """What `check` found odd in the data, where it matters."""

    title: str
    findings: tuple[Finding, ...]


@dataclass(frozen=True, slots=True)
class Unanswered:
    """A question that stays open, in its place."""

    told: NotAnswered


@dataclass(frozen=True, slots=True)
class TablePart:
    """A table. folded : shown on demand, under these words; '' for at once."""

    table: ShownTable
    folded: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class FigurePart:
    """A figure: short and stable name, an Altair chart of `plot`, and the table behind it (of the figure itself if not
    given)."""

    name: str
    chart: Any
    table: ShownTable | None = None


@dataclass(frozen=True, slots=True)
class Copyable:
    """Paragraphs to be taken over into a paper."""

    name: str
    title: str
    paragraphs: tuple[str, ...]
    kind: str = "plain"


@dataclass(frozen=True, slots=True)
class Facts:
    """Names and what they are: version, fingerprint, call."""

    facts: tuple[tuple[str, str], ...]


Part = Text | Caution | Warnings | Unanswered | TablePart | FigurePart | Copyable | Facts


@dataclass(frozen=True, slots=True, eq=False)
class Section:
    """key : anchor in the page. parts : at least one, else there is no section."""

    key: str
    title: str
    parts: tuple[Part, ...]
