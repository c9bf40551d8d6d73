"""Column names in two rows: names of groups, such as 'Session 1', above the names of columns; or names above texts.

Such a file is refused with both ways to read it: the lower row alone, or both joined ('Session 1_phq').
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..errors import Argument, Datum, ReadError, Wording, read_option, some
from ..findings import Finding
from ..words import counted
from .headers import is_number

if TYPE_CHECKING:
    import polars as pl

    from .cells import Numbers

_SEVERAL = 2  # columns of numbers below one row of texts


@dataclass(frozen=True, slots=True)
class NameRow:
    """A header that was found, not told. number : of its row in the file, directly above the first row of cells.
    where, word : the file, and 'line' or 'row'."""

    number: int
    where: str
    word: str


def joined_names(upper: Sequence[str], lower: Sequence[str]) -> list[str]:
    """One name a column: the group's, which stands above its first column or above all of them, and the column's own.

    >>> joined_names(["id", "Session 1", "", "Session 2", ""], ["", "phq", "wai", "phq", "wai"])
    ['id', 'Session 1_phq', 'Session 1_wai', 'Session 2_phq', 'Session 2_wai']
    """
    names, group = [], ""
    for above, below in zip(upper, lower, strict=True):
        if above:
            group = above if below else ""
        names.append(f"{group}_{below}" if group and below and group != below else below or above)
    return names


def must_be_one_row(upper: Sequence[str], lower: Sequence[str], number: int, where: str, word: str) -> None:
    """Raise ReadError if `upper`, row `number`, has no name for some columns and `lower`, the next one, has.

    Nothing is raised where the upper row alone could be read: every gap in it stands above a cell.
    """
    gaps = [i for i, name in enumerate(upper) if not name]
    twice = {name for name, n in Counter(upper).items() if name and n > 1}
    if not twice and (not gaps or gaps == [0]):
        return
    cells = [cell for cell in lower if cell]
    if len(cells) < 2 or any(is_number(cell) for cell in cells):
        return
    if any(not lower[i] for i in gaps) or not all(lower[i] for i, name in enumerate(upper) if name in twice):
        return
    full = len(cells) == len(lower)
    named = len(upper) - len(gaps)
    alone = read_option("header_row", number + 1)
    if named == 1 and upper[0] and all(lower[1:]):
        raise _title(named, len(upper), where, word, alone)
    names = joined_names(upper, lower)
    parts: list[str | Argument] = []
    if len(set(names)) == len(names):
        parts += ["Join both to names such as ", repr(_example(names, lower)), ": ", _both(number)]
    if full and len(set(lower)) == len(lower):
        parts += ["; or take those of the lower one alone: " if parts else "Take the names of the lower one: ", alone]
    parts += ["."] if parts else ["Give every column a name of its own in the file."]
    have = "has gaps" if gaps else "has names that stand twice"
    raise ReadError(
        f"The first {word} {have}, and the one below it names columns too: it looks like names of groups above those "
        f"of columns ({some([n for n in upper if n], 3)}).",
        where=where,
        remedy=Wording(*parts),
    )


def must_not_be_texts(frame: pl.DataFrame, reads: Mapping[str, Numbers], header: NameRow) -> None:
    """Raise ReadError if the first row holds texts above numbers: a second row of names, or the questions' texts.

    It does if it is the only row that keeps several columns from being numbers, and has no number itself. reads : the
    columns of text, read as numbers.
    """
    above = [c for c, r in reads.items() if list(r.bad) == [0] and r.values.count() >= _SEVERAL]
    if len(above) < _SEVERAL:
        return
    others = [frame[c][0] if c not in reads else reads[c].values[0] for c in frame.columns if c not in above]
    if any(value is not None for value in others):
        return
    first = above[0]
    names = joined_names(frame.columns, [str(c) if (c := frame[name][0]) else "" for name in frame.columns])
    low = header.number + 1
    example = repr(names[frame.columns.index(first)])
    parts: list[str | Argument] = ["Join both to names such as ", example, ": ", _both(header.number)]
    parts += ["; take those of the lower one alone: ", read_option("header_row", low)]
    parts += [f"; or, if {header.word} {low} holds answers, say so: ", read_option("header_row", header.number), "."]
    what = (
        f"In {counted(len(above), 'column')} the first {header.word} below the names is the only one that is no number"
    )
    raise ReadError(
        Wording(
            f"{what} ({first}: ", Datum(repr(frame[first][0])), "): it looks like a second row of names, or like texts "
            "of the questions.",
        ),
        where=f"{header.where}, {header.word} {low}",
        remedy=Wording(*parts),
    )  # fmt: skip


def must_not_need_groups(upper: Sequence[str], lower: Sequence[str], number: int, where: str, word: str) -> None:
    """Raise ReadError if names of `lower`, row `number`, stand twice and differ once joined with those above them."""
    if len(upper) != len(lower) or len(set(lower)) == len(lower):
        return
    names = joined_names(upper, lower)
    if len(set(names)) < len(names):
        return
    name = next(name for name, n in Counter(lower).items() if n > 1)
    raise ReadError(
        f"Column name {name!r} stands more than once; the {word} above it tells the columns apart.",
        where=where,
        remedy=Wording("Join both to names such as ", repr(_example(names, lower)), ": ", _both(number - 1), "."),
    )


def _example(names: Sequence[str], lower: Sequence[str]) -> str:
    """A joined name, if there is one."""
    return next((n for n, below in zip(names, lower, strict=True) if below and n != below), names[-1])


def _both(number: int) -> Argument:
    return Argument(f"header_row=[{number}, {number + 1}]", ("--read", f"header_row={number},{number + 1}"))


def _title(named: int, width: int, where: str, word: str, option: Argument) -> ReadError:
    return ReadError(
        f"The first {word} has {named} name for {width} columns: it looks like a title above the header.",
        where=where,
        remedy=Wording("Say where the column names are, for example ", option, "."),
    )


def names_below(rows: Sequence[Sequence[str]], more_than: int) -> int | None:
    """Which of the rows below a title seems to hold the names: the fullest without a number, the first of these; None
    if each has a number or no more cells than the title has."""
    filled = [sum(map(bool, row)) for row in rows]
    words = [i for i, row in enumerate(rows) if filled[i] > more_than and not any(map(is_number, filter(None, row)))]
    if not words:
        return None
    best = max(words, key=lambda i: filled[i])
    above = best - 1
    if above in words and filled[above] == filled[best] - 1 and not rows[above][0]:
        return above  # the header, above a column of row names
    return best


def joined_note(numbers: Sequence[int], names: Sequence[str], source: str, word: str) -> Finding:
    """The note on names that were joined."""
    what = f"Column names were joined from {word}s {numbers[0]} and {numbers[1]}: {some(map(repr, names), 3)}."
    return Finding("note", "names-joined", what, source, len(names))
