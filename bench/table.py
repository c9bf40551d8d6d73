"""Rows to a table in markdown, and a file with one section per part, of which one may be replaced."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from pathlib import Path

from .timing import Row, machine, shown

HEADS = ("what", "ours", "beside", "theirs", "ours / theirs", "peak memory", "criterion, theirs - ours", "remark")


def section(title: str, about: str, rows: Sequence[Row]) -> str:
    """A heading, the machine, what was done, and the table without its empty columns."""
    cells = [_cells(row) for row in rows]
    kept = [i for i in range(len(HEADS)) if any(line[i] for line in cells)]
    heads = [HEADS[i] for i in kept]
    lines = [heads, ["---"] * len(kept), *([line[i] for i in kept] for line in cells)]
    table = "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)
    intro = f"Machine: {machine()}. Medians; ratios pair by pair.{' ' if about else ''}{about}"
    return f"## {title}\n\n{intro}\n\n{table}\n"


def replace_section(file: Path, text: str, order: Sequence[str]) -> None:
    """Put a section into the file, in place of the one with the same title; titles in the order given."""
    old = file.read_text(encoding="utf-8") if file.exists() else ""
    found = {_title(part): part for part in ("\n" + old).split("\n## ")[1:]}
    found[_title(text[3:])] = text[3:]
    kept = [found[title].strip() for title in order if title in found]
    file.write_text("\n\n".join(f"## {part}" for part in kept) + "\n", encoding="utf-8")


def _title(part: str) -> str:
    return part.split("\n", 1)[0].strip()


def _cells(row: Row) -> list[str]:
    return [
        row.what,
        _number(row.ours, shown),
        row.peer,
        _number(row.theirs, shown),
        _number(row.ratio, "{:.3g}".format),
        _number(row.memory_gb, "{:.3g} GB".format),
        _number(row.difference, "{:+.1e}".format),
        row.remark,
    ]


def _number(x: float, form: Callable[[float], str]) -> str:
    return "" if math.isnan(x) else form(x)
