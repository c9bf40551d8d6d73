"""The contract of detectors: whatever `DETECTORS` names keeps it, and a new name is tested the day it is added.

A new detector needs an entry in EXAMPLES. Thresholds in the column's units are scaled with it.
"""

from __future__ import annotations

import inspect
import json
import pickle
from collections.abc import Callable, Mapping
from dataclasses import FrozenInstanceError, dataclass, fields, is_dataclass, replace
from typing import Any

import numpy as np
import polars as pl
import pytest

import sessionwise as sw
from sessionwise.events import DETECTORS, Detector
from sessionwise.events.contract import in_pieces, put_together
from sessionwise.events.series import Series, rated

PERSONS, SESSIONS = 80, 12


@dataclass(frozen=True)
class Example:
    """detector : a description. scaled : names of its thresholds in the column's units. shifted : of its scores."""

    detector: Any
    scaled: tuple[str, ...] = ()
    shifted: tuple[str, ...] = ()


EXAMPLES: Mapping[str, Example] = {
    "sudden-gain": Example(sw.SuddenGain("y", cutoff=6.0, better="lower"), ("cutoff", "best"), ("best",)),
    "sudden-gain, loss": Example(sw.SuddenGain("y", "loss", cutoff=6.0, better="lower"), ("cutoff", "best"), ("best",)),
    "sudden-gain, t-test": Example(
        sw.SuddenGain("y", cutoff=6.0, better="lower", stability="t-test"), ("cutoff", "best"), ("best",)
    ),
    "sudden-gain, half-kept": Example(
        sw.SuddenGain("y", cutoff=6.0, better="lower", stability="half-kept"), ("cutoff", "best"), ("best",)
    ),
    "sudden-gain, own-sd": Example(
        sw.SuddenGain("y", cutoff=6.0, better="lower", stability="own-sd"), ("cutoff", "best"), ("best",)
    ),
    "rupture-repair": Example(sw.RuptureRepair("y", better="higher")),
    "rupture-repair, trend": Example(sw.RuptureRepair("y", better="higher", course="trend")),
    "model-rupture": Example(sw.ModelRupture("y", better="higher")),
    "control-chart": Example(sw.ControlChart("y", better="lower", side="both", width=2.0)),
    "reliable-change": Example(sw.ReliableChange("y", better="lower", reliability=0.8, cutoff=18.0), (), ("cutoff",)),
    "reliable-change, each": Example(
        sw.ReliableChange("y", against="each", better="lower", reliability=0.8, cutoff=18.0), (), ("cutoff",)
    ),
    **{
        f"reliable-change, {method}": Example(sw.ReliableChange("y", method, better="lower", reliability=0.8))
        for method in (
            *("edwards-nunnally", "gulliksen-lord-novick", "hsu-linn-lord", "nunnally-kotsch", "hageman-arrindell"),
            "hierarchical-linear",
        )
    },
    "reliable-change, percentage": Example(
        sw.ReliableChange("y", "percentage", better="lower", percentage=0.3), ("best",), ("best",)
    ),
    "reliable-change, anchor": Example(
        sw.ReliableChange("y", "anchor", better="lower", difference=5.0), ("difference",)
    ),
}
every_detector = pytest.mark.parametrize("name", list(EXAMPLES))


def ratings(seed: int = 1) -> pl.DataFrame:
    """Declining courses with jumps, dips, skipped sessions and missing ratings."""
    rng = np.random.default_rng(seed)
    y = (
        26
        + 5 * rng.standard_normal((PERSONS, 1))
        - 0.6 * np.arange(SESSIONS)
        + 2.5 * rng.standard_normal((PERSONS, SESSIONS))
    )
    for i in range(0, PERSONS, 3):
        y[i, rng.integers(3, 9) :] -= 9
    for i in range(1, PERSONS, 3):
        y[i, rng.integers(2, 10)] -= 10
    for i in range(2, PERSONS, 3):
        y[i, rng.integers(3, 9) :] += 12
    y[rng.random(y.shape) < 0.1] = np.nan
    person, session = np.divmod(np.arange(y.size), SESSIONS)
    table = pl.DataFrame({"person": person, "session": session + 1, "y": y.ravel()}, nan_to_null=True)
    return table.filter(pl.lit(rng.random(len(table)) > 0.05))


def panel(table: Any, **roles: str) -> sw.Panel:
    return sw.Panel(table, person="person", session="session", **roles)


def found(detector: Any, table: Any, **roles: str) -> pl.DataFrame:
    episodes = sw.detect(panel(table, **roles), detector, false_alarms=False)
    return pl.DataFrame(episodes.columns(), strict=False)


