"""Patterns of column names, which tell the session's number and an item's: 'core_{}', 'core{item}_{session}'.

Where sessions are words, the pattern lists them in their order, and they are numbered from 1: 'core_{pre|post|fu}'; or
with numbers of their own: 'core_{pre=0|post=12}'.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Mapping, Sequence

from ..errors import Argument, ReadError, Wording, nearest, some
from ..panel.table import Table
from .wave_words import place

Patterns = str | Sequence[str] | Mapping[str, str]

_HOLE = re.compile(r"\{(session|item|[^{}|]+(?:\|[^{}|]+)+)?\}")
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
    _one_numbering([pattern for _, pattern in pairs], source)
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
            remedy="Write {} for the number, for example 'core_{}', 'core{item}_{session}' with items, or "
            "'core_{pre|post|fu}' with words in their order.",
        )
    words = _words(next(hole for hole in holes if hole != "item"), str(pattern), source)
    first, between, _ = _HOLE.split(str(pattern))[1:4] if len(holes) == 2 else ("", "-", "")
    if words:
        edges = {word[-1] if first != "item" else word[0] for word in words}
        apart = not any(edge.isdigit() for edge in edges)
    else:
        apart = False
    if len(holes) == 2 and not apart and not re.search(r"[^0-9]", between):
        raise ReadError(
            f"The pattern {pattern!r} has no text between its two numbers, so that 'q112' could be 1 and 12 or "
            "11 and 2.",
            where=source,
            remedy="Rename the columns so that a sign stands between them, for example 'q1_12' with the pattern "
            "'q{session}_{item}'.",
        )


def _words(hole: str, pattern: str, source: str = "") -> dict[str, int]:
    """The words that stand for sessions in a hole -> the session's number; none for a hole of numbers."""
    if hole in ("", "session"):
        return {}
    found: dict[str, int] = {}
    for i, part in enumerate(hole.split("|"), 1):
        word, sign, number = part.partition("=")
        if not word.strip() or word in found or (sign and not re.fullmatch(r"-?[0-9]{1,9}", number)):
            raise ReadError(
                f"The pattern {pattern!r} does not list words of sessions: {part!r}.",
                where=source,
                remedy="List each word once, as in 'core_{pre|post|fu}', or with its number, as in "
                "'core_{pre=0|post=12}'.",
            )
        found[word] = int(number) if sign else i
    if len(set(found.values())) < len(found):
        raise ReadError(
            f"The pattern {pattern!r} gives two words the same number.",
            where=source,
            remedy="Number all of them, as in 'core_{pre=0|post=12}', or none.",
        )
    return found


def session_words(pattern: str) -> dict[str, int]:
    """Word -> session, of a pattern with words; none of one with numbers."""
    return next((_words(hole, pattern) for hole in _HOLE.findall(pattern) if hole != "item"), {})


