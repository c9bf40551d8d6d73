"""python -m bench: prints the table and writes it to bench/results.md."""

from __future__ import annotations

import math
from pathlib import Path

from . import command, products, sessions
from .timing import Row, machine


def main() -> None:
    table = [row for part in (command, sessions, products) for row in part.rows()]
    heads = ("what", "ours", "beside", "theirs", "ratio", "peak memory")
    lines = [f"Machine: {machine()}. Medians; ratios pair by pair.", "", _line(heads), _line(["---"] * len(heads))]
    lines += [_line(_cells(row)) for row in table]
    text = "\n".join(lines) + "\n"
    (Path(__file__).parent / "results.md").write_text(text, encoding="utf-8")
    print(text)


def _cells(row: Row) -> list[str]:
    shown = lambda x, unit: "" if math.isnan(x) else f"{x:.3g}{unit}"  # noqa: E731
    return [
        row.what,
        shown(row.ours, " s"),
        row.peer,
        shown(row.theirs, " s"),
        shown(row.ratio, ""),
        shown(row.memory_gb, " GB"),
    ]


def _line(cells: list[str] | tuple[str, ...]) -> str:
    return "| " + " | ".join(cells) + " |"


if __name__ == "__main__":
    main()
