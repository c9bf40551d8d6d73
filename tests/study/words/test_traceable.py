"""Every number in the answer, the results and the caution stands in a cell or a note of the result's tables.

Rounded as it is printed, with its sign (a size may be told without), or as a percentage. A table's note that is a
sentence of the results itself is no source.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache

import polars as pl
import pytest

import sessionwise as sw
from helpers.demo import panel, result
from helpers.two_scores import Shape, panel_of, two_scores

_NUMBER = re.compile(r"(?<![\w.-])−?(?:(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?|\.\d+)(?!\w)")
#: What is no finding: levels of intervals, and years of citations.
_NOT_FOUND = re.compile(r"95 % (?:CI|of)|\b(?:19|20)\d\d\)")


@cache
def study(name: str) -> sw.StudyResult:
    if name == "moderators":
        return result()
    if name == "together":
        return sw.Study("core_om", "wai_sr", order="together", dynamic=False).run(panel())
    if name == "linear":
        data = panel_of(two_scores(0, Shape(course=3.0)))
        return sw.Study("y", "w", trend="linear", order="process first", dynamic=False).run(data)
    if name == "own trends":
        return sw.Study("y", "w", dynamic=False).run(panel_of(two_scores(1, Shape(own=0.3))))
    if name == "stay":
        return sw.Study("y", "w", dynamic=False).run(panel_of(two_scores(2, Shape(stay=-0.5), persons=150)))
    rows = two_scores(4, Shape(forward=-0.4), persons=300, longest=15)
    return sw.Study("y", "w", moderators=["g"], trend=None, dynamic=False).run(
        panel_of(rows.with_columns(g=pl.Series(list("abc"))[rows["p"] % 3]))
    )


STUDIES = ("moderators", "together", "linear", "own trends", "stay", "three groups")


def texts(found: sw.StudyResult) -> tuple[str, ...]:
    return (*found.answer, *found.results, found.caution)


def numbers(text: str) -> Iterator[str]:
    yield from _NUMBER.findall(_NOT_FOUND.sub(" ", text))


@cache
def sources(name: str) -> tuple[tuple[float, ...], frozenset[str]]:
    """Numbers of cells; and numbers as they stand in text cells and in notes."""
    found = study(name)
    told = set(texts(found))
    cells: list[float] = []
    written: set[str] = set()
    for table in found.tables().values():
        sentences = {"done", "found"} & {column.key for column in table.columns}
        for row in table.to_dicts():
            for key, cell in row.items():
                if isinstance(cell, int | float):
                    cells.append(float(cell))
                elif cell is not None and key not in sentences:
                    written |= set(numbers(str(cell)))
        for note in table.notes:
            if note not in told:
                written |= set(numbers(note))
    return tuple(cells), frozenset(written)


def traced(number: str, name: str) -> bool:
    cells, written = sources(name)
    if number in written or number.lstrip("−") in {w.lstrip("−") for w in written}:
        return True
    if number == ".001" and any(0 <= cell < 0.001 for cell in cells):  # p < .001
        return True
    decimals = len(number.partition(".")[2])
    value = float(number.replace("−", "-").replace(",", ""))
    half = 0.5 * 10**-decimals * (1 + 1e-9)
    return any(
        abs(abs(cell) * scale - abs(value)) <= half and (cell < 0) >= (value < 0)
        for cell in cells
        for scale in (1.0, 100.0)
    )


@pytest.mark.parametrize("name", STUDIES)
def test_every_number_is_in_a_table(name):
    for text in texts(study(name)):
        assert [number for number in numbers(text) if not traced(number, name)] == [], text


def test_the_studies_have_what_they_are_for():
    assert [one.key for one in study("linear").diagnostics if one.alarm] == ["course"]
    assert [one.key for one in study("own trends").diagnostics if one.alarm] == ["own-trends"]
    assert "stay" in [one.key for one in study("stay").diagnostics if one.alarm]
    assert study("together").estimands[2:] == ()
    assert sum(len(list(numbers(text))) for text in texts(study("moderators"))) > 80


def test_a_number_from_nowhere_is_found():
    assert not traced("−7.77", "moderators")
    assert not traced("12345", "moderators")
    assert list(numbers("b = −0.94, 95 % CI [−1.20, .68], p < .001 (Nickell, 1981), CORE-10, 1,234")) == [
        "−0.94",
        "−1.20",
        ".68",
        ".001",
        "1,234",
    ]
