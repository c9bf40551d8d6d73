"""True ruptures of demo studies found by `ModelRupture` and by rules with fixed thresholds, at equal false alarms.

A rupture is found where its onset lies in an event's fall: after its start, up to its turning session. A false alarm is
a person without a rupture who has an event. The thresholds of `ModelRupture` are swept; beside each other rule stands
the one with as many false alarms or fewer. Differences have bootstrap intervals, drawn by persons.

    python -m bench.ruptures [STUDIES]
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

import sessionwise as sw
from sessionwise.events import Detector
from sessionwise.events.series import Series, rated

COLUMN = "wai_sr"
RULES: Mapping[str, Detector] = {
    "RuptureRepair, 1 SD": sw.RuptureRepair(COLUMN, thresholds=(1.0,)),
    "RuptureRepair, 1.5 SD": sw.RuptureRepair(COLUMN, thresholds=(1.5,)),
    "RuptureRepair, 2 SD": sw.RuptureRepair(COLUMN, thresholds=(2.0,)),
    "ControlChart, 2 SD": sw.ControlChart(COLUMN, width=2.0),
    "ControlChart, 3 SD": sw.ControlChart(COLUMN),
    "SuddenGain loss, cutoff 0.5": sw.SuddenGain(COLUMN, "loss", better="higher", cutoff=0.5),
}
BITS = np.arange(1.0, 16.0, 0.25)
RESAMPLED = 2000


@dataclass(frozen=True, slots=True)
class Outcome:
    """By person: alarm (of those without a rupture, else NaN), found and there (ruptures)."""

    alarm: np.ndarray
    found: np.ndarray
    there: np.ndarray

    @property
    def false_alarms(self) -> float:
        return float(np.nanmean(self.alarm))

    @property
    def hits(self) -> float:
        return float(self.found.sum() / self.there.sum())


def outcome(detector: Detector, series: Series, labels: list[object], truth: sw.datasets.DemoTruth) -> Outcome:
    """Of one study. detector : settled."""
    place = {label: i for i, label in enumerate(labels)}
    ruptured = {r.patient for r in truth.ruptures}
    events = detector.find(series)
    alarm = np.array([np.nan if label in ruptured else 0.0 for label in labels])
    alarm[events.person] += 1.0
    found, there = np.zeros(len(labels)), np.zeros(len(labels))
    for r in truth.ruptures:
        i = place.get(r.patient)
        if i is None or not r.observed or not series.counts[i] or r.onset <= series.sessions[i, 0]:
            continue
        there[i] += 1
        own = events.person == i
        found[i] += bool(np.any((events.start[own] < r.onset) & (r.onset <= events.turning[own])))
    return Outcome(np.minimum(alarm, 1.0), found, there)


def joined(parts: list[Outcome]) -> Outcome:
    """Studies one after the other."""
    return Outcome(*(np.concatenate([getattr(p, name) for p in parts]) for name in ("alarm", "found", "there")))


def difference(one: Outcome, other: Outcome, rng: np.random.Generator) -> tuple[float, float, float]:
    """In ruptures found, with its 95 % interval over persons."""
    drawn = rng.integers(0, len(one.there), (RESAMPLED, len(one.there)))
    there = one.there[drawn].sum(axis=1)
    values = (one.found - other.found)[drawn].sum(axis=1) / there
    return one.hits - other.hits, float(np.quantile(values, 0.025)), float(np.quantile(values, 0.975))


def main(studies: int) -> None:
    """Print a table."""
    parts: dict[str, list[Outcome]] = {}
    swept: dict[float, list[Outcome]] = {}
    nominal: list[Outcome] = []
    for seed in range(1, studies + 1):
        table = sw.datasets.demo(seed=seed, scale_scores=True)
        panel = sw.Panel(table, person="patient", session="session")
        series, labels, truth = rated(panel, COLUMN), panel.persons.tolist(), sw.datasets.demo_truth(seed)
        for name, rule in RULES.items():
            parts.setdefault(name, []).append(outcome(rule.settled(panel, series), series, labels, truth))
        model = sw.ModelRupture(COLUMN).settled(panel, series)
        nominal.append(outcome(model, series, labels, truth))
        for bits in BITS.tolist():
            swept.setdefault(bits, []).append(outcome(replace(model, least_bits=bits), series, labels, truth))
    curve = [joined(p) for p in swept.values()]
    rng = np.random.default_rng(1)
    print("rule | false alarms | found | ModelRupture: false alarms | found | difference [95 %]")
    for name, found in parts.items():
        one = joined(found)
        model_one = max((c for c in curve if c.false_alarms <= one.false_alarms), key=lambda c: c.hits, default=None)
        told = f"{name} | {one.false_alarms:.3f} | {one.hits:.3f}"
        if model_one is None:
            print(f"{told} | none has so few")
            continue
        value, low, high = difference(model_one, one, rng)
        print(f"{told} | {model_one.false_alarms:.3f} | {model_one.hits:.3f} | {value:+.3f} [{low:+.3f}, {high:+.3f}]")
    own = joined(nominal)
    print(f"ModelRupture, nominal .10 | {own.false_alarms:.3f} | {own.hits:.3f}")
    print(f"{int(np.isfinite(own.alarm).sum())} persons without a rupture, {int(own.there.sum())} ruptures in the data")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 4)
