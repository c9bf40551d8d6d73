"""Words for waves of measurement in column names, and their order: pre, mid, post, follow-up.

What is found is offered to the user as a pattern such as 'phq9_{pre|post|fu}', and never taken without asking.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import NamedTuple

SCREENING, BEFORE, DURING, AFTER, LATER = range(5)

_TREATMENT = r"(test|treatment|tx|therapy|measure|assessment)?"
_WORDS = (
    (SCREENING, re.compile(r"scr(een(ing)?)?")),
    (BEFORE, re.compile(rf"(pr[eä]|prae){_TREATMENT}|base(line)?|bl|intake|admission")),
    (DURING, re.compile(rf"mid(point|way)?{_TREATMENT}|interim")),
    (AFTER, re.compile(rf"post{_TREATMENT}|eot|discharge|termination")),
    (LATER, re.compile(r"(fup?|follow(up)?|kat(amnese)?)(?P<n>\d{0,3})(m|mo|mth|month|months|w|wk|weeks?|y|years?)?")),
)
_NUMBERED = re.compile(
    r"(?P<unit>t|time|m|mo|month|w|wk|week|s|sess|session)(?P<n>\d{1,3})|"
    r"(?P<n2>\d{1,3})(?P<unit2>m|mo|mth|mths|month|months|w|wk|wks|weeks?)"
)
_SIGNS = re.compile(r"[_. -]+")
_LONG_ENOUGH = 3
_DAYS = re.compile(r"(?<![^\W\d_])(date|day|time)(?![^\W\d_])", re.IGNORECASE)


class Place(NamedTuple):
    """Where a wave stands among others: rank (SCREENING to LATER), then number. unit : what the number counts."""

    rank: int
    number: int
    unit: str = ""


def place(word: str) -> Place | None:
    """The place of a wave's word, whatever its case and separators; None if it is none."""
    plain = _SIGNS.sub("", word).lower()
    for rank, form in _WORDS:
        found = form.fullmatch(plain)
        if found:
            number = found.groupdict().get("n")
            return Place(rank, int(number) if number else 0)
    numbered = _NUMBERED.fullmatch(plain)
    if not numbered:
        return None
    unit = (numbered["unit"] or numbered["unit2"])[0]
    return Place(LATER if unit == "m" else DURING, int(numbered["n"] or numbered["n2"]), unit)


def order(words: Sequence[str]) -> list[str] | None:
    """The words in the order of their waves, those of one place as given; None if one of them is no wave's word, or
    numbers among them count different things."""
    places = {word: place(word) for word in words}
    known = [p for p in places.values() if p is not None]
    if len(known) < len(words) or len({p.unit for p in known if p.unit}) > 1:
        return None
    return sorted(words, key=lambda word: places[word] or Place(LATER, 0))


def in_columns(columns: Sequence[str]) -> dict[str, list[str]]:
    """Names with a hole, '{}' in the place of a wave's word -> the words that stand there, in the columns' order.

    Only holes in which two words or more stand, one of them not a mere number or follow-up; and none in names of dates.
    """
    found: dict[str, list[str]] = {}
    for column in columns:
        for start, end in _stretches(column):
            found.setdefault(f"{column[:start]}\0{column[end:]}", []).append(column[start:end])
    return {
        name.replace("\0", "{}"): words
        for name, words in found.items()
        if not re.search(r"[{}]", name)
        and not _DAYS.search(name)
        and len(words) > 1
        and any(_begins(word) for word in words)
    }


def _begins(word: str) -> bool:
    at = place(word)
    return at is not None and at.rank < LATER and not at.unit


def _stretches(column: str) -> list[tuple[int, int]]:
    """Where in the name a wave's word stands: between signs, or at either end."""
    edges = [0, *(at for m in _SIGNS.finditer(column) for at in (m.start(), m.end())), len(column)]
    starts = [i for i in edges if i < len(column) and not _SIGNS.match(column[i])]
    ends = [i for i in edges if i and not _SIGNS.match(column[i - 1])]
    found = [(i, j) for i in starts for j in ends if i < j and (i, j) != (0, len(column)) and place(column[i:j])]
    if found or not starts:
        return found
    last, first = max(starts), min(e for e in ends if e)
    inside = [(i, len(column)) for i in range(last + 1, len(column) - _LONG_ENOUGH + 1)]
    inside += [(0, j) for j in range(_LONG_ENOUGH, first)]
    # Of 'phqposttest' the longest word counts, which comes first at the end of a name and last at its beginning.
    at_end = [pair for pair in inside if pair[0] and _begins_or_follows(column[slice(*pair)])]
    at_start = [pair for pair in inside if not pair[0] and _begins_or_follows(column[slice(*pair)])]
    return at_end[:1] + at_start[-1:]


def _begins_or_follows(word: str) -> bool:
    """Whether a piece of a name without signs is a wave's word: t1 and the like are too short to tell."""
    at = place(word)
    return at is not None and not at.unit


def one_order(holes: Mapping[str, Sequence[str]]) -> dict[str, list[str]] | None:
    """Hole -> its words in an order that is one for all: the place of a word that it lacks is held by another's.

    None if their order cannot be told.
    """
    of_place: dict[Place, list[str]] = {}
    for words in holes.values():
        if order(words) is None:
            return None
        for word in words:
            at = place(word)
            if at is not None and word not in of_place.setdefault(at, []):
                of_place[at].append(word)
    if order([word for words in of_place.values() for word in words]) is None:
        return None
    shared = {at: _spelled(words, holes) for at, words in sorted(of_place.items())}
    flat = [spelling for spellings in shared.values() for spelling in spellings]
    return {
        name: [next((word for word in words if word in spelling), spelling[0]) for spelling in flat]
        for name, words in holes.items()
    }


def _spelled(words: Sequence[str], holes: Mapping[str, Sequence[str]]) -> list[list[str]]:
    """Words of one place: spellings of one wave, unless two of them stand in one hole."""
    if any(sum(word in own for word in words) > 1 for own in holes.values()):
        return [[word] for word in words]
    return [list(words)]