def same(one: pl.DataFrame, other: pl.DataFrame, times: float = 1.0) -> None:
    """The same events; magnitudes `times` as large."""
    names = ["person", "kind", "start", "turning", "end", "length"]
    assert one[names].to_dicts() == other[names].to_dicts()
    np.testing.assert_allclose(other["magnitude"], one["magnitude"] * times, rtol=1e-8)
    np.testing.assert_allclose(other["evidence"], one["evidence"], rtol=1e-7)


def test_every_detector_has_an_example() -> None:
    assert {name.partition(",")[0] for name in EXAMPLES} == set(DETECTORS)
    for name, example in EXAMPLES.items():
        assert type(example.detector) is DETECTORS[name.partition(",")[0]]
        assert DETECTORS[example.detector.key] is type(example.detector)


@every_detector
def test_a_description_is_frozen_and_travels(name: str) -> None:
    detector = EXAMPLES[name].detector
    assert isinstance(detector, Detector)
    assert is_dataclass(detector)
    assert not inspect.isabstract(type(detector))
    assert not type(detector).__subclasses__()
    for field in fields(detector):
        with pytest.raises(FrozenInstanceError):
            setattr(detector, field.name, None)
    again = pickle.loads(pickle.dumps(detector))
    assert (again, hash(again)) == (detector, hash(detector))


@every_detector
def test_what_is_found_keeps_the_contract(name: str) -> None:
    table = ratings()
    events = found(EXAMPLES[name].detector, table)
    assert len(events)  # the data have something of every kind
    assert events.sort("person", "start", maintain_order=True).equals(events)
    assert set(events["kind"]) <= set(EXAMPLES[name].detector.kinds)
    assert (events["start"] <= events["turning"]).all()
    assert (events["turning"] <= events["end"]).all()
    assert (events["magnitude"] >= 0).all()
    assert (events["evidence"] >= 1).all()
    known = {(row["person"], row["session"]) for row in table.drop_nulls().to_dicts()}
    for place in ("start", "turning", "end"):
        assert {(row["person"], row[place]) for row in events.to_dicts()} <= known
    p = events["probability"].fill_nan(None).drop_nulls()
    assert ((p >= 0) & (p <= 1)).all()


@every_detector
def test_rows_in_any_order(name: str) -> None:
    table = ratings()
    same(
        found(EXAMPLES[name].detector, table),
        found(EXAMPLES[name].detector, table.sample(fraction=1.0, shuffle=True, seed=3)),
    )


@every_detector
def test_persons_by_any_label(name: str) -> None:
    detector, table = EXAMPLES[name].detector, ratings()
    events = found(detector, table)
    turned = found(detector, table.with_columns(person=1000 - pl.col("person"))).with_columns(
        person=1000 - pl.col("person")
    )
    same(events, turned.sort("person", "start", maintain_order=True))
    labels = [f"p{i:03d}" for i in range(PERSONS)]
    text = table.with_columns(person=pl.col("person").map_elements(lambda i: labels[i], pl.String))
    for labelled in (text, text.with_columns(pl.col("person").cast(pl.Enum(labels))), text.to_pandas()):
        names = found(detector, labelled)
        same(events, names.with_columns(person=names["person"].str.slice(1).cast(pl.Int64)))


@every_detector
def test_units_do_not_matter(name: str) -> None:
    example, table = EXAMPLES[name], ratings()
    events = found(example.detector, table)
    shifted = replace(example.detector, **{f: getattr(example.detector, f) + 7.0 for f in example.shifted})
    same(events, found(shifted, table.with_columns(pl.col("y") + 7.0)))
    values = {f: getattr(example.detector, f) * 4.0 for f in {*example.scaled, *example.shifted}}
    same(events, found(replace(example.detector, **values), table.with_columns(pl.col("y") * 4.0)), 4.0)


@every_detector
def test_the_other_direction_is_the_mirror_image(name: str) -> None:
    example, table = EXAMPLES[name], ratings()
    turned = {"lower": "higher", "higher": "lower"}[example.detector.better]
    values = {f: -getattr(example.detector, f) for f in example.shifted}
    mirrored = replace(example.detector, better=turned, **values)
    same(found(example.detector, table), found(mirrored, table.with_columns(-pl.col("y"))))


