"""Patterns of column names, which tell the session's number and an item's: 'core_{}', 'core{item}_{session}'."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping, Sequence

from ..errors import Argument, ReadError, Wording, nearest, some
from ..panel.table import Table

Patterns = str | Sequence[str] | Mapping[str, str]

_HOLE = re.compile(r"\{(session|item)?\}")
_ALIKE = 0.8
_SESSION_WORD = re.compile(
    r"(?<=[^\W_])[_. -]+(s|ses|sess|session|t|time|w|wave|wk|week|v|visit)?[_. -]*$", re.IGNORECASE
)


def named(patterns: Patterns, source: str) -> list[tuple[str | None, str]]:
    """(new name or None, pattern), each pattern checked."""
    if isinstance(patterns, str):
        patterns = [patterns]
    pairs: list[tuple[str | None, str]] = [(None, p) for p in patterns]
    if isinstance(patterns, Mapping):
        pairs = [*patterns.items()]
    for _, pattern in pairs:
        _check(pattern, source)
    if not pairs:
        example = Argument("wide='core_{}'", ("--wide", "core_{}"))
        raise ReadError("wide= has no pattern.", where=source, remedy=Wording("Give one, for example ", example, "."))
    return pairs


def _check(pattern: object, source: str) -> None:
    """Raise ReadError unless the pattern has one hole for the session, at most one for items, and text between."""
    holes = _HOLE.findall(pattern) if isinstance(pattern, str) else []
    if len(holes) - holes.count("item") != 1 or holes.count("item") > 1:
        raise ReadError(
            f"wide= has the pattern {pattern!r}, which does not say once where the session's number stands.",
            where=source,
            remedy="Write {} for the number, for example 'core_{}', or 'core{item}_{session}' with items.",
        )
    between = _HOLE.split(str(pattern))[2]
    if len(holes) == 2 and not re.search(r"[^0-9]", between):
        raise ReadError(
            f"The pattern {pattern!r} has no text between its two numbers, so that 'q112' could be 1 and 12 or "
            "11 and 2.",
            where=source,
            remedy="Rename the columns so that a sign stands between them, for example 'q1_12' with the pattern "
            "'q{session}_{item}'.",
        )


def fill(pattern: object, column: str, numbers: Sequence[int], source: str) -> dict[int, str]:
    """Session number -> the new column's name, by a pattern with one hole; ReadError if it has not."""
    holes = _HOLE.findall(pattern) if isinstance(pattern, str) else []
    if not isinstance(pattern, str) or len(holes) != 1 or holes[0] == "item":
        raise ReadError(
            f"The pattern {pattern!r} of column {column!r} does not say once where the session's number stands.",
            where=source,
            remedy=f"Write {{}} for the number, for example {column + '_{}'!r}.",
        )
    return {n: _HOLE.sub(str(n), pattern) for n in numbers}


def match(table: Table, pairs: list[tuple[str | None, str]], person: str) -> dict[str, dict[int, str]]:
    """New column -> session number -> column of the table."""
    found: dict[str, dict[int, str]] = {}
    owner: dict[str, str] = {}
    for new, pattern in pairs:
        fits = [(c, m) for c in table.columns if (m := _regex(pattern).fullmatch(c)) and c != person]
        if not fits:
            raise ReadError(
                f"No column fits the pattern {pattern!r}.{nearest(_HOLE.sub('1', pattern), table.columns)}",
                where=table.source,
                remedy=f"The columns are {some(table.columns, 12)}.",
            )
        stem = new or _stem(pattern)
        for column, hit in fits:
            if column in owner:
                raise ReadError(
                    f"Column {column!r} fits two patterns, {owner[column]!r} and {pattern!r}.",
                    where=table.source,
                    remedy="Make them narrower.",
                )
            owner[column] = pattern
            item = hit.groupdict().get("item", "")
            name = stem.replace("{item}", item) if "{item}" in stem else stem + item
            _place(found.setdefault(name, {}), int(hit["session"]), column, name, table.source)
    return found


def _place(by_session: dict[int, str], number: int, column: str, name: str, source: str) -> None:
    if number in by_session:
        raise ReadError(
            f"Columns {by_session[number]!r} and {column!r} are both {name!r} of session {number}.",
            where=source,
            remedy="Rename one of them, or make the pattern narrower.",
        )
    by_session[number] = column


def near_misses(table: Table, pairs: list[tuple[str | None, str]], taken: set[str]) -> dict[str, str]:
    """Columns that fit no pattern but would, were it not for case, separators or one letter -> the pattern."""
    found: dict[str, str] = {}
    for _, pattern in pairs:
        loose = _regex(_bare(pattern))
        plain = _HOLE.sub("#", _bare(pattern))
        for column in table.columns:
            if column in taken or column in found or not re.search("[0-9]", column):
                continue
            bare = _bare(column)
            alike = difflib.SequenceMatcher(None, re.sub("[0-9]+", "#", bare), plain).ratio() if len(plain) > 4 else 0.0
            if loose.fullmatch(bare) or alike >= _ALIKE:
                found[column] = pattern
    return found


def _bare(text: str) -> str:
    """In lower case, without separators; holes stay."""
    return re.sub(r"[\s_.-]+", "", text.casefold())


def _regex(pattern: str) -> re.Pattern[str]:
    parts = _HOLE.split(pattern)  # text, hole, text, ...
    text = "".join(
        re.escape(part) if i % 2 == 0 else (r"(?P<item>[0-9]+)" if part == "item" else r"(?P<session>[0-9]{1,9})")
        for i, part in enumerate(parts)
    )
    return re.compile(text)


def _stem(pattern: str) -> str:
    """'core_{}' -> 'core', 'bdi_s{}' -> 'bdi', 'core{item}_{session}' -> 'core{item}'."""
    hole = next(h for h in _HOLE.finditer(pattern) if h[1] != "item")
    before, after = pattern[: hole.start()], pattern[hole.end() :]
    short = _SESSION_WORD.sub("", before.replace("{item}", "0\0"))
    before = short.replace("0\0", "{item}").rstrip("\0") if short else before
    stem = before.rstrip("_. -") + (("_" if before and after.strip("_. -") else "") + after.strip("_. -"))
    return stem or "value"
