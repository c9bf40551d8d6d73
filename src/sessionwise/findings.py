"""Findings: what is wrong or odd in the data, in a form that prints, sorts and travels.

A Finding says one thing. `error` stops an analysis, `warning` travels into the report, `note`
records something that was done to the data (a decimal comma read, a code declared missing).
"""

from __future__ import annotations

import html
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, fields, replace
from typing import Literal

from .errors import PanelError, SessionwiseError, Wording
from .show import Note, text
from .words import counted

Severity = Literal["error", "warning", "note"]
_ORDER: dict[Severity, int] = {"error": 0, "warning": 1, "note": 2}


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing found.

    severity : 'error' (stops an analysis), 'warning' (goes into the report), 'note' (for the record).
    code : a short stable name of the kind of finding, e.g. 'duplicate-session'.
    what : one sentence, in the user's words. What it quotes of a cell or a person's label is a Datum of a Wording.
    where : file line, person, session, column; empty if everywhere.
    count : how many rows, cells or persons are concerned (`what` says which).
    remedy : what the user can do; empty for notes that need nothing.
    column : the one column that it is about, where a program asks for it; not in `to_dicts`.
    """

    severity: Severity
    code: str
    what: str
    where: str = ""
    count: int = 0
    remedy: str = ""
    column: str = field(default="", repr=False, metadata={"json": False})

    def without_data(self) -> Finding:
        """What of it may stand in a file that is passed on: no line, no person, nothing that a cell holds."""
        quoting = isinstance(self.what, Wording) and self.what.holds_data
        return replace(
            self,
            what=self.what.without_data() if isinstance(self.what, Wording) else self.what,
            where=f"column {self.column}" if self.column else "",
            remedy="" if quoting else self.remedy,  # it quotes them too
        )


@dataclass(frozen=True, slots=True)
class Findings:
    """An immutable sequence of Finding, errors first, otherwise in the order found."""

    items: tuple[Finding, ...] = ()

    def __init__(self, items: Iterable[Finding] = ()) -> None:
        ordered = sorted(items, key=lambda f: _ORDER[f.severity])  # sorted() is stable
        object.__setattr__(self, "items", tuple(dict.fromkeys(ordered)))

    def __iter__(self) -> Iterator[Finding]:
        return iter(self.items)

    def __len__(self) -> int:
        return len(self.items)

    def __bool__(self) -> bool:
        return bool(self.items)

    def __add__(self, other: Findings) -> Findings:
        return Findings((*self.items, *other.items))

    @property
    def errors(self) -> Findings:
        return self.only("error")

    @property
    def warnings(self) -> Findings:
        return self.only("warning")

    @property
    def notes(self) -> Findings:
        return self.only("note")

    def only(self, severity: Severity) -> Findings:
        """Findings of one severity."""
        return Findings(f for f in self.items if f.severity == severity)

    def stop_on_error(self, kind: type[SessionwiseError] = PanelError) -> None:
        """Raise `kind` with the first error (and how many more there are), or do nothing."""
        errors = self.errors.items
        if errors:
            first, more = errors[0], len(errors) - 1
            tail = f" (and {counted(more, 'more error')}; see check)" if more else ""
            raise kind(first.what + tail, where=first.where, remedy=first.remedy)

    def to_dicts(self) -> list[dict[str, object]]:
        """One plain dict a finding, for JSON."""
        names = [f.name for f in fields(Finding) if f.name != "column"]
        return [{name: getattr(f, name) for name in names} for f in self.items]

    def lines(self) -> list[str]:
        """A line for each, with the remedy of a warning."""
        return [
            Note(f"note: {f.what}")
            if f.severity == "note"
            else Wording(f"{f.severity}: ", f.what, *((" ", f.remedy) if f.severity == "warning" else ()))
            for f in self.items
        ]

    def summary(self) -> str:
        """For example '1 error, 2 warnings, 3 notes' or 'nothing found'."""
        parts = []
        for severity in _ORDER:
            n = len(self.only(severity))
            if n:
                parts.append(counted(n, severity))
        return ", ".join(parts) or "nothing found"

    def __rich__(self) -> object:
        from rich import box
        from rich.table import Table as RichTable
        from rich.text import Text

        if not self.items:
            return Text("check: nothing found", style="green")
        colour = {"error": "red", "warning": "yellow", "note": "dim"}
        table = RichTable(title=f"check: {self.summary()}", title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False)
        table.add_column("", no_wrap=True)
        table.add_column("what, and where", ratio=6)
        table.add_column("n", justify="right", no_wrap=True)
        table.add_column("remedy", ratio=4)
        for f in self.items:
            what = Text(f.what)
            if f.where:
                what.append(f"\n{f.where}", style="dim")
            severity = Text(f.severity, style=colour[f.severity])
            table.add_row(severity, what, f"{f.count:,}" if f.count else "", Text(f.remedy))
        return table

    def __str__(self) -> str:
        return text(self, width=100)

    __repr__ = __str__

    def _repr_html_(self) -> str:
        if not self.items:
            return "<p>check: nothing found</p>"
        rows = "".join(
            "<tr>"
            + "".join(
                f"<td style='text-align:left'>{html.escape(str(v))}</td>"
                for v in (f.severity, f.what, f.where, f.count or "", f.remedy)
            )
            + "</tr>"
            for f in self.items
        )
        head = "".join(f"<th>{h}</th>" for h in ("", "what", "where", "n", "remedy"))
        return f"<table><caption>check: {self.summary()}</caption><tr>{head}</tr>{rows}</table>"