def _one_numbering(patterns: Sequence[str], source: str) -> None:
    """Raise ReadError if a word stands for one session in a pattern and for another in the next."""
    known: dict[str, tuple[int, str]] = {}
    listed: str | None = None
    counted: str | None = None
    for pattern in patterns:
        words = session_words(pattern)
        if not words:
            counted = pattern
        elif "=" not in pattern:
            listed = pattern
        for word, number in words.items():
            at, other = known.setdefault(word.lower(), (number, pattern))
            if at != number:
                raise ReadError(
                    f"{word!r} is session {at} in {other!r} and {number} in {pattern!r}.",
                    where=source,
                    remedy="List the same words in every pattern, in the same order; a pattern may list some that it "
                    "has no column for.",
                )
    if listed and counted:
        raise ReadError(
            f"{counted!r} has sessions by number, {listed!r} by words: nothing says which is which.",
            where=source,
            remedy="Number the words, as in 'core_{pre=0|post=12}'.",
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
    words = {number: word for word, number in _words(holes[0], pattern, source).items()}
    unnamed = [n for n in numbers if words and n not in words]
    if unnamed:
        raise ReadError(
            f"The pattern {pattern!r} has no word for session {unnamed[0]}.",
            where=source,
            remedy="List a word for each session.",
        )
    filled = {n: words.get(n, str(n)) for n in numbers}
    return {n: _HOLE.sub(lambda _, word=word: word, pattern) for n, word in filled.items()}  # type: ignore[misc]


def match(table: Table, pairs: list[tuple[str | None, str]], person: str) -> dict[str, dict[int, str]]:
    """New column -> session number -> column of the table."""
    found: dict[str, dict[int, str]] = {}
    owner: dict[str, str] = {}
    for new, pattern in pairs:
        fits = [(c, m) for c in table.columns if (m := _regex(pattern).fullmatch(c)) and c != person]
        if not fits:
            raise ReadError(
                f"No column fits the pattern {pattern!r}.{nearest(_example(pattern), table.columns)}",
                where=table.source,
                remedy=f"The columns are {some(table.columns, 12)}.",
            )
        stem, words = new or _stem(pattern), session_words(pattern)
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
            number = words[hit["session"]] if words else int(hit["session"])
            _place(found.setdefault(name, {}), number, column, name, table.source)
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
        loose = _regex(pattern, _bare)
        plain = _HOLE.sub("#", _bare(pattern))
        words = bool(session_words(pattern))
        for column in table.columns:
            if column in taken or column in found or not (words or re.search("[0-9]", column)):
                continue
            bare = _bare(column)
            if words:
                if loose.fullmatch(bare) or _other_wave(pattern, bare):
                    found[column] = pattern
                continue
            alike = difflib.SequenceMatcher(None, re.sub("[0-9]+", "#", bare), plain).ratio() if len(plain) > 4 else 0.0
            if loose.fullmatch(bare) or alike >= _ALIKE:
                found[column] = pattern
    return found


def _other_wave(pattern: str, bare: str) -> bool:
    """Whether a column without case and separators would fit with a word for a wave that the pattern does not list."""
    before, after = (_regex(part, _bare).pattern for part in _around(pattern))
    found = re.fullmatch(f"{before}(.+){after}".replace("(?P<item>", "(?:"), bare)
    return found is not None and place(found[1]) is not None


def _around(pattern: str) -> tuple[str, str]:
    """What stands before and after the session's hole."""
    hole = next(h for h in _HOLE.finditer(pattern) if h[1] != "item")
    return pattern[: hole.start()], pattern[hole.end() :]


def _example(pattern: str) -> str:
    """A column that would fit."""
    return _HOLE.sub(
        lambda hole: next(iter(_words(hole[1], pattern)), "1") if hole[1] not in (None, "item") else "1", pattern
    )


def _bare(text: str) -> str:
    """In lower case, without separators; holes stay."""
    return re.sub(r"[\s_.-]+", "", text.casefold())


def _regex(pattern: str, spelled: Callable[[str], str] = str) -> re.Pattern[str]:
    """The names that fit; `spelled` is what becomes of a name, and so of the pattern, before they are compared."""
    parts = _HOLE.split(pattern)  # text, hole, text, ...
    return re.compile(
        "".join(
            re.escape(spelled(part)) if i % 2 == 0 else _group(part, pattern, spelled)
            for i, part in enumerate(part or "" for part in parts)
        )
    )


def _group(hole: str, pattern: str, spelled: Callable[[str], str]) -> str:
    if hole == "item":
        return r"(?P<item>[0-9]+)"
    words = sorted({spelled(word) for word in _words(hole, pattern)}, key=len, reverse=True)
    return f"(?P<session>{'|'.join(map(re.escape, words)) or '[0-9]{1,9}'})"


def _stem(pattern: str) -> str:
    """'core_{}' -> 'core', 'bdi_s{}' -> 'bdi', 'core{item}_{session}' -> 'core{item}'."""
    before, after = _around(pattern)
    short = _SESSION_WORD.sub("", before.replace("{item}", "0\0"))
    before = short.replace("0\0", "{item}").rstrip("\0") if short else before
    stem = before.rstrip("_. -") + (("_" if before and after.strip("_. -") else "") + after.strip("_. -"))
    return stem or "value"
