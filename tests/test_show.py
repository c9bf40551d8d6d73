"""Show: results as plain values for JSON."""

from __future__ import annotations

import datetime as dt
import json
from collections import namedtuple
from dataclasses import dataclass
from enum import Enum, IntEnum, StrEnum
from types import MappingProxyType
from typing import Any

import numpy as np
import pytest

from sessionwise.errors import SessionwiseError
from sessionwise.findings import Finding, Findings
from sessionwise.show import plain, plain_dict

NAN, INF = float("nan"), float("inf")


class Verdict(StrEnum):
    FINE = "fine"


class Level(IntEnum):
    ONE = 1


class Size(Enum):
    HALF = 0.5
    NONE = NAN


@dataclass(frozen=True, slots=True)
class Inner:
    value: float
    findings: Findings
    where: tuple[int, ...] = ()


@dataclass(frozen=True)
class Outer:
    name: str
    inner: Inner
    others: tuple[Inner, ...]
    by: Any
    array: np.ndarray


Pair = namedtuple("Pair", "low high")
FOUND = Findings([Finding("note", "b", "second"), Finding("error", "a", "first", count=2)])
FINDINGS = [
    {"severity": "error", "code": "a", "what": "first", "where": "", "count": 2, "remedy": ""},
    {"severity": "note", "code": "b", "what": "second", "where": "", "count": 0, "remedy": ""},
]
DAY, TIME = dt.date(2024, 2, 29), dt.datetime(2024, 2, 29, 13, 5)

TABLE = [
    # Python's own
    (None, None),
    (True, True),
    (3, 3),
    (-0.5, -0.5),
    ("ä", "ä"),
    (10**30, 10**30),
    # what JSON has no word for
    (NAN, None),
    (INF, None),
    (-INF, None),
    # NumPy's scalars
    (np.float64(0.25), 0.25),
    (np.float32(0.5), 0.5),
    (np.float64(NAN), None),
    (np.float32(INF), None),
    (np.int64(7), 7),
    (np.uint8(7), 7),
    (np.bool_(True), True),
    (np.str_("a"), "a"),
    (np.datetime64("2024-02-29"), "2024-02-29"),
    (np.datetime64("2024-02-29T13:05", "ns"), "2024-02-29T13:05:00.000000000"),
    (np.datetime64("NaT"), None),
    (np.timedelta64(3, "D"), "3 days"),
    # arrays
    (np.array([1.0, NAN, -INF]), [1.0, None, None]),
    (np.array([[1, 2], [3, 4]]), [[1, 2], [3, 4]]),
    (np.array([]), []),
    (np.array(2.5), 2.5),
    (np.array(["a", "b"]), ["a", "b"]),
    (np.array([True, False]), [True, False]),
    (np.array([1, NAN, "a", None, np.int64(2)], dtype=object), [1, None, "a", None, 2]),
    (np.array(["2024-02-29", "NaT"], dtype="datetime64[ns]"), ["2024-02-29T00:00:00.000000000", None]),
    (np.array("2024-02-29", dtype="datetime64[D]"), "2024-02-29"),
    # sequences
    ((1, NAN, (2, [INF])), [1, None, [2, [None]]]),
    ([], []),
    (Pair(0.0, NAN), [0.0, None]),
    # mappings
    ({"a": NAN, "b": (1,)}, {"a": None, "b": [1]}),
    ({1: "x", np.int64(2): "y", 2.5: "z"}, {"1": "x", "2": "y", "2.5": "z"}),
    ({DAY: 1, Verdict.FINE: 2, True: 3, None: 4}, {"2024-02-29": 1, "fine": 2, "True": 3, "None": 4}),
    (MappingProxyType({"a": np.float64(1)}), {"a": 1.0}),
    # dates
    (DAY, "2024-02-29"),
    (TIME, "2024-02-29T13:05:00"),
    (dt.time(13, 5), "13:05:00"),
    (dt.timedelta(days=1), "1 day, 0:00:00"),
    # enumerations
    (Verdict.FINE, "fine"),
    (Level.ONE, 1),
    (Size.HALF, 0.5),
    (Size.NONE, None),
    # findings and records
    (Findings(), []),
    (FOUND, FINDINGS),
    (FOUND.items[0], FINDINGS[0]),
    (Inner(NAN, Findings(), (1, 2)), {"value": None, "findings": [], "where": [1, 2]}),
    (
        Outer("o", Inner(1.0, FOUND), (Inner(INF, Findings()),), {3: Inner(np.float64(2), Findings())}, np.eye(2)),
        {
            "name": "o",
            "inner": {"value": 1.0, "findings": FINDINGS, "where": []},
            "others": [{"value": None, "findings": [], "where": []}],
            "by": {"3": {"value": 2.0, "findings": [], "where": []}},
            "array": [[1.0, 0.0], [0.0, 1.0]],
        },
    ),
]


def types_in(value: object) -> set[type]:
    """The types of all values and keys, at every level."""
    if isinstance(value, dict):
        return {dict, *map(type, value), *(t for v in value.values() for t in types_in(v))}
    return {list, *(t for v in value for t in types_in(v))} if isinstance(value, list) else {type(value)}


@pytest.mark.parametrize(("value", "expected"), TABLE, ids=lambda value: f"{type(value).__name__}-{value}"[:40])
def test_plain(value, expected):
    made = plain(value)
    assert made == expected
    assert types_in(made) <= {dict, list, str, int, float, bool, type(None)}
    assert json.loads(json.dumps(made, allow_nan=False)) == expected
    assert plain(made) == made


def test_fields_are_left_out_at_every_level():
    record = Outer("o", Inner(1.0, FOUND), (Inner(2.0, FOUND),), {"where": 1}, np.zeros(0))
    told = plain_dict(record, drop=("findings", "array", "where"))
    assert told == {"name": "o", "inner": {"value": 1.0}, "others": [{"value": 2.0}], "by": {"where": 1}}
    assert plain({"findings": 1}, drop=("findings",)) == {"findings": 1}  # a mapping's keys are no fields


@pytest.mark.parametrize("value", [object(), {1, 2}, Inner, b"a", 1j, SessionwiseError("a"), [1, {"a": object()}]])
def test_what_has_no_form_in_json(value):
    with pytest.raises(TypeError, match="has no form in JSON"):
        plain(value)