@every_detector
def test_no_event_goes_from_one_treatment_to_the_next(name: str) -> None:
    """A person with two treatments is found as two persons are."""
    detector, table = EXAMPLES[name].detector, ratings()
    apart = found(detector, table)
    two = table.with_columns(person=pl.col("person") // 2, episode=pl.col("person") % 2 + 1)
    both = found(detector, two, episode="episode")
    parts = both["person"].str.split(":").list
    number = 2 * parts.get(0).cast(pl.Int64) + parts.get(1).cast(pl.Int64) - 1
    same(apart, both.with_columns(person=number).sort("person", "start", maintain_order=True))


@every_detector
def test_a_skipped_session_is_known_by_its_number(name: str) -> None:
    """A missing rating and a session that is not there are one."""
    detector, table = EXAMPLES[name].detector, ratings()
    same(found(detector, table), found(detector, table.drop_nulls()))


SMALL: Mapping[str, Callable[[], pl.DataFrame]] = {
    "one session": lambda: ratings().filter(pl.col("session") == 1),
    "two sessions": lambda: ratings().filter(pl.col("session") <= 2),
    "all equal": lambda: ratings().with_columns(y=pl.lit(5.0)),
    "one person": lambda: ratings().filter(pl.col("person") == 0),
    "two persons": lambda: ratings().filter(pl.col("person") <= 1),
    "hardly any rating": lambda: ratings().with_columns(pl.when(pl.col("person") == 3).then("y")),
    "no rating": lambda: ratings().with_columns(y=pl.lit(None, pl.Float64)),
    "true and false": lambda: ratings().with_columns(y=pl.col("y") > 20),
    "far sessions": lambda: ratings().with_columns(session=pl.col("session") ** 8),
    "negative sessions": lambda: ratings().with_columns(session=pl.col("session") - 50),
    "huge": lambda: ratings().with_columns(pl.col("y") * 1e200),
}


@every_detector
@pytest.mark.parametrize("data", list(SMALL))
def test_poor_data_give_few_events_or_an_error_of_ours(name: str, data: str) -> None:
    table = SMALL[data]()
    error: sw.SessionwiseError | None
    with np.errstate(over="ignore", invalid="ignore"):
        try:
            episodes = sw.detect(panel(table), EXAMPLES[name].detector, patients=50)
        except sw.SessionwiseError as raised:
            error = raised
        else:
            error = None
    if error is not None:
        assert error.remedy
        return
    if data in ("one session", "all equal"):
        assert not len(episodes)
    json.dumps(episodes.to_dict(), allow_nan=False)
    assert str(episodes)


@every_detector
def test_a_negative_number_of_a_session_changes_nothing(name: str) -> None:
    table = ratings()
    early = found(EXAMPLES[name].detector, table.with_columns(pl.col("session") - 20))
    moved = early.with_columns(pl.col("start", "turning", "end") + 20)
    same(found(EXAMPLES[name].detector, table), moved)


@every_detector
def test_piece_by_piece_is_as_at_once(name: str) -> None:
    given = panel(ratings())
    series = rated(given, "y")
    settled = EXAMPLES[name].detector.settled(given, series)
    whole = settled.find(series)
    starts = list(range(0, PERSONS, 13))
    pieces = put_together([settled.find(series.rows(slice(a, a + 13))) for a in starts], starts)
    for field in ("person", "kind", "start", "turning", "end", "magnitude", "assessed"):
        np.testing.assert_array_equal(getattr(pieces, field), getattr(whole, field))
    assert len(in_pieces(settled, Series(np.zeros((0, 0)), np.zeros((0, 0), np.int64)))) == 0


@every_detector
def test_it_prints_itself_and_goes_into_json(name: str) -> None:
    episodes = sw.detect(panel(ratings()), EXAMPLES[name].detector, patients=100)
    text = str(episodes)
    assert "By chance" in text
    assert "Rule: y" in text
    assert max(map(len, text.splitlines())) <= 80
    assert "<table>" in episodes._repr_html_()
    plain = json.loads(json.dumps(episodes.to_dict(), allow_nan=False))
    assert len(plain["events"]) == len(episodes) == plain["counts"]["events"]
    assert plain["detector"] == name.partition(",")[0]
    again = pickle.loads(pickle.dumps(episodes))
    assert str(again) == text


@every_detector
@pytest.mark.parametrize("kind", ["polars", "pandas", "pyarrow"])
def test_tables_are_of_the_kind_that_came_in(name: str, kind: str) -> None:
    table = {"polars": lambda t: t, "pandas": lambda t: t.to_pandas(), "pyarrow": lambda t: t.to_arrow()}[kind](
        ratings()
    )
    assert type(sw.detect(panel(table), EXAMPLES[name].detector, false_alarms=False).table()) is type(table)


@every_detector
def test_equal_seeds_give_equal_false_alarms(name: str) -> None:
    one, again, other = (
        sw.false_alarms(EXAMPLES[name].detector, panel(ratings()), patients=400, seed=seed) for seed in (1, 1, 2)
    )
    assert one.to_dict() == again.to_dict()
    assert one.to_dict() != other.to_dict()
    for alarm in one.alarms:
        assert abs(alarm.share - other[alarm.shape].share) < 5 * np.hypot(alarm.se, other[alarm.shape].se)
